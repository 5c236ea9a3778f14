import type { ByteString } from '../../base/index.ts'
import { isToken, malformed, shown } from './syntax.ts'

export type StartLine =
  | { readonly kind: 'request'; readonly method: string; readonly uri: ByteString; readonly end: number }
  | { readonly kind: 'response'; readonly status: number; readonly reason: ByteString; readonly end: number }
  /** A request of another version of SIP; gets 505 (RFC 3261 §21.5.6). */
  | { readonly kind: 'other-version'; readonly method: string; readonly uri: ByteString; readonly end: number }

/**
 * The first line of a message; `end` is the place behind its line break.
 *
 * @throws GatewayError `SIP_MALFORMED_MESSAGE`
 */
export function parseStartLine(text: ByteString, start: number): StartLine {
  const lineFeed = text.indexOf('\n', start)
  if (lineFeed < 0) throw malformed('The first line does not end')
  const end = text.charCodeAt(lineFeed - 1) === 0x0d ? lineFeed - 1 : lineFeed
  const line = text.slice(start, end)
  return line.startsWith('SIP/') || /^sip\//i.test(line)
    ? parseStatusLine(line, lineFeed + 1)
    : parseRequestLine(line, lineFeed + 1)
}

function parseRequestLine(line: ByteString, end: number): StartLine {
  const first = line.indexOf(' ')
  const second = line.indexOf(' ', first + 1)
  const version = line.slice(second + 1)
  const uri = line.slice(first + 1, second)
  if (first < 1 || second < 0 || uri === '' || !isToken(line, 0, first)) throw malformed(`${shown(line)} is no SIP`)
  const method = line.slice(0, first)
  if (version === 'SIP/2.0' || version.toUpperCase() === 'SIP/2.0') return { kind: 'request', method, uri, end }
  if (/^SIP\/\d+\.\d+$/i.test(version)) return { kind: 'other-version', method, uri, end }
  throw malformed(`The request line ends with ${shown(version)}`)
}

/** `SIP/2.0 200 OK`; the phrase may be empty, and the space before it missing. */
function parseStatusLine(line: ByteString, end: number): StartLine {
  const code = line.slice(8, 11)
  const separator = line.charCodeAt(11)
  const status = /^[1-6]\d\d$/.test(code) ? Number(code) : undefined
  const framed = line.charCodeAt(7) === 0x20 && (Number.isNaN(separator) || separator === 0x20)
  if (status === undefined || !framed || line.slice(0, 7).toUpperCase() !== 'SIP/2.0' || line.includes('\r')) {
    throw malformed(`Bad status line ${shown(line)}`)
  }
  return { kind: 'response', status, reason: line.slice(12), end }
}
