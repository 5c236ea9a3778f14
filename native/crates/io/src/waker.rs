use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use crate::system::check;

/// Wakes a poller of another thread (eventfd). Clones wake the same one.
#[derive(Clone)]
pub struct Waker {
    event: Arc<OwnedFd>,
}

impl Waker {
    /// A waker that no poller knows yet.
    ///
    /// # Errors
    /// Too many files are open.
    pub fn new() -> io::Result<Self> {
        // SAFETY: takes plain numbers.
        let fd = check(unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) })?;
        // SAFETY: the kernel gave us this descriptor just now; nobody else has it.
        Ok(Self { event: Arc::new(unsafe { OwnedFd::from_raw_fd(fd) }) })
    }

    /// To be added to the poller.
    #[must_use]
    pub fn fd(&self) -> RawFd {
        self.event.as_raw_fd()
    }

    /// The poller finds it ready, until `drain`. Several calls are one.
    pub fn wake(&self) {
        let one = 1_u64;
        // SAFETY: `one` is valid for reading. A full counter fails, and is ready already.
        unsafe { libc::write(self.fd(), (&raw const one).cast(), size_of::<u64>()) };
    }

    /// Makes it not ready. Look for work after this, not before.
    pub fn drain(&self) {
        let mut count = 0_u64;
        // SAFETY: `count` is valid for writing. An empty counter fails, and is not ready already.
        unsafe { libc::read(self.fd(), (&raw mut count).cast(), size_of::<u64>()) };
    }
}
