//! Batched sockets, event loop, shared memory and processes: the only unsafe system calls besides the slab's mapping.
//!
//! Linux. Every wrapper is safe to use; each `unsafe` inside says why it is sound.
#![allow(missing_docs, unused_variables)]

use std::net::SocketAddr;
use std::os::fd::{OwnedFd, RawFd};

use trunkline_base::{Micros, Packet};

/// `CLOCK_MONOTONIC` in microseconds.
pub fn now() -> Micros {
    todo!()
}

/// Options of a UDP socket.
#[derive(Clone, Copy, Debug, Default)]
pub struct UdpOptions {
    /// Bytes the kernel may queue (SO_RCVBUF, as far as it is allowed).
    pub receive_buffer: usize,
    /// DSCP to mark packets with (46 = EF).
    pub dscp: u8,
}

/// A non-blocking UDP socket, not closed on exec if `inherit`. IPv6 sockets are v6-only.
pub fn bind_udp(address: SocketAddr, options: UdpOptions, inherit: bool) -> std::io::Result<OwnedFd> {
    todo!()
}

pub fn listen_tcp(address: SocketAddr, inherit: bool) -> std::io::Result<OwnedFd> {
    todo!()
}

/// Raises the soft limit of open files to the hard one; the limit now.
pub fn raise_file_limit() -> u64 {
    todo!()
}

/// One datagram with where it came from and when the kernel got it.
pub struct Received<'a> {
    pub packet: &'a mut Packet,
    pub from: SocketAddr,
    /// Time the kernel took it in (SO_TIMESTAMPNS, converted to monotonic), or of the system call.
    pub arrived_at: Micros,
    /// Index in the batch.
    pub index: usize,
}

/// Buffers for datagrams that are received, changed and sent in place.
pub struct Batch {}
impl Batch {
    pub fn new(capacity: usize) -> Self {
        todo!()
    }
    /// Receives what is there into the free buffers (recvmmsg); 0: nothing.
    pub fn receive(&mut self, fd: RawFd) -> std::io::Result<usize> {
        todo!()
    }
    /// Number of buffers in use.
    pub fn len(&self) -> usize {
        todo!()
    }
    pub fn is_full(&self) -> bool {
        todo!()
    }
    pub fn get(&mut self, index: usize) -> Received<'_> {
        todo!()
    }
    /// The buffer is to be sent to `to` from `fd` at the next `flush`.
    pub fn queue(&mut self, index: usize, fd: RawFd, to: SocketAddr) {
        todo!()
    }
    /// Copies bytes made here into a free buffer to be sent; `false`: full (flush first).
    pub fn queue_bytes(&mut self, fd: RawFd, to: SocketAddr, bytes: &[u8]) -> bool {
        todo!()
    }
    /// Sends everything queued (sendmmsg per socket, in order), calls `sent(arrived_at, sent_at)` for each forwarded
    /// packet that left, then frees all buffers. Packets the kernel refuses are counted, never retried for long.
    pub fn flush(&mut self, sent: impl FnMut(Micros, Micros)) -> Flushed {
        todo!()
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flushed {
    pub sent: u32,
    pub refused: u32,
}

/// epoll, level-triggered.
pub struct Poller {}
impl Poller {
    pub fn new() -> std::io::Result<Self> {
        todo!()
    }
    pub fn add(&self, fd: RawFd, token: u64) -> std::io::Result<()> {
        todo!()
    }
    pub fn modify(&self, fd: RawFd, token: u64, writable: bool) -> std::io::Result<()> {
        todo!()
    }
    pub fn remove(&self, fd: RawFd) {
        todo!()
    }
    /// Tokens that are ready, within `timeout` (`None`: for ever); microsecond resolution where the kernel has epoll_pwait2.
    pub fn wait(&self, ready: &mut Vec<u64>, timeout: Option<Micros>) -> std::io::Result<()> {
        todo!()
    }
}

/// Wakes a poller of another thread (eventfd).
#[derive(Clone)]
pub struct Waker {}
impl Waker {
    pub fn new() -> std::io::Result<Self> {
        todo!()
    }
    pub fn fd(&self) -> RawFd {
        todo!()
    }
    pub fn wake(&self) {
        todo!()
    }
    pub fn drain(&self) {
        todo!()
    }
}

/// Sleeps for a while: the pause of adaptive batching.
pub fn pause(duration: Micros) {
    todo!()
}

/// Binds the calling thread to one core.
pub fn pin_to_core(core: usize) -> std::io::Result<()> {
    todo!()
}

/// A file descriptor that this process inherited; checked to be open.
pub fn inherited(fd: RawFd) -> std::io::Result<OwnedFd> {
    todo!()
}

/// Clears close-on-exec, so that a child inherits it.
pub fn keep_on_exec(fd: RawFd) -> std::io::Result<()> {
    todo!()
}
