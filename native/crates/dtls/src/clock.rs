use std::sync::LazyLock;
use std::time::{Duration, Instant};

use trunkline_base::Micros;

/// Any moment does: only what lies between two moments counts.
static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Longer than any timer of a handshake: the library says "in years" where it waits for nothing.
const NEVER: Duration = Duration::from_secs(86_400);

/// Tells the library our time. It wants `Instant`s, which cannot be made from a number, so they are counted from `ORIGIN`.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    began: Micros,
}

impl Clock {
    pub const fn new(now: Micros) -> Self {
        Self { began: now }
    }

    /// Time before the clock began is its beginning.
    pub fn instant(self, at: Micros) -> Instant {
        *ORIGIN + Duration::from_micros(at.saturating_sub(self.began))
    }

    /// When to wake the library, rounded up; `None` if there is nothing to wait for. Seen from `now`.
    pub fn micros(self, at: Instant, now: Micros) -> Option<Micros> {
        let since = at.saturating_duration_since(*ORIGIN);
        if since > self.instant(now).saturating_duration_since(*ORIGIN) + NEVER {
            return None;
        }
        let micros = since.as_nanos().div_ceil(1_000);
        Some(self.began + u64::try_from(micros).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_there_and_back() {
        let clock = Clock::new(5_000_000);
        let now = 7_000_001;
        assert_eq!(clock.micros(clock.instant(now), now), Some(now));
        assert_eq!(clock.instant(now) - clock.instant(5_000_000), Duration::from_micros(2_000_001));
        assert_eq!(clock.instant(3), clock.instant(5_000_000));
    }

    #[test]
    fn a_part_of_a_microsecond_is_waited_for() {
        let clock = Clock::new(10);
        let between = clock.instant(20) + Duration::from_nanos(1);
        assert_eq!(clock.micros(between, 20), Some(21));
    }

    #[test]
    fn in_years_is_never() {
        let clock = Clock::new(0);
        let late = clock.instant(9) + Duration::from_secs(10 * 365 * 86_400);
        assert_eq!(clock.micros(late, 9), None);
    }
}
