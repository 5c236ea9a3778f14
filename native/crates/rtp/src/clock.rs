//! Time in µs and in ticks of RTP clocks.

use trunkline_base::Micros;

pub(crate) const SECOND_US: u64 = 1_000_000;

/// Ticks in `us`, rounded. Exact for any time since the machine started; wraps instead of failing.
pub(crate) fn ticks(us: Micros, clock_hz: u32) -> u64 {
    let hz = u64::from(clock_hz);
    let seconds = (us / SECOND_US).wrapping_mul(hz);
    seconds.wrapping_add(((us % SECOND_US) * hz + SECOND_US / 2) / SECOND_US)
}

/// µs in `ticks`, rounded down.
pub(crate) fn micros(ticks: u64, clock_hz: u32) -> Micros {
    ticks.wrapping_mul(SECOND_US) / u64::from(clock_hz.max(1))
}

/// From one sequence number to another, the short way round.
pub(crate) fn distance16(from: u16, to: u16) -> i64 {
    i64::from(to.wrapping_sub(from).cast_signed())
}

/// From one timestamp to another, the short way round.
pub(crate) fn distance32(from: u32, to: u32) -> i64 {
    i64::from(to.wrapping_sub(from).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_rounded_and_exact_for_weeks() {
        assert_eq!((ticks(62, 8_000), ticks(63, 8_000), ticks(20_000, 44_100)), (0, 1, 882));
        let weeks_us = 4_000_000 * SECOND_US;
        assert_eq!(ticks(weeks_us + 125, 90_000), 4_000_000 * 90_000 + 11);
        assert_eq!(micros(ticks(weeks_us, 48_000), 48_000), weeks_us);
    }

    #[test]
    fn distances_go_the_short_way_round() {
        assert_eq!((distance16(0xffff, 1), distance16(1, 0xffff)), (2, -2));
        assert_eq!((distance32(u32::MAX, 1), distance32(1, u32::MAX)), (2, -2));
    }
}
