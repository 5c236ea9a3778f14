use trunkline_base::{HEADROOM, Packet};

use crate::header::u16_at;

/// One RTCP packet of a compound, padding cut off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RtcpPacket<'a> {
    pub kind: u8,
    /// The five-bit field: count of blocks or SSRCs, or format of feedback.
    pub count: u8,
    /// The whole packet, header included.
    pub bytes: &'a [u8],
}

/// The packets of a compound (RFC 3550 §6.1), also of reduced size (RFC 5506), up to the first one that lies about its
/// length.
pub(crate) fn packets(compound: &[u8]) -> impl Iterator<Item = RtcpPacket<'_>> {
    let mut rest = compound;
    std::iter::from_fn(move || {
        loop {
            let (packet, after) = split(rest)?;
            rest = after;
            if let Some(bytes) = without_padding(packet) {
                return Some(RtcpPacket { kind: packet[1], count: packet[0] & 0x1f, bytes });
            }
        }
    })
}

/// Empties a packet in order to put RTCP into it.
pub(crate) fn begin(packet: &mut Packet) {
    packet.set_range(HEADROOM, HEADROOM);
}

/// A packet of `bytes` (a multiple of 4) at the end of the compound: its header, and zeroes to be filled.
pub(crate) fn append(compound: &mut Packet, kind: u8, count: u8, bytes: usize) -> &mut [u8] {
    let start = compound.start();
    let at = compound.len();
    compound.set_range(start, start + at + bytes);
    let packet = &mut compound.bytes_mut()[at..];
    packet.fill(0);
    packet[0] = 0x80 | count;
    packet[1] = kind;
    put_u16(packet, 2, (bytes / 4 - 1) as u16);
    packet
}

pub(crate) fn put_u16(packet: &mut [u8], at: usize, value: u16) {
    packet[at..at + 2].copy_from_slice(&value.to_be_bytes());
}

pub(crate) fn put_u32(packet: &mut [u8], at: usize, value: u32) {
    packet[at..at + 4].copy_from_slice(&value.to_be_bytes());
}

fn split(compound: &[u8]) -> Option<(&[u8], &[u8])> {
    let words = usize::from(u16_at(compound, 2)?);
    if compound[0] >> 6 != 2 { None } else { compound.split_at_checked(4 * (words + 1)) }
}

fn without_padding(packet: &[u8]) -> Option<&[u8]> {
    if packet[0] & 0x20 == 0 {
        return Some(packet);
    }
    let padding = usize::from(*packet.last()?);
    packet.len().checked_sub(padding).filter(|end| *end >= 4).map(|end| &packet[..end])
}
