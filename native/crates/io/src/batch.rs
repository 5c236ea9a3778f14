use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::RawFd;

use trunkline_base::{HEADROOM, Micros, PACKET_BYTES, Packet};

use crate::address::RawAddress;
use crate::clock::{WallClock, now};
use crate::fixed::Fixed;
use crate::send::{Flushed, Outgoing, Source};
use crate::system::is_of_network;

/// Room kept behind a received datagram for a longer authentication tag.
const TAILROOM: usize = HEADROOM;
pub(crate) const RECEIVE_BYTES: usize = PACKET_BYTES - HEADROOM - TAILROOM;

/// One datagram with where it came from and when the kernel got it.
pub struct Received<'a> {
    /// The datagram, to be changed in place.
    pub packet: &'a mut Packet,
    /// Its source.
    pub from: SocketAddr,
    /// Time the kernel took it in (SO_TIMESTAMPNS, converted to monotonic), or of the system call.
    pub arrived_at: Micros,
    /// Index in the batch.
    pub index: usize,
}

/// Buffers for datagrams that are received, changed and sent in place, and as many for bytes made here.
///
/// Received datagrams have the indexes 0 to `len()` until the next `flush`.
pub struct Batch {
    packets: Fixed<Packet>,
    arrivals: Box<[Micros]>,
    names: Fixed<RawAddress>,
    controls: Fixed<Control>,
    vectors: Fixed<libc::iovec>,
    headers: Fixed<libc::mmsghdr>,
    len: usize,
    truncated: u64,
    clock: WallClock,
    outgoing: Outgoing,
}

// SAFETY: the pointers inside lead to memory that the batch itself owns.
unsafe impl Send for Batch {}

impl Batch {
    /// A batch of `capacity` datagrams (at least one), all memory taken now: about 4.5 KiB each.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        let batch = Self {
            packets: Fixed::new(capacity, Packet::new),
            arrivals: vec![0; capacity].into_boxed_slice(),
            names: Fixed::new(capacity, || RawAddress::EMPTY),
            controls: Fixed::new(capacity, || Control([0; CONTROL_BYTES])),
            vectors: Fixed::new(capacity, empty_vector),
            headers: Fixed::new(capacity, empty_header),
            len: 0,
            truncated: 0,
            clock: WallClock::new(),
            outgoing: Outgoing::new(capacity),
        };
        batch.prepare(0..capacity);
        batch
    }

    /// Receives what is there into the free buffers (recvmmsg); the number, 0: nothing, or no buffer is free.
    ///
    /// # Errors
    /// Those of `recvmmsg`, except that nothing is there. Network errors that an earlier packet caused are passed over.
    pub fn receive(&mut self, fd: RawFd) -> io::Result<usize> {
        if self.is_full() {
            return Ok(0);
        }
        let count = self.receive_headers(fd)?;
        if count == 0 {
            return Ok(0);
        }
        let now = now();
        self.clock.sample(now);
        let first = self.len;
        for index in first..first + count {
            self.take_in(index, now);
        }
        self.prepare(self.len..first + count);
        Ok(self.len - first)
    }

    /// Number of received datagrams.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was received since the last flush.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether no buffer is left to receive into.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len == self.packets.len()
    }

    /// Datagrams longer than a buffer, dropped since the batch was made.
    #[must_use]
    pub fn truncated(&self) -> u64 {
        self.truncated
    }

    /// A received datagram.
    ///
    /// # Panics
    /// If `index` is not below `len()`.
    pub fn get(&mut self, index: usize) -> Received<'_> {
        assert!(index < self.len);
        let from = self.names.get(index).to_std().unwrap_or((Ipv4Addr::UNSPECIFIED, 0).into());
        Received { packet: self.packets.get_mut(index), from, arrived_at: self.arrivals[index], index }
    }

    /// The buffer is to be sent to `to` from `fd` at the next `flush`. One buffer may go to several places.
    ///
    /// # Panics
    /// If `index` is not below `len()`.
    pub fn queue(&mut self, index: usize, fd: RawFd, to: SocketAddr) {
        assert!(index < self.len);
        self.outgoing.queue(Source::Received(index), fd, to);
    }

    /// Copies bytes made here into a free buffer to be sent; `false`: full (flush first), or longer than a buffer.
    pub fn queue_bytes(&mut self, fd: RawFd, to: SocketAddr, bytes: &[u8]) -> bool {
        self.outgoing.queue_bytes(fd, to, bytes)
    }

    /// Sends everything queued (sendmmsg per socket, in order), calls `sent(arrived_at, sent_at)` for each forwarded
    /// packet that left, then frees all buffers. Packets the kernel refuses are counted, never retried for long.
    pub fn flush(&mut self, mut sent: impl FnMut(Micros, Micros)) -> Flushed {
        let arrivals = &self.arrivals;
        let flushed = self.outgoing.flush(&self.packets, |index, at| sent(arrivals[index], at));
        self.prepare(0..self.len);
        self.len = 0;
        flushed
    }

    /// Copies a datagram in from elsewhere; there is a free buffer, and it fits.
    pub(crate) fn append(&mut self, from: RawAddress, bytes: &[u8], wall_ns: Option<i64>, now: Micros) {
        let index = self.len;
        self.clock.sample(now);
        self.arrivals[index] = wall_ns.map_or(now, |wall_ns| self.clock.to_monotonic(wall_ns, now));
        *self.names.get_mut(index) = from;
        self.packets.get_mut(index).fill(bytes);
        self.len += 1;
    }

    /// Counts a datagram that was too long.
    pub(crate) fn drop_truncated(&mut self) {
        self.truncated += 1;
    }

    fn receive_headers(&mut self, fd: RawFd) -> io::Result<usize> {
        let free = (self.packets.len() - self.len) as libc::c_uint;
        // An error of an earlier packet is reported once; more than a few in a row are left to the next call.
        for _ in 0..4 {
            // SAFETY: the headers from `len` on are `free` in number; `prepare` made each point to a buffer, an address and
            // a control area of its own in memory that `self` owns and that nothing borrows now.
            let count = unsafe {
                let headers = self.headers.pointer(self.len);
                libc::recvmmsg(fd, headers, free, libc::MSG_DONTWAIT as _, std::ptr::null_mut())
            };
            if let Ok(count) = usize::try_from(count) {
                return Ok(count);
            }
            let error = io::Error::last_os_error();
            match error.raw_os_error() {
                Some(libc::EAGAIN) => return Ok(0),
                Some(libc::EINTR) => {}
                Some(code) if is_of_network(code) => {}
                _ => return Err(error),
            }
        }
        Ok(0)
    }

    /// Appends the datagram that the kernel put at `index`, unless it was cut off.
    fn take_in(&mut self, index: usize, now: Micros) {
        let header = self.headers.get(index);
        if header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0 {
            self.truncated += 1;
            return;
        }
        let len = header.msg_len as usize;
        let control_bytes: usize = header.msg_hdr.msg_controllen as _;
        let to = self.len;
        if to != index {
            // A gap that a dropped datagram left is closed, so that the indexes stay without holes and in order.
            let (name, packet) = (*self.names.get(index), self.packets.get(index).clone());
            *self.names.get_mut(to) = name;
            *self.packets.get_mut(to) = packet;
        }
        let control = &self.controls.get(index).0[..control_bytes.min(CONTROL_BYTES)];
        let wall_ns = kernel_time(control);
        self.arrivals[to] = wall_ns.map_or(now, |wall_ns| self.clock.to_monotonic(wall_ns, now));
        self.packets.get_mut(to).set_range(HEADROOM, HEADROOM + len);
        self.len += 1;
    }

    /// Makes headers ready to receive into their buffers.
    fn prepare(&self, indexes: std::ops::Range<usize>) {
        for index in indexes {
            let packet = self.packets.pointer(index);
            // SAFETY: all pointers lead to elements of `self` that nothing borrows: the buffer at `index` is free. The
            // elements of `vectors` and `headers` are only written here and by the kernel.
            unsafe {
                let buffer = (*packet).buffer().as_mut_ptr().add(HEADROOM);
                *self.vectors.pointer(index) =
                    libc::iovec { iov_base: buffer.cast(), iov_len: RECEIVE_BYTES };
                let header = &mut (*self.headers.pointer(index)).msg_hdr;
                header.msg_iov = self.vectors.pointer(index);
                header.msg_iovlen = 1;
                header.msg_name = self.names.pointer(index).cast();
                header.msg_namelen = RawAddress::CAPACITY;
                header.msg_control = self.controls.pointer(index).cast();
                header.msg_controllen = CONTROL_BYTES as _;
                header.msg_flags = 0;
            }
        }
    }
}

/// Room for one control message, the time of arrival.
pub(crate) const CONTROL_BYTES: usize = 32;

#[repr(C, align(8))]
struct Control([u8; CONTROL_BYTES]);

/// Wall clock time in nanoseconds at which the kernel took the datagram in.
pub(crate) fn kernel_time(control: &[u8]) -> Option<i64> {
    const HEADER_BYTES: usize = size_of::<libc::cmsghdr>();
    if size_of::<libc::timespec>() != 16 {
        return None;
    }
    let int = |at: usize| Some(i32::from_ne_bytes(control.get(at..at + 4)?.try_into().ok()?));
    let long = |at: usize| Some(i64::from_ne_bytes(control.get(at..at + 8)?.try_into().ok()?));
    if int(HEADER_BYTES - 8)? != libc::SOL_SOCKET || int(HEADER_BYTES - 4)? != libc::SCM_TIMESTAMPNS {
        return None;
    }
    long(HEADER_BYTES)?.checked_mul(1_000_000_000)?.checked_add(long(HEADER_BYTES + 8)?)
}

pub(crate) fn empty_vector() -> libc::iovec {
    libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }
}

pub(crate) fn empty_header() -> libc::mmsghdr {
    // SAFETY: a header of integers and pointers; zero means empty in each.
    unsafe { std::mem::zeroed() }
}
