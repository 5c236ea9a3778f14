use trunkline_base::Micros;

/// Longest pause before a batch is fetched.
const LONGEST_PAUSE: Micros = 250;
/// Fewer packets than this are not worth waiting for.
const WORTH_PACKETS: f64 = 4.0;
/// Packets a pause is to gather: more gains little.
const WANTED_PACKETS: f64 = 64.0;
/// Memory of the mean rate.
const MEMORY: f64 = 4_000.0;

/// Decides how long to let packets gather: not at all when it is quiet, up to 250 µs under load.
#[derive(Default)]
pub(crate) struct Pace {
    /// Packets per microsecond, weighted mean.
    rate: f64,
    last: Micros,
}

impl Pace {
    /// A round fetched so many packets.
    pub(crate) fn on_round(&mut self, packets: usize, now: Micros) {
        let elapsed = now.saturating_sub(self.last).max(1) as f64;
        self.last = now;
        let weight = elapsed / (elapsed + MEMORY);
        self.rate += weight * (packets as f64 / elapsed - self.rate);
    }

    /// How long to sleep before the next round; 0: not at all.
    pub(crate) fn pause(&self) -> Micros {
        if self.rate * (LONGEST_PAUSE as f64) < WORTH_PACKETS {
            return 0;
        }
        LONGEST_PAUSE.min((WANTED_PACKETS / self.rate) as Micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second of rounds every `round` µs at a rate.
    fn after(packets_per_second: f64, round: Micros) -> Micros {
        let mut pace = Pace::default();
        let mut owed = 0.0;
        for now in (0..1_000_000).step_by(round as usize) {
            owed += packets_per_second * round as f64 / 1e6;
            pace.on_round(owed as usize, now);
            owed -= owed.floor();
        }
        pace.pause()
    }

    #[test]
    fn the_pause_grows_with_load_and_shrinks_when_batches_are_full() {
        assert_eq!(after(0.0, 100), 0);
        assert_eq!(after(5_000.0, 100), 0);
        assert_eq!(after(25_000.0, 250), 250);
        assert_eq!(after(100_000.0, 250), 250);
        assert!((100..220).contains(&after(400_000.0, 200)));
    }

    #[test]
    fn quiet_ends_the_pauses() {
        let mut pace = Pace::default();
        for round in 0..1_000 {
            pace.on_round(25, round * 250);
        }
        assert_eq!(pace.pause(), 250);
        pace.on_round(1, 1_000_000);
        assert_eq!(pace.pause(), 0);
    }
}
