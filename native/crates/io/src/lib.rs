//! Batched sockets, event loop, shared memory and processes: the only unsafe system calls besides the slab's mapping.
//!
//! Linux. Every wrapper is safe to use; each `unsafe` inside says why it is sound. Functions that take a `RawFd` borrow it
//! for the call: the caller keeps the file open. A number that is not open, or is something else, is an error, never
//! memory unsafety.
//!
//! A thread's loop: `Poller::wait`, `Batch::receive` from each ready socket, change the packets in place, `Batch::queue`
//! them, `Batch::flush` at the end of the round. After construction nothing here allocates per packet or per batch.

mod address;
mod batch;
mod clock;
mod descriptor;
mod filter;
mod fixed;
mod memory;
mod poller;
mod process;
mod ring;
mod scheduling;
mod send;
mod signals;
mod system;
mod tcp;
mod udp;
mod waker;

pub use batch::{Batch, Received};
pub use clock::{now, pause};
pub use descriptor::{inherited, keep_on_exec, raise_file_limit, set_nonblocking};
pub use filter::{deafen, hear};
pub use memory::{forbid_dumps, memory_file};
pub use poller::Poller;
pub use process::{die_with_parent, pidfd, send_signal};
pub use ring::{Ring, probe_uring};
pub use scheduling::pin_to_core;
pub use send::Flushed;
pub use signals::Signals;
pub use tcp::{accept_tcp, listen_tcp, read_tcp, write_tcp};
pub use udp::{UdpOptions, bind_udp};
pub use waker::Waker;
