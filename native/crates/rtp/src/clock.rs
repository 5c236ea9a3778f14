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
