use trunkline_base::Packet;

use super::GOODBYE;
use super::compound::{append, put_u32};
use crate::header::u32_at;

/// SSRCs that say BYE (RFC 3550 §6.6). The reason is for people and is not read.
pub(crate) fn ssrcs(packet: &[u8], count: u8) -> impl Iterator<Item = u32> {
    (0..usize::from(count)).map_while(|n| u32_at(packet, 4 + 4 * n))
}

pub(crate) fn write(compound: &mut Packet, ssrc: u32) {
    put_u32(append(compound, GOODBYE, 1, 8), 4, ssrc);
}
