//! Threads, session table and queues of the media engine: one relay process.
//!
//! The keeper (crate `worker`) opens everything and describes it in a [`Manifest`]. A relay is made ready with
//! [`Standby::prepare`], waits for [`ToRelay::Go`], and serves with [`Standby::run`] until it is told to end.
#![forbid(unsafe_code)]

mod addresses;
mod certificates;
mod clock;
mod config;
mod faults;
mod gateways;
mod last_words;
mod ledger;
pub mod log;
mod manifest;
mod media;
mod places;
mod port_pool;
mod shared;
mod standby;
mod supervision;

pub use addresses::{bind_addresses, is_local, machine_addresses, wildcard};
pub use config::{Config, IoMode};
pub use last_words::die_of_panics;
pub use ledger::THREADS;
pub use manifest::{Manifest, PortPair, SharedPort, WebRtcGroup};
pub use standby::Standby;
pub use supervision::{FromRelay, LINK_FD, ToRelay};

/// Version of this build.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
