import { type ByteString, GatewayError } from '../../base/index.ts'
import { FieldLines, type HeaderLines, ScannedLines } from './header-lines.ts'
import { ID, idOfName, isList } from './header-names.ts'
import type { CSeq, HeaderField, NameAddr, Via } from './model.ts'
import { paramsStartOf, parseNameAddr } from './name-addr.ts'
import { findParam } from './params.ts'
import { endOfListValue, isToken, malformed, parseNumber, shown, skipSpace, splitList } from './syntax.ts'
import { parseVia, type ViaSpan, viaSpan } from './via.ts'

const MAX_SEQUENCE = 0xffff_ffff
const MAX_FORWARDS = 255
const MAX_EXPIRES = 0xffff_ffff

/**
 * The header section of one message. Names are compared without case, compact forms (RFC 3261 §7.3.3) are the same as
 * long ones. Typed getters parse when first asked, and throw GatewayError `SIP_MALFORMED_MESSAGE` with the header's
 * name in the text when the value is not of the RFC's grammar.
 */
export class Headers {
  readonly #lines: HeaderLines
  #cseq: CSeq | undefined
  #from: NameAddr | undefined
  #to: NameAddr | undefined
  /** '' once it is known that there is none. */
  #fromTag: ByteString | undefined
  #toTag: ByteString | undefined
  #topVia: Via | undefined
  #viaSpan: ViaSpan | undefined
  #contacts: readonly NameAddr[] | '*' | undefined
  #route: readonly NameAddr[] | undefined
  #recordRoute: readonly NameAddr[] | undefined

  constructor(lines: HeaderLines) {
    this.#lines = lines
  }

  static of(fields: readonly HeaderField[]): Headers {
    return new Headers(new FieldLines(fields))
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  /** The first line of that name, unfolded and trimmed; not split at commas. */
  get(name: string): ByteString | undefined {
    const id = idOfName(name)
    if (id !== ID.unknown) return this.first(id)
    const wanted = name.toLowerCase()
    for (let i = 0; i < this.#lines.count; i++) if (this.#isUnknown(i, wanted)) return this.#lines.valueOf(i)
    return undefined
  }

  /** Every value, with list headers (Via, Contact, Route, Supported, Allow, …) split at commas outside quotes. */
  values(name: string): readonly ByteString[] {
    const id = idOfName(name)
    if (id !== ID.unknown) return this.all(id)
    const wanted = name.toLowerCase()
    const values: ByteString[] = []
    for (let i = 0; i < this.#lines.count; i++) if (this.#isUnknown(i, wanted)) values.push(this.#lines.valueOf(i))
    return values
  }

  #isUnknown(line: number, wanted: string): boolean {
    return this.#lines.idOf(line) === ID.unknown && this.#lines.nameOf(line).toLowerCase() === wanted
  }

  /** All lines in their order. */
  fields(): readonly HeaderField[] {
    const fields: HeaderField[] = []
    for (let i = 0; i < this.#lines.count; i++) {
      fields.push({ name: this.#lines.nameOf(i), value: this.#lines.valueOf(i) })
    }
    return fields
  }

  get callId(): ByteString {
    return this.#required(ID.callId, 'Call-ID')
  }

  get cseq(): CSeq {
    return (this.#cseq ??= parseCSeq(this.#required(ID.cseq, 'CSeq')))
  }

  get from(): NameAddr {
    return (this.#from ??= named('From', () => parseNameAddr(this.#required(ID.from, 'From'))))
  }

  get to(): NameAddr {
    return (this.#to ??= named('To', () => parseNameAddr(this.#required(ID.to, 'To'))))
  }

  /** `tag` of From and To; `undefined` if there is none. */
  get fromTag(): ByteString | undefined {
    if (this.#fromTag === undefined) this.#fromTag = tagOf(this.#required(ID.from, 'From'), 'From')
    return this.#fromTag || undefined
  }

  get toTag(): ByteString | undefined {
    if (this.#toTag === undefined) this.#toTag = tagOf(this.#required(ID.to, 'To'), 'To')
    return this.#toTag || undefined
  }

  get topVia(): Via {
    return (this.#topVia ??= named('Via', () => parseVia(this.#topViaText)))
  }

  /** Contact values; `'*'` alone for the REGISTER wildcard. */
  get contacts(): readonly NameAddr[] | '*' {
    return (this.#contacts ??= named('Contact', () => {
      const values = this.all(ID.contact)
      return values.length === 1 && values[0] === '*' ? '*' : values.map(parseNameAddr)
    }))
  }

  get route(): readonly NameAddr[] {
    return (this.#route ??= named('Route', () => this.all(ID.route).map(parseNameAddr)))
  }

  get recordRoute(): readonly NameAddr[] {
    return (this.#recordRoute ??= named('Record-Route', () => this.all(ID.recordRoute).map(parseNameAddr)))
  }

  get maxForwards(): number | undefined {
    const text = this.first(ID.maxForwards)
    if (text === undefined) return undefined
    const value = parseNumber(text, MAX_FORWARDS)
    if (value === undefined) throw malformed(`Max-Forwards ${shown(text)} is not from 0 to ${MAX_FORWARDS}`)
    return value
  }

  /** Lower case, without parameters. */
  get contentType(): string | undefined {
    const text = this.first(ID.contentType)
    if (text === undefined) return undefined
    const type = (text.split(';', 1)[0] ?? '').replace(/[ \t]/g, '').toLowerCase()
    const slash = type.indexOf('/')
    if (!isToken(type, 0, slash) || !isToken(type, slash + 1)) throw malformed(`Content-Type ${shown(text)} is no type`)
    return type
  }

  /** Seconds; what is too large for 32 bits is their greatest number (RFC 3261 §20.19). */
  get expires(): number | undefined {
    const text = this.first(ID.expires)
    if (text === undefined) return undefined
    if (!/^\d+$/.test(text)) throw malformed(`Expires ${shown(text)} is no number`)
    return parseNumber(text, MAX_EXPIRES) ?? MAX_EXPIRES
  }

  // What follows is for the stack itself, by the ids of its table.

  get lines(): HeaderLines {
    return this.#lines
  }

  /** The first line with that id. */
  first(id: number): ByteString | undefined {
    const line = this.lineOf(id)
    return line < 0 ? undefined : this.#lines.valueOf(line)
  }

  /** The place of the first line with that id, or -1. */
  lineOf(id: number): number {
    const { count } = this.#lines
    for (let i = 0; i < count; i++) if (this.#lines.idOf(i) === id) return i
    return -1
  }

  /** Every value with that id, list headers split. */
  all(id: number): readonly ByteString[] {
    const values: ByteString[] = []
    for (let i = 0; i < this.#lines.count; i++) {
      if (this.#lines.idOf(i) !== id) continue
      if (isList(id)) values.push(...splitList(this.#lines.valueOf(i)))
      else values.push(this.#lines.valueOf(i))
    }
    return values
  }

  /** The first Via value of the first Via line, with less work than `topVia`. */
  get viaSpan(): ViaSpan {
    return (this.#viaSpan ??= named('Via', () => viaSpan(this.#topViaText)))
  }

  get #topViaText(): ByteString {
    const line = this.#required(ID.via, 'Via')
    return line.includes(',') ? line.slice(0, endOfListValue(line, 0)).trimEnd() : line
  }

  /** The same headers and some more behind them. */
  with(fields: readonly HeaderField[]): Headers {
    return Headers.of([...this.fields(), ...fields])
  }

  /** The same headers with another topmost Via value. */
  withTopVia(value: ByteString): Headers {
    const line = this.lineOf(ID.via)
    const old = this.#lines.valueOf(line)
    const replaced = value + old.slice(endOfListValue(old, 0))
    if (this.#lines instanceof ScannedLines) return new Headers(this.#lines.withValue(line, replaced))
    return Headers.of(this.fields().map((field, i) => (i === line ? { name: 'Via', value: replaced } : field)))
  }

  #required(id: number, name: string): ByteString {
    const value = this.first(id)
    if (value === undefined) throw malformed(`${name} is missing`)
    return value
  }
}

function parseCSeq(text: ByteString): CSeq {
  let digits = 0
  while (digits < text.length && text.charCodeAt(digits) >= 0x30 && text.charCodeAt(digits) <= 0x39) digits++
  const sequence = parseNumber(text.slice(0, digits), MAX_SEQUENCE)
  const methodStart = skipSpace(text, digits)
  if (sequence === undefined || methodStart === digits || !isToken(text, methodStart)) {
    throw malformed(`CSeq ${shown(text)} is no number and method`)
  }
  return { sequence, method: text.slice(methodStart) }
}

/** '' if there is none. */
function tagOf(value: ByteString, header: string): ByteString {
  return named(header, () => findParam(value, paramsStartOf(value), 'tag')) ?? ''
}

/** Puts the header's name in front of what its parser complains about. */
function named<T>(header: string, parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    if (!(cause instanceof GatewayError)) throw cause
    throw new GatewayError(cause.code, `${header}: ${cause.message}`, { cause })
  }
}
