use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use crate::system::{check, check_size, nonblocking};

/// Signals as events of a poller (signalfd) instead of interruptions.
pub struct Signals {
    file: OwnedFd,
}

impl Signals {
    /// Takes these signals from their usual effect, in this thread and those it starts afterwards: call it first of all.
    /// Children of `std::process::Command` start with none taken.
    ///
    /// # Errors
    /// A number that is no signal, or too many files are open.
    pub fn new(signals: &[i32]) -> io::Result<Self> {
        // SAFETY: a set of bits; zero is the empty one.
        let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
        for &signal in signals {
            // SAFETY: `set` is valid; a number that is no signal is refused.
            check(unsafe { libc::sigaddset(&raw mut set, signal) })?;
        }
        // SAFETY: `set` outlives the call; the old one is not asked for.
        let code = unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) };
        if code != 0 {
            return Err(io::Error::from_raw_os_error(code));
        }
        // SAFETY: `set` outlives the call.
        let fd =
            check(unsafe { libc::signalfd(-1, &raw const set, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC) })?;
        // SAFETY: the kernel gave us this descriptor just now; nobody else has it.
        Ok(Self { file: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    /// To be added to a poller: readable when a signal has come.
    #[must_use]
    pub fn fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }

    /// The number of a signal that has come; `None`: no more.
    #[must_use]
    pub fn next(&self) -> Option<i32> {
        const BYTES: usize = size_of::<libc::signalfd_siginfo>();
        // SAFETY: integers only; zero is one in each.
        let mut information: libc::signalfd_siginfo = unsafe { std::mem::zeroed() };
        let read = nonblocking(|| {
            // SAFETY: `information` is valid for writing and its size is given.
            check_size(unsafe { libc::read(self.fd(), (&raw mut information).cast(), BYTES) })
        });
        matches!(read, Ok(Some(BYTES))).then_some(information.ssi_signo as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_an_event() {
        std::thread::spawn(|| {
            let signals = Signals::new(&[libc::SIGUSR1]).unwrap();
            assert_eq!(signals.next(), None);
            // SAFETY: sends a signal, which is blocked, to this thread.
            unsafe { libc::pthread_kill(libc::pthread_self(), libc::SIGUSR1) };
            assert_eq!(signals.next(), Some(libc::SIGUSR1));
            assert_eq!(signals.next(), None);
        })
        .join()
        .unwrap();
    }
}
