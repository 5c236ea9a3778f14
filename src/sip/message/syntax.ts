import { type ByteString, GatewayError } from '../../base/index.ts'

/** The error of a value that is not of its grammar. */
export function malformed(what: string): GatewayError {
  return new GatewayError('SIP_MALFORMED_MESSAGE', what)
}

/** The longest piece of peer's text that goes into an error message. */
const QUOTED_IN_ERRORS = 40

/** A piece of a peer's text for an error message: short and printable. */
export function shown(text: ByteString): string {
  const cut = text.length > QUOTED_IN_ERRORS ? `${text.slice(0, QUOTED_IN_ERRORS)}…` : text
  return `"${cut.replace(/[^\x20-\x7e…]/g, '?')}"`
}

const TOKEN = characterSet("-.!%*_+`'~", true)

/** `token` of RFC 3261 §25.1, not empty, over `start`…`end`. */
export function isToken(text: ByteString, start = 0, end = text.length): boolean {
  for (let i = start; i < end; i++) if (TOKEN[text.charCodeAt(i)] !== 1) return false
  return end > start
}

/** A table with 1 for the given characters and, if wanted, for letters and digits. */
export function characterSet(characters: string, alphanumeric: boolean): Uint8Array {
  const set = new Uint8Array(256)
  for (let i = 0; i < characters.length; i++) set[characters.charCodeAt(i)] = 1
  if (!alphanumeric) return set
  for (let i = 0x30; i <= 0x39; i++) set[i] = 1
  for (let i = 0x41; i <= 0x5a; i++) set[i] = set[i + 0x20] = 1
  return set
}

export function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/** The first place at or after `from` that is no space or tab. */
export function skipSpace(text: ByteString, from: number): number {
  let at = from
  while (at < text.length && isSpace(text.charCodeAt(at))) at++
  return at
}

/** The place after the last character before `to` that is no space or tab. */
export function trimEnd(text: ByteString, from: number, to: number): number {
  let at = to
  while (at > from && isSpace(text.charCodeAt(at - 1))) at--
  return at
}

/** The place after the closing quote of the quoted-string that starts at `open`; -1 if it never closes. */
export function endOfQuoted(text: ByteString, open: number): number {
  for (let i = open + 1; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === BACKSLASH) i++
    else if (code === QUOTE) return i + 1
  }
  return -1
}

/** The content of a quoted-string: without the quotes, quoted-pairs undone. Other text is left alone. */
export function unquote(text: ByteString): ByteString {
  if (text.charCodeAt(0) !== QUOTE) return text
  const inner = text.slice(1, -1)
  return inner.includes('\\') ? inner.replace(/\\([\s\S])/g, '$1') : inner
}

export function quote(text: ByteString): ByteString {
  return `"${/["\\]/.test(text) ? text.replace(/["\\]/g, '\\$&') : text}"`
}

/** The values of a list header: cut at commas outside quotes and angle brackets, trimmed; empty ones are left out. */
export function splitList(text: ByteString): readonly ByteString[] {
  if (!text.includes(',')) return text === '' ? [] : [text]
  const values: ByteString[] = []
  let start = 0
  while (start <= text.length) {
    const end = endOfListValue(text, start)
    const from = skipSpace(text, start)
    const to = trimEnd(text, from, end)
    if (to > from) values.push(text.slice(from, to))
    start = end + 1
  }
  return values
}

/** The place of the comma that ends the list value at `start`, or the end of the text. */
export function endOfListValue(text: ByteString, start: number): number {
  let bracketed = false
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) {
      const end = endOfQuoted(text, i)
      if (end < 0) return text.length
      i = end - 1
    } else if (code === LESS) bracketed = true
    else if (code === GREATER) bracketed = false
    else if (code === COMMA && !bracketed) return i
  }
  return text.length
}

/** Shorter pieces of a string are copies, longer ones keep the whole string alive. */
const COPIED_BELOW = 13

/** The same text without the message it was cut from, for what outlives that message. */
export function detached(text: ByteString): ByteString {
  return text.length < COPIED_BELOW ? text : [...text].join('')
}

/** Digits alone, at most `max`; undefined otherwise. */
export function parseNumber(text: ByteString, max: number): number | undefined {
  if (text.length === 0) return undefined
  let value = 0
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
    if (value > max) return undefined
  }
  return value
}

export const QUOTE = 0x22
export const BACKSLASH = 0x5c
export const LESS = 0x3c
export const GREATER = 0x3e
export const COMMA = 0x2c
export const SEMICOLON = 0x3b
export const COLON = 0x3a
export const EQUALS = 0x3d
