import type { ByteString } from '../../base/index.ts'
import { ID, idOfName } from './header-names.ts'
import { Headers } from './headers.ts'
import type { HeaderField, SipMessage, SipRequest, SipResponse } from './model.ts'
import { withTag } from './name-addr.ts'
import { reasonPhrase } from './reason-phrase.ts'

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

export function createRequest(parts: RequestParts): SipRequest {
  const headers = Headers.of(withType(parts.headers, parts.body))
  return { kind: 'request', method: parts.method, uri: parts.uri, headers, body: parts.body?.content ?? '' }
}

export function createResponse(parts: ResponseParts): SipResponse {
  const { status } = parts
  const headers = Headers.of(withType(parts.headers, parts.body))
  const reason = parts.reason ?? reasonPhrase(status)
  return { kind: 'response', status, reason, headers, body: parts.body?.content ?? '' }
}

function withType(headers: readonly HeaderField[], body: Body | undefined): readonly HeaderField[] {
  return body === undefined ? headers : [...headers, { name: 'Content-Type', value: body.type }]
}

/**
 * A response to `request` (RFC 3261 §8.2.6.2): Via, From, To, Call-ID and CSeq are its own; Record-Route too where the
 * response can make a dialog (§12.1.1), Timestamp in a 100 (§8.2.6.1).
 */
export function replyTo(request: SipRequest, status: number, parts: ReplyParts = {}): SipResponse {
  const { lines } = request.headers
  const fields: HeaderField[] = []
  for (let i = 0; i < lines.count; i++) {
    const id = lines.idOf(i)
    if (!isCopied(id, status)) continue
    const value = lines.valueOf(i)
    const tag = id === ID.to && status > 100 && parts.toTag !== undefined ? parts.toTag : ''
    const needsTag = tag !== '' && request.headers.toTag === undefined
    fields.push({ name: lines.nameOf(i), value: needsTag ? withTag(value, tag) : value })
  }
  if (parts.headers !== undefined) fields.push(...parts.headers)
  return createResponse({ status, reason: parts.reason, headers: fields, body: parts.body })
}

const TIMESTAMP = idOfName('Timestamp')

function isCopied(id: number, status: number): boolean {
  if (id === ID.unknown) return false
  if (id <= ID.cseq) return true // Via, From, To, Call-ID, CSeq are the first of the table.
  if (id === ID.recordRoute) return status > 100 && status < 300
  return id === TIMESTAMP && status === 100
}

/** The same message with every line of the given names replaced by the given ones; new names go to the end. */
export function withHeaders<M extends SipMessage>(message: M, fields: readonly HeaderField[]): M {
  const key = (name: string): number | string => idOfName(name) || name.toLowerCase()
  const given = new Map<number | string, HeaderField[]>()
  for (const field of fields) given.set(key(field.name), [...(given.get(key(field.name)) ?? []), field])
  const merged = message.headers.fields().flatMap((field) => {
    const replacement = given.get(key(field.name))
    if (replacement === undefined) return [field]
    return replacement.splice(0) // In the place of the first; later lines of that name go.
  })
  for (const rest of given.values()) merged.push(...rest)
  return { ...message, headers: Headers.of(merged) }
}
