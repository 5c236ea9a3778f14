import { type ByteString, decodeUtf8, encodeUtf8, GatewayError } from '../base/index.ts'

/** An element with its attributes and what is in it. Text is unescaped; comments and processing instructions are gone. */
export interface XmlElement {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly (XmlElement | string)[]
}

/** Deeper or larger documents are refused: watchers parse what we hand on. */
const MOST_DEPTH = 16
const MOST_ELEMENTS = 500

export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'

/** Text of a peer as content or attribute value: UTF-8 whatever it was, and no character that XML has not. */
export function xmlText(bytes: ByteString): ByteString {
  return encodeUtf8(escapeXml(decodeUtf8(bytes)))
}

function escapeXml(text: string): string {
  const allowed = text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '')
  return allowed.replace(/[&<>"']/g, (char) => ESCAPES[char] ?? char)
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** An element as text again, everything escaped anew. */
export function writeXml({ name, attributes, children }: XmlElement): ByteString {
  let text = `<${name}`
  for (const [key, value] of attributes) text += ` ${key}="${encodeUtf8(escapeXml(value))}"`
  if (children.length === 0) return `${text}/>`
  const inner = children.map((child) => (typeof child === 'string' ? encodeUtf8(escapeXml(child)) : writeXml(child)))
  return `${text}>${inner.join('')}</${name}>`
}

/**
 * Reads a document of the plain XML that presence is made of: elements, attributes, text and CDATA. A DTD is refused, so
 * no entity of the sender's own is ever expanded.
 *
 * @throws GatewayError `SIP_MALFORMED_MESSAGE`
 */
export function parseXml(bytes: ByteString): XmlElement {
  return new Reader(decodeUtf8(bytes)).document()
}

const NAME = /[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?/y
const SPACE = /\s*/y
const ATTRIBUTE = /\s+([A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y

class Reader {
  readonly #text: string
  #at = 0
  #elements = 0

  constructor(text: string) {
    this.#text = text.startsWith('\ufeff') ? text.slice(1) : text
  }

  document(): XmlElement {
    this.#prolog()
    const root = this.#element(1)
    this.#prolog()
    if (this.#at < this.#text.length) throw bad('something stands behind the document')
    return root
  }

  /** Declaration, comments, processing instructions and space around the root. */
  #prolog(): void {
    do this.#match(SPACE)
    while (this.#skipped('<?', '?>') || this.#skipped('<!--', '-->'))
  }

  #element(depth: number): XmlElement {
    if (depth > MOST_DEPTH || ++this.#elements > MOST_ELEMENTS) throw bad('it is too deep or too large')
    if (this.#text[this.#at] !== '<') throw bad('no element where one is expected')
    this.#at++
    const name = this.#match(NAME)?.[0]
    if (name === undefined) throw bad('an element has no name')
    const attributes = this.#attributes()
    this.#match(SPACE)
    if (this.#taken('/>')) return { name, attributes, children: [] }
    if (!this.#taken('>')) throw bad(`the tag ${name} is not right`)
    return { name, attributes, children: this.#content(name, depth) }
  }

  #attributes(): ReadonlyMap<string, string> {
    const attributes = new Map<string, string>()
    for (let found = this.#match(ATTRIBUTE); found !== undefined; found = this.#match(ATTRIBUTE)) {
      const [, name = '', double, single] = found
      if (attributes.has(name)) throw bad(`the attribute ${name} is given twice`)
      attributes.set(name, unescaped(double ?? single ?? ''))
    }
    return attributes
  }

  #content(name: string, depth: number): readonly (XmlElement | string)[] {
    const children: (XmlElement | string)[] = []
    while (true) {
      const next = this.#text.indexOf('<', this.#at)
      if (next < 0) throw bad(`${name} does not end`)
      const text = unescaped(this.#text.slice(this.#at, next))
      if (text.trim() !== '') children.push(text)
      this.#at = next
      if (this.#taken(`</${name}`)) {
        this.#match(SPACE)
        if (!this.#taken('>')) throw bad(`the end of ${name} is not right`)
        return children
      }
      if (this.#skipped('<!--', '-->') || this.#skipped('<?', '?>')) continue
      const data = this.#skipped('<![CDATA[', ']]>')
      children.push(data ?? this.#element(depth + 1))
    }
  }

  /** What stands between two marks, if the first one is here. */
  #skipped(open: string, close: string): string | undefined {
    if (!this.#text.startsWith(open, this.#at)) return undefined
    const from = this.#at + open.length
    const end = this.#text.indexOf(close, from)
    if (end < 0) throw bad(`no ${close}`)
    this.#at = end + close.length
    return this.#text.slice(from, end)
  }

  #taken(mark: string): boolean {
    if (!this.#text.startsWith(mark, this.#at)) return false
    this.#at += mark.length
    return true
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (found === null) return undefined
    this.#at += found[0].length
    return found
  }
}

function unescaped(text: string): string {
  return text.replace(/&([^;&]{0,10};?)/g, (_, entity: string) => {
    const named = entity.endsWith(';') ? entity.slice(0, -1) : ''
    const number = /^#(\d{1,7}|x[0-9a-f]{1,6})$/i.exec(named)?.[1]
    const code = number === undefined ? undefined : Number(number.replace(/^x/i, '0x'))
    if (code !== undefined && code <= 0x10_ffff && code > 0) return String.fromCodePoint(code)
    const known = ENTITIES[named]
    if (known === undefined) throw bad('an entity is not known')
    return known
  })
}

function bad(what: string): GatewayError {
  return new GatewayError('SIP_MALFORMED_MESSAGE', `The XML cannot be read: ${what}`)
}
