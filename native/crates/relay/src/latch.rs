use trunkline_base::{Address, Micros};

/// From where media of an RTP peer is accepted and where it is sent.
///
/// As long as nothing was signalled nobody is accepted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Latch {
    signalled: Address,
    latched: Address,
    /// A further IP address the peer's media may come from, where its signalling does.
    alternative: Address,
    candidate: Option<Candidate>,
    /// When the place in use was last heard.
    heard_at: Option<Micros>,
    /// Only the signalled place.
    strict: bool,
}

/// A place that may turn out to be the peer's.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    from: Address,
    ssrc: u32,
    sequence: u16,
    packets: u32,
}

/// What became of a packet's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Not the peer, as far as we know.
    Refused,
    Accepted,
    /// Accepted, and media goes there from now on.
    Moved,
}

impl Latch {
    pub fn new(strict: bool, alternative: Address) -> Self {
        Self {
            signalled: Address::NONE,
            latched: Address::NONE,
            alternative,
            candidate: None,
            heard_at: None,
            strict,
        }
    }

    /// Where to send, and where media comes from.
    pub fn place(&self) -> Address {
        self.latched
    }

    /// What the peer's SDP says. The same again keeps what was learnt. `true`: another one.
    pub fn signal(&mut self, place: Address) -> bool {
        if self.signalled == place {
            return false;
        }
        self.signalled = place;
        self.latched = place;
        self.candidate = None;
        self.heard_at = None;
        true
    }

    /// Where a process before us found the peer, for the same signalled place.
    pub fn restore(&mut self, latched: Address, now: Micros) {
        if self.signalled.is_none() || !self.may_be(&latched) {
            return;
        }
        self.latched = latched;
        self.heard_at = Some(now);
    }

    /// Whether an address could be the peer's at all: cheap, and asked before anything is decrypted.
    pub fn may_be(&self, from: &Address) -> bool {
        if self.strict {
            return !from.is_none() && *from == self.signalled;
        }
        !self.signalled.is_none() && (from.same_ip(&self.signalled) || from.same_ip(&self.alternative))
    }

    /// The peer was heard where it is known to be.
    pub fn heard(&mut self, now: Micros) {
        self.candidate = None;
        self.heard_at = Some(now);
    }

    /// Whether to take an RTP packet from this address, which `may_be` let through and which is authentic if it can be.
    ///
    /// Another port of the peer's address, or any of its alternative one, is followed once it sent a few packets of one
    /// SSRC in a row: a NAT between us gave the peer a place it does not know of. Packets until then are not taken. As long
    /// as the place in use is heard nobody else is followed: four packets between two of a caller are soon sent.
    pub fn accepts(&mut self, from: Address, ssrc: u32, sequence: u16, now: Micros) -> Source {
        if from == self.latched {
            self.heard(now);
            return Source::Accepted;
        }
        let packets = match self.candidate {
            Some(before)
                if before.from == from
                    && before.ssrc == ssrc
                    && before.sequence.wrapping_add(1) == sequence =>
            {
                before.packets + 1
            }
            _ => 1,
        };
        self.candidate = Some(Candidate { from, ssrc, sequence, packets });
        let quiet = self.heard_at.is_none_or(|at| now.saturating_sub(at) >= QUIET_US);
        if packets >= PACKETS_TO_LATCH && quiet {
            self.latched = from;
            self.heard(now);
            return Source::Moved;
        }
        if from == self.signalled { Source::Accepted } else { Source::Refused }
    }
}

const PACKETS_TO_LATCH: u32 = 4;
/// A source that is silent for so long may have moved: longer than any packet time and most pauses of one.
const QUIET_US: Micros = 500_000;

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Micros = 1_000;

    fn at(port: u16) -> Address {
        place("192.0.2.1", port)
    }

    fn place(ip: &str, port: u16) -> Address {
        Address::from(std::net::SocketAddr::new(ip.parse().unwrap(), port))
    }

    fn latched(strict: bool) -> Latch {
        let mut latch = Latch::new(strict, Address::NONE);
        latch.signal(at(4_000));
        latch
    }

    fn takes(latch: &mut Latch, from: Address, ssrc: u32, sequence: u16, now: Micros) -> bool {
        latch.accepts(from, ssrc, sequence, now) != Source::Refused
    }

    #[test]
    fn the_signalled_address_is_taken_at_once_another_ip_address_never() {
        let mut latch = latched(false);
        assert!(latch.may_be(&at(4_000)));
        assert_eq!(latch.accepts(at(4_000), 1, 1, 0), Source::Accepted);
        assert!(!latch.may_be(&place("192.0.2.2", 4_000)));
    }

    #[test]
    fn before_anything_was_signalled_nobody_is_taken() {
        for strict in [false, true] {
            let latch = Latch::new(strict, place("198.51.100.9", 0));
            assert!(!latch.may_be(&at(4_000)) && !latch.may_be(&Address::NONE));
            assert!(!latch.may_be(&place("198.51.100.9", 1)));
        }
    }

    #[test]
    fn another_port_is_followed_after_four_packets_in_a_row_of_one_ssrc() {
        let mut latch = latched(false);
        let taken = [65_534, 65_535, 0].map(|sequence| takes(&mut latch, at(5_000), 7, sequence, 0));
        assert_eq!((taken, latch.place()), ([false; 3], at(4_000)));
        assert_eq!(latch.accepts(at(5_000), 7, 1, 0), Source::Moved);
        assert_eq!(latch.place(), at(5_000));
        assert!(takes(&mut latch, at(5_000), 7, 9, 0), "a later gap is only loss");
    }

    #[test]
    fn gaps_a_change_of_ssrc_or_the_right_peer_in_between_start_the_count_anew() {
        let mut latch = latched(false);
        for (port, ssrc, sequence) in [
            (5_000, 7, 1),
            (5_000, 7, 2),
            (5_000, 7, 3),
            (5_000, 7, 5),
            (5_000, 8, 6),
            (5_000, 8, 7),
            (5_000, 8, 8),
            (4_000, 1, 1),
            (5_000, 8, 9),
        ] {
            latch.accepts(at(port), ssrc, sequence, 0);
        }
        assert_eq!(latch.place(), at(4_000));
    }

    #[test]
    fn the_signalled_port_stays_welcome_and_can_win_again_once_the_other_is_quiet() {
        let mut latch = latched(false);
        for n in 0..4 {
            latch.accepts(at(5_000), 7, n, 0);
        }
        assert!(takes(&mut latch, at(4_000), 1, 10, 20 * MS));
        assert_eq!(latch.place(), at(5_000));
        for n in 11..40 {
            latch.accepts(at(4_000), 1, n, u64::from(n) * 20 * MS);
        }
        assert_eq!(latch.place(), at(4_000));
    }

    #[test]
    fn nobody_at_the_same_address_takes_over_from_a_source_that_is_alive() {
        let mut latch = latched(false);
        for n in 0..100_u16 {
            assert!(takes(&mut latch, at(4_000), 1, n, u64::from(n) * 20 * MS));
            for burst in 0..50 {
                let sequence = n.wrapping_mul(50).wrapping_add(burst);
                assert!(!takes(&mut latch, at(5_000), 7, sequence, u64::from(n) * 20 * MS + 1));
            }
        }
        assert_eq!(latch.place(), at(4_000));
    }

    #[test]
    fn a_new_port_in_the_middle_of_a_call_is_followed_half_a_second_later() {
        let mut latch = latched(false);
        for n in 0..10 {
            latch.accepts(at(4_000), 7, n, u64::from(n) * 20 * MS);
        }
        let taken: Vec<bool> = (0..30)
            .map(|n| takes(&mut latch, at(5_000), 7, 10 + n, (200 + u64::from(n) * 20) * MS))
            .collect();
        assert_eq!(taken.iter().position(|taken| *taken), Some(24));
        assert_eq!(latch.place(), at(5_000));
    }

    #[test]
    fn a_new_sdp_counts_the_same_again_does_not_forget() {
        let mut latch = latched(false);
        for n in 0..4 {
            latch.accepts(at(5_000), 7, n, 0);
        }
        assert!(!latch.signal(at(4_000)));
        assert_eq!(latch.place(), at(5_000));
        assert!(latch.signal(place("192.0.2.9", 4_000)));
        assert_eq!(latch.place(), place("192.0.2.9", 4_000));
        assert!(!latch.may_be(&at(5_000)));
    }

    #[test]
    fn strict_takes_no_other_port_whatever_it_sends() {
        let latch = latched(true);
        assert!(!latch.may_be(&at(5_000)) && latch.may_be(&at(4_000)));
    }

    #[test]
    fn media_from_where_the_signalling_comes_from_is_followed_after_the_same_proof() {
        let mut latch = Latch::new(false, place("198.51.100.9", 0));
        latch.signal(place("10.0.0.5", 4_000));
        let behind_nat = place("198.51.100.9", 61_000);
        assert!(latch.may_be(&behind_nat) && !latch.may_be(&place("203.0.113.1", 4_000)));
        let taken = [1, 2, 3, 4, 5].map(|sequence| takes(&mut latch, behind_nat, 7, sequence, 0));
        assert_eq!(taken, [false, false, false, true, true]);
        assert_eq!(latch.place(), behind_nat);
        let strict = Latch::new(true, place("198.51.100.9", 0));
        assert!(!strict.may_be(&place("198.51.100.9", 4_000)));
    }

    #[test]
    fn what_was_found_before_a_restart_counts_and_has_to_be_quiet_first() {
        let mut latch = latched(false);
        latch.restore(at(5_000), 0);
        assert_eq!(latch.place(), at(5_000));
        for n in 0..8 {
            latch.accepts(at(6_000), 7, n, 1);
        }
        assert_eq!(latch.place(), at(5_000));
        latch.restore(place("192.0.2.77", 5_000), 0);
        assert_eq!(latch.place(), at(5_000), "an address that could never be the peer's");
    }
}
