use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use crate::address::RawAddress;
use crate::system::{check, check_size, is_of_network, nonblocking};
use crate::udp::{bind, open_socket, set_option};

/// Connections that wait to be accepted.
const BACKLOG: libc::c_int = 256;

/// A non-blocking TCP listener (ICE-TCP passive, RFC 6544), not closed on exec if `inherit`. IPv6 listeners are v6-only.
///
/// # Errors
/// Those of `socket`, `bind` and `listen`: the address is in use or not ours, too many files are open.
pub fn listen_tcp(address: SocketAddr, inherit: bool) -> io::Result<OwnedFd> {
    let socket = open_socket(address, libc::SOCK_STREAM, inherit)?;
    let fd = socket.as_raw_fd();
    // For TCP this only lets a new listener have the port of old connections in TIME_WAIT.
    set_option(fd, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
    bind(fd, address)?;
    // SAFETY: takes plain numbers.
    check(unsafe { libc::listen(fd, BACKLOG) })?;
    Ok(socket)
}

/// A connection that waits, non-blocking and without delay, and its peer; `None`: there is none.
///
/// # Errors
/// Those of `accept4`. On too many open files the connection stays in the queue and the listener stays ready: remove it
/// from the poller for a while. Connections that broke while they waited are passed over.
pub fn accept_tcp(listener: RawFd) -> io::Result<Option<(OwnedFd, SocketAddr)>> {
    let mut from = RawAddress::EMPTY;
    let accepted = nonblocking(|| {
        let mut from_bytes = RawAddress::CAPACITY;
        let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
        // SAFETY: `from` has room for `from_bytes`; both are valid for writing.
        let accepted = unsafe { libc::accept4(listener, (&raw mut from).cast(), &raw mut from_bytes, flags) };
        check(accepted).map_err(|error| match error.raw_os_error() {
            Some(libc::ECONNABORTED) => io::ErrorKind::Interrupted.into(),
            Some(code) if is_of_network(code) => io::ErrorKind::Interrupted.into(),
            _ => error,
        })
    })?;
    let Some(fd) = accepted else { return Ok(None) };
    // SAFETY: the kernel gave us this descriptor just now; nobody else has it.
    let connection = unsafe { OwnedFd::from_raw_fd(fd) };
    set_option(fd, libc::IPPROTO_TCP, libc::TCP_NODELAY, 1)?;
    let from = from.to_std().ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok(Some((connection, from)))
}

/// Reads what has come; `Some(0)`: the peer is done, `None`: nothing yet.
///
/// # Errors
/// The connection is broken.
pub fn read_tcp(fd: RawFd, into: &mut [u8]) -> io::Result<Option<usize>> {
    nonblocking(|| {
        // SAFETY: `into` is valid for writing up to its length.
        check_size(unsafe { libc::recv(fd, into.as_mut_ptr().cast(), into.len(), libc::MSG_DONTWAIT) })
    })
}

/// Writes as much as there is room for, from the first byte; `None`: no room.
///
/// # Errors
/// The connection is broken.
pub fn write_tcp(fd: RawFd, bytes: &[u8]) -> io::Result<Option<usize>> {
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    nonblocking(|| {
        // SAFETY: `bytes` is valid for reading up to its length.
        check_size(unsafe { libc::send(fd, bytes.as_ptr().cast(), bytes.len(), flags) })
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;
    use crate::Poller;

    fn listener(address: &str) -> (OwnedFd, SocketAddr) {
        let listener = listen_tcp(address.parse().unwrap(), false).unwrap();
        let address = TcpListener::from(listener.try_clone().unwrap()).local_addr().unwrap();
        (listener, address)
    }

    fn wait_for(fd: RawFd) {
        let poller = Poller::new().unwrap();
        poller.add(fd, 0).unwrap();
        let mut ready = Vec::new();
        while ready.is_empty() {
            poller.wait(&mut ready, None).unwrap();
        }
    }

    #[test]
    fn bytes_go_both_ways_and_the_end_is_seen() {
        for any in ["127.0.0.1:0", "[::1]:0"] {
            let (listener, address) = listener(any);
            assert!(accept_tcp(listener.as_raw_fd()).unwrap().is_none());
            let mut peer = TcpStream::connect(address).unwrap();
            wait_for(listener.as_raw_fd());
            let (connection, from) = accept_tcp(listener.as_raw_fd()).unwrap().unwrap();
            assert_eq!(from, peer.local_addr().unwrap());
            let fd = connection.as_raw_fd();
            let mut buffer = [0; 16];
            assert_eq!(read_tcp(fd, &mut buffer).unwrap(), None);
            peer.write_all(b"check").unwrap();
            wait_for(fd);
            assert_eq!(read_tcp(fd, &mut buffer).unwrap(), Some(5));
            assert_eq!(write_tcp(fd, b"answer").unwrap(), Some(6));
            peer.read_exact(&mut buffer[..6]).unwrap();
            assert_eq!(&buffer[..6], b"answer");
            drop(peer);
            wait_for(fd);
            assert_eq!(read_tcp(fd, &mut buffer).unwrap(), Some(0));
        }
    }

    #[test]
    fn a_peer_that_does_not_read_stops_the_writer() {
        let (listener, address) = listener("127.0.0.1:0");
        let _peer = TcpStream::connect(address).unwrap();
        wait_for(listener.as_raw_fd());
        let (connection, _) = accept_tcp(listener.as_raw_fd()).unwrap().unwrap();
        let block = [0; 65_536];
        let full = (0..1_000).any(|_| write_tcp(connection.as_raw_fd(), &block).unwrap().is_none());
        assert!(full);
    }
}
