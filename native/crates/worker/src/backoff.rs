use std::time::Duration;

/// A relay that lived at least so long was all right.
const LONG_ENOUGH: Duration = Duration::from_millis(50);
/// Short lives in a row that are not damped.
const FREE: u32 = 5;
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// Damps crash loops, and never gives up: after some short lives in a row the next relay starts later and later.
#[derive(Default)]
pub(crate) struct Backoff {
    short_lives: u32,
}

impl Backoff {
    /// How long to wait before the next one starts.
    pub(crate) fn on_death(&mut self, lived: Duration) -> Duration {
        self.short_lives = if lived < LONG_ENOUGH { self.short_lives.saturating_add(1) } else { 0 };
        match self.short_lives.checked_sub(FREE) {
            None => Duration::ZERO,
            Some(extra) => FIRST.saturating_mul(1 << extra.min(10)).min(LONGEST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_loop_slows_down_and_one_good_life_ends_it() {
        let mut backoff = Backoff::default();
        let crash = Duration::from_millis(10);
        let delays: Vec<u128> = (0..14).map(|_| backoff.on_death(crash).as_millis()).collect();
        assert_eq!(delays, [0, 0, 0, 0, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000, 5_000]);
        assert_eq!(backoff.on_death(Duration::from_millis(60)), Duration::ZERO);
        assert_eq!(backoff.on_death(crash), Duration::ZERO);
    }
}
