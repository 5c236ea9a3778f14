import { type ByteString, GatewayError, LIMITS } from '../../base/index.ts'
import { type HeaderLines, scanHeaderSection } from './header-lines.ts'
import { ID, nameOf } from './header-names.ts'
import { Headers } from './headers.ts'
import type { SipMessage, SipRequest } from './model.ts'
import { parseStartLine, type StartLine } from './start-line.ts'
import { malformed, parseNumber, shown } from './syntax.ts'
import { parseUri } from './uri.ts'

/**
 * One whole message: a datagram, a WebSocket message or what a `StreamFramer` cut out. Bytes behind the body are
 * ignored (RFC 3261 §18.3).
 *
 * The start line, the frame and the headers every message needs (Via, From, To, Call-ID, CSeq, Max-Forwards) are
 * checked; other headers only when they are read.
 *
 * @throws GatewayError `SIP_MALFORMED_MESSAGE`, `SIP_MESSAGE_TOO_LARGE`, `SIP_VERSION_UNSUPPORTED`
 */
export function parseMessage(data: ByteString): SipMessage {
  if (data.length > LIMITS.sipMessageBytes) {
    throw new GatewayError('SIP_MESSAGE_TOO_LARGE', `${data.length} bytes, at most ${LIMITS.sipMessageBytes}`)
  }
  const { message, lines } = read(data)
  checkSingle(lines)
  checkEssential(message)
  return message
}

/** A message that we wrote ourselves: what it took over from a peer is not judged again. */
export function rereadMessage(data: ByteString): SipMessage {
  return read(data).message
}

function read(data: ByteString): { readonly message: SipMessage; readonly lines: HeaderLines } {
  const line = parseStartLine(data, skipLineBreaks(data))
  const { lines, bodyStart } = scanHeaderSection(data, line.end)
  const headers = new Headers(lines)
  return { message: toMessage(line, headers, bodyOf(data, bodyStart, headers)), lines }
}

/** Line breaks before the first line are ignored (RFC 3261 §7.5). */
function skipLineBreaks(data: ByteString): number {
  let at = 0
  while (data.charCodeAt(at) === 0x0d || data.charCodeAt(at) === 0x0a) at++
  return at
}

function toMessage(line: StartLine, headers: Headers, body: ByteString): SipMessage {
  if (line.kind === 'response') return { kind: 'response', status: line.status, reason: line.reason, headers, body }
  if (line.kind === 'request') return { kind: 'request', method: line.method, uri: line.uri, headers, body }
  throw new GatewayError('SIP_VERSION_UNSUPPORTED', 'Only SIP/2.0 is spoken here')
}

/** RFC 3261 §18.3: without a length the body is the rest; more bytes than that are cut, fewer are an error. */
function bodyOf(data: ByteString, start: number, headers: Headers): ByteString {
  const text = headers.first(ID.contentLength)
  if (text === undefined) return start === data.length ? '' : data.slice(start)
  const length = parseNumber(text, LIMITS.sipMessageBytes)
  if (length === undefined) throw malformed(`Content-Length ${shown(text)} is no possible length`)
  if (start + length > data.length) throw malformed(`Content-Length is ${length}, the body ${data.length - start}`)
  return length === 0 ? '' : data.slice(start, start + length)
}

/** Bits of the headers that may stand only once (RFC 3261 §7.3.1): From, To, Call-ID, CSeq, Max-Forwards, lengths. */
const SINGLE =
  (1 << ID.from) |
  (1 << ID.to) |
  (1 << ID.callId) |
  (1 << ID.cseq) |
  (1 << ID.maxForwards) |
  (1 << ID.contentLength) |
  (1 << ID.contentType)

function checkSingle(lines: HeaderLines): void {
  let seen = 0
  for (let i = 0; i < lines.count; i++) {
    const id = lines.idOf(i)
    if (id > ID.contentType) continue
    const bit = (1 << id) & SINGLE
    if ((seen & bit) !== 0) throw malformed(`${nameOf(id)} stands twice`)
    seen |= bit
  }
}

/** RFC 3261 §8.1.1: what a message cannot be handled without. */
function checkEssential(message: SipMessage): void {
  const { headers } = message
  const { method } = headers.cseq
  if (headers.callId === '') throw malformed('Call-ID is empty')
  void headers.fromTag
  void headers.toTag
  void headers.viaSpan
  if (message.kind === 'response') return
  void headers.maxForwards
  if (method !== message.method) throw malformed(`CSeq is of ${shown(method)}, the request is ${shown(message.method)}`)
  checkRequestUri(message)
}

function checkRequestUri(request: SipRequest): void {
  const uri = parseUri(request.uri)
  if (uri.headers !== '') throw malformed('The Request-URI has headers') // RFC 3261 §19.1.1 table 1.
}
