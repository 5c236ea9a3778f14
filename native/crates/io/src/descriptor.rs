use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use crate::system::check;

/// A file descriptor that this process inherited; checked to be open.
///
/// The caller names each descriptor once, and only one that a parent process left for it: whoever gets it closes it.
///
/// # Errors
/// `EBADF` if it is not open.
pub fn inherited(fd: RawFd) -> io::Result<OwnedFd> {
    flags(fd)?;
    // SAFETY: the descriptor is open, and by the contract above nothing else in this process owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Clears close-on-exec, so that a child inherits it under the same number.
///
/// # Errors
/// `EBADF` if it is not open.
pub fn keep_on_exec(fd: RawFd) -> io::Result<()> {
    let kept = flags(fd)? & !libc::FD_CLOEXEC;
    // SAFETY: takes plain numbers.
    check(unsafe { libc::fcntl(fd, libc::F_SETFD, kept) })?;
    Ok(())
}

/// Reads and writes of this file answer `WouldBlock` instead of waiting (for pipes and inherited files).
///
/// # Errors
/// `EBADF` if it is not open.
pub fn set_nonblocking(fd: RawFd) -> io::Result<()> {
    // SAFETY: takes plain numbers.
    let status = check(unsafe { libc::fcntl(fd, libc::F_GETFL) })?;
    // SAFETY: takes plain numbers.
    check(unsafe { libc::fcntl(fd, libc::F_SETFL, status | libc::O_NONBLOCK) })?;
    Ok(())
}

/// Raises the limit of open files as far as this process may; the limit now.
pub fn raise_file_limit() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is valid for writing.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } == -1 {
        return 0;
    }
    // Who may, goes beyond what was set for it; others take all that they have.
    for most in [MOST_FILES.max(limit.rlim_max), limit.rlim_max] {
        let raised = libc::rlimit { rlim_cur: most, rlim_max: most };
        // SAFETY: `raised` is valid for reading.
        if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const raised) } == 0 {
            return most;
        }
    }
    limit.rlim_cur
}

/// What kernels allow a process unless they are told otherwise (`fs.nr_open`).
const MOST_FILES: u64 = 1_048_576;

fn flags(fd: RawFd) -> io::Result<libc::c_int> {
    // SAFETY: takes plain numbers.
    check(unsafe { libc::fcntl(fd, libc::F_GETFD) })
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::fd::{AsRawFd, IntoRawFd};

    use super::*;

    #[test]
    fn an_inherited_descriptor_is_the_open_file() {
        let (mut reader, writer) = io::pipe().unwrap();
        let adopted = inherited(OwnedFd::from(writer).into_raw_fd()).unwrap();
        io::PipeWriter::from(adopted).write_all(b"x").unwrap();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "x");
    }

    #[test]
    fn a_descriptor_that_is_not_open_is_refused() {
        for fd in [-1, 1_000_000] {
            assert_eq!(inherited(fd).unwrap_err().raw_os_error(), Some(libc::EBADF));
            assert!(keep_on_exec(fd).is_err());
        }
    }

    #[test]
    fn a_kept_descriptor_reaches_a_child() {
        let (_reader, writer) = io::pipe().unwrap();
        let path = format!("/proc/self/fd/{}", writer.as_raw_fd());
        let seen = || std::process::Command::new("test").args(["-e", &path]).status().unwrap().success();
        assert!(!seen());
        keep_on_exec(writer.as_raw_fd()).unwrap();
        assert!(seen());
    }

    #[test]
    fn the_file_limit_is_the_hard_one() {
        let limit = raise_file_limit();
        assert!(limit > 0);
        assert_eq!(limit, raise_file_limit());
    }
}
