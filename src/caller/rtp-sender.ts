import { randomBytes } from 'node:crypto'
import { FRAME_SAMPLES, PCMU, type ReceivedPacket } from './peer.ts'

/** Numbers outgoing packets of one stream (RFC 3550 §5.1). */
export class RtpSender {
  readonly ssrc = randomBytes(4).readUInt32BE()
  #sequence = randomBytes(2).readUInt16BE()
  #timestamp = randomBytes(4).readUInt32BE()

  packet(payload: Buffer): Buffer {
    const packet = Buffer.allocUnsafe(12 + payload.length)
    packet[0] = 0x80
    packet[1] = PCMU
    packet.writeUInt16BE(this.#sequence, 2)
    packet.writeUInt32BE(this.#timestamp, 4)
    packet.writeUInt32BE(this.ssrc, 8)
    payload.copy(packet, 12)
    this.#sequence = (this.#sequence + 1) & 0xffff
    this.#timestamp = (this.#timestamp + FRAME_SAMPLES) >>> 0
    return packet
  }
}

/** Reads an RTP packet without extensions beyond the fixed header's own (RFC 3550 §5.1, §5.3.1). */
export function receivedPacket(packet: Buffer, atMs: number): ReceivedPacket | undefined {
  if (packet.length < 12 || (packet[0] ?? 0) >> 6 !== 2) return undefined
  const first = packet[0] ?? 0
  let start = 12 + (first & 0x0f) * 4
  if (first & 0x10) {
    if (packet.length < start + 4) return undefined
    start += 4 + packet.readUInt16BE(start + 2) * 4
  }
  const padding = first & 0x20 ? (packet[packet.length - 1] ?? 0) : 0
  if (start + padding > packet.length) return undefined
  return {
    payloadType: (packet[1] ?? 0) & 0x7f,
    sequence: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    ssrc: packet.readUInt32BE(8),
    payload: packet.subarray(start, packet.length - padding),
    atMs,
  }
}

/** RTP and RTCP share a port: RTCP's packet types are 192 to 223 (RFC 5761 §4). */
export function isRtcp(packet: Buffer): boolean {
  const type = packet[1] ?? 0
  return type >= 192 && type <= 223
}
