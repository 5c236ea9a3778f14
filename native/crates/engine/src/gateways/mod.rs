//! The main thread of a relay: gateways' connections, their commands, and events for them. It touches no media.

mod claims;
mod commands;
mod connection;
mod directory;
mod ended;
mod events;
mod keeper;
mod pending;
mod reports;
mod service;
mod tcp_door;
mod threads;

pub(crate) use keeper::KeeperLink;
pub(crate) use service::{Parts, Service};
pub(crate) use threads::Threads;
