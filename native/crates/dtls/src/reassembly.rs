use trunkline_base::limits::{DTLS_MESSAGE_BYTES, DTLS_MESSAGE_PIECES, DTLS_PARTIAL_MESSAGES};

use crate::handshake::{self, Fragment};
use crate::record;
use crate::well_formed::is_well_formed;

/// A handshake message that came in the clear, whole and well-formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub kind: u8,
    pub message_seq: u16,
    body: Vec<u8>,
}

impl Message {
    /// The random number of a hello, which tells one handshake of a peer from the next (RFC 8446 §4.1.2).
    pub fn random(&self) -> [u8; 32] {
        self.body.get(2..34).and_then(|random| random.try_into().ok()).unwrap_or_default()
    }

    /// As a datagram with one record and one fragment, however it came. Neither version's transcript sees the difference
    /// (RFC 6347 §4.2.6, RFC 9147 §5.2).
    pub fn datagram(&self) -> Vec<u8> {
        let length = self.body.len() as u16; // At most DTLS_MESSAGE_BYTES.
        let record_length = (length + handshake::HEADER_BYTES as u16).to_be_bytes();
        let [high, low] = length.to_be_bytes();
        let [seq_high, seq_low] = self.message_seq.to_be_bytes();
        [
            &[record::content::HANDSHAKE, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, seq_high, seq_low][..],
            &record_length,
            &[self.kind, 0, high, low, seq_high, seq_low, 0, 0, 0, 0, high, low],
            &self.body,
        ]
        .concat()
    }
}

/// Not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

/// Puts messages together out of fragments in any order. The library does so too, but keeps the first of two that contradict for
/// ever, and in DTLS 1.2 wants them neither to overlap nor to be cut differently when they come again.
#[derive(Debug, Default)]
pub struct Reassembly {
    /// The one heard of last is last.
    partial: Vec<Partial>,
}

impl Reassembly {
    /// `Err`: it is part of no message that we want. `Ok(None)`: more is to come.
    pub fn add(&mut self, fragment: &Fragment<'_>) -> Result<Option<Message>, Refused> {
        if fragment.length > DTLS_MESSAGE_BYTES {
            return Err(Refused);
        }
        let mut partial = self.take(fragment);
        if partial.add(fragment).is_err() {
            // The older one was noise, or the peer began anew.
            partial = Partial::new(fragment);
            partial.add(fragment)?;
        }
        if partial.is_whole() {
            let Partial { kind, message_seq, body, .. } = partial;
            return is_well_formed(kind, &body)
                .then_some(Some(Message { kind, message_seq, body }))
                .ok_or(Refused);
        }
        if self.partial.len() == DTLS_PARTIAL_MESSAGES {
            self.partial.remove(0);
        }
        self.partial.push(partial);
        Ok(None)
    }

    fn take(&mut self, fragment: &Fragment<'_>) -> Partial {
        match self.partial.iter().position(|partial| partial.is_of(fragment)) {
            Some(index) => self.partial.remove(index),
            None => Partial::new(fragment),
        }
    }
}

#[derive(Debug)]
struct Partial {
    kind: u8,
    message_seq: u16,
    body: Vec<u8>,
    /// What of `body` is there: sorted, neither overlapping nor touching.
    known: Vec<(usize, usize)>,
}

impl Partial {
    fn new(fragment: &Fragment<'_>) -> Self {
        Self {
            kind: fragment.message,
            message_seq: fragment.message_seq,
            body: vec![0; fragment.length],
            known: Vec::new(),
        }
    }

    fn is_of(&self, fragment: &Fragment<'_>) -> bool {
        (self.kind, self.message_seq, self.body.len())
            == (fragment.message, fragment.message_seq, fragment.length)
    }

    fn is_whole(&self) -> bool {
        self.body.is_empty() || self.known == [(0, self.body.len())]
    }

    /// `Err`: it contradicts what is there, or it is in too many pieces.
    fn add(&mut self, fragment: &Fragment<'_>) -> Result<(), Refused> {
        let (mut begin, mut end) = (fragment.offset, fragment.offset + fragment.body.len());
        let contradicts = |(from, to): &(usize, usize)| {
            let (from, to) = (begin.max(*from), end.min(*to));
            from < to && self.body[from..to] != fragment.body[from - begin..to - begin]
        };
        if self.known.iter().any(contradicts) {
            return Err(Refused);
        }
        self.body[begin..end].copy_from_slice(fragment.body);
        self.known.retain(|(from, to)| {
            let is_apart = *to < begin || end < *from;
            if !is_apart {
                (begin, end) = (begin.min(*from), end.max(*to));
            }
            is_apart
        });
        let index = self.known.partition_point(|(from, _)| *from < begin);
        self.known.insert(index, (begin, end));
        if self.known.len() > DTLS_MESSAGE_PIECES { Err(Refused) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake::{fragments, message};

    /// A ClientHello with an extension of random length.
    fn hello(length: usize, filling: u8) -> Vec<u8> {
        let mut body = [&[0xfe, 0xfd][..], &[filling; 32], &[0, 0, 0, 2, 0x13, 0x01, 1, 0]].concat();
        let extensions = (length - body.len() - 2) as u16;
        body.extend(extensions.to_be_bytes());
        body.extend([0, 21]);
        body.extend((extensions - 4).to_be_bytes());
        body.resize(length, filling);
        body
    }

    fn part(body: &[u8], offset: usize, length: usize) -> Fragment<'_> {
        Fragment {
            message: message::CLIENT_HELLO,
            message_seq: 0,
            length: body.len(),
            offset,
            body: &body[offset..offset + length],
        }
    }

    #[test]
    fn fragments_in_any_order_with_overlap_and_duplicates_make_one_message() {
        let body = hello(1_400, 7);
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let parts = [part(&body, 0, 600), part(&body, 500, 500), part(&body, 900, 500)];
            let mut reassembly = Reassembly::default();
            assert_eq!(reassembly.add(&parts[order[0]]), Ok(None));
            assert_eq!(reassembly.add(&parts[order[0]]), Ok(None));
            assert_eq!(reassembly.add(&parts[order[1]]), Ok(None));
            let whole = reassembly.add(&parts[order[2]]).unwrap().unwrap();
            assert_eq!(whole.random(), [7; 32]);
            let datagram = whole.datagram();
            let fragment = fragments(&datagram[record::HEADER_BYTES..]).unwrap()[0];
            assert_eq!(fragment, part(&body, 0, 1_400));
            assert!(reassembly.partial.is_empty());
        }
    }

    #[test]
    fn pieces_are_told_from_gaps() {
        let body = hello(200, 7);
        let mut reassembly = Reassembly::default();
        for offset in (0..200).step_by(20) {
            assert_eq!(reassembly.add(&part(&body, offset, 10)), Ok(None));
        }
        for offset in (10..180).step_by(20) {
            assert_eq!(reassembly.add(&part(&body, offset, 10)), Ok(None), "{offset}");
        }
        assert!(reassembly.add(&part(&body, 150, 50)).unwrap().is_some());
    }

    #[test]
    fn a_contradiction_starts_over() {
        let (noise, body) = (hello(1_400, 1), hello(1_400, 7));
        let mut reassembly = Reassembly::default();
        assert_eq!(reassembly.add(&part(&noise, 0, 700)), Ok(None));
        assert_eq!(reassembly.add(&part(&body, 0, 700)), Ok(None));
        assert_eq!(reassembly.add(&part(&body, 700, 700)).unwrap().unwrap().random(), [7; 32]);
    }

    #[test]
    fn noise_of_another_length_does_not_disturb() {
        let (noise, body) = (hello(500, 1), hello(1_400, 7));
        let mut reassembly = Reassembly::default();
        assert_eq!(reassembly.add(&part(&body, 0, 700)), Ok(None));
        assert_eq!(reassembly.add(&part(&noise, 0, 100)), Ok(None));
        assert!(reassembly.add(&part(&body, 700, 700)).unwrap().is_some());
    }

    #[test]
    fn what_is_too_long_or_malformed_is_refused() {
        let mut reassembly = Reassembly::default();
        let long = hello(DTLS_MESSAGE_BYTES + 1, 7);
        assert_eq!(reassembly.add(&part(&long, 0, 100)), Err(Refused));
        let mut malformed = hello(100, 7);
        malformed[47] ^= 1;
        assert_eq!(reassembly.add(&part(&malformed, 0, 100)), Err(Refused));
        assert!(reassembly.partial.is_empty());
    }

    #[test]
    fn memory_is_bounded() {
        let mut reassembly = Reassembly::default();
        let bodies: Vec<Vec<u8>> = (0..100).map(|more| hello(8_000 + more, 7)).collect();
        bodies.iter().for_each(|body| assert_eq!(reassembly.add(&part(body, 0, 50)), Ok(None)));
        assert_eq!(reassembly.partial.len(), DTLS_PARTIAL_MESSAGES);
        let body = hello(8_000, 9);
        for piece in 0..1_000 {
            let _ = reassembly.add(&part(&body, piece * 8, 4));
        }
        assert!(reassembly.partial.iter().all(|partial| partial.known.len() <= DTLS_MESSAGE_PIECES));
    }
}
