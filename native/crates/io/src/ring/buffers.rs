use std::io;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::{IoUring, types::BufRingEntry};

use crate::address::RawAddress;
use crate::batch::{CONTROL_BYTES, RECEIVE_BYTES};
use crate::fixed::Fixed;

/// Buffers shared by all sockets; a power of two.
const COUNT: usize = 512;
/// What the kernel puts before the source address.
const PREFIX_BYTES: usize = 16;
const BUFFER_BYTES: usize = PREFIX_BYTES + RawAddress::CAPACITY as usize + CONTROL_BYTES + RECEIVE_BYTES;
const PAGE: usize = 4_096;

#[repr(C, align(64))]
struct Buffer([u8; BUFFER_BYTES]);

#[repr(C, align(4096))]
struct Page([u8; PAGE]);

/// Buffers that the kernel picks from, and the list by which they are given to it.
pub(super) struct Buffers {
    buffers: Fixed<Buffer>,
    /// `COUNT` entries; the kernel reads them up to the tail, which is part of the first.
    list: Fixed<Page>,
    tail: u16,
}

impl Buffers {
    pub(super) const GROUP: u16 = 0;

    pub(super) fn new() -> Self {
        let pages = (COUNT * size_of::<BufRingEntry>()).div_ceil(PAGE);
        let mut buffers = Self {
            buffers: Fixed::new(COUNT, || Buffer([0; BUFFER_BYTES])),
            list: Fixed::new(pages, || Page([0; PAGE])),
            tail: 0,
        };
        for buffer in 0..COUNT {
            buffers.spend(buffer as u16);
        }
        buffers.give_back();
        buffers
    }

    /// # Safety
    /// `self` outlives the ring.
    pub(super) unsafe fn register(&mut self, ring: &IoUring) -> io::Result<()> {
        let list = self.list.pointer(0) as u64;
        // SAFETY: the list has `COUNT` entries from the start of a page, and lives as long as the ring.
        unsafe { ring.submitter().register_buf_ring_with_flags(list, COUNT as u16, Self::GROUP, 0) }
    }

    /// What the kernel put into a buffer that a completion names; the buffer is ours until it is given back.
    pub(super) fn take(&self, buffer: u16, len: usize) -> &[u8] {
        let bytes = &self.buffers.get(usize::from(buffer) % COUNT).0;
        &bytes[..len.min(BUFFER_BYTES)]
    }

    /// A buffer is no longer needed; the kernel may have it after `give_back`.
    pub(super) fn spend(&mut self, buffer: u16) {
        let buffer = usize::from(buffer) % COUNT;
        let address = self.buffers.pointer(buffer) as u64;
        let place = usize::from(self.tail) % COUNT;
        // SAFETY: inside the list, whose entries from the tail on are ours to write. The tail, in the first entry, is not
        // touched by these three.
        unsafe {
            let entry = &mut *self.entries().add(place);
            entry.set_addr(address);
            entry.set_len(BUFFER_BYTES as u32);
            entry.set_bid(buffer as u16);
        }
        self.tail = self.tail.wrapping_add(1);
    }

    /// Lets the kernel have all that were spent.
    pub(super) fn give_back(&self) {
        // SAFETY: the first entry is initialised, the tail in it is aligned, and the kernel only reads it.
        let tail = unsafe { AtomicU16::from_ptr(BufRingEntry::tail(self.entries()).cast_mut()) };
        tail.store(self.tail, Ordering::Release);
    }

    fn entries(&self) -> *mut BufRingEntry {
        self.list.pointer(0).cast()
    }
}
