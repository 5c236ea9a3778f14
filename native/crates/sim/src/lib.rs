//! A virtual clock and a seeded bad network, so that tests wait for nothing and fail again with the same seed.
//!
//! ```
//! use trunkline_sim::{Conditions, Event, Network, address};
//!
//! let (alice, bob) = (address(1), address(2));
//! let mut network = Network::new(7, Conditions { loss: 0.1, ..Conditions::lan() });
//! network.send(alice, bob, b"hello");
//! let timer = Some(1_000_000); // the earliest deadline of all machines under test
//! match network.next(timer) {
//!     Event::Datagram { to, bytes, .. } => assert_eq!((to, &bytes[..]), (bob, &b"hello"[..])),
//!     Event::Timer => assert_eq!(network.now(), 1_000_000),
//!     Event::Quiet => unreachable!("a timer was given"),
//! }
//! ```
#![forbid(unsafe_code)]

mod corpora;
mod mutate;
mod network;
mod random;

pub use corpora::{corpora, seeds};
pub use mutate::mutate;
pub use network::{Conditions, Counts, Event, Network};
pub use random::Random;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use trunkline_base::Address;

/// The address of test host `host`, port 5000: 192.0.2.`host` (RFC 5737).
#[must_use]
pub fn address(host: u8) -> Address {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, host)), 5_000).into()
}
