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
  walkParams(text, start, (nameStart, nameEnd, value) => {
    params ??= new Map()
    const name = text.slice(nameStart, nameEnd).toLowerCase()
    if (!params.has(name)) params.set(name, value())
    return false
  })
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
  walkParams(text, start, (nameStart, nameEnd, value) => {
    if (found !== undefined || nameEnd - nameStart !== name.length) return
    if (text.startsWith(name, nameStart) || text.slice(nameStart, nameEnd).toLowerCase() === name) found = value()
  })
  return found
}

type Visit = (nameStart: number, nameEnd: number, value: () => ByteString) => void

function walkParams(text: ByteString, start: number, visit: Visit): void {
  let at = skipSpace(text, start)
  while (at < text.length) {
    if (text.charCodeAt(at) !== SEMICOLON) throw malformed(`No ";" before ${shown(text.slice(at))}`)
    const nameStart = skipSpace(text, at + 1)
    if (nameStart === text.length) return // A last ";" with nothing behind it is common and harmless.
    const nameStop = endOfName(text, nameStart)
    const nameEnd = trimEnd(text, nameStart, nameStop)
    if (!isToken(text, nameStart, nameEnd)) throw malformed(`Bad parameter name at ${shown(text.slice(at))}`)
    if (text.charCodeAt(nameStop) !== EQUALS) {
      visit(nameStart, nameEnd, () => '')
      at = nameStop
      continue
    }
    const valueStart = skipSpace(text, nameStop + 1)
    const valueStop = endOfValue(text, valueStart)
    visit(nameStart, nameEnd, () => text.slice(valueStart, trimEnd(text, valueStart, valueStop)))
    at = valueStop
  }
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
