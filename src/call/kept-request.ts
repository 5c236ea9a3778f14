import type { ByteString } from '../base/index.ts'
import { type Body, createRequest, type HeaderField, type SipRequest, type SipResponse } from '../sip/index.ts'

/** A request as plain data, with the header lines that are needed later. */
export interface KeptRequest {
  readonly method: string
  readonly uri: ByteString
  /** Without Content-Type and Content-Length: they come from `body`. */
  readonly fields: readonly HeaderField[]
  readonly body?: Body | undefined
}

/** Header lines that a response repeats or depends on (RFC 3261 §8.2.6, §12.1.1; RFC 4028 §9). */
const FOR_REPLY = new Set([
  'via',
  'from',
  'to',
  'call-id',
  'cseq',
  'record-route',
  'supported',
  'session-expires',
  'min-se',
])

/** A request of a peer, as far as our response needs it. */
export function keepForReply(request: SipRequest): KeptRequest {
  return trimmed({ method: request.method, uri: request.uri, fields: request.headers.fields() })
}

/** The same without what only its receiver needs. */
export function trimmed({ method, uri, fields }: KeptRequest): KeptRequest {
  return { method, uri, fields: fields.filter(({ name }) => FOR_REPLY.has(name.toLowerCase())) }
}

/** A request of ours, whole: it may have to be sent again with credentials. */
export function keep(request: SipRequest): KeptRequest {
  const fields = request.headers.fields().filter(({ name }) => !/^content-(type|length)$/i.test(name))
  return { method: request.method, uri: request.uri, fields, body: bodyOf(request) }
}

/** The body of a message with its type; `undefined` if it has none. */
export function bodyOf(message: SipRequest | SipResponse): Body | undefined {
  if (message.body === '') return undefined
  return { type: message.headers.get('Content-Type') ?? 'application/octet-stream', content: message.body }
}

export function restore({ method, uri, fields, body }: KeptRequest): SipRequest {
  return createRequest({ method, uri, headers: fields, body })
}
