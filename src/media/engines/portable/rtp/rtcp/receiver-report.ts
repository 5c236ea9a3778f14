import { RTCP_TYPE, startPacket } from './header.ts'
import { REPORT_BLOCK_BYTES, type ReportBlock, readReportBlocks, writeReportBlock } from './report-block.ts'

/** RR (RFC 3550 §6.4.2). */
export interface ReceiverReport {
  readonly kind: 'receiver-report'
  readonly ssrc: number
  readonly reports: readonly ReportBlock[]
}

/** `packet` is one RTCP packet without padding. */
export function readReceiverReport(packet: Buffer, count: number): ReceiverReport | undefined {
  if (packet.length < HEAD_BYTES) return undefined
  return {
    kind: 'receiver-report',
    ssrc: packet.readUInt32BE(4),
    reports: readReportBlocks(packet, HEAD_BYTES, count),
  }
}

export function buildReceiverReport({ ssrc, reports }: Omit<ReceiverReport, 'kind'>): Buffer {
  const bytes = HEAD_BYTES + REPORT_BLOCK_BYTES * reports.length
  const packet = startPacket(RTCP_TYPE.receiverReport, reports.length, bytes)
  packet.writeUInt32BE(ssrc, 4)
  reports.forEach((block, index) => {
    writeReportBlock(packet, HEAD_BYTES + REPORT_BLOCK_BYTES * index, block)
  })
  return packet
}

const HEAD_BYTES = 8
