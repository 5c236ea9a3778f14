use trunkline_base::Packet;

use super::PAYLOAD_FEEDBACK;
use super::compound::{append, put_u32};
use crate::header::u32_at;

/// PLI: a key frame of this SSRC is wanted (RFC 4585 §6.3.1).
pub(crate) fn media_ssrc(packet: &[u8]) -> Option<u32> {
    u32_at(packet, 8)
}

pub(crate) fn write(compound: &mut Packet, ssrc: u32, media_ssrc: u32) {
    let packet = append(compound, PAYLOAD_FEEDBACK, FORMAT, 12);
    put_u32(packet, 4, ssrc);
    put_u32(packet, 8, media_ssrc);
}

pub(crate) const FORMAT: u8 = 1;
