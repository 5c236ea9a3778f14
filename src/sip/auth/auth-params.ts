import type { ByteString } from '../../base/index.ts'
import { EQUALS, endOfListValue, isToken, QUOTE, skipSpace, trimEnd, unquote } from '../message/syntax.ts'

/** More parameters than these are nobody's honest credentials. */
const MAX_PARAMS = 32

/** The scheme and the parameters of a challenge or of credentials (RFC 7235 §2.1), unquoted, names in lower case. */
export interface AuthParams {
  readonly scheme: string
  readonly params: ReadonlyMap<string, ByteString>
}

/** @returns undefined if the text is not of that form. */
export function parseAuthParams(value: ByteString): AuthParams | undefined {
  const space = value.search(/[ \t]/)
  if (space < 0 || !isToken(value, 0, space)) return undefined
  const params = new Map<string, ByteString>()
  let at = skipSpace(value, space)
  while (at < value.length) {
    const end = endOfListValue(value, at)
    const param = parseParam(value.slice(at, trimEnd(value, at, end)))
    if (param === undefined || params.has(param.name) || params.size === MAX_PARAMS) return undefined
    params.set(param.name, param.value)
    at = skipSpace(value, end + 1)
  }
  return { scheme: value.slice(0, space).toLowerCase(), params }
}

function parseParam(text: ByteString): { name: string; value: ByteString } | undefined {
  const equals = text.indexOf('=')
  const nameEnd = trimEnd(text, 0, Math.max(equals, 0))
  if (!isToken(text, 0, nameEnd) || text.charCodeAt(equals) !== EQUALS) return undefined
  const value = text.slice(skipSpace(text, equals + 1))
  const isQuoted = value.charCodeAt(0) === QUOTE
  if (isQuoted && (value.length < 2 || value.charCodeAt(value.length - 1) !== QUOTE)) return undefined
  if (!isQuoted && value.includes('"')) return undefined
  return { name: text.slice(0, nameEnd).toLowerCase(), value: unquote(value) }
}
