use std::alloc::Layout;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering, fence};

use crate::layout::{PAGE, WORD};

/// Memory of fixed size and place, zero at first: a mapped file, or of the heap.
pub(crate) struct Memory {
    start: NonNull<u8>,
    len: usize,
    mapped: bool,
}

// SAFETY: this type itself reads and writes only atomically; who uses `pointer` says why nobody else is there.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    /// Maps a file of at least `len` bytes that cannot shrink.
    pub(crate) fn map(file: BorrowedFd<'_>, len: usize) -> io::Result<Self> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: the kernel picks a free place, so no memory of ours changes.
        let start =
            unsafe { libc::mmap(std::ptr::null_mut(), len, access, libc::MAP_SHARED, file.as_raw_fd(), 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // Keys have no place in a core dump; a kernel that cannot leave them out changes nothing else.
        // SAFETY: the range is the mapping.
        unsafe { libc::madvise(start, len, libc::MADV_DONTDUMP) };
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, len, mapped: true })
    }

    pub(crate) fn heap(len: usize) -> Self {
        let layout = heap_layout(len);
        // SAFETY: the layout is not of size zero.
        let start = NonNull::new(unsafe { std::alloc::alloc_zeroed(layout) });
        let Some(start) = start else { std::alloc::handle_alloc_error(layout) };
        Self { start, len, mapped: false }
    }

    /// A word that several processes may use.
    pub(crate) fn word(&self, at: usize) -> &AtomicU64 {
        assert!(at.is_multiple_of(WORD));
        let word = self.pointer(at, WORD).cast();
        // SAFETY: inside the memory and aligned, as that starts at a page. Words are only ever used as words.
        unsafe { AtomicU64::from_ptr(word) }
    }

    /// Where `len` bytes from `at` are.
    pub(crate) fn pointer(&self, at: usize, len: usize) -> *mut u8 {
        assert!(at <= self.len && len <= self.len - at);
        // SAFETY: the range is inside the memory.
        unsafe { self.start.as_ptr().add(at) }
    }

    /// Copies `into.len()` bytes from `at`.
    ///
    /// # Safety
    /// Nobody writes there meanwhile.
    pub(crate) unsafe fn read(&self, at: usize, into: &mut [u8]) {
        let from = self.pointer(at, into.len());
        // SAFETY: `pointer` checked the range; a slice of ours does not overlap memory that is never lent as one.
        unsafe { std::ptr::copy_nonoverlapping(from, into.as_mut_ptr(), into.len()) };
    }

    /// Copies `bytes` to `at`.
    ///
    /// # Safety
    /// Nobody else uses this range meanwhile.
    pub(crate) unsafe fn write(&self, at: usize, bytes: &[u8]) {
        let to = self.pointer(at, bytes.len());
        // SAFETY: as in `read`.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
    }

    /// Sets `len` bytes from `at` to zero.
    ///
    /// # Safety
    /// Nobody else uses this range meanwhile.
    pub(crate) unsafe fn erase(&self, at: usize, len: usize) {
        let to = self.pointer(at, len);
        // SAFETY: `pointer` checked the range.
        unsafe { to.write_bytes(0, len) };
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if self.mapped {
            // SAFETY: the mapping is ours and, as `self` is dropped, nothing points into it any more.
            unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
        } else {
            // SAFETY: allocated by `heap` with the same layout.
            unsafe { std::alloc::dealloc(self.start.as_ptr(), heap_layout(self.len)) };
        }
    }
}

fn heap_layout(len: usize) -> Layout {
    Layout::from_size_align(len.max(1), PAGE).expect("a layout that fits the address space")
}

/// A store that whatever comes before it is in memory ahead of, and that is in memory ahead of whatever comes after it:
/// the instant at which something is committed.
pub(crate) fn commit(word: &AtomicU64, value: u64) {
    word.store(value, Ordering::Release);
    fence(Ordering::SeqCst);
}
