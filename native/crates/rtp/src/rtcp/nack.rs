use trunkline_base::Packet;

use super::compound::{append, begin, put_u16, put_u32};
use super::{TRANSPORT_FEEDBACK, receiver_report};
use crate::header::{u16_at, u32_at};

/// SSRC whose packets a generic NACK is about.
pub(crate) fn media_ssrc(packet: &[u8]) -> Option<u32> {
    u32_at(packet, 8)
}

/// Sequence numbers that a generic NACK asks for (RFC 4585 §6.2.1): a number, and a bit for each of the 16 after it.
pub(crate) fn missing(packet: &[u8]) -> impl Iterator<Item = u16> {
    let entries = packet.get(12..).unwrap_or_default().chunks_exact(4);
    entries.flat_map(|entry| {
        let first = u16_at(entry, 0).unwrap_or(0);
        let following = u16_at(entry, 2).unwrap_or(0);
        let others = (0..16).filter(move |bit| following >> bit & 1 == 1);
        std::iter::once(first).chain(others.map(move |bit| first.wrapping_add(bit + 1)))
    })
}

/// Generic NACK (RFC 4585 §6.2.1) for packets of `media_ssrc`, after an empty RR as compound packets need one.
///
/// `missing` in ascending order makes the shortest packet. What does not fit in 64 entries is left out: it will be
/// asked for again, if it is still of use.
pub fn build_nack(packet: &mut Packet, own_ssrc: u32, media_ssrc: u32, missing: &[u16]) {
    begin(packet);
    receiver_report::write(packet, own_ssrc, None);
    let entries = Entries { missing };
    let count = entries.clone().take(MOST_ENTRIES).count();
    if count == 0 {
        return;
    }
    let nack = append(packet, TRANSPORT_FEEDBACK, FORMAT, 12 + 4 * count);
    put_u32(nack, 4, own_ssrc);
    put_u32(nack, 8, media_ssrc);
    for (n, (first, following)) in entries.take(MOST_ENTRIES).enumerate() {
        put_u16(nack, 12 + 4 * n, first);
        put_u16(nack, 14 + 4 * n, following);
    }
}

/// Numbers gathered into entries: a first one and the bits of those that follow within 16.
#[derive(Clone)]
struct Entries<'a> {
    missing: &'a [u16],
}

impl Iterator for Entries<'_> {
    type Item = (u16, u16);

    fn next(&mut self) -> Option<Self::Item> {
        let (first, mut rest) = self.missing.split_first()?;
        let mut following = 0;
        while let Some((number, after)) = rest.split_first() {
            match number.wrapping_sub(*first) {
                0 => {}
                ahead @ 1..=16 => following |= 1 << (ahead - 1),
                _ => break,
            }
            rest = after;
        }
        self.missing = rest;
        Some((*first, following))
    }
}

pub(crate) const FORMAT: u8 = 1;
const MOST_ENTRIES: usize = 64;
