use std::io;
use std::os::fd::RawFd;

use io_uring::{IoUring, cqueue, opcode, squeue, types};
use trunkline_base::Micros;

use crate::address::RawAddress;
use crate::batch::{Batch, CONTROL_BYTES, RECEIVE_BYTES, kernel_time};
use crate::clock::now;
use crate::fixed::Fixed;
use crate::system::is_of_network;
use crate::waker::Waker;
use buffers::Buffers;

mod buffers;
mod probe;

pub use probe::probe_uring;

/// Requests that are handed over at once.
const SUBMISSIONS: u32 = 256;
/// Room for completions: every buffer, and then some sockets that ran out of buffers.
const COMPLETIONS: u32 = 2_048;
/// Times that the kernel is asked for more in one call.
const ROUNDS: usize = 64;
/// Tokens are indexes of a table.
const TOKENS: u32 = 1 << 20;

/// Receives from many sockets through io_uring: the kernel puts what arrives at any of them into shared buffers, and one
/// call takes in all (multishot `recvmsg`, Linux 6.1).
///
/// It replaces `Poller::add` and `Batch::receive` for these sockets: add `fd()` to the poller, and call `receive` when that
/// is ready. Sending stays with `Batch::flush`, which measures better than sending through a ring. The thread that first
/// watches a socket is the only one that may use it from then on.
pub struct Ring {
    // Dropped before the memory that it writes to.
    ring: IoUring,
    /// Told of work that the kernel put off: a poller of the ring itself would only be told once that was done.
    news: Waker,
    buffers: Buffers,
    /// Says how much room a source address and control messages have; the same for all sockets.
    template: Fixed<libc::msghdr>,
    watches: Vec<Watch>,
    /// Tokens whose request ended and is made again.
    again: Vec<u32>,
    enabled: bool,
}

// SAFETY: the pointers inside lead to memory that the ring itself owns.
unsafe impl Send for Ring {}

#[derive(Clone, Copy, Default)]
struct Watch {
    /// `None`: not watched.
    fd: Option<RawFd>,
    /// Tells completions of an earlier watch of the same token.
    generation: u32,
}

impl Ring {
    /// A ring that watches nothing, with 1 MiB of buffers.
    ///
    /// # Errors
    /// io_uring is not allowed, or the kernel too old; `probe_uring` says which.
    pub fn new() -> io::Result<Self> {
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_taskrun_flag()
            .setup_r_disabled()
            .setup_cqsize(COMPLETIONS)
            .build(SUBMISSIONS)?;
        let mut buffers = Buffers::new();
        // SAFETY: `buffers` is dropped after the ring.
        unsafe { buffers.register(&ring) }?;
        let news = Waker::new()?;
        ring.submitter().register_eventfd(news.fd())?;
        let template = Fixed::new(1, || {
            let mut header = crate::batch::empty_header().msg_hdr;
            header.msg_namelen = RawAddress::CAPACITY;
            header.msg_controllen = CONTROL_BYTES as _;
            header
        });
        let again = Vec::with_capacity(COMPLETIONS as usize);
        Ok(Self { ring, news, buffers, template, watches: Vec::new(), again, enabled: false })
    }

    /// To be added to the poller: readable when datagrams have come.
    #[must_use]
    pub fn fd(&self) -> RawFd {
        self.news.fd()
    }

    /// From now on datagrams of this socket come with `token`, a small number that is watched once at a time. Unwatch it
    /// before the socket is closed.
    ///
    /// # Errors
    /// The token is in use or beyond all bounds, or the ring belongs to another thread. A file that is no socket is
    /// forgotten in silence.
    pub fn watch(&mut self, fd: RawFd, token: u32) -> io::Result<()> {
        if !self.enabled {
            self.ring.submitter().register_enable_rings()?;
            self.enabled = true;
        }
        let index = token as usize;
        if token >= TOKENS || self.watches.get(index).is_some_and(|watch| watch.fd.is_some()) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        if self.watches.len() <= index {
            self.watches.resize_with(index + 1, Watch::default);
        }
        self.watches[index].fd = Some(fd);
        let made = self.request(token).and_then(|()| self.submit());
        if made.is_err() {
            self.watches[index].fd = None;
        }
        made
    }

    /// Datagrams that were not taken in yet are dropped, and no more come.
    pub fn unwatch(&mut self, token: u32) {
        let Some(watch) = self.watches.get_mut(token as usize).filter(|watch| watch.fd.is_some()) else {
            return;
        };
        let request = user_data(token, watch.generation);
        watch.fd = None;
        watch.generation = watch.generation.wrapping_add(1);
        // It fails if the request has ended by itself.
        let _ = self.ring.submitter().register_sync_cancel(None, types::CancelBuilder::user_data(request));
    }

    /// Moves what has come into the free buffers of `batch`, and appends the token of each datagram to `tokens`; the number.
    /// What finds no room comes next time, and `fd()` stays readable.
    ///
    /// # Errors
    /// The ring belongs to another thread.
    pub fn receive(&mut self, batch: &mut Batch, tokens: &mut Vec<u32>) -> io::Result<usize> {
        self.news.drain();
        let (before, now) = (batch.len(), now());
        for _ in 0..ROUNDS {
            self.submit()?;
            while !batch.is_full() {
                let Some(completion) = self.ring.completion().next() else { break };
                self.complete(&completion, batch, tokens, now);
            }
            self.buffers.give_back();
            self.request_again()?;
            if batch.is_full() || !self.has_put_off() {
                break;
            }
        }
        // Nobody is told of what stays behind.
        if self.has_put_off() || !self.ring.completion().is_empty() {
            self.news.wake();
        }
        Ok(batch.len() - before)
    }

    /// Whether the kernel has more work that it put off: since Linux 6.13 it does 20 requests' worth at a time.
    fn has_put_off(&mut self) -> bool {
        self.ring.submission().taskrun()
    }

    fn complete(
        &mut self,
        completion: &cqueue::Entry,
        batch: &mut Batch,
        tokens: &mut Vec<u32>,
        now: Micros,
    ) {
        let (token, generation) = (completion.user_data() as u32, (completion.user_data() >> 32) as u32);
        let watch = self.watches.get_mut(token as usize).filter(|watch| watch.generation == generation);
        if let Some(buffer) = cqueue::buffer_select(completion.flags()) {
            let len = usize::try_from(completion.result()).unwrap_or(0);
            if watch.is_some() && take_in(self.buffers.take(buffer, len), self.template.get(0), batch, now) {
                tokens.push(token);
            }
            self.buffers.spend(buffer);
        }
        let ended = !cqueue::more(completion.flags());
        let Some(watch) = watch.filter(|watch| ended && watch.fd.is_some()) else { return };
        match completion.result() {
            0.. => self.again.push(token),
            error if -error == libc::ENOBUFS || is_of_network(-error) => self.again.push(token),
            error if matches!(-error, libc::EINTR | libc::EAGAIN | libc::ENOMEM) => self.again.push(token),
            // No socket, or none any more.
            _ => watch.fd = None,
        }
    }

    /// Requests that ended, for want of buffers say, are made again now that there are some.
    fn request_again(&mut self) -> io::Result<()> {
        if self.again.is_empty() {
            return Ok(());
        }
        while let Some(token) = self.again.pop() {
            self.request(token)?;
        }
        self.submit()
    }

    fn request(&mut self, token: u32) -> io::Result<()> {
        let Watch { fd: Some(fd), generation } = self.watches[token as usize] else { return Ok(()) };
        let entry = opcode::RecvMsgMulti::new(types::Fd(fd), self.template.pointer(0), Buffers::GROUP)
            .build()
            .user_data(user_data(token, generation));
        if !self.push(&entry) {
            self.submit()?;
            if !self.push(&entry) {
                return Err(io::ErrorKind::OutOfMemory.into());
            }
        }
        Ok(())
    }

    fn push(&mut self, entry: &squeue::Entry) -> bool {
        // SAFETY: what the entry points to, the template and the buffers, lives as long as the ring.
        unsafe { self.ring.submission().push(entry) }.is_ok()
    }

    /// Hands requests over and lets the kernel do the work that it put off.
    fn submit(&self) -> io::Result<()> {
        match self.ring.submit() {
            Err(error) if !matches!(error.raw_os_error(), Some(libc::EINTR | libc::EBUSY | libc::EAGAIN)) => {
                Err(error)
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // Nothing is written to the buffers any more when they go.
        let _ = self.ring.submitter().register_sync_cancel(None, types::CancelBuilder::any().all());
    }
}

fn user_data(token: u32, generation: u32) -> u64 {
    (u64::from(generation) << 32) | u64::from(token)
}

/// Copies a datagram of a buffer into the batch, unless it was cut off.
fn take_in(buffer: &[u8], template: &libc::msghdr, batch: &mut Batch, now: Micros) -> bool {
    let Ok(datagram) = types::RecvMsgOut::parse(buffer, template) else { return false };
    if datagram.is_payload_truncated() || datagram.payload_data().len() > RECEIVE_BYTES {
        batch.drop_truncated();
        return false;
    }
    let wall_ns = kernel_time(datagram.control_data());
    batch.append(RawAddress::from_kernel(datagram.name_data()), datagram.payload_data(), wall_ns, now);
    true
}
