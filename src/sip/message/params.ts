import type { ByteString } from '../../base/index.ts'
import { EQUALS, endOfQuoted, isToken, malformed, QUOTE, SEMICOLON, shown, skipSpace, trimEnd } from './syntax.ts'

/** Parameters by name in lower case; values as they stood, quotes included; '' where there is none. */
export type Params = ReadonlyMap<string, ByteString>

export const NO_PARAMS: Params = new Map()

/**
 * The `;name=value` list at `start` of a header value, which runs to the end of the text.
 *
 * @throws GatewayError `SIP_MALFORMED_MESSAGE`
 */
export function parseParams(text: ByteString, start: number): Params {
  let params: Map<string, ByteString> | undefined
  for (let param = paramAt(text, start); param !== undefined; param = paramAt(text, param.end)) {
    params ??= new Map()
    const name = text.slice(param.nameStart, param.nameEnd).toLowerCase()
    if (!params.has(name)) params.set(name, text.slice(param.valueStart, param.valueEnd))
  }
  return params ?? NO_PARAMS
}

/**
 * One parameter of the list at `start`; the whole list is checked, no map is made.
 *
 * @param name In lower case.
 * @throws GatewayError `SIP_MALFORMED_MESSAGE`
 */
export function findParam(text: ByteString, start: number, name: string): ByteString | undefined {
  let found: ByteString | undefined
  for (let param = paramAt(text, start); param !== undefined; param = paramAt(text, param.end)) {
    const { nameStart, nameEnd } = param
    if (found !== undefined || nameEnd - nameStart !== name.length) continue
    if (text.startsWith(name, nameStart) || text.slice(nameStart, nameEnd).toLowerCase() === name) {
      found = text.slice(param.valueStart, param.valueEnd)
    }
  }
  return found
}

interface ParamSpan {
  readonly nameStart: number
  readonly nameEnd: number
  readonly valueStart: number
  readonly valueEnd: number
  readonly end: number
}

/** The parameter whose ";" is at `start`; undefined at the end of the text. */
function paramAt(text: ByteString, start: number): ParamSpan | undefined {
  const at = skipSpace(text, start)
  if (at === text.length) return undefined
  if (text.charCodeAt(at) !== SEMICOLON) throw malformed(`No ";" before ${shown(text.slice(at))}`)
  const nameStart = skipSpace(text, at + 1)
  if (nameStart === text.length) return undefined // A last ";" with nothing behind it is common and harmless.
  const nameStop = endOfName(text, nameStart)
  const nameEnd = trimEnd(text, nameStart, nameStop)
  if (!isToken(text, nameStart, nameEnd)) throw malformed(`Bad parameter name at ${shown(text.slice(at))}`)
  if (text.charCodeAt(nameStop) !== EQUALS) {
    return { nameStart, nameEnd, valueStart: nameStop, valueEnd: nameStop, end: nameStop }
  }
  const valueStart = skipSpace(text, nameStop + 1)
  const end = endOfValue(text, valueStart)
  return { nameStart, nameEnd, valueStart, valueEnd: trimEnd(text, valueStart, end), end }
}

function endOfName(text: ByteString, start: number): number {
  let at = start
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === EQUALS || code === SEMICOLON) break
  }
  return at
}

function endOfValue(text: ByteString, start: number): number {
  if (text.charCodeAt(start) === QUOTE) {
    const end = endOfQuoted(text, start)
    if (end < 0) throw malformed(`The quoted text at ${shown(text.slice(start))} does not end`)
    return skipSpace(text, end)
  }
  const end = text.indexOf(';', start)
  return end < 0 ? text.length : end
}

/** `;name=value` for each, in their order. */
export function writeParams(params: Params): ByteString {
  let text = ''
  for (const [name, value] of params) text += value === '' ? `;${name}` : `;${name}=${value}`
  return text
}
