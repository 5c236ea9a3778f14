/** What rtpengine's control protocol is made of: byte strings, integers, lists and dictionaries. */
export type Bencode = string | number | readonly Bencode[] | { readonly [key: string]: Bencode | undefined }

/** Keys in any order, as rtpengine takes them; `undefined` is left out. */
export function encode(value: Bencode): string {
  if (typeof value === 'string') return `${Buffer.byteLength(value)}:${value}`
  if (typeof value === 'number') return `i${value}e`
  if (Array.isArray(value)) return `l${value.map(encode).join('')}e`
  const entries = Object.entries(value).filter((entry): entry is [string, Bencode] => entry[1] !== undefined)
  return `d${entries.map(([key, each]) => encode(key) + encode(each)).join('')}e`
}

/** @throws Error if the bytes are not one whole value. */
export function decode(bytes: Buffer): Bencode {
  const reader = new Reader(bytes)
  const value = reader.value()
  if (!reader.isAtEnd) throw new Error('bytes after the value')
  return value
}

class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  value(): Bencode {
    switch (this.#bytes[this.#at]) {
      case LETTER.i:
        this.#at++
        return Number(this.#until('e'))
      case LETTER.l:
        this.#at++
        return this.#list()
      case LETTER.d:
        this.#at++
        return this.#dictionary()
      default:
        return this.#string()
    }
  }

  #list(): Bencode[] {
    const all: Bencode[] = []
    while (!this.#ends()) all.push(this.value())
    return all
  }

  #dictionary(): { [key: string]: Bencode } {
    const all: { [key: string]: Bencode } = {}
    while (!this.#ends()) {
      const key = this.#string()
      all[key] = this.value()
    }
    return all
  }

  #ends(): boolean {
    if (this.isAtEnd) throw new Error('the value has no end')
    if (this.#bytes[this.#at] !== LETTER.e) return false
    this.#at++
    return true
  }

  #string(): string {
    const length = Number(this.#until(':'))
    const end = this.#at + length
    if (!Number.isInteger(length) || end > this.#bytes.length) throw new Error('a string of no known length')
    const text = this.#bytes.toString('utf8', this.#at, end)
    this.#at = end
    return text
  }

  #until(mark: string): string {
    const end = this.#bytes.indexOf(mark, this.#at)
    if (end < 0) throw new Error('the value has no end')
    const text = this.#bytes.toString('latin1', this.#at, end)
    this.#at = end + 1
    return text
  }
}

const LETTER = { i: 0x69, l: 0x6c, d: 0x64, e: 0x65 }
