//! Addresses, packets, time and bounds that every crate of the media engine shares.
#![forbid(unsafe_code)]

mod address;
pub mod limits;
mod packet;
mod random;

pub use address::Address;
pub use packet::{HEADROOM, PACKET_BYTES, Packet};
pub use random::{random_array, random_u32};

/// Monotonic time in microseconds (`CLOCK_MONOTONIC`), so that it goes on when the process is replaced.
pub type Micros = u64;
