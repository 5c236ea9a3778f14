//! STUN of RFC 8489 and an ICE-lite agent of RFC 8445, without sockets and clock.
//!
//! A datagram that [`kind_of`] calls STUN goes through [`read_check`]; whoever owns its user fragment has the password for
//! [`is_authentic`]; [`RecentChecks`] tells whether it is a copy; only then does it reach an [`Agent`]. What is refused on the
//! way gets an [`error()`] or nothing, and changes nothing.
#![forbid(unsafe_code)]

mod agent;
mod check;
mod classify;
mod credentials;
mod framer;
mod integrity;
mod message;
mod priority;
mod recent_checks;
mod reply;

pub use agent::{Agent, Path, PathChange};
pub use check::{Check, StunError, read_check, transaction_of};
pub use classify::{Kind, kind_of};
pub use credentials::Credentials;
pub use framer::{FRAME_BYTES, FrameTooLong, Framer};
pub use integrity::is_authentic;
pub use priority::host_priority;
pub use recent_checks::RecentChecks;
pub use reply::{REPLY_BYTES, REQUEST_BYTES, Request, error, request, success};
