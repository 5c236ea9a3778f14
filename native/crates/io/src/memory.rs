use std::ffi::CString;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

use crate::system::check;

/// A file in memory that lives as long as somebody has it open, not closed on exec if `inherit`.
///
/// # Errors
/// Too many files are open.
pub fn memory_file(name: &str, inherit: bool) -> io::Result<OwnedFd> {
    let name = CString::new(name)?;
    let flags = if inherit { 0 } else { libc::MFD_CLOEXEC };
    // SAFETY: `name` ends with a zero and outlives the call.
    let fd = check(unsafe { libc::memfd_create(name.as_ptr(), flags) })?;
    // SAFETY: the kernel gave us this descriptor just now; nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Keeps other processes of the same user, and core dumps, away from the memory of this one: it holds keys.
///
/// # Errors
/// None is known.
pub fn forbid_dumps() -> io::Result<()> {
    // SAFETY: takes plain numbers.
    check(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0 as libc::c_ulong) })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::FileExt;

    use super::*;

    #[test]
    fn what_is_written_is_read_and_only_an_inherited_file_reaches_a_child() {
        for inherit in [false, true] {
            let file = File::from(memory_file("test", inherit).unwrap());
            file.write_all_at(b"words", 8).unwrap();
            let mut read = [1; 13];
            file.read_exact_at(&mut read, 0).unwrap();
            assert_eq!(&read, b"\0\0\0\0\0\0\0\0words");
            let path = format!("/proc/self/fd/{}", file.as_raw_fd());
            let seen = std::process::Command::new("test").args(["-e", &path]).status().unwrap().success();
            assert_eq!(seen, inherit);
        }
    }

    #[test]
    fn a_name_with_a_zero_is_refused() {
        assert!(memory_file("a\0b", false).is_err());
    }
}
