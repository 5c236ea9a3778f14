import { RTCP_TYPE, startPacket } from './header.ts'

/** SDES with the one item everybody sends: CNAME (RFC 3550 §6.5.1). Its reader has no use for it. */
export function buildSourceDescription(ssrc: number, cname: string): Buffer {
  const name = Buffer.from(cname, 'utf8').subarray(0, 255)
  // Header, SSRC, item type and length, name, and at least one zero to end the list, up to a whole word.
  const bytes = 4 * Math.ceil((11 + name.length) / 4)
  const packet = startPacket(RTCP_TYPE.sourceDescription, 1, bytes)
  packet.writeUInt32BE(ssrc, 4)
  packet.writeUInt8(CNAME, 8)
  packet.writeUInt8(name.length, 9)
  name.copy(packet, 10)
  return packet
}

const CNAME = 1
