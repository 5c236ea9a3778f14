use std::cell::Cell;
use std::time::Duration;

use trunkline_base::Micros;

/// How long a sample of the difference between the two clocks is used.
const SAMPLE: Micros = 100_000;
/// A kernel time older than this is not believed: the wall clock was set.
const OLDEST: Micros = 5_000_000;

/// `CLOCK_MONOTONIC` in microseconds.
#[must_use]
pub fn now() -> Micros {
    (nanoseconds(libc::CLOCK_MONOTONIC) / 1_000) as Micros
}

/// Sleeps for a while, to a few microseconds: the pause of adaptive batching.
pub fn pause(duration: Micros) {
    thread_local!(static PRECISE: Cell<bool> = const { Cell::new(false) });
    if !PRECISE.replace(true) {
        wake_precisely();
    }
    let time = timespec(duration);
    // SAFETY: `time` outlives the call; no remainder is asked for. A pause that a signal cuts short is short.
    unsafe { libc::clock_nanosleep(libc::CLOCK_MONOTONIC, 0, &raw const time, std::ptr::null_mut()) };
}

/// Asks for timers of this thread without the usual 50 µs of slack.
fn wake_precisely() {
    // SAFETY: takes plain numbers and touches no memory.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1_u64, 0_u64, 0_u64, 0_u64) };
}

pub(crate) fn timespec(duration: Micros) -> libc::timespec {
    let duration = Duration::from_micros(duration);
    libc::timespec {
        tv_sec: libc::time_t::try_from(duration.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: duration.subsec_nanos() as _,
    }
}

fn nanoseconds(clock: libc::clockid_t) -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is valid for writing; both clocks that we ask for always exist.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// Converts wall clock times of the kernel to monotonic ones.
pub(crate) struct WallClock {
    /// Wall clock minus monotonic clock, in nanoseconds.
    ahead: i64,
    sampled_at: Option<Micros>,
}

impl WallClock {
    pub(crate) const fn new() -> Self {
        Self { ahead: 0, sampled_at: None }
    }

    /// Looks at both clocks now and then.
    pub(crate) fn sample(&mut self, now: Micros) {
        if self.sampled_at.is_some_and(|at| now.saturating_sub(at) < SAMPLE) {
            return;
        }
        self.ahead = nanoseconds(libc::CLOCK_REALTIME) - nanoseconds(libc::CLOCK_MONOTONIC);
        self.sampled_at = Some(now);
    }

    /// The monotonic time of a wall clock time; `now` if that cannot be, because the wall clock was set meanwhile.
    pub(crate) fn to_monotonic(&self, wall_ns: i64, now: Micros) -> Micros {
        match Micros::try_from((wall_ns - self.ahead) / 1_000) {
            Ok(time) if time <= now && now - time <= OLDEST => time,
            _ => now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_time_becomes_monotonic() {
        let mut clock = WallClock::new();
        let before = now();
        clock.sample(before);
        let wall = nanoseconds(libc::CLOCK_REALTIME);
        let after = now();
        let time = clock.to_monotonic(wall, after);
        assert!(time + 50 >= before && time <= after, "{before} {time} {after}");
    }

    #[test]
    fn a_time_before_the_wall_clock_was_set_counts_as_now() {
        let mut clock = WallClock::new();
        clock.sample(now());
        let wall = nanoseconds(libc::CLOCK_REALTIME);
        for jump_s in [-3_600, 3_600] {
            assert_eq!(clock.to_monotonic(wall + jump_s * 1_000_000_000, 7_000_000), 7_000_000);
        }
    }

    #[test]
    fn a_pause_lasts_as_long_as_asked() {
        // A signal may end one early.
        let paused_long_enough = (0..10).any(|_| {
            let start = now();
            pause(2_000);
            now() - start >= 2_000
        });
        assert!(paused_long_enough);
    }
}
