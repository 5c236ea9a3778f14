use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::system::check;

/// The child is killed when the thread that starts it ends, however that comes about: start it from the main thread.
pub fn die_with_parent(command: &mut Command) {
    let parent = std::process::id();
    let ask = move || {
        // SAFETY: takes plain numbers.
        check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong) })?;
        // The parent may have died before the kernel was asked.
        // SAFETY: has no arguments.
        if unsafe { libc::getppid() } as u32 != parent {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        }
        Ok(())
    };
    // SAFETY: between fork and exec it makes two system calls, and allocates and locks nothing.
    unsafe { command.pre_exec(ask) };
}

/// A descriptor of a process that becomes readable when it ends: several children are waited for with one poller, and
/// `Child::try_wait` tells how each ended.
///
/// # Errors
/// There is no such process, or too many files are open.
pub fn pidfd(process: u32) -> io::Result<OwnedFd> {
    // SAFETY: takes plain numbers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, process as libc::pid_t, 0_u32) };
    let fd = check(fd as libc::c_int)?;
    // SAFETY: the kernel gave us this descriptor just now; nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sends a signal to the process of a `pidfd`: never to a later one of the same number.
///
/// # Errors
/// The process has ended, or we may not.
pub fn send_signal(pidfd: BorrowedFd<'_>, signal: i32) -> io::Result<()> {
    let information = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: takes plain numbers and no further information.
    let sent =
        unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), signal, information, 0_u32) };
    check(sent as libc::c_int)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::os::fd::AsFd;
    use std::process::Stdio;

    use super::*;
    use crate::Poller;

    #[test]
    fn the_child_that_ends_is_the_one_that_is_told() {
        let mut children: Vec<_> = (0..3).map(|_| Command::new("sleep").arg("60").spawn().unwrap()).collect();
        let ends: Vec<_> = children.iter().map(|child| pidfd(child.id()).unwrap()).collect();
        let poller = Poller::new().unwrap();
        for (token, end) in ends.iter().enumerate() {
            poller.add(end.as_raw_fd(), token as u64).unwrap();
        }
        let mut ready = Vec::new();
        poller.wait(&mut ready, Some(0)).unwrap();
        assert!(ready.is_empty());
        send_signal(ends[1].as_fd(), libc::SIGTERM).unwrap();
        while ready.is_empty() {
            poller.wait(&mut ready, None).unwrap();
        }
        assert_eq!(ready, [1]);
        assert!(children[1].try_wait().unwrap().is_some());
        for index in [0, 2] {
            children[index].kill().unwrap();
            children[index].wait().unwrap();
        }
        assert!(send_signal(ends[0].as_fd(), libc::SIGTERM).is_err());
    }

    /// Run by the test below as a process of its own.
    #[test]
    #[ignore = "a helper process"]
    fn helper_parent() {
        let mut command = Command::new("sleep");
        command.arg("60");
        die_with_parent(&mut command);
        println!("child {}", command.spawn().unwrap().id());
        std::process::exit(0);
    }

    #[test]
    fn a_child_dies_with_its_parent() {
        let mut parent = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "process::tests::helper_parent",
                "--ignored",
                "--nocapture",
                "--test-threads=1",
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(parent.stdout.take().unwrap()).lines();
        let child =
            lines.map_while(Result::ok).find_map(|line| line.rsplit("child ").next()?.parse::<u32>().ok());
        // Gone already, or about to be: a pidfd of it becomes ready.
        if let Ok(end) = pidfd(child.expect("the helper tells its child")) {
            let poller = Poller::new().unwrap();
            poller.add(end.as_raw_fd(), 1).unwrap();
            let mut ready = Vec::new();
            while ready.is_empty() {
                poller.wait(&mut ready, None).unwrap();
            }
        }
        parent.wait().unwrap();
    }
}
