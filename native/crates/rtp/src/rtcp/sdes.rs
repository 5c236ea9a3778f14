use trunkline_base::Packet;

use super::SOURCE_DESCRIPTION;
use super::compound::{append, put_u32};

/// SDES with the one item everybody sends: CNAME (RFC 3550 §6.5.1), cut off after 255 bytes.
pub(crate) fn write(compound: &mut Packet, ssrc: u32, cname: &str) {
    let name = &cname.as_bytes()[..cname.len().min(255)];
    // Header, SSRC, item type and length, name, and at least one zero to end the list, up to a whole word.
    let bytes = (ITEM_START + 2 + name.len() + 1).next_multiple_of(4);
    let packet = append(compound, SOURCE_DESCRIPTION, 1, bytes);
    put_u32(packet, 4, ssrc);
    packet[ITEM_START] = CNAME;
    packet[ITEM_START + 1] = name.len() as u8;
    packet[ITEM_START + 2..ITEM_START + 2 + name.len()].copy_from_slice(name);
}

const ITEM_START: usize = 8;
const CNAME: u8 = 1;
