use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

/// Partitions that this process owns, by file and thread: a file lock does not tell threads of one process apart.
static CLAIMED: Mutex<BTreeSet<(FileId, u32)>> = Mutex::new(BTreeSet::new());

/// Device and inode.
pub(crate) type FileId = (u64, u64);

/// Ownership of a partition, until it is dropped or the process ends.
pub(crate) struct Claim {
    file: Arc<OwnedFd>,
    id: FileId,
    thread: u32,
}

impl Claim {
    pub(crate) fn take(file: &Arc<OwnedFd>, id: FileId, thread: u32) -> io::Result<Self> {
        if !claimed().insert((id, thread)) {
            return Err(held(format_args!("this process holds partition {thread}")));
        }
        // From here on dropping the claim gives it back.
        let claim = Self { file: file.clone(), id, thread };
        if claim.lock(libc::F_WRLCK, libc::F_SETLK).is_ok() {
            return Ok(claim);
        }
        let owner = claim.lock(libc::F_WRLCK, libc::F_GETLK)?.l_pid;
        Err(held(format_args!("process {owner} holds partition {thread}")))
    }

    /// One byte of the file stands for each partition. Such a lock belongs to the process and is not inherited.
    fn lock(&self, kind: libc::c_int, command: libc::c_int) -> io::Result<libc::flock> {
        // SAFETY: integers only; zero is one in each.
        let mut lock: libc::flock = unsafe { std::mem::zeroed() };
        lock.l_type = kind as _;
        lock.l_whence = libc::SEEK_SET as _;
        lock.l_start = self.thread.into();
        lock.l_len = 1;
        // SAFETY: `lock` is valid for reading and writing.
        match unsafe { libc::fcntl(self.file.as_raw_fd(), command, &raw mut lock) } {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(lock),
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // It can only fail if it was not locked.
        let _ = self.lock(libc::F_UNLCK, libc::F_SETLK);
        claimed().remove(&(self.id, self.thread));
    }
}

fn claimed() -> std::sync::MutexGuard<'static, BTreeSet<(FileId, u32)>> {
    CLAIMED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn held(reason: std::fmt::Arguments<'_>) -> io::Error {
    io::Error::new(io::ErrorKind::WouldBlock, reason.to_string())
}
