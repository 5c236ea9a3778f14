import { type Cipher, createCipheriv } from 'node:crypto'

/**
 * AES in counter mode as SRTP uses it (RFC 3711 §4.1.1).
 *
 * The key stream is made by encrypting counter blocks with one long-lived cipher object: a new object for each packet
 * costs three times as much as the encryption.
 */
export class CounterMode {
  readonly #aes: Cipher
  readonly #salt: Buffer
  #counters = Buffer.alloc(BLOCK * 16)

  constructor(key: Buffer, salt: Buffer) {
    this.#aes = createCipheriv(`aes-${key.length * 8}-ecb`, key, null)
    this.#aes.setAutoPadding(false)
    this.#salt = salt
    this.#number()
  }

  /** Encrypts or decrypts `packet` in place from `start` to `end`. */
  apply(packet: Buffer, start: number, end: number, ssrc: number, index: number): void {
    const blocks = Math.ceil((end - start) / BLOCK)
    if (blocks === 0) return
    this.#prepare(blocks, ssrc, index)
    const stream = this.#aes.update(this.#counters.subarray(0, blocks * BLOCK))
    for (let at = start; at < end; at++) packet[at] = (packet[at] ?? 0) ^ (stream[at - start] ?? 0)
  }

  #prepare(blocks: number, ssrc: number, index: number): void {
    if (blocks * BLOCK > this.#counters.length) {
      this.#counters = Buffer.alloc(blocks * BLOCK)
      this.#number()
    }
    const counters = this.#counters
    const salt = this.#salt
    salt.copy(counters, 0, 0, 4)
    counters.writeUInt32BE((salt.readUInt32BE(4) ^ ssrc) >>> 0, 4)
    counters.writeUInt32BE((salt.readUInt32BE(8) ^ Math.floor(index / 0x1_0000)) >>> 0, 8)
    counters.writeUInt16BE(salt.readUInt16BE(12) ^ (index & 0xffff), 12)
    for (let at = BLOCK; at < blocks * BLOCK; at += BLOCK) counters.copy(counters, at, 0, BLOCK - 2)
  }

  /** The last two bytes of each block count; they are the same for every packet. */
  #number(): void {
    for (let block = 0; block * BLOCK < this.#counters.length; block++) {
      this.#counters.writeUInt16BE(block, block * BLOCK + BLOCK - 2)
    }
  }
}

const BLOCK = 16
