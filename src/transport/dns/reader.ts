/** Parts a name may consist of: more than the 255 bytes of a name hold, fewer than a loop of pointers would give. */
const LABELS = 130

/** Reads the fields of a DNS message (RFC 1035 §4.1). @throws RangeError where they lie outside of it. */
export class Reader {
  readonly #data: Buffer
  #at: number

  constructor(data: Buffer, at = 0) {
    this.#data = data
    this.#at = at
  }

  get at(): number {
    return this.#at
  }

  /** Another reader of the same message. */
  from(at: number): Reader {
    return new Reader(this.#data, at)
  }

  uint16(): number {
    const value = this.#data.readUInt16BE(this.#at)
    this.#at += 2
    return value
  }

  uint32(): number {
    const value = this.#data.readUInt32BE(this.#at)
    this.#at += 4
    return value
  }

  skip(bytes: number): void {
    if (this.#at + bytes > this.#data.length) throw new RangeError('outside of the message')
    this.#at += bytes
  }

  /** A name in lower case, without a dot at its end; compression (§4.1.4) is undone. */
  name(): string {
    const labels: string[] = []
    let at = this.#at
    let isAway = false
    for (let step = 0; step < LABELS; step++) {
      const length = this.#data.readUInt8(at)
      if (length >= 0xc0) {
        const pointed = this.#data.readUInt16BE(at) & 0x3fff
        if (!isAway) this.#at = at + 2
        isAway = true
        at = pointed
        continue
      }
      if (length > 63) throw new RangeError('a label of an unknown kind')
      if (!isAway) this.#at = at + 1 + length
      if (length === 0) return labels.join('.')
      labels.push(
        this.#slice(at + 1, length)
          .toString('latin1')
          .toLowerCase(),
      )
      at += 1 + length
    }
    throw new RangeError('a name without end')
  }

  /** A character string (§3.3). */
  text(): string {
    const length = this.#data.readUInt8(this.#at)
    const text = this.#slice(this.#at + 1, length).toString('latin1')
    this.#at += 1 + length
    return text
  }

  /** An IP address of 4 or 16 bytes. */
  address(bytes: 4 | 16): string {
    const slice = this.#slice(this.#at, bytes)
    this.#at += bytes
    if (bytes === 4) return slice.join('.')
    const groups = Array.from({ length: 8 }, (_, n) => slice.readUInt16BE(2 * n).toString(16))
    return shortest(groups)
  }

  #slice(at: number, length: number): Buffer {
    if (at + length > this.#data.length) throw new RangeError('outside of the message')
    return this.#data.subarray(at, at + length)
  }
}

/** The first longest run of zero groups as `::` (RFC 5952 §4.2). */
function shortest(groups: readonly string[]): string {
  const runs = [...groups.join(':').matchAll(/(?:^|(?<=:))0(?::0)+(?=:|$)/g)]
  const longest = runs.reduce<RegExpExecArray | undefined>(
    (best, run) => (best === undefined || run[0].length > best[0].length ? run : best),
    undefined,
  )
  if (longest === undefined) return groups.join(':')
  const text = groups.join(':')
  const before = text.slice(0, longest.index).replace(/:$/, '')
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, '')
  return `${before}::${after}`
}
