/** Fields of one RTP packet (RFC 3550 §5.1) and where its payload lies, in bytes from the start of the packet. */
export interface RtpHeader {
  marker: boolean
  payloadType: number
  sequence: number
  timestamp: number
  ssrc: number
  payloadOffset: number
  /** End of the payload: padding is not part of it. */
  payloadEnd: number
}

/** The shortest RTP packet: a header without CSRC. */
export const RTP_HEADER_BYTES = 12

/** Whether a datagram is RTP or SRTP (RFC 7983 §7, RFC 5761 §4): version 2 and not a payload type of RTCP. */
export function isRtp(packet: Buffer): boolean {
  return packet.length >= RTP_HEADER_BYTES && isVersion2(packet) && !hasRtcpType(packet)
}

/** Whether a datagram is RTCP or SRTCP: version 2 and a packet type from 192 to 223 (RFC 5761 §4). */
export function isRtcp(packet: Buffer): boolean {
  return packet.length >= 8 && isVersion2(packet) && hasRtcpType(packet)
}

/**
 * Reads and checks the header of an RTP packet; lengths are never trusted beyond the buffer.
 *
 * @param into Filled and given back, so that a caller with many packets allocates once.
 * @returns `undefined`: not RTP, or CSRCs, extension or padding reach past the end.
 */
export function readRtp(packet: Buffer, into: RtpHeader = emptyHeader()): RtpHeader | undefined {
  if (!isRtp(packet)) return undefined
  const first = packet.readUInt8(0)
  const payloadOffset = headerLength(packet)
  if (payloadOffset === undefined) return undefined
  const padding = (first & 0x20) === 0 ? 0 : packet.readUInt8(packet.length - 1)
  const payloadEnd = packet.length - padding
  if (payloadEnd < payloadOffset || ((first & 0x20) !== 0 && padding === 0)) return undefined
  const second = packet.readUInt8(1)
  into.marker = second >= 0x80
  into.payloadType = second & 0x7f
  into.sequence = packet.readUInt16BE(2)
  into.timestamp = packet.readUInt32BE(4)
  into.ssrc = packet.readUInt32BE(8)
  into.payloadOffset = payloadOffset
  into.payloadEnd = payloadEnd
  return into
}

/** Where the payload starts: after CSRCs and extension. `undefined`: past the end of the packet. */
export function headerLength(packet: Buffer): number | undefined {
  if (packet.length < RTP_HEADER_BYTES) return undefined
  const first = packet.readUInt8(0)
  let length = RTP_HEADER_BYTES + 4 * (first & 0x0f)
  if ((first & 0x10) !== 0) {
    if (length + 4 > packet.length) return undefined
    length += 4 + 4 * packet.readUInt16BE(length + 2)
  }
  return length > packet.length ? undefined : length
}

/** A header to be filled by `readRtp`. */
export function emptyHeader(): RtpHeader {
  return { marker: false, payloadType: 0, sequence: 0, timestamp: 0, ssrc: 0, payloadOffset: 0, payloadEnd: 0 }
}

function isVersion2(packet: Buffer): boolean {
  return packet.readUInt8(0) >> 6 === 2
}

function hasRtcpType(packet: Buffer): boolean {
  const second = packet.readUInt8(1)
  return second >= 192 && second <= 223
}
