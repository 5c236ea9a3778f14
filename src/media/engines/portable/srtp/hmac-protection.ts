import { createHmac, timingSafeEqual } from 'node:crypto'
import { CounterMode } from './counter-mode.ts'
import { ENCRYPTED, type Protection, RTCP_HEADER_BYTES, RTCP_INDEX_BYTES, type SessionKeys } from './protection.ts'

/** AES in counter mode with HMAC-SHA1 (RFC 3711 §4). */
export class HmacProtection implements Protection {
  readonly rtpOverhead: number
  readonly #rtp: CounterMode
  readonly #rtcp: CounterMode
  readonly #rtpKey: Buffer
  readonly #rtcpKey: Buffer
  readonly #tagBytes: number
  readonly #roc = Buffer.alloc(4)

  /** @param tagBytes Of the SRTP tag; the SRTCP tag always has 10 bytes (§5.2). */
  constructor(rtp: SessionKeys, rtcp: SessionKeys, tagBytes: number) {
    this.#rtp = new CounterMode(rtp.encryption, rtp.salt)
    this.#rtcp = new CounterMode(rtcp.encryption, rtcp.salt)
    this.#rtpKey = rtp.authentication
    this.#rtcpKey = rtcp.authentication
    this.#tagBytes = tagBytes
    this.rtpOverhead = tagBytes
  }

  sealRtp(packet: Buffer, headerBytes: number, ssrc: number, index: number): Buffer {
    const end = packet.length
    const out = Buffer.allocUnsafe(end + this.#tagBytes)
    packet.copy(out)
    this.#rtp.apply(out, headerBytes, end, ssrc, index)
    this.#rtpTag(out.subarray(0, end), index).copy(out, end, 0, this.#tagBytes)
    return out
  }

  openRtp(packet: Buffer, headerBytes: number, ssrc: number, index: number): Buffer | undefined {
    const end = packet.length - this.#tagBytes
    const tag = this.#rtpTag(packet.subarray(0, end), index)
    if (!timingSafeEqual(tag.subarray(0, this.#tagBytes), packet.subarray(end))) return undefined
    const out = Buffer.allocUnsafe(end)
    packet.copy(out, 0, 0, end)
    this.#rtp.apply(out, headerBytes, end, ssrc, index)
    return out
  }

  sealRtcp(packet: Buffer, ssrc: number, index: number): Buffer {
    const end = packet.length
    const out = Buffer.allocUnsafe(end + RTCP_INDEX_BYTES + RTCP_TAG_BYTES)
    packet.copy(out)
    this.#rtcp.apply(out, RTCP_HEADER_BYTES, end, ssrc, index)
    out.writeUInt32BE((ENCRYPTED | index) >>> 0, end)
    const covered = out.subarray(0, end + RTCP_INDEX_BYTES)
    createHmac('sha1', this.#rtcpKey).update(covered).digest().copy(out, covered.length, 0, RTCP_TAG_BYTES)
    return out
  }

  openRtcp(packet: Buffer, ssrc: number): Buffer | undefined {
    const covered = packet.subarray(0, packet.length - RTCP_TAG_BYTES)
    const tag = createHmac('sha1', this.#rtcpKey).update(covered).digest()
    if (!timingSafeEqual(tag.subarray(0, RTCP_TAG_BYTES), packet.subarray(covered.length))) return undefined
    const end = covered.length - RTCP_INDEX_BYTES
    const word = covered.readUInt32BE(end)
    const out = Buffer.from(covered.subarray(0, end))
    if (word >= ENCRYPTED) this.#rtcp.apply(out, RTCP_HEADER_BYTES, end, ssrc, word - ENCRYPTED)
    return out
  }

  rtcpIndex(packet: Buffer): number | undefined {
    const at = packet.length - RTCP_TAG_BYTES - RTCP_INDEX_BYTES
    return at < RTCP_HEADER_BYTES ? undefined : packet.readUInt32BE(at) % ENCRYPTED
  }

  /** Over the packet and the rollover counter (§4.2). */
  #rtpTag(authenticated: Buffer, index: number): Buffer {
    this.#roc.writeUInt32BE(Math.floor(index / 0x1_0000), 0)
    return createHmac('sha1', this.#rtpKey).update(authenticated).update(this.#roc).digest()
  }
}

const RTCP_TAG_BYTES = 10
