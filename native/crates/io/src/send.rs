use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::os::fd::RawFd;

use trunkline_base::{HEADROOM, Micros, PACKET_BYTES, Packet};

use crate::address::RawAddress;
use crate::batch::{empty_header, empty_vector};
use crate::clock::now;
use crate::fixed::Fixed;
use crate::system::is_of_network;

/// What a flush did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flushed {
    /// Packets the kernel took.
    pub sent: u32,
    /// Packets it did not take: no buffer, no route, no permission.
    pub refused: u32,
}

/// Buffer that a queued packet is in.
#[derive(Clone, Copy)]
pub(crate) enum Source {
    Received(usize),
    Made(usize),
}

/// Packets that wait for the next flush.
pub(crate) struct Outgoing {
    made: Fixed<Packet>,
    made_len: usize,
    queued: Box<[(Source, RawAddress)]>,
    /// Socket and position in `queued`, as one number to sort by.
    order: Box<[u64]>,
    len: usize,
    vectors: Fixed<libc::iovec>,
    headers: Fixed<libc::mmsghdr>,
    refused: u32,
}

impl Outgoing {
    pub(crate) fn new(capacity: usize) -> Self {
        let total = 2 * capacity;
        Self {
            made: Fixed::new(capacity, Packet::new),
            made_len: 0,
            queued: vec![(Source::Made(0), RawAddress::EMPTY); total].into_boxed_slice(),
            order: vec![0; total].into_boxed_slice(),
            len: 0,
            vectors: Fixed::new(total, empty_vector),
            headers: Fixed::new(total, empty_header),
            refused: 0,
        }
    }

    pub(crate) fn queue(&mut self, source: Source, fd: RawFd, to: SocketAddr) {
        let Ok(socket) = u32::try_from(fd) else { return self.refused += 1 };
        if self.len == self.queued.len() {
            return self.refused += 1;
        }
        self.queued[self.len] = (source, RawAddress::from(to));
        self.order[self.len] = (u64::from(socket) << 32) | self.len as u64;
        self.len += 1;
    }

    pub(crate) fn queue_bytes(&mut self, fd: RawFd, to: SocketAddr, bytes: &[u8]) -> bool {
        if self.made_len == self.made.len()
            || self.len == self.queued.len()
            || bytes.len() > PACKET_BYTES - HEADROOM
        {
            return false;
        }
        self.made.get_mut(self.made_len).fill(bytes);
        self.queue(Source::Made(self.made_len), fd, to);
        self.made_len += 1;
        true
    }

    /// Sends everything; `sent(index, at)` for each received packet that left.
    pub(crate) fn flush(&mut self, received: &Fixed<Packet>, mut sent: impl FnMut(usize, Micros)) -> Flushed {
        let mut flushed = Flushed { sent: 0, refused: std::mem::take(&mut self.refused) };
        self.order[..self.len].sort_unstable();
        for place in 0..self.len {
            self.write_header(place, received);
        }
        let mut first = 0;
        while first < self.len {
            let socket = self.order[first] >> 32;
            let len = self.order[first..self.len].iter().take_while(|key| *key >> 32 == socket).count();
            self.send_group(socket as RawFd, first..first + len, &mut flushed, &mut sent);
            first += len;
        }
        self.len = 0;
        self.made_len = 0;
        flushed
    }

    fn source(&self, place: usize) -> (Source, &RawAddress) {
        let (source, to) = &self.queued[self.order[place] as u32 as usize];
        (*source, to)
    }

    fn write_header(&mut self, place: usize, received: &Fixed<Packet>) {
        let (source, to) = self.source(place);
        let bytes = match source {
            Source::Received(index) => received.get(index).bytes(),
            Source::Made(index) => self.made.get(index).bytes(),
        };
        let vector = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
        let (name, name_bytes) = (std::ptr::from_ref(to).cast_mut(), to.len());
        *self.vectors.get_mut(place) = vector;
        let vector = self.vectors.pointer(place);
        let header = &mut self.headers.get_mut(place).msg_hdr;
        header.msg_name = name.cast();
        header.msg_namelen = name_bytes;
        header.msg_iov = vector;
        header.msg_iovlen = 1;
    }

    /// Sends the packets of one socket. An error concerns the first packet, or one sent long ago: the others still go.
    fn send_group(
        &mut self,
        fd: RawFd,
        places: Range<usize>,
        flushed: &mut Flushed,
        sent: &mut impl FnMut(usize, Micros),
    ) {
        let mut next = places.start;
        let mut tried_again = false;
        while next < places.end {
            let error = match self.send_headers(fd, next..places.end) {
                Ok(count) => {
                    self.tell_sent(next..next + count, sent);
                    flushed.sent += count as u32;
                    next += count;
                    tried_again = false;
                    continue;
                }
                Err(error) => error.raw_os_error().unwrap_or(0),
            };
            match error {
                libc::EINTR => {}
                libc::EAGAIN => {
                    flushed.refused += (places.end - next) as u32;
                    return;
                }
                code if is_of_network(code) && !tried_again => tried_again = true,
                _ => {
                    flushed.refused += 1;
                    next += 1;
                    tried_again = false;
                }
            }
        }
    }

    /// The number of packets, from the first, that the kernel took: one at least.
    fn send_headers(&mut self, fd: RawFd, places: Range<usize>) -> io::Result<usize> {
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        let header = self.headers.pointer(places.start);
        if places.len() == 1 {
            // SAFETY: `write_header` pointed the header to a packet and an address that live until the flush ends and
            // that the kernel only reads.
            let taken = unsafe {
                let message = &(*header).msg_hdr;
                let vector = &*message.msg_iov;
                let (name, name_bytes) = (message.msg_name.cast_const().cast(), message.msg_namelen);
                libc::sendto(fd, vector.iov_base, vector.iov_len, flags, name, name_bytes)
            };
            return if taken < 0 { Err(io::Error::last_os_error()) } else { Ok(1) };
        }
        // SAFETY: as above, for each of the headers in `places`, which are inside `headers`.
        let taken = unsafe { libc::sendmmsg(fd, header, places.len() as libc::c_uint, flags as _) };
        usize::try_from(taken).map_err(|_| io::Error::last_os_error())
    }

    fn tell_sent(&self, places: Range<usize>, sent: &mut impl FnMut(usize, Micros)) {
        let at = now();
        for place in places {
            if let (Source::Received(index), _) = self.source(place) {
                sent(index, at);
            }
        }
    }
}
