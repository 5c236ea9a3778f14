use trunkline_base::Packet;

use super::SENDER_REPORT;
use super::compound::{append, put_u32};
use super::report_block::{self, BLOCK_BYTES, ReportBlock};
use crate::header::u32_at;

/// SR (RFC 3550 §6.4.1) without its blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SenderReport {
    pub ssrc: u32,
    pub ntp: u64,
    pub timestamp: u32,
    /// Modulo 2^32, as are the bytes.
    pub packets: u32,
    pub bytes: u32,
}

/// `packet` is one RTCP packet without padding.
pub(crate) fn read(packet: &[u8]) -> Option<SenderReport> {
    let word = |at| u32_at(packet, at);
    Some(SenderReport {
        ssrc: word(4)?,
        ntp: u64::from(word(8)?) << 32 | u64::from(word(12)?),
        timestamp: word(16)?,
        packets: word(20)?,
        bytes: word(24)?,
    })
}

pub(crate) fn write(compound: &mut Packet, report: &SenderReport, block: Option<&ReportBlock>) {
    let blocks = usize::from(block.is_some());
    let packet = append(compound, SENDER_REPORT, blocks as u8, BLOCKS_START + BLOCK_BYTES * blocks);
    put_u32(packet, 4, report.ssrc);
    packet[8..16].copy_from_slice(&report.ntp.to_be_bytes());
    put_u32(packet, 16, report.timestamp);
    put_u32(packet, 20, report.packets);
    put_u32(packet, 24, report.bytes);
    if let Some(block) = block {
        report_block::write(packet, BLOCKS_START, block);
    }
}

pub(crate) const BLOCKS_START: usize = 28;
