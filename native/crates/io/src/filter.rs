use std::io;
use std::os::fd::RawFd;

use crate::system::{check, check_size, nonblocking};

/// Datagrams that are thrown away at once; more than fit into a receive buffer are not there.
const MOST_QUEUED: usize = 100_000;

/// From now on the kernel drops what arrives at the socket, and what waited is thrown away: nothing piles up at a port that
/// nobody uses, and its next user gets nothing old.
///
/// # Errors
/// Not a socket, or no memory for the filter.
pub fn deafen(fd: RawFd) -> io::Result<()> {
    // BPF_RET | BPF_K, 0: keep no byte of the packet.
    let mut program = [libc::sock_filter { code: 0x06, jt: 0, jf: 0, k: 0 }];
    let filter = libc::sock_fprog { len: 1, filter: program.as_mut_ptr() };
    // SAFETY: `filter` and the program it points to outlive the call, which copies them; the size is given.
    check(unsafe {
        libc::setsockopt(
            fd,
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const filter).cast(),
            size_of::<libc::sock_fprog>() as libc::socklen_t,
        )
    })?;
    drain(fd);
    Ok(())
}

/// Ends `deafen`: what arrives is received again.
///
/// # Errors
/// Not a socket.
pub fn hear(fd: RawFd) -> io::Result<()> {
    let ignored: libc::c_int = 0;
    // SAFETY: `ignored` outlives the call and its size is given.
    let result = unsafe {
        libc::setsockopt(
            fd,
            libc::SOL_SOCKET,
            libc::SO_DETACH_FILTER,
            (&raw const ignored).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    match check(result) {
        // It was not deaf.
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
        other => other.map(|_| ()),
    }
}

fn drain(fd: RawFd) {
    for _ in 0..MOST_QUEUED {
        let read = nonblocking(|| {
            // SAFETY: nothing is written: the length is 0, and the rest of the datagram is cut off.
            check_size(unsafe { libc::recv(fd, std::ptr::null_mut(), 0, libc::MSG_DONTWAIT) })
        });
        if let Ok(None) = read {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn a_deaf_socket_keeps_nothing_old_and_gets_nothing_new() {
        let ours = UdpSocket::bind("127.0.0.1:0").unwrap();
        ours.set_nonblocking(true).unwrap();
        let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
        peer.connect(ours.local_addr().unwrap()).unwrap();
        let mut buffer = [0; 16];
        hear(ours.as_raw_fd()).unwrap();
        peer.send(b"old").unwrap();
        deafen(ours.as_raw_fd()).unwrap();
        peer.send(b"unheard").unwrap();
        hear(ours.as_raw_fd()).unwrap();
        assert_eq!(ours.recv(&mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        peer.send(b"new").unwrap();
        assert_eq!(ours.recv(&mut buffer).unwrap(), 3);
        deafen(ours.as_raw_fd()).unwrap();
        // What we send is not touched.
        ours.send_to(b"out", peer.local_addr().unwrap()).unwrap();
        assert_eq!(peer.recv(&mut buffer).unwrap(), 3);
    }

    #[test]
    fn what_is_no_socket_is_refused() {
        assert!(deafen(-1).is_err());
        assert!(hear(-1).is_err());
    }
}
