use trunkline_rtp::{Header, extension};

use crate::stream::Streams;

/// Finds the medium of a packet in a bundle (RFC 9143 §9.2): media identification, known SSRC, payload type.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bundle {
    known: [(u32, u8); SSRCS],
    len: u8,
    next: u8,
}

impl Bundle {
    /// The negotiation changed: what was learnt may not hold any more.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    #[inline]
    pub fn find(&mut self, streams: &Streams, datagram: &[u8], header: &Header) -> Option<u8> {
        if streams.len() == 1 {
            return Some(0);
        }
        if let Some(medium) = by_mid(streams, datagram) {
            self.learn(header.ssrc, medium);
            return Some(medium);
        }
        let known = self.known[..usize::from(self.len)].iter().find(|(ssrc, _)| *ssrc == header.ssrc);
        if let Some((_, medium)) = known {
            return Some(*medium);
        }
        let medium = by_payload_type(streams, header.payload_type)?;
        self.learn(header.ssrc, medium);
        Some(medium)
    }

    fn learn(&mut self, ssrc: u32, medium: u8) {
        if let Some(known) = self.known[..usize::from(self.len)].iter_mut().find(|known| known.0 == ssrc) {
            known.1 = medium;
            return;
        }
        self.known[usize::from(self.next)] = (ssrc, medium);
        self.next = (self.next + 1) % SSRCS as u8;
        self.len = (self.len + 1).min(SSRCS as u8);
    }
}

fn by_mid(streams: &Streams, datagram: &[u8]) -> Option<u8> {
    const EXTENSION: u8 = 0x10;
    if datagram.first()? & EXTENSION == 0 {
        return None;
    }
    streams.iter().zip(0..).find_map(|(stream, medium)| {
        let mid = stream.mid?;
        (extension(datagram, mid.id()) == Some(mid.text())).then_some(medium)
    })
}

/// The only medium that takes it.
fn by_payload_type(streams: &Streams, payload_type: u8) -> Option<u8> {
    let mut takers = streams.iter().zip(0..).filter(|(stream, _)| stream.takes(payload_type));
    let (_, medium) = takers.next()?;
    takers.next().is_none().then_some(medium)
}

/// Bound of what a peer can make us remember; the one learnt longest ago gives way.
const SSRCS: usize = 8;
