import type { ByteString } from '../../base/index.ts'
import type { NameAddr } from './model.ts'
import { parseParams, writeParams } from './params.ts'
import {
  COLON,
  COMMA,
  endOfQuoted,
  GREATER,
  isSpace,
  LESS,
  malformed,
  QUOTE,
  quote,
  SEMICOLON,
  shown,
  skipSpace,
  trimEnd,
  unquote,
} from './syntax.ts'

/**
 * `name-addr` or `addr-spec` with header parameters (RFC 3261 §20.10). The display name is unquoted.
 *
 * @throws GatewayError `SIP_MALFORMED_MESSAGE`
 */
export function parseNameAddr(value: ByteString): NameAddr {
  const span = addressSpan(value)
  const displayName = span.nameEnd > 0 ? unquote(value.slice(0, span.nameEnd)) : ''
  const uri = value.slice(span.uriStart, span.uriEnd)
  const params = parseParams(value, span.paramsStart)
  return displayName === '' ? { uri, params } : { displayName, uri, params }
}

/** Where the parts of an address stand in its text. */
interface AddressSpan {
  /** End of the display name, which starts at 0; 0 if there is none. */
  readonly nameEnd: number
  readonly uriStart: number
  readonly uriEnd: number
  readonly paramsStart: number
}

/** @throws GatewayError `SIP_MALFORMED_MESSAGE` */
export function addressSpan(value: ByteString): AddressSpan {
  const quoted = value.charCodeAt(0) === QUOTE ? endOfQuoted(value, 0) : 0
  if (quoted < 0) throw malformed(`The display name ${shown(value)} does not end`)
  const open = value.indexOf('<', quoted)
  if (open < 0) return addrSpec(value, quoted)
  const nameEnd = trimEnd(value, 0, open)
  if (quoted > 0 ? nameEnd !== quoted : !isPlainName(value, nameEnd)) {
    throw malformed(`Bad display name in ${shown(value)}`)
  }
  const close = value.indexOf('>', open)
  if (close < 0) throw malformed(`No ">" in ${shown(value)}`)
  checkUri(value, open + 1, close)
  return { nameEnd, uriStart: open + 1, uriEnd: close, paramsStart: close + 1 }
}

/** A URI without angle brackets: it may have no "?", "," or parameters of its own (RFC 3261 §20, RFC 8217). */
function addrSpec(value: ByteString, quoted: number): AddressSpan {
  const semicolon = value.indexOf(';')
  const paramsStart = semicolon < 0 ? value.length : semicolon
  const uriEnd = trimEnd(value, 0, paramsStart)
  const uri = value.slice(0, uriEnd)
  if (quoted > 0 || uri.includes('?') || uri.includes(',')) throw malformed(`${shown(value)} needs "<" and ">"`)
  checkUri(value, 0, uriEnd)
  return { nameEnd: 0, uriStart: 0, uriEnd, paramsStart }
}

/** Names without quotes are tokens by the grammar; in the field they have dots, braces and letters of any language. */
function isPlainName(value: ByteString, end: number): boolean {
  for (let i = 0; i < end; i++) {
    const c = value.charCodeAt(i)
    if (c === QUOTE || c === COMMA || c === SEMICOLON || c === GREATER) return false
  }
  return true
}

function checkUri(value: ByteString, start: number, end: number): void {
  let colon = -1
  for (let i = start; i < end; i++) {
    const c = value.charCodeAt(i)
    if (c <= 0x20 || c === QUOTE || c === LESS || c === GREATER || c === 0x7f)
      throw malformed(`Bad URI in ${shown(value)}`)
    if (c === COLON && colon < 0) colon = i
  }
  if (colon <= start) throw malformed(`No URI in ${shown(value)}`)
}

/** Where the header parameters of an address start; for reading one of them without parsing the rest. */
export function paramsStartOf(value: ByteString): number {
  return skipSpace(value, addressSpan(value).paramsStart)
}

/** The text of an address with one more parameter, a tag; a ";" that led to nothing is not doubled. */
export function withTag(value: ByteString, tag: ByteString): ByteString {
  let end = value.length
  while (end > 0 && (value.charCodeAt(end - 1) === SEMICOLON || isSpace(value.charCodeAt(end - 1)))) end--
  return `${value.slice(0, end)};tag=${tag}`
}

/** Always with angle brackets; the display name always quoted, so that any text is safe. */
export function writeNameAddr(address: NameAddr): ByteString {
  const name = address.displayName === undefined ? '' : `${quote(address.displayName)} `
  return `${name}<${address.uri}>${writeParams(address.params)}`
}
