use trunkline_base::Packet;

use super::PAYLOAD_FEEDBACK;
use super::compound::{append, put_u32};
use crate::header::u32_at;

/// FIR: key frames of these SSRCs are wanted, for sure (RFC 5104 §4.3.1).
pub(crate) fn media_ssrcs(packet: &[u8]) -> impl Iterator<Item = u32> {
    packet.get(12..).unwrap_or_default().chunks_exact(8).filter_map(|entry| u32_at(entry, 0))
}

/// `sequence`: one more for each new request; a repetition keeps it.
pub(crate) fn write(compound: &mut Packet, ssrc: u32, media_ssrc: u32, sequence: u8) {
    let packet = append(compound, PAYLOAD_FEEDBACK, FORMAT, 20);
    put_u32(packet, 4, ssrc);
    put_u32(packet, 12, media_ssrc);
    packet[16] = sequence;
}

pub(crate) const FORMAT: u8 = 4;
