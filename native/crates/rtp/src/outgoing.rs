use trunkline_base::{HEADROOM, PACKET_BYTES, Packet};

use crate::Header;
use crate::extension::ONE_BYTE;
use crate::header::{EXTENSION, HEADER_BYTES, MARKER};

/// Header of a packet that leaves.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// See `Header::marker`.
    pub marker: bool,
    /// The peer's number of the codec, 7 bits.
    pub payload_type: u8,
    /// Lower 16 bits of `Place::index`.
    pub sequence: u16,
    /// On the outgoing line, in ticks.
    pub timestamp: u32,
    /// Ours toward this peer.
    pub ssrc: u32,
    /// `sdes:mid` as (extension id, value) where it was agreed (RFC 8843 §15).
    pub mid: Option<(u8, &'a [u8])>,
    /// Transport-wide sequence number as (extension id, number) where it was agreed.
    pub transport_sequence: Option<(u8, u16)>,
}

/// Replaces everything before the payload of `packet` by a new header, in place, and cuts padding off.
/// CSRCs and extensions of the source do not pass. `header` is what `Header::read` said of `packet`.
///
/// Extensions that the one-byte form of RFC 8285 cannot carry (ids from 1 to 14, values of 1 to 16 bytes), or for
/// which there is no room before the payload, are left out.
pub fn rewrite(packet: &mut Packet, header: &Header, out: &Outgoing<'_>) {
    let payload_start = packet.start() + header.payload_start.min(packet.len());
    let payload_end = packet.start() + header.payload_end.min(packet.len());
    let head = Head::of(out);
    let head = if head.bytes().len() <= payload_start { head } else { head.without_extension() };
    let start = payload_start.saturating_sub(head.bytes().len());
    let bytes = head.bytes();
    packet.buffer()[start..start + bytes.len()].copy_from_slice(bytes);
    packet.set_range(start, payload_end.max(start + bytes.len()));
}

/// Makes a packet from nothing; a payload that does not fit is cut off.
pub fn build(packet: &mut Packet, out: &Outgoing<'_>, payload: &[u8]) {
    let head = Head::of(out);
    let body = HEADROOM + head.bytes().len();
    let end = (body + payload.len()).min(PACKET_BYTES);
    packet.buffer()[HEADROOM..body].copy_from_slice(head.bytes());
    packet.buffer()[body..end].copy_from_slice(&payload[..end - body]);
    packet.set_range(HEADROOM, end);
}

/// A header as bytes.
struct Head {
    bytes: [u8; LONGEST_HEAD],
    len: usize,
}

impl Head {
    fn of(out: &Outgoing<'_>) -> Self {
        let mut head = Head { bytes: [0; LONGEST_HEAD], len: HEADER_BYTES };
        head.bytes[0] = 0x80;
        head.bytes[1] = out.payload_type & !MARKER | if out.marker { MARKER } else { 0 };
        head.bytes[2..4].copy_from_slice(&out.sequence.to_be_bytes());
        head.bytes[4..8].copy_from_slice(&out.timestamp.to_be_bytes());
        head.bytes[8..12].copy_from_slice(&out.ssrc.to_be_bytes());
        if let Some((id, value)) = out.mid {
            head.add(id, value);
        }
        if let Some((id, number)) = out.transport_sequence {
            head.add(id, &number.to_be_bytes());
        }
        head.close();
        head
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn without_extension(mut self) -> Self {
        self.bytes[0] &= !EXTENSION;
        self.len = HEADER_BYTES;
        self
    }

    fn add(&mut self, id: u8, value: &[u8]) {
        if !(1..=14).contains(&id) || value.is_empty() || value.len() > 16 {
            return;
        }
        if self.len == HEADER_BYTES {
            self.len += 4;
        }
        self.bytes[self.len] = id << 4 | (value.len() - 1) as u8;
        self.bytes[self.len + 1..=self.len + value.len()].copy_from_slice(value);
        self.len += 1 + value.len();
    }

    /// Fills the last word of the extension up and writes its length.
    fn close(&mut self) {
        if self.len == HEADER_BYTES {
            return;
        }
        self.len = self.len.next_multiple_of(4);
        let words = (self.len - HEADER_BYTES) / 4 - 1;
        self.bytes[0] |= EXTENSION;
        self.bytes[12..14].copy_from_slice(&ONE_BYTE.to_be_bytes());
        self.bytes[14..16].copy_from_slice(&(words as u16).to_be_bytes());
    }
}

/// Fixed header, head of the extension, `mid` of 16 bytes, transport-wide number, in whole words.
const LONGEST_HEAD: usize = HEADER_BYTES + 4 + 20;
