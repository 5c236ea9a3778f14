use trunkline_base::Packet;

use super::RECEIVER_REPORT;
use super::compound::{append, put_u32};
use super::report_block::{self, BLOCK_BYTES, ReportBlock};

/// RR (RFC 3550 §6.4.2).
pub(crate) fn write(compound: &mut Packet, ssrc: u32, block: Option<&ReportBlock>) {
    let blocks = usize::from(block.is_some());
    let packet = append(compound, RECEIVER_REPORT, blocks as u8, BLOCKS_START + BLOCK_BYTES * blocks);
    put_u32(packet, 4, ssrc);
    if let Some(block) = block {
        report_block::write(packet, BLOCKS_START, block);
    }
}

pub(crate) const BLOCKS_START: usize = 8;
