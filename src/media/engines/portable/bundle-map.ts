import { RTP_HEADER_BYTES, type RtpHeader } from './rtp/index.ts'
import type { Stream } from './stream.ts'

/** Finds the medium of a packet in a bundle (RFC 9143 §9.2): known SSRC, media identification, payload type. */
export class BundleMap {
  readonly #streams: readonly Stream[]
  readonly #bySsrc = new Map<number, Stream>()

  constructor(streams: readonly Stream[]) {
    this.#streams = streams
  }

  /** The negotiation changed: what was learnt may not hold any more. */
  forget(): void {
    this.#bySsrc.clear()
  }

  find(packet: Buffer, header: RtpHeader): Stream | undefined {
    if (this.#streams.length === 1) return this.#streams[0]
    const known = this.#bySsrc.get(header.ssrc)
    if (known !== undefined) return known
    const found = this.#byMid(packet) ?? this.#byPayloadType(header.payloadType)
    if (found === undefined) return undefined
    if (this.#bySsrc.size >= MAX_SSRCS) this.#bySsrc.clear()
    this.#bySsrc.set(header.ssrc, found)
    return found
  }

  #byMid(packet: Buffer): Stream | undefined {
    return this.#streams.find(({ remote }) => {
      const id = remote?.midExtensionId
      return id !== undefined && remote?.mid !== undefined && extension(packet, id) === remote.mid
    })
  }

  #byPayloadType(payloadType: number): Stream | undefined {
    const takers = this.#streams.filter(({ remote }) => {
      return remote?.receiveCodecs.some((codec) => codec.payloadType === payloadType)
    })
    return takers.length === 1 ? takers[0] : undefined
  }
}

/** The text of a one-byte header extension (RFC 8285 §4.2). The header was checked before. */
function extension(packet: Buffer, id: number): string | undefined {
  const first = packet[0] ?? 0
  if ((first & 0x10) === 0) return undefined
  let at = RTP_HEADER_BYTES + 4 * (first & 0x0f)
  const end = at + 4 + 4 * packet.readUInt16BE(at + 2)
  if (packet.readUInt16BE(at) !== 0xbede) return undefined
  at += 4
  while (at < end) {
    const head = packet[at] ?? 0
    const length = (head & 0x0f) + 1
    if (head >> 4 === 15) return undefined
    if (head >> 4 === id) return packet.toString('utf8', at + 1, Math.min(end, at + 1 + length))
    at += head === 0 ? 1 : 1 + length
  }
  return undefined
}

const MAX_SSRCS = 32
