import { type CipherGCMTypes, createCipheriv, createDecipheriv } from 'node:crypto'
import { ENCRYPTED, type Protection, RTCP_HEADER_BYTES, RTCP_INDEX_BYTES, type SessionKeys } from './protection.ts'

/** AES in Galois/counter mode (RFC 7714). */
export class GcmProtection implements Protection {
  readonly rtpOverhead = TAG_BYTES
  readonly #rtp: SessionKeys
  readonly #rtcp: SessionKeys
  readonly #algorithm: CipherGCMTypes
  readonly #iv = Buffer.alloc(12)

  constructor(rtp: SessionKeys, rtcp: SessionKeys) {
    this.#rtp = rtp
    this.#rtcp = rtcp
    this.#algorithm = rtp.encryption.length === 32 ? 'aes-256-gcm' : 'aes-128-gcm'
  }

  sealRtp(packet: Buffer, headerBytes: number, ssrc: number, index: number): Buffer {
    const iv = this.#rtpIv(ssrc, index)
    const out = Buffer.allocUnsafe(packet.length + TAG_BYTES)
    packet.copy(out, 0, 0, headerBytes)
    const header = packet.subarray(0, headerBytes)
    const sealed = seal(this.#start(this.#rtp, iv), header, packet.subarray(headerBytes))
    sealed.text.copy(out, headerBytes)
    sealed.tag.copy(out, packet.length)
    return out
  }

  openRtp(packet: Buffer, headerBytes: number, ssrc: number, index: number): Buffer | undefined {
    const end = packet.length - TAG_BYTES
    const header = packet.subarray(0, headerBytes)
    const iv = this.#rtpIv(ssrc, index)
    const text = this.#open(this.#rtp, iv, [header], packet.subarray(headerBytes, end), packet.subarray(end))
    return text === undefined ? undefined : Buffer.concat([header, text])
  }

  sealRtcp(packet: Buffer, ssrc: number, index: number): Buffer {
    const word = Buffer.alloc(RTCP_INDEX_BYTES)
    word.writeUInt32BE((ENCRYPTED | index) >>> 0, 0)
    const header = packet.subarray(0, RTCP_HEADER_BYTES)
    const cipher = this.#start(this.#rtcp, this.#rtcpIv(ssrc, index))
    const sealed = seal(cipher, Buffer.concat([header, word]), packet.subarray(RTCP_HEADER_BYTES))
    return Buffer.concat([header, sealed.text, sealed.tag, word])
  }

  openRtcp(packet: Buffer, ssrc: number): Buffer | undefined {
    const wordAt = packet.length - RTCP_INDEX_BYTES
    const tagAt = wordAt - TAG_BYTES
    const word = packet.subarray(wordAt)
    const index = word.readUInt32BE(0)
    // Without the E flag the whole packet is only authenticated (§9.3).
    const clearBytes = index >= ENCRYPTED ? RTCP_HEADER_BYTES : tagAt
    const clear = packet.subarray(0, clearBytes)
    const iv = this.#rtcpIv(ssrc, index % ENCRYPTED)
    const sealed = packet.subarray(clearBytes, tagAt)
    const text = this.#open(this.#rtcp, iv, [clear, word], sealed, packet.subarray(tagAt, wordAt))
    return text === undefined ? undefined : Buffer.concat([clear, text])
  }

  rtcpIndex(packet: Buffer): number | undefined {
    const at = packet.length - RTCP_INDEX_BYTES
    return at < RTCP_HEADER_BYTES + TAG_BYTES ? undefined : packet.readUInt32BE(at) % ENCRYPTED
  }

  #start(keys: SessionKeys, iv: Buffer): GcmCipher {
    return createCipheriv(this.#algorithm, keys.encryption, iv)
  }

  // biome-ignore format: one parameter for each input of AEAD decryption (RFC 5116 §2.2)
  #open(keys: SessionKeys, iv: Buffer, clear: readonly Buffer[], sealed: Buffer, tag: Buffer): Buffer | undefined {
    const cipher = createDecipheriv(this.#algorithm, keys.encryption, iv, { authTagLength: TAG_BYTES })
    cipher.setAAD(clear.length === 1 && clear[0] !== undefined ? clear[0] : Buffer.concat(clear))
    cipher.setAuthTag(tag)
    const text = cipher.update(sealed)
    try {
      cipher.final()
      return text
    } catch {
      return undefined // The only way `node:crypto` has to say that the tag is wrong.
    }
  }

  /** 0, 0, SSRC, rollover counter, sequence number; all that with the salt (§8.1). */
  #rtpIv(ssrc: number, index: number): Buffer {
    const { salt } = this.#rtp
    salt.copy(this.#iv, 0, 0, 2)
    this.#iv.writeUInt32BE((salt.readUInt32BE(2) ^ ssrc) >>> 0, 2)
    this.#iv.writeUInt32BE((salt.readUInt32BE(6) ^ Math.floor(index / 0x1_0000)) >>> 0, 6)
    this.#iv.writeUInt16BE(salt.readUInt16BE(10) ^ (index & 0xffff), 10)
    return this.#iv
  }

  /** 0, 0, SSRC, 0, 0, index; all that with the salt (§9.1). */
  #rtcpIv(ssrc: number, index: number): Buffer {
    const { salt } = this.#rtcp
    salt.copy(this.#iv)
    this.#iv.writeUInt32BE((salt.readUInt32BE(2) ^ ssrc) >>> 0, 2)
    this.#iv.writeUInt32BE((salt.readUInt32BE(8) ^ index) >>> 0, 8)
    return this.#iv
  }
}

type GcmCipher = ReturnType<typeof createCipheriv> & { setAAD(data: Buffer): unknown; getAuthTag(): Buffer }

function seal(cipher: GcmCipher, clear: Buffer, text: Buffer): { readonly text: Buffer; readonly tag: Buffer } {
  cipher.setAAD(clear)
  const sealed = cipher.update(text)
  cipher.final()
  return { text: sealed, tag: cipher.getAuthTag() }
}

const TAG_BYTES = 16
