/** The bytes are not what the protocol says. The datagram is dropped and counted. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
}

/** Reads TLS presentation language (RFC 5246 §4) from one message. Every read is checked. */
export class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get remaining(): number {
    return this.#bytes.length - this.#at
  }

  take(count: number): Buffer {
    if (count > this.remaining) throw new DecodeError(`${count} bytes wanted, ${this.remaining} left`)
    this.#at += count
    return this.#bytes.subarray(this.#at - count, this.#at)
  }

  uint8(): number {
    return this.take(1).readUInt8()
  }

  uint16(): number {
    return this.take(2).readUInt16BE()
  }

  uint24(): number {
    return this.take(3).readUIntBE(0, 3)
  }

  vector8(): Buffer {
    return this.take(this.uint8())
  }

  vector16(): Buffer {
    return this.take(this.uint16())
  }

  vector24(): Buffer {
    return this.take(this.uint24())
  }

  /** @throws DecodeError when bytes are left over. */
  end(): void {
    if (this.remaining > 0) throw new DecodeError(`${this.remaining} bytes too many`)
  }
}

export const uint8 = (value: number): Buffer => Buffer.from([value])

export function uint16(...values: readonly number[]): Buffer {
  const out = Buffer.alloc(values.length * 2)
  values.forEach((value, index) => {
    out.writeUInt16BE(value, index * 2)
  })
  return out
}

export function uint24(value: number): Buffer {
  const out = Buffer.alloc(3)
  out.writeUIntBE(value, 0, 3)
  return out
}

export const vector8 = (...parts: readonly Buffer[]): Buffer => prefixed(1, parts)
export const vector16 = (...parts: readonly Buffer[]): Buffer => prefixed(2, parts)
export const vector24 = (...parts: readonly Buffer[]): Buffer => prefixed(3, parts)

function prefixed(lengthBytes: number, parts: readonly Buffer[]): Buffer {
  const length = Buffer.alloc(lengthBytes)
  length.writeUIntBE(
    parts.reduce((sum, part) => sum + part.length, 0),
    0,
    lengthBytes,
  )
  return Buffer.concat([length, ...parts])
}
