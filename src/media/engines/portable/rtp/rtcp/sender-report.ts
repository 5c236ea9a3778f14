import { RTCP_TYPE, startPacket } from './header.ts'
import { REPORT_BLOCK_BYTES, type ReportBlock, readReportBlocks, writeReportBlock } from './report-block.ts'

/** SR (RFC 3550 §6.4.1). */
export interface SenderReport {
  readonly kind: 'sender-report'
  readonly ssrc: number
  readonly ntpSeconds: number
  readonly ntpFraction: number
  readonly timestamp: number
  readonly packets: number
  readonly bytes: number
  readonly reports: readonly ReportBlock[]
}

/** `packet` is one RTCP packet without padding. */
export function readSenderReport(packet: Buffer, count: number): SenderReport | undefined {
  if (packet.length < SENDER_BYTES) return undefined
  return {
    kind: 'sender-report',
    ssrc: packet.readUInt32BE(4),
    ntpSeconds: packet.readUInt32BE(8),
    ntpFraction: packet.readUInt32BE(12),
    timestamp: packet.readUInt32BE(16),
    packets: packet.readUInt32BE(20),
    bytes: packet.readUInt32BE(24),
    reports: readReportBlocks(packet, SENDER_BYTES, count),
  }
}

export function buildSenderReport(report: Omit<SenderReport, 'kind'>): Buffer {
  const blocks = report.reports
  const packet = startPacket(RTCP_TYPE.senderReport, blocks.length, SENDER_BYTES + REPORT_BLOCK_BYTES * blocks.length)
  packet.writeUInt32BE(report.ssrc, 4)
  packet.writeUInt32BE(report.ntpSeconds, 8)
  packet.writeUInt32BE(report.ntpFraction, 12)
  packet.writeUInt32BE(report.timestamp, 16)
  packet.writeUInt32BE(report.packets >>> 0, 20)
  packet.writeUInt32BE(report.bytes >>> 0, 24)
  blocks.forEach((block, index) => {
    writeReportBlock(packet, SENDER_BYTES + REPORT_BLOCK_BYTES * index, block)
  })
  return packet
}

const SENDER_BYTES = 28
