import { type ByteString, GatewayError, LIMITS } from '../../base/index.ts'
import { ID, idAt, idOfName, nameOf } from './header-names.ts'
import type { HeaderField } from './model.ts'
import { isSpace, isToken, malformed, shown, skipSpace, trimEnd } from './syntax.ts'

/** The lines of a header section, whatever holds them. */
export interface HeaderLines {
  readonly count: number
  idOf(line: number): number
  nameOf(line: number): string
  /** Unfolded and trimmed. */
  valueOf(line: number): ByteString
}

/** Lines that our own code made. */
export class FieldLines implements HeaderLines {
  readonly #fields: readonly HeaderField[]
  readonly #ids: readonly number[]

  constructor(fields: readonly HeaderField[]) {
    this.#fields = fields
    this.#ids = fields.map((field) => idOfName(field.name))
  }

  get count(): number {
    return this.#fields.length
  }

  idOf(line: number): number {
    return this.#ids[line] ?? ID.unknown
  }

  nameOf(line: number): string {
    return nameOf(this.idOf(line)) || (this.#fields[line]?.name ?? '')
  }

  /** Even if our own code was careless: a line break in a value would let its author write headers of his own. */
  valueOf(line: number): ByteString {
    const value = this.#fields[line]?.value ?? ''
    return value.includes('\r') || value.includes('\n') ? unfold(value) : value
  }
}

/** Numbers kept of one scanned line: id, start and end of the name, start and end of the value; -end if it is folded. */
const STRIDE = 5

/** Lines in a message from the network: places in its text; nothing is copied until it is asked for. */
export class ScannedLines implements HeaderLines {
  readonly #text: ByteString
  readonly #spans: readonly number[]
  readonly #replaced: { readonly line: number; readonly value: ByteString } | undefined
  readonly count: number

  constructor(text: ByteString, spans: readonly number[], replaced?: { line: number; value: ByteString }) {
    this.#text = text
    this.#spans = spans
    this.#replaced = replaced
    this.count = spans.length / STRIDE
  }

  idOf(line: number): number {
    return this.#spans[line * STRIDE] ?? ID.unknown
  }

  nameOf(line: number): string {
    const known = nameOf(this.idOf(line))
    return known || this.#text.slice(this.#spans[line * STRIDE + 1], this.#spans[line * STRIDE + 2])
  }

  valueOf(line: number): ByteString {
    if (this.#replaced?.line === line) return this.#replaced.value
    const end = this.#spans[line * STRIDE + 4] ?? 0
    const value = this.#text.slice(this.#spans[line * STRIDE + 3], Math.abs(end))
    return end < 0 || value.includes('\r') ? unfold(value) : value
  }

  /** The same lines with another value in one of them. */
  withValue(line: number, value: ByteString): ScannedLines {
    return new ScannedLines(this.#text, this.#spans, { line, value })
  }
}

/** RFC 3261 §7.3.1: a line break before white space is one space. A lone CR is none of the grammar's; it goes too. */
function unfold(value: ByteString): ByteString {
  const lines = value.split(/[\r\n]/).map((line) => line.slice(skipSpace(line, 0), trimEnd(line, 0, line.length)))
  return lines.filter((line) => line !== '').join(' ')
}

export interface HeaderSection {
  readonly lines: ScannedLines
  readonly bodyStart: number
}

/**
 * Finds the lines of the header section at `start` of a message, and the body behind it.
 *
 * @throws GatewayError `SIP_MALFORMED_MESSAGE`, `SIP_MESSAGE_TOO_LARGE`
 */
export function scanHeaderSection(text: ByteString, start: number): HeaderSection {
  const spans: number[] = []
  let at = start
  for (;;) {
    const emptyLine = lengthOfLineBreak(text, at)
    if (emptyLine > 0) return { lines: new ScannedLines(text, spans), bodyStart: at + emptyLine }
    const firstBreak = text.indexOf('\n', at)
    const end = endOfFolded(text, firstBreak)
    if (end < 0) throw malformed('No empty line after the headers')
    if (end - start > LIMITS.sipHeaderBytes) throw tooLarge(`The headers exceed ${LIMITS.sipHeaderBytes} bytes`)
    if (spans.length === LIMITS.sipHeaderLines * STRIDE) throw tooLarge(`More than ${LIMITS.sipHeaderLines} headers`)
    addLine(text, { start: at, end, isFolded: end !== firstBreak }, spans)
    at = end + 1
  }
}

/** 2 for CRLF and 1 for a bare LF at `at`; 0 if the line is not empty. */
export function lengthOfLineBreak(text: ByteString, at: number): number {
  const code = text.charCodeAt(at)
  if (code === LF) return 1
  return code === CR && text.charCodeAt(at + 1) === LF ? 2 : 0
}

/** The LF that ends a header line whose first LF is at `lineFeed`: lines that begin with white space go on with it. */
function endOfFolded(text: ByteString, lineFeed: number): number {
  let end = lineFeed
  while (end >= 0 && isSpace(text.charCodeAt(end + 1))) end = text.indexOf('\n', end + 1)
  return end
}

interface Line {
  readonly start: number
  readonly end: number
  readonly isFolded: boolean
}

function addLine(text: ByteString, { start, end, isFolded }: Line, spans: number[]): void {
  const colon = text.indexOf(':', start)
  if (colon < 0 || colon > end) throw malformed(`No ":" in the header line ${shown(text.slice(start, end))}`)
  let nameEnd = colon
  while (nameEnd > start && isSpace(text.charCodeAt(nameEnd - 1))) nameEnd--
  const id = idAt(text, start, nameEnd)
  if (id === ID.unknown && !isToken(text, start, nameEnd)) {
    throw malformed(`Bad header name ${shown(text.slice(start, colon))}`)
  }
  let valueStart = colon + 1
  let valueEnd = end
  while (valueStart < valueEnd && isBlank(text.charCodeAt(valueStart))) valueStart++
  while (valueEnd > valueStart && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd--
  spans.push(id, start, nameEnd, valueStart, isFolded ? -valueEnd : valueEnd)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === CR || code === LF || code === 0x09
}

function tooLarge(what: string): GatewayError {
  return new GatewayError('SIP_MESSAGE_TOO_LARGE', what)
}

const CR = 0x0d
const LF = 0x0a
