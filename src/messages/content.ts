import { type ByteString, LIMITS, type Millis } from '../base/index.ts'
import type { Body, HeaderField, SipRequest } from '../sip/index.ts'

/** A MESSAGE as far as its receiver is told of it. */
export interface AcceptedMessage {
  /** Value of From without tag. */
  readonly from: ByteString
  readonly headers: readonly HeaderField[]
  readonly body: Body
}

/** Kinds of content that are passed on besides `text/*`. */
const TYPES = ['message/cpim', 'message/imdn+xml', 'application/im-iscomposing+xml']

/** Value of Accept. */
export const MESSAGE_TYPES = ['text/*', ...TYPES].join(', ')

/** Header lines that belong to the message and not to its way (RFC 3428 §4, RFC 3261 §20). */
const PASSED = ['Subject', 'Priority', 'In-Reply-To', 'Reply-To', 'Content-Disposition', 'Content-Language', 'Expires']

/**
 * What of a MESSAGE is handed on, or the status that refuses it: 415 for a kind of content that nobody expects, 413 for
 * too much of it (RFC 3428 §8).
 *
 * @param about `from`: the sender as the receiver is told. `date`: value of Date if the sender gave none, so that the
 * reader learns when a stored message was written.
 */
export function readMessage(
  request: SipRequest,
  about: { readonly from: ByteString; readonly date: string },
): AcceptedMessage | { readonly refused: 413 | 415 } {
  const { headers, body } = request
  const type = headers.contentType ?? 'text/plain'
  if (!(type.startsWith('text/') || TYPES.includes(type)) || headers.has('Content-Encoding')) return { refused: 415 }
  if (body.length > LIMITS.messageBytes) return { refused: 413 }
  const passed = PASSED.flatMap((name) => {
    const value = headers.get(name)
    return value === undefined ? [] : [{ name, value }]
  })
  const hops = { name: 'Max-Forwards', value: String((headers.maxForwards ?? 70) - 1) }
  return {
    from: about.from,
    headers: [hops, ...passed, { name: 'Date', value: headers.get('Date') ?? about.date }],
    body: { type: headers.get('Content-Type') ?? 'text/plain', content: body },
  }
}

/** Whether a message is of use later: that somebody types is not. */
export function isStorable(request: SipRequest): boolean {
  return request.headers.contentType !== 'application/im-iscomposing+xml' && request.body !== ''
}

/** How long it may wait: as long as we keep messages, or less if its sender says so (RFC 3428 §9). */
export function keptMs(request: SipRequest, longestMs: Millis): Millis {
  const { expires } = request.headers
  return expires === undefined ? longestMs : Math.min(longestMs, expires * 1_000)
}
