use trunkline_base::Micros;

/// Turns that come at even distances: `per_round` of them in each `round`, one after the other.
pub struct Pace {
    begin: Micros,
    round: Micros,
    per_round: u64,
    done: u64,
}

impl Pace {
    pub fn new(begin: Micros, round: Micros, per_round: usize) -> Self {
        Self { begin, round: round.max(1), per_round: per_round as u64, done: 0 }
    }

    /// When the next turn is due; `None`: there are no turns.
    pub fn due_at(&self) -> Option<Micros> {
        (self.per_round > 0).then(|| self.begin + self.done * self.round / self.per_round)
    }

    /// The next turn if it is due: whose it is, and how late it comes.
    pub fn take(&mut self, now: Micros) -> Option<(usize, Micros)> {
        let late = now.checked_sub(self.due_at()?)?;
        let turn = (self.done % self.per_round) as usize;
        self.done += 1;
        Some((turn, late))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_spread_evenly_over_each_round() {
        let mut pace = Pace::new(1_000, 20_000, 3);
        let mut taken = Vec::new();
        while let Some(at) = pace.due_at().filter(|at| *at < 41_000) {
            assert_eq!(pace.take(at - 1), None);
            taken.push((at, pace.take(at).unwrap().0));
        }
        assert_eq!(taken, [(1_000, 0), (7_666, 1), (14_333, 2), (21_000, 0), (27_666, 1), (34_333, 2)]);
    }

    #[test]
    fn what_is_late_is_made_up_for_and_told() {
        let mut pace = Pace::new(0, 20_000, 2);
        assert_eq!(pace.take(15_000), Some((0, 15_000)));
        assert_eq!(pace.take(15_000), Some((1, 5_000)));
        assert_eq!(pace.take(15_000), None);
    }

    #[test]
    fn without_ends_there_are_no_turns() {
        assert_eq!(Pace::new(0, 20_000, 0).take(Micros::MAX), None);
    }
}
