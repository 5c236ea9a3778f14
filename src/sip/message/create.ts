import { type ByteString, GatewayError } from '../../base/index.ts'
import type { HeaderField, SipMessage, SipRequest, SipResponse } from './model.ts'

/** A message body and its Content-Type. */
export interface Body {
  readonly type: string
  readonly content: ByteString
}

export interface RequestParts {
  readonly method: string
  readonly uri: ByteString
  readonly headers: readonly HeaderField[]
  readonly body?: Body | undefined
}

export interface ResponseParts {
  readonly status: number
  /** Default: the phrase of RFC 3261 §21. */
  readonly reason?: ByteString | undefined
  readonly headers: readonly HeaderField[]
  readonly body?: Body | undefined
}

export interface ReplyParts {
  readonly reason?: ByteString | undefined
  /** Put into To where the request's To has no tag and the status is not 100. */
  readonly toTag?: ByteString | undefined
  readonly headers?: readonly HeaderField[] | undefined
  readonly body?: Body | undefined
}

export function createRequest(_parts: RequestParts): SipRequest {
  throw new GatewayError('INTERNAL', 'not there yet')
}

export function createResponse(_parts: ResponseParts): SipResponse {
  throw new GatewayError('INTERNAL', 'not there yet')
}

/**
 * A response to `request` (RFC 3261 §8.2.6.2): Via, From, To, Call-ID and CSeq are its own; Record-Route too where the
 * response can make a dialog (§12.1.1).
 */
export function replyTo(_request: SipRequest, _status: number, _parts: ReplyParts = {}): SipResponse {
  throw new GatewayError('INTERNAL', 'not there yet')
}

/** The same message with every line of the given names replaced by the given ones; new names go to the end. */
export function withHeaders<M extends SipMessage>(_message: M, _fields: readonly HeaderField[]): M {
  throw new GatewayError('INTERNAL', 'not there yet')
}

/** The usual words for a status, RFC 3261 §21 and later ones. */
export function reasonPhrase(_status: number): string {
  throw new GatewayError('INTERNAL', 'not there yet')
}
