import { FIR_FORMAT, type FullIntraRequest, readFullIntraRequest } from './full-intra-request.ts'
import { type Goodbye, readGoodbye } from './goodbye.ts'
import { RTCP_HEADER_BYTES, RTCP_TYPE } from './header.ts'
import { type PictureLoss, PLI_FORMAT, readPictureLoss } from './picture-loss.ts'
import { type ReceiverReport, readReceiverReport } from './receiver-report.ts'
import { readSenderReport, type SenderReport } from './sender-report.ts'

/** The RTCP packets we act on. NACK, transport-wide feedback, APP and XR end at this leg and are not read. */
export type RtcpPacket = SenderReport | ReceiverReport | Goodbye | PictureLoss | FullIntraRequest

/**
 * Reads a compound packet (RFC 3550 §6.1), also of reduced size (RFC 5506).
 *
 * What comes before the first packet that lies about its length is good; the rest is ignored, as are types that are
 * not known.
 */
export function readCompound(compound: Buffer): readonly RtcpPacket[] {
  const packets: RtcpPacket[] = []
  let at = 0
  while (at + RTCP_HEADER_BYTES <= compound.length) {
    const end = at + 4 * (compound.readUInt16BE(at + 2) + 1)
    if (compound.readUInt8(at) >> 6 !== 2 || end > compound.length) break
    const packet = withoutPadding(compound.subarray(at, end))
    const read = packet === undefined ? undefined : readPacket(packet)
    if (read !== undefined) packets.push(read)
    at = end
  }
  return packets
}

function withoutPadding(packet: Buffer): Buffer | undefined {
  if ((packet.readUInt8(0) & 0x20) === 0) return packet
  const end = packet.length - packet.readUInt8(packet.length - 1)
  return end < RTCP_HEADER_BYTES ? undefined : packet.subarray(0, end)
}

function readPacket(packet: Buffer): RtcpPacket | undefined {
  const count = packet.readUInt8(0) & 0x1f
  switch (packet.readUInt8(1)) {
    case RTCP_TYPE.senderReport:
      return readSenderReport(packet, count)
    case RTCP_TYPE.receiverReport:
      return readReceiverReport(packet, count)
    case RTCP_TYPE.goodbye:
      return readGoodbye(packet, count)
    case RTCP_TYPE.payloadFeedback:
      return readPayloadFeedback(packet, count)
    default:
      return undefined
  }
}

function readPayloadFeedback(packet: Buffer, format: number): RtcpPacket | undefined {
  if (format === PLI_FORMAT) return readPictureLoss(packet)
  return format === FIR_FORMAT ? readFullIntraRequest(packet) : undefined
}
