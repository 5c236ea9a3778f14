import type { ReceptionReport } from '../model.ts'

/** A report block (RFC 3550 §6.4.1). */
export interface ReportBlock extends ReceptionReport {
  /** Middle 32 bits of the NTP time in the last sender report; 0: none came. */
  readonly lastSenderReport: number
  /** Since that report came, in 1/65536 s. */
  readonly delay: number
}

export const REPORT_BLOCK_BYTES = 24

/** Reads up to `count` blocks; those past the end of the packet are not there. */
export function readReportBlocks(packet: Buffer, start: number, count: number): readonly ReportBlock[] {
  const blocks: ReportBlock[] = []
  for (let at = start; blocks.length < count && at + REPORT_BLOCK_BYTES <= packet.length; at += REPORT_BLOCK_BYTES) {
    blocks.push({
      ssrc: packet.readUInt32BE(at),
      lossFraction: packet.readUInt8(at + 4) / 256,
      packetsLost: packet.readIntBE(at + 5, 3),
      highestSequence: packet.readUInt32BE(at + 8),
      jitterTicks: packet.readUInt32BE(at + 12),
      lastSenderReport: packet.readUInt32BE(at + 16),
      delay: packet.readUInt32BE(at + 20),
    })
  }
  return blocks
}

export function writeReportBlock(packet: Buffer, at: number, block: ReportBlock): void {
  packet.writeUInt32BE(block.ssrc, at)
  packet.writeUInt8(Math.min(255, Math.floor(block.lossFraction * 256)), at + 4)
  packet.writeIntBE(Math.max(-LOST_LIMIT, Math.min(LOST_LIMIT - 1, block.packetsLost)), at + 5, 3)
  packet.writeUInt32BE(block.highestSequence, at + 8)
  packet.writeUInt32BE(Math.min(0xffff_ffff, block.jitterTicks), at + 12)
  packet.writeUInt32BE(block.lastSenderReport, at + 16)
  packet.writeUInt32BE(Math.min(0xffff_ffff, block.delay), at + 20)
}

/** Cumulative loss has 24 bits with sign. */
const LOST_LIMIT = 0x80_0000
