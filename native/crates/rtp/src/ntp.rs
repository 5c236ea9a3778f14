//! Times of sender reports (RFC 3550 §4): seconds in the upper 32 bits, their fraction in the lower ones.

use trunkline_base::Micros;

use crate::clock::SECOND_US;

/// Any clock will do for NTP times as long as it is one clock; ours begins where `now` does.
pub(crate) fn ntp_of(now: Micros) -> u64 {
    ((now / SECOND_US) << 32) | (((now % SECOND_US) << 32) / SECOND_US)
}

pub(crate) fn later(ntp: u64, us: Micros) -> u64 {
    ntp.wrapping_add(ntp_of(us))
}

/// The middle 32 bits: what a report block says of a sender report.
pub(crate) fn middle_of(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

/// µs in units of 1/65536 s, as delays are told.
pub(crate) fn delay_of(us: Micros) -> u32 {
    u32::try_from(ntp_of(us) >> 16).unwrap_or(u32::MAX)
}

pub(crate) fn micros_of(delay: u32) -> Micros {
    (u64::from(delay) * SECOND_US) >> 16
}
