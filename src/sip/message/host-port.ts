import type { ByteString } from '../../base/index.ts'
import { ipv6Groups } from './ip-address.ts'
import { COLON, characterSet, malformed, parseNumber, shown } from './syntax.ts'

/** `host[:port]` at `start` of a text; `end` is the place behind it. */
export interface HostPortSpan {
  /** Lower case, IPv6 without brackets. */
  readonly host: string
  readonly port?: number
  readonly end: number
}

/** Letters, digits, '-' and '.'; '_' too, since machines are named so in the field. */
const HOST = characterSet('-._', true)
const OPEN_BRACKET = 0x5b

/**
 * @param spaced Whether spaces may stand around the colon (Via, RFC 3261 §25.1) or not (URI).
 * @throws GatewayError `SIP_MALFORMED_MESSAGE`
 */
export function parseHostPort(text: ByteString, start: number, spaced: boolean): HostPortSpan {
  const hostEnd = text.charCodeAt(start) === OPEN_BRACKET ? text.indexOf(']', start) + 1 : endOfHost(text, start)
  if (hostEnd <= start) throw malformed(`No host at ${shown(text.slice(start))}`)
  const host = readHost(text, start, hostEnd)
  let colon = hostEnd
  if (spaced) while (text.charCodeAt(colon) === 0x20) colon++
  if (text.charCodeAt(colon) !== COLON) return { host, end: hostEnd }
  let portStart = colon + 1
  if (spaced) while (text.charCodeAt(portStart) === 0x20) portStart++
  let end = portStart
  while (isDigit(text.charCodeAt(end))) end++
  const port = parseNumber(text.slice(portStart, end), 65_535)
  if (port === undefined) throw malformed(`Bad port at ${shown(text.slice(start))}`)
  return { host, port, end }
}

function endOfHost(text: ByteString, start: number): number {
  let at = start
  while (at < text.length && HOST[text.charCodeAt(at)] === 1) at++
  return at
}

function readHost(text: ByteString, start: number, end: number): string {
  if (text.charCodeAt(start) !== OPEN_BRACKET) return text.slice(start, end).toLowerCase()
  const host = text.slice(start + 1, end - 1).toLowerCase()
  if (ipv6Groups(host) === undefined) throw malformed(`${shown(host)} is no IPv6 address`)
  return host.replace(':::', '::')
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}
