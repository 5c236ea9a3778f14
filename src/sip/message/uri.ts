import type { ByteString } from '../../base/index.ts'
import { parseHostPort } from './host-port.ts'
import { bracketed, canonicalHost } from './ip-address.ts'
import type { SipUri } from './model.ts'
import { NO_PARAMS, type Params } from './params.ts'
import { characterSet, malformed, SEMICOLON, shown } from './syntax.ts'

/**
 * A URI of any scheme; `sip:` and `sips:` are taken apart (RFC 3261 §19.1.1).
 *
 * @throws GatewayError `SIP_MALFORMED_MESSAGE`
 */
export function parseUri(text: ByteString): SipUri {
  const colon = text.indexOf(':')
  const scheme = text.slice(0, Math.max(colon, 0)).toLowerCase()
  checkCharacters(text)
  if (scheme !== 'sip' && scheme !== 'sips') return parseOther(text, scheme, colon)
  const at = text.indexOf('@', colon)
  const hostStart = at < 0 ? colon + 1 : at + 1
  const { host, port, end } = parseHostPort(text, hostStart, false)
  const question = text.indexOf('?', end)
  const paramsEnd = question < 0 ? text.length : question
  const uri: SipUri = {
    scheme,
    ...(at >= 0 ? parseUserInfo(text.slice(colon + 1, at)) : undefined),
    host,
    ...(port !== undefined ? { port } : undefined),
    params: end === paramsEnd ? NO_PARAMS : parseUriParams(text.slice(end, paramsEnd)),
    headers: question < 0 ? '' : text.slice(question + 1),
  }
  return uri
}

/** Every character a URI may have, whatever the scheme, and the bytes of UTF-8 that careless peers do not escape. */
const URI_CHARACTER = characterSet("-_.!~*'();/?:@&=+$,%[]#", true).map((in7, i) => (i > 0x7f ? 1 : in7))

function checkCharacters(text: ByteString): void {
  for (let i = 0; i < text.length; i++) {
    if (URI_CHARACTER[text.charCodeAt(i)] !== 1) throw malformed(`${shown(text)} is no URI`)
  }
}

function parseOther(text: ByteString, scheme: string, colon: number): SipUri {
  if (!/^[a-z][a-z0-9+.-]*$/.test(scheme)) throw malformed(`${shown(text)} has no URI scheme`)
  return { scheme, host: '', params: NO_PARAMS, headers: '', opaque: text.slice(colon + 1) }
}

function parseUserInfo(text: ByteString): { user: ByteString; password?: ByteString } {
  const colon = text.indexOf(':')
  const user = percentDecode(colon < 0 ? text : text.slice(0, colon))
  if (user === '') throw malformed('A SIP URI with "@" has no user')
  return colon < 0 ? { user } : { user, password: percentDecode(text.slice(colon + 1)) }
}

function parseUriParams(text: ByteString): Params {
  if (text.charCodeAt(0) !== SEMICOLON) throw malformed(`${shown(text)} follows the host of a URI`)
  const params = new Map<string, ByteString>()
  for (const part of text.slice(1).split(';')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const name = percentDecode(equals < 0 ? part : part.slice(0, equals)).toLowerCase()
    if (!params.has(name)) params.set(name, equals < 0 ? '' : percentDecode(part.slice(equals + 1)))
  }
  return params
}

/** Undoes %HH once; a "%" that escapes nothing stays. */
function percentDecode(text: ByteString): ByteString {
  if (!text.includes('%')) return text
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** Everything outside these is escaped in the user part (RFC 3261 §25.1 `user`). */
const USER = characterSet("-_.!~*'()&=+$,;?/", true)
const PASSWORD = characterSet("-_.!~*'()&=+$,", true)
const PARAM = characterSet("-_.!~*'()[]/:&+$", true)

/** The text of a URI; what its grammar does not allow is escaped. */
export function writeUri(uri: SipUri): ByteString {
  if (uri.opaque !== undefined) return `${uri.scheme}:${uri.opaque}`
  let text = `${uri.scheme}:`
  if (uri.user !== undefined) {
    text += percentEncode(uri.user, USER)
    if (uri.password !== undefined) text += `:${percentEncode(uri.password, PASSWORD)}`
    text += '@'
  }
  text += bracketed(uri.host)
  if (uri.port !== undefined) text += `:${uri.port}`
  for (const [name, value] of uri.params) {
    text +=
      value === '' ? `;${percentEncode(name, PARAM)}` : `;${percentEncode(name, PARAM)}=${percentEncode(value, PARAM)}`
  }
  return uri.headers === '' ? text : `${text}?${uri.headers}`
}

function percentEncode(text: ByteString, allowed: Uint8Array): ByteString {
  let out = ''
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i) & 0xff
    out += allowed[code] === 1 ? text[i] : `%${code.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return out
}

/** Parameters that make a difference even if only one of the URIs has them (RFC 3261 §19.1.4). */
const DECISIVE = ['user', 'ttl', 'method', 'maddr', 'transport']

/** Equality of RFC 3261 §19.1.4 and RFC 5954 §4.2. Not transitive. */
export function uriEquals(a: SipUri | ByteString, b: SipUri | ByteString): boolean {
  const left = typeof a === 'string' ? parseUri(a) : a
  const right = typeof b === 'string' ? parseUri(b) : b
  if (left.scheme !== right.scheme || left.opaque !== right.opaque) return false
  if (left.user !== right.user || left.password !== right.password || left.port !== right.port) return false
  if (canonicalHost(left.host) !== canonicalHost(right.host)) return false
  return sameParams(left.params, right.params) && sameHeaders(left.headers, right.headers)
}

function sameParams(a: Params, b: Params): boolean {
  for (const name of DECISIVE) if (a.has(name) !== b.has(name)) return false
  for (const [name, value] of a) {
    const other = b.get(name)
    if (other !== undefined && other.toLowerCase() !== value.toLowerCase()) return false
  }
  return true
}

function sameHeaders(a: ByteString, b: ByteString): boolean {
  if (a === b) return true
  const sorted = (text: ByteString): string => text.split('&').map(canonicalHeader).sort().join('&')
  return sorted(a) === sorted(b)
}

function canonicalHeader(text: ByteString): string {
  const equals = text.indexOf('=')
  if (equals < 0) return percentDecode(text).toLowerCase()
  return `${percentDecode(text.slice(0, equals)).toLowerCase()}=${percentDecode(text.slice(equals + 1))}`
}
