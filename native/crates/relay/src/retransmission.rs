/// What left lately toward a peer that may ask for it again (RFC 4585 §6.2.1), as it left.
///
/// The same bytes go out again: an index of SRTP is never used for others. 8 KiB hold the last 800 ms of 20 ms audio packets,
/// or the last few of video; who asks for an older one is told nothing and will ask for a key frame. Each is repeated a few
/// times at most, so that no flood of requests draws more out of us than that many times what was sent.
pub(crate) struct Ring {
    bytes: Box<[u8; BYTES]>,
    kept: [Kept; PACKETS],
    /// Where the next packet goes in `bytes` and in `kept`.
    at: usize,
    next: usize,
}

/// A packet in `bytes`. Length 0: none.
#[derive(Clone, Copy, Default)]
struct Kept {
    sequence: u16,
    start: u16,
    len: u16,
    repeats: u8,
}

impl Ring {
    pub fn new() -> Self {
        Self { bytes: Box::new([0; BYTES]), kept: [Kept::default(); PACKETS], at: 0, next: 0 }
    }

    /// Keeps a packet as it leaves.
    pub fn push(&mut self, sequence: u16, datagram: &[u8]) {
        if datagram.len() > BYTES {
            return;
        }
        if self.at + datagram.len() > BYTES {
            self.at = 0;
        }
        let (start, end) = (self.at, self.at + datagram.len());
        self.bytes[start..end].copy_from_slice(datagram);
        for kept in &mut self.kept {
            let from = usize::from(kept.start);
            if from < end && start < from + usize::from(kept.len) {
                kept.len = 0;
            }
        }
        self.kept[self.next] = Kept { sequence, start: start as u16, len: datagram.len() as u16, repeats: 0 };
        self.next = (self.next + 1) % PACKETS;
        self.at = end;
    }

    /// The packet that left with this number, if it may leave once more.
    pub fn repeat(&mut self, sequence: u16) -> Option<&[u8]> {
        let kept = self.kept.iter_mut().find(|kept| kept.len > 0 && kept.sequence == sequence)?;
        if kept.repeats == REPEATS {
            return None;
        }
        kept.repeats += 1;
        let start = usize::from(kept.start);
        Some(&self.bytes[start..start + usize::from(kept.len)])
    }
}

const BYTES: usize = 8_192;
const PACKETS: usize = 48;
/// A repetition may be lost too.
const REPEATS: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_packets_come_back_as_they_left_and_older_ones_not_at_all() {
        let mut ring = Ring::new();
        let packet = |n: u16| vec![n as u8; 100 + usize::from(n) % 90];
        for n in 65_000..=65_535 {
            ring.push(n, &packet(n));
        }
        for n in 0..300 {
            ring.push(n, &packet(n));
            assert_eq!(ring.repeat(n), Some(&packet(n)[..]));
        }
        for n in 0..300 {
            let found = ring.repeat(n);
            assert!(found.is_none_or(|bytes| bytes == packet(n)), "packet {n} is another one");
            assert!(n < 270 || found.is_some(), "packet {n} is gone");
        }
        ring.push(1, &[0; BYTES + 1]);
        assert_eq!(ring.repeat(1), None);
    }

    #[test]
    fn a_packet_is_repeated_three_times_at_most_until_its_number_is_used_again() {
        let mut ring = Ring::new();
        for _ in 0..2 {
            ring.push(7, b"seven");
            (0..3).for_each(|_| assert_eq!(ring.repeat(7), Some(&b"seven"[..])));
            assert_eq!(ring.repeat(7), None);
            (8..60).for_each(|n| ring.push(n, b"others"));
        }
    }

    #[test]
    fn a_large_packet_takes_the_place_of_small_ones() {
        let mut ring = Ring::new();
        for n in 0..40 {
            ring.push(n, &[1; 200]);
        }
        ring.push(40, &[2; 1_200]);
        assert!((34..=40).all(|n| ring.repeat(n).is_some()));
        let kept = (0..=40).filter(|n| ring.repeat(*n).is_some()).count();
        assert!(kept * 200 <= BYTES);
    }
}
