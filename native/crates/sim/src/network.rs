use std::collections::BTreeMap;

use trunkline_base::{Address, Micros};

use crate::Random;

/// What the network does to a datagram. Probabilities are from 0 to 1 and independent of each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conditions {
    /// Never arrives.
    pub loss: f64,
    /// Arrives twice, each time with a delay of its own.
    pub duplicate: f64,
    /// Arrives later by up to four times `delay` + `jitter`, so that what was sent after it comes first.
    pub reorder: f64,
    /// One way.
    pub delay: Micros,
    /// Added to `delay`, evenly from 0 up to this. Jitter alone reorders too.
    pub jitter: Micros,
}

impl Conditions {
    /// Nothing goes wrong; 1 ms one way.
    #[must_use]
    pub const fn lan() -> Self {
        Self { loss: 0.0, duplicate: 0.0, reorder: 0.0, delay: 1_000, jitter: 0 }
    }

    /// Half a percent is lost; 20 to 25 ms one way.
    #[must_use]
    pub const fn internet() -> Self {
        Self { loss: 0.005, duplicate: 0.001, reorder: 0.005, delay: 20_000, jitter: 5_000 }
    }

    /// Each of loss, duplication and reordering for a tenth; 15 to 25 ms one way.
    #[must_use]
    pub const fn bad() -> Self {
        Self { loss: 0.1, duplicate: 0.1, reorder: 0.1, delay: 15_000, jitter: 10_000 }
    }
}

/// What happens next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A datagram arrives.
    Datagram {
        /// Who sent it.
        from: Address,
        /// Whom it reaches.
        to: Address,
        /// What was sent.
        bytes: Vec<u8>,
    },
    /// The deadline that was given is now.
    Timer,
    /// Nothing is under way and no deadline was given.
    Quiet,
}

/// What the network did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Datagrams given to it.
    pub sent: u64,
    /// Bytes given to it.
    pub bytes: u64,
    /// Datagrams it lost.
    pub lost: u64,
    /// Datagrams it doubled.
    pub duplicated: u64,
    /// Datagrams it held back.
    pub reordered: u64,
}

/// Carries datagrams between addresses and tells the time, which goes on only in `next`.
#[derive(Debug)]
pub struct Network {
    now: Micros,
    random: Random,
    conditions: Conditions,
    /// By arrival, then by the order of sending.
    under_way: BTreeMap<(Micros, u64), (Address, Address, Vec<u8>)>,
    order: u64,
    counts: Counts,
}

impl Network {
    /// Time begins at one second, so that a test may look back a little.
    #[must_use]
    pub const fn new(seed: u64, conditions: Conditions) -> Self {
        Self {
            now: 1_000_000,
            random: Random::new(seed),
            conditions,
            under_way: BTreeMap::new(),
            order: 0,
            counts: Counts { sent: 0, bytes: 0, lost: 0, duplicated: 0, reordered: 0 },
        }
    }

    /// Virtual time.
    #[must_use]
    pub const fn now(&self) -> Micros {
        self.now
    }

    /// What it did so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// For what is sent from now on.
    pub const fn set_conditions(&mut self, conditions: Conditions) {
        self.conditions = conditions;
    }

    /// Random numbers of the same seed, for the test's own choices.
    pub const fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// Sends now; whether and when it arrives is the network's choice.
    pub fn send(&mut self, from: Address, to: Address, bytes: &[u8]) {
        self.counts.sent += 1;
        self.counts.bytes += bytes.len() as u64;
        if self.random.chance(self.conditions.loss) {
            self.counts.lost += 1;
            return;
        }
        self.carry(from, to, bytes);
        if self.random.chance(self.conditions.duplicate) {
            self.counts.duplicated += 1;
            self.carry(from, to, bytes);
        }
    }

    fn carry(&mut self, from: Address, to: Address, bytes: &[u8]) {
        let Conditions { delay, jitter, reorder, .. } = self.conditions;
        let mut takes = delay + self.random.below(jitter + 1);
        if self.random.chance(reorder) {
            self.counts.reordered += 1;
            takes += self.random.below(4 * (delay + jitter) + 1);
        }
        self.order += 1;
        self.under_way.insert((self.now + takes, self.order), (from, to, bytes.to_vec()));
    }

    /// Lets time pass until a datagram arrives or `deadline` is there, whichever is first. A deadline in the past is now;
    /// at the same moment the datagram comes first.
    pub fn next(&mut self, deadline: Option<Micros>) -> Event {
        let deadline = deadline.map(|at| at.max(self.now));
        let arrives = self.under_way.first_key_value().map(|((at, _), _)| *at);
        if let Some(at) = arrives
            && deadline.is_none_or(|deadline| at <= deadline)
            && let Some((_, (from, to, bytes))) = self.under_way.pop_first()
        {
            self.now = at;
            return Event::Datagram { from, to, bytes };
        }
        match deadline {
            Some(at) => {
                self.now = at;
                Event::Timer
            }
            None => Event::Quiet,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address;

    fn arrivals(seed: u64, conditions: Conditions, datagrams: u8) -> Vec<(Micros, u8)> {
        let mut network = Network::new(seed, conditions);
        (0..datagrams).for_each(|number| network.send(address(1), address(2), &[number]));
        std::iter::from_fn(|| match network.next(None) {
            Event::Datagram { bytes, .. } => Some((network.now(), bytes[0])),
            _ => None,
        })
        .collect()
    }

    #[test]
    fn a_good_network_delivers_everything_in_order_after_its_delay() {
        let expected: Vec<_> = (0..100).map(|number| (1_001_000, number)).collect();
        assert_eq!(arrivals(1, Conditions::lan(), 100), expected);
    }

    #[test]
    fn the_same_seed_gives_the_same_arrivals_and_another_seed_others() {
        assert_eq!(arrivals(5, Conditions::bad(), 200), arrivals(5, Conditions::bad(), 200));
        assert_ne!(arrivals(5, Conditions::bad(), 200), arrivals(6, Conditions::bad(), 200));
    }

    #[test]
    fn a_bad_network_loses_doubles_and_reorders() {
        let arrived: Vec<u8> =
            arrivals(1, Conditions::bad(), 250).iter().map(|(_, number)| *number).collect();
        let times = |number| arrived.iter().filter(|other| **other == number).count();
        assert!((0..250).any(|number| times(number) == 0));
        assert!((0..250).any(|number| times(number) == 2));
        assert!(!arrived.is_sorted());
        assert!((230..270).contains(&arrived.len()), "{}", arrived.len());
    }

    #[test]
    fn time_stops_at_the_first_of_arrival_and_deadline() {
        let mut network = Network::new(1, Conditions::lan());
        network.send(address(1), address(2), b"x");
        assert_eq!(network.next(Some(1_000_500)), Event::Timer);
        assert_eq!(network.now(), 1_000_500);
        assert!(matches!(network.next(Some(1_001_000)), Event::Datagram { .. }));
        assert_eq!(network.now(), 1_001_000);
        assert_eq!(network.next(Some(3)), Event::Timer);
        assert_eq!(network.now(), 1_001_000, "time never goes back");
        assert_eq!(network.next(None), Event::Quiet);
    }
}
