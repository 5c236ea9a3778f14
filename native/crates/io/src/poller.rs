use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use trunkline_base::Micros;

use crate::clock::timespec;
use crate::system::check;

/// Ready files told by one call; more are told by the next.
const READY: usize = 512;

/// epoll, level-triggered.
pub struct Poller {
    epoll: OwnedFd,
    /// Whether the kernel waits in nanoseconds (epoll_pwait2, Linux 5.11).
    precise: AtomicBool,
}

impl Poller {
    /// A poller without files.
    ///
    /// # Errors
    /// Too many files are open.
    pub fn new() -> io::Result<Self> {
        // SAFETY: takes a plain number.
        let fd = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the kernel gave us this descriptor just now; nobody else has it.
        let epoll = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { epoll, precise: AtomicBool::new(true) })
    }

    /// Tells `token` when `fd` can be read, or failed.
    ///
    /// # Errors
    /// The file is added already, or cannot be waited for.
    pub fn add(&self, fd: RawFd, token: u64) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd, libc::EPOLLIN, token)
    }

    /// The same with another token; also when `fd` can be written, if `writable`.
    ///
    /// # Errors
    /// The file was not added.
    pub fn modify(&self, fd: RawFd, token: u64, writable: bool) -> io::Result<()> {
        let write = if writable { libc::EPOLLOUT } else { 0 };
        self.control(libc::EPOLL_CTL_MOD, fd, libc::EPOLLIN | write, token)
    }

    /// Forgets `fd`; nothing happens if it was not added. Call it before the file is closed.
    pub fn remove(&self, fd: RawFd) {
        let _ = self.control(libc::EPOLL_CTL_DEL, fd, 0, 0);
    }

    /// Tokens that are ready, within `timeout` (`None`: for ever); microsecond resolution where the kernel has epoll_pwait2.
    ///
    /// `ready` is emptied first and keeps its capacity. A signal, of a child that ended say, may end the wait with no tokens.
    ///
    /// # Errors
    /// Those of `epoll_wait`; none is expected.
    pub fn wait(&self, ready: &mut Vec<u64>, timeout: Option<Micros>) -> io::Result<()> {
        ready.clear();
        ready.reserve(READY);
        let mut events = [const { MaybeUninit::uninit() }; READY];
        let count = match self.wait_events(&mut events, timeout) {
            Ok(count) => count as usize,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) => return Err(error),
        };
        // SAFETY: the kernel wrote the first `count` events.
        ready.extend(events[..count].iter().map(|event| unsafe { event.assume_init() }.u64));
        Ok(())
    }

    fn control(&self, operation: i32, fd: RawFd, events: i32, token: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: events as u32, u64: token };
        // SAFETY: `event` outlives the call, which only reads it.
        check(unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), operation, fd, &raw mut event) })?;
        Ok(())
    }

    fn wait_events(
        &self,
        events: &mut [MaybeUninit<libc::epoll_event>; READY],
        timeout: Option<Micros>,
    ) -> io::Result<libc::c_int> {
        let (fd, room) = (self.epoll.as_raw_fd(), READY as libc::c_int);
        let events = events.as_mut_ptr().cast::<libc::epoll_event>();
        let time = timeout.map(timespec);
        if self.precise.load(Ordering::Relaxed) {
            let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
            let mask = std::ptr::null::<libc::sigset_t>();
            // SAFETY: there is room for `room` events; the time, if any, outlives the call; no signal mask is given.
            let count =
                unsafe { libc::syscall(libc::SYS_epoll_pwait2, fd, events, room, time, mask, 0_usize) };
            match check(count as libc::c_int) {
                // Old kernels do not know the call, old container filters refuse it.
                Err(error) if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) => {}
                result => return result,
            }
            self.precise.store(false, Ordering::Relaxed);
        }
        // SAFETY: as above.
        check(unsafe { libc::epoll_wait(fd, events, room, milliseconds(timeout)) })
    }
}

/// Rounded up, so that a deadline has passed when the wait ends.
fn milliseconds(timeout: Option<Micros>) -> libc::c_int {
    timeout.map_or(-1, |timeout| timeout.div_ceil(1_000).try_into().unwrap_or(libc::c_int::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Waker, now};

    fn both() -> [Poller; 2] {
        let old_kernel = Poller::new().unwrap();
        old_kernel.precise.store(false, Ordering::Relaxed);
        [Poller::new().unwrap(), old_kernel]
    }

    #[test]
    fn a_wait_without_events_ends_after_its_timeout() {
        for poller in both() {
            let mut ready = vec![7];
            // A signal may end one early.
            let waited_long_enough = (0..10).any(|_| {
                let start = now();
                poller.wait(&mut ready, Some(1_500)).unwrap();
                assert!(ready.is_empty());
                now() - start >= 1_500
            });
            assert!(waited_long_enough);
        }
    }

    fn wait_for_event(poller: &Poller, ready: &mut Vec<u64>) {
        ready.clear();
        while ready.is_empty() {
            poller.wait(ready, None).unwrap();
        }
    }

    #[test]
    fn an_event_is_told_until_it_is_taken() {
        for poller in both() {
            let waker = Waker::new().unwrap();
            poller.add(waker.fd(), 42).unwrap();
            let mut ready = Vec::new();
            poller.wait(&mut ready, Some(0)).unwrap();
            assert!(ready.is_empty());
            let other = waker.clone();
            let thread = std::thread::spawn(move || other.wake());
            for _ in 0..2 {
                wait_for_event(&poller, &mut ready);
                assert_eq!(ready, [42]);
            }
            thread.join().unwrap();
            waker.drain();
            poller.wait(&mut ready, Some(0)).unwrap();
            assert!(ready.is_empty());
            waker.wake();
            poller.remove(waker.fd());
            poller.wait(&mut ready, Some(0)).unwrap();
            assert!(ready.is_empty());
        }
    }

    #[test]
    fn milliseconds_are_rounded_up() {
        assert_eq!(milliseconds(None), -1);
        assert_eq!(milliseconds(Some(0)), 0);
        assert_eq!(milliseconds(Some(1)), 1);
        assert_eq!(milliseconds(Some(1_001)), 2);
        assert_eq!(milliseconds(Some(Micros::MAX)), libc::c_int::MAX);
    }
}
