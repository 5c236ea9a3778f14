//! One media thread: its sockets, its sessions, its clock. Nothing in here is shared per packet.
//!
//! A round: wait, fetch what is there from each ready socket, serve media in place, send; then orders, then connection
//! establishment for a bounded time, then sessions whose time has come; then send again.

mod commands;
mod connections;
mod counters;
mod deadlines;
mod hash;
mod histogram;
mod orders;
mod pace;
mod recovery;
mod routes;
mod serve;
mod sessions;
mod shell;
#[cfg(test)]
mod tests;
mod thread;
mod waiting;

pub(crate) use orders::{Order, Report, Ticket};
pub(crate) use thread::{MediaThread, ThreadSetup};
