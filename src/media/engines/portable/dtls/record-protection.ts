import { createCipheriv, createDecipheriv } from 'node:crypto'

const EXPLICIT_NONCE_BYTES = 8
const TAG_BYTES = 16

/** AES-128-GCM over records, one direction (RFC 5288 §3, RFC 6347 §4.1.2). */
export class RecordProtection {
  readonly #key: Buffer
  readonly #salt: Buffer

  constructor(key: Buffer, salt: Buffer) {
    this.#key = key
    this.#salt = salt
  }

  /** @param header The record header with the length of the plain content; epoch and sequence make the nonce. */
  seal(header: Buffer, content: Buffer): Buffer {
    const explicit = header.subarray(3, 3 + EXPLICIT_NONCE_BYTES)
    const cipher = createCipheriv('aes-128-gcm', this.#key, Buffer.concat([this.#salt, explicit]))
    cipher.setAAD(additionalData(header, content.length))
    const sealed = [Buffer.from(explicit), cipher.update(content), cipher.final(), cipher.getAuthTag()]
    return Buffer.concat(sealed)
  }

  /** The plain content, or `undefined` if it is not authentic. */
  open(header: Buffer, fragment: Buffer): Buffer | undefined {
    const length = fragment.length - EXPLICIT_NONCE_BYTES - TAG_BYTES
    if (length < 0) return undefined
    const explicit = fragment.subarray(0, EXPLICIT_NONCE_BYTES)
    const decipher = createDecipheriv('aes-128-gcm', this.#key, Buffer.concat([this.#salt, explicit]))
    decipher.setAAD(additionalData(header, length))
    decipher.setAuthTag(fragment.subarray(fragment.length - TAG_BYTES))
    try {
      const content = decipher.update(fragment.subarray(EXPLICIT_NONCE_BYTES, EXPLICIT_NONCE_BYTES + length))
      decipher.final()
      return content
    } catch {
      return undefined // The tag is wrong: the only reason `final` throws.
    }
  }
}

/** Epoch, sequence, type, version and plain length (RFC 5246 §6.2.3.3). */
function additionalData(header: Buffer, length: number): Buffer {
  const out = Buffer.alloc(13)
  header.copy(out, 0, 3, 11)
  header.copy(out, 8, 0, 3)
  out.writeUInt16BE(length, 11)
  return out
}

/** Refuses what was seen before (RFC 6347 §4.1.2.6): a window over the last 64 sequence numbers. */
export class ReplayWindow {
  #highest = -1
  #seen = 0n

  /** Whether `sequence` is new. Ask before decrypting, `accept` after. */
  isNew(sequence: number): boolean {
    if (sequence > this.#highest) return true
    const age = this.#highest - sequence
    return age < 64 && ((this.#seen >> BigInt(age)) & 1n) === 0n
  }

  accept(sequence: number): void {
    if (sequence > this.#highest) {
      const step = this.#highest < 0 ? 64 : Math.min(64, sequence - this.#highest)
      this.#seen = BigInt.asUintN(64, (this.#seen << BigInt(step)) | 1n)
      this.#highest = sequence
    } else {
      this.#seen |= 1n << BigInt(this.#highest - sequence)
    }
  }
}
