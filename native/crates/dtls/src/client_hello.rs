use crate::handshake::{self, Fragment, message};
use crate::record;

/// Chromium's has 1.4 KB with a post-quantum key share; twice that with several. Longer ones are refused.
const LONGEST: usize = 8_192;
/// `client_version` and `random`, then the lengths of what follows (RFC 8446 §4.1.2).
const SHORTEST: usize = 41;
/// At most this many are put together at once: the real one and one of noise.
const PARTIAL: usize = 2;

/// The client's random number tells one handshake of a peer from the next.
pub type ClientRandom = [u8; 32];

/// A whole ClientHello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    pub random: ClientRandom,
    /// 0, or 1 where the server asked for another one.
    pub message_seq: u16,
    body: Vec<u8>,
}

impl ClientHello {
    fn new(message_seq: u16, body: Vec<u8>) -> Option<Self> {
        if body.len() < SHORTEST || body[..2] != [0xfe, 0xfd] {
            return None;
        }
        let random = *body[2..].first_chunk()?;
        Some(Self { random, message_seq, body })
    }

    /// As a datagram with one record and one fragment, however it came. Neither version's transcript sees the difference
    /// (RFC 6347 §4.2.6, RFC 9147 §5.2).
    pub fn datagram(&self) -> Vec<u8> {
        let length = u16::try_from(self.body.len()).expect("no longer than LONGEST");
        let record_length = length + handshake::HEADER_BYTES as u16;
        let [high, low] = length.to_be_bytes();
        let [seq_high, seq_low] = self.message_seq.to_be_bytes();
        [
            &[record::content::HANDSHAKE, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, seq_high, seq_low][..],
            &record_length.to_be_bytes(),
            &[message::CLIENT_HELLO, 0, high, low, seq_high, seq_low, 0, 0, 0, 0, high, low],
            &self.body,
        ]
        .concat()
    }
}

/// Puts ClientHellos together out of fragments in any order.
#[derive(Debug, Default)]
pub struct Reassembly {
    /// The one heard of last is last.
    partial: Vec<Partial>,
}

#[derive(Debug)]
struct Partial {
    message_seq: u16,
    body: Vec<u8>,
    known: Vec<bool>,
}

impl Reassembly {
    /// `Err`: it cannot be part of a hello of ours. `Ok(None)`: more is to come.
    pub fn add(&mut self, fragment: &Fragment<'_>) -> Result<Option<ClientHello>, Refused> {
        if fragment.message_seq > 1 || !(SHORTEST..=LONGEST).contains(&fragment.length) {
            return Err(Refused);
        }
        let mut partial = self.take(fragment);
        if !partial.add(fragment) {
            partial = Partial::new(fragment);
            partial.add(fragment);
        }
        if partial.known.iter().all(|known| *known) {
            return ClientHello::new(partial.message_seq, partial.body).map(Some).ok_or(Refused);
        }
        if self.partial.len() == PARTIAL {
            self.partial.remove(0);
        }
        self.partial.push(partial);
        Ok(None)
    }

    fn take(&mut self, fragment: &Fragment<'_>) -> Partial {
        let same = |partial: &Partial| {
            (partial.message_seq, partial.body.len()) == (fragment.message_seq, fragment.length)
        };
        match self.partial.iter().position(same) {
            Some(index) => self.partial.remove(index),
            None => Partial::new(fragment),
        }
    }
}

/// Not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

impl Partial {
    fn new(fragment: &Fragment<'_>) -> Self {
        Self {
            message_seq: fragment.message_seq,
            body: vec![0; fragment.length],
            known: vec![false; fragment.length],
        }
    }

    /// `false`: it contradicts what is there. Then the older one was noise, or the peer began anew.
    fn add(&mut self, fragment: &Fragment<'_>) -> bool {
        let range = fragment.offset..fragment.offset + fragment.body.len();
        let known = self.known[range.clone()].iter();
        let agrees = known.zip(&self.body[range.clone()]).zip(fragment.body);
        if agrees.into_iter().any(|((known, ours), theirs)| *known && ours != theirs) {
            return false;
        }
        self.body[range.clone()].copy_from_slice(fragment.body);
        self.known[range].fill(true);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake::fragments;

    fn body(length: usize) -> Vec<u8> {
        let mut body: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        body[..2].copy_from_slice(&[0xfe, 0xfd]);
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
    fn fragments_in_any_order_with_overlap_and_duplicates_make_one_hello() {
        let body = body(1_400);
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let parts = [part(&body, 0, 600), part(&body, 500, 500), part(&body, 900, 500)];
            let mut reassembly = Reassembly::default();
            assert_eq!(reassembly.add(&parts[order[0]]), Ok(None));
            assert_eq!(reassembly.add(&parts[order[0]]), Ok(None));
            assert_eq!(reassembly.add(&parts[order[1]]), Ok(None));
            let hello = reassembly.add(&parts[order[2]]).unwrap().unwrap();
            assert_eq!(hello.random[..], body[2..34]);
            let datagram = hello.datagram();
            let fragment = fragments(&datagram[record::HEADER_BYTES..]).unwrap()[0];
            assert_eq!(fragment, part(&body, 0, 1_400));
        }
    }

    #[test]
    fn a_contradiction_starts_over() {
        let (noise, body) = (body(1_400).iter().map(|byte| byte ^ 1).collect::<Vec<u8>>(), body(1_400));
        let mut reassembly = Reassembly::default();
        assert_eq!(reassembly.add(&part(&noise, 0, 700)), Ok(None));
        assert_eq!(reassembly.add(&part(&body, 0, 700)), Ok(None));
        let hello = reassembly.add(&part(&body, 700, 700)).unwrap().unwrap();
        assert_eq!(hello.random[..], body[2..34]);
    }

    #[test]
    fn noise_of_another_length_does_not_disturb() {
        let (noise, body) = (body(500), body(1_400));
        let mut reassembly = Reassembly::default();
        assert_eq!(reassembly.add(&part(&body, 0, 700)), Ok(None));
        assert_eq!(reassembly.add(&part(&noise, 0, 100)), Ok(None));
        assert!(reassembly.add(&part(&body, 700, 700)).unwrap().is_some());
    }

    #[test]
    fn what_is_too_long_too_short_or_no_hello_is_refused() {
        let mut reassembly = Reassembly::default();
        let long = body(LONGEST + 1);
        assert_eq!(reassembly.add(&part(&long, 0, 100)), Err(Refused));
        let short = body(SHORTEST - 1);
        assert_eq!(reassembly.add(&part(&short, 0, 40)), Err(Refused));
        let late = body(100);
        assert_eq!(reassembly.add(&Fragment { message_seq: 2, ..part(&late, 0, 100) }), Err(Refused));
        let mut other = body(100);
        other[1] = 0;
        assert_eq!(reassembly.add(&part(&other, 0, 100)), Err(Refused));
    }

    #[test]
    fn partial_hellos_are_bounded() {
        let mut reassembly = Reassembly::default();
        for length in 100..200 {
            let body = body(length);
            assert_eq!(reassembly.add(&part(&body, 0, 50)), Ok(None));
        }
        assert_eq!(reassembly.partial.len(), PARTIAL);
    }
}
