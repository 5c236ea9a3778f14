use std::collections::VecDeque;

use trunkline_base::Micros;

/// Number of a pair of ports in the keeper's table.
pub(crate) type Pair = u32;

struct Resting {
    pair: Pair,
    /// When it was released; `None` if it was never used.
    since: Option<Micros>,
}

/// Hands out pairs of ports, the longest rested first.
///
/// A released pair rests, so that late packets of an ended call do not reach a new one. Under pressure the rest may be
/// shorter, down to a tenth.
pub(crate) struct PortPool {
    quarantine: Micros,
    resting: VecDeque<Resting>,
}

impl PortPool {
    /// `released`: for each pair when it was given back, 0 if it was never used. `start` rotates those that were not, so that
    /// ports cannot be guessed. `used` are with sessions from a relay before us.
    pub(crate) fn new(released: &[Micros], quarantine: Micros, start: u32, used: &[Pair]) -> Self {
        let count = released.len().max(1);
        let mut is_used = vec![false; count];
        for &pair in used {
            is_used[pair as usize] = true;
        }
        let rotated = (0..released.len()).map(|index| (index + start as usize) % count);
        let mut resting: Vec<Resting> = rotated
            .filter(|&index| !is_used[index])
            .map(|index| Resting { pair: index as Pair, since: Some(released[index]).filter(|&at| at > 0) })
            .collect();
        resting.sort_by_key(|each| each.since);
        Self { quarantine, resting: resting.into() }
    }

    /// Pairs that are not in use, rested or not.
    #[cfg(test)]
    pub(crate) fn idle(&self) -> usize {
        self.resting.len()
    }

    /// `None` when all are in use or were released too short a time ago.
    pub(crate) fn take(&mut self, now: Micros) -> Option<Pair> {
        let longest = self.resting.front()?;
        let rested = longest.since.is_none_or(|since| now.saturating_sub(since) >= self.quarantine / 10);
        if !rested {
            return None;
        }
        self.resting.pop_front().map(|each| each.pair)
    }

    /// Gives back a pair that nobody was told of: it is the next one to be taken.
    pub(crate) fn put_back(&mut self, pair: Pair) {
        self.resting.push_front(Resting { pair, since: None });
    }

    /// Gives a pair back to rest.
    pub(crate) fn release(&mut self, pair: Pair, now: Micros) {
        self.resting.push_back(Resting { pair, since: Some(now) });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_pair_is_given_once_from_a_start_that_cannot_be_guessed() {
        let mut pool = PortPool::new(&[0; 4], 30_000, 6, &[]);
        let taken: Vec<_> = std::iter::from_fn(|| pool.take(0)).collect();
        assert_eq!(taken, [2, 3, 0, 1]);
        assert_eq!(PortPool::new(&[], 30_000, 3, &[]).take(0), None);
    }

    #[test]
    fn a_released_pair_rests_even_if_it_is_the_only_one() {
        let mut pool = PortPool::new(&[0], 30_000, 0, &[]);
        assert_eq!(pool.take(0), Some(0));
        pool.release(0, 5_000);
        assert_eq!(pool.take(5_001), None);
        assert_eq!(pool.take(8_000), Some(0));
        pool.put_back(0);
        assert_eq!(pool.take(8_000), Some(0));
    }

    #[test]
    fn a_pool_that_is_built_again_remembers_who_rests_and_who_is_taken() {
        let mut pool = PortPool::new(&[900, 0, 500, 0], 1_000, 1, &[3]);
        assert_eq!(std::iter::from_fn(|| pool.take(990)).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(pool.take(1_000), Some(0));
    }

    proptest! {
        #[test]
        fn a_pair_in_use_is_never_given_again(script in prop::collection::vec(0_usize..10, 0..200), start in 0_u32..100) {
            let mut pool = PortPool::new(&[0; 6], 100, start, &[]);
            let mut used = Vec::new();
            for (index, step) in script.into_iter().enumerate() {
                let now = index as Micros * 5;
                if step < 6 {
                    let Some(pair) = pool.take(now) else { continue };
                    prop_assert!(!used.contains(&pair));
                    used.push(pair);
                } else if !used.is_empty() {
                    pool.release(used.remove(step % used.len()), now);
                }
                prop_assert_eq!(pool.idle() + used.len(), 6);
            }
        }
    }
}
