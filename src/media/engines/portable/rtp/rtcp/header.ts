/** Packet types (RFC 3550 §12.1, RFC 4585 §6.1). */
export const RTCP_TYPE = {
  senderReport: 200,
  receiverReport: 201,
  sourceDescription: 202,
  goodbye: 203,
  transportFeedback: 205,
  payloadFeedback: 206,
} as const

export const RTCP_HEADER_BYTES = 4

/** A zeroed packet of `bytes` (a multiple of 4) with its header; `count` is the five-bit field. */
export function startPacket(type: number, count: number, bytes: number): Buffer {
  const packet = Buffer.alloc(bytes)
  packet.writeUInt8(0x80 | count, 0)
  packet.writeUInt8(type, 1)
  packet.writeUInt16BE(bytes / 4 - 1, 2)
  return packet
}
