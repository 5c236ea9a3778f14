use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use crate::address::RawAddress;
use crate::system::check;

/// Options of a UDP socket.
#[derive(Clone, Copy, Debug, Default)]
pub struct UdpOptions {
    /// Bytes the kernel may queue in each direction, as far as it is allowed; 0: its default.
    pub receive_buffer: usize,
    /// DSCP to mark packets with (46 = EF, RFC 3246).
    pub dscp: u8,
}

/// A non-blocking UDP socket, not closed on exec if `inherit`. IPv6 sockets are v6-only; a port has one owner
/// (`SO_REUSEADDR` stays off).
///
/// # Errors
/// Those of `socket` and `bind`: the address is in use or not ours, too many files are open.
pub fn bind_udp(address: SocketAddr, options: UdpOptions, inherit: bool) -> io::Result<OwnedFd> {
    let socket = open_socket(address, libc::SOCK_DGRAM, inherit)?;
    let fd = socket.as_raw_fd();
    if options.receive_buffer > 0 {
        let bytes = libc::c_int::try_from(options.receive_buffer).unwrap_or(libc::c_int::MAX);
        set_buffer(fd, libc::SO_RCVBUFFORCE, libc::SO_RCVBUF, bytes)?;
        set_buffer(fd, libc::SO_SNDBUFFORCE, libc::SO_SNDBUF, bytes)?;
    }
    mark(fd, address, options.dscp)?;
    set_option(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
    bind(fd, address)?;
    Ok(socket)
}

pub(crate) fn open_socket(address: SocketAddr, kind: libc::c_int, inherit: bool) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let on_exec = if inherit { 0 } else { libc::SOCK_CLOEXEC };
    // SAFETY: takes plain numbers.
    let fd = check(unsafe { libc::socket(family, kind | libc::SOCK_NONBLOCK | on_exec, 0) })?;
    // SAFETY: the kernel gave us this descriptor just now; nobody else has it.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    if address.is_ipv6() {
        set_option(fd, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 1)?;
    }
    Ok(socket)
}

pub(crate) fn bind(fd: RawFd, address: SocketAddr) -> io::Result<()> {
    let raw = RawAddress::from(address);
    // SAFETY: `raw` holds an address of the length given and outlives the call.
    check(unsafe { libc::bind(fd, (&raw const raw).cast(), raw.len()) })?;
    Ok(())
}

pub(crate) fn set_option(fd: RawFd, level: i32, name: i32, value: libc::c_int) -> io::Result<()> {
    let bytes = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: `value` is a `c_int` that outlives the call, and its size is given.
    check(unsafe { libc::setsockopt(fd, level, name, (&raw const value).cast(), bytes) })?;
    Ok(())
}

/// Beyond the system's limit where we are allowed to, else up to it.
fn set_buffer(fd: RawFd, forced: i32, plain: i32, bytes: libc::c_int) -> io::Result<()> {
    set_option(fd, libc::SOL_SOCKET, forced, bytes)
        .or_else(|_| set_option(fd, libc::SOL_SOCKET, plain, bytes))
}

/// DSCP is the upper six bits of the traffic class (RFC 2474 §3).
fn mark(fd: RawFd, address: SocketAddr, dscp: u8) -> io::Result<()> {
    let class = libc::c_int::from(dscp & 63) << 2;
    if address.is_ipv4() {
        set_option(fd, libc::IPPROTO_IP, libc::IP_TOS, class)
    } else {
        set_option(fd, libc::IPPROTO_IPV6, libc::IPV6_TCLASS, class)
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    fn bound(address: &str, options: UdpOptions) -> (OwnedFd, SocketAddr) {
        let socket = bind_udp(address.parse().unwrap(), options, false).unwrap();
        let address = UdpSocket::from(socket.try_clone().unwrap()).local_addr().unwrap();
        (socket, address)
    }

    fn option(socket: &OwnedFd, level: i32, name: i32) -> i32 {
        let (mut value, mut bytes) = (0_i32, 4);
        // SAFETY: the value and its size are valid for writing.
        let result = unsafe {
            libc::getsockopt(socket.as_raw_fd(), level, name, (&raw mut value).cast(), &raw mut bytes)
        };
        assert_eq!(result, 0);
        value
    }

    #[test]
    fn a_port_has_one_owner_per_family() {
        let (_v6, address) = bound("[::]:0", UdpOptions::default());
        let same = bind_udp(address, UdpOptions::default(), false);
        assert_eq!(same.unwrap_err().kind(), io::ErrorKind::AddrInUse);
        let v4 = SocketAddr::from(([0, 0, 0, 0], address.port()));
        bind_udp(v4, UdpOptions::default(), false).expect("an IPv6 socket takes no IPv4 port");
    }

    #[test]
    fn options_are_applied() {
        let options = UdpOptions { receive_buffer: 100_000, dscp: 46 };
        for (any, level, name) in [
            ("127.0.0.1:0", libc::IPPROTO_IP, libc::IP_TOS),
            ("[::1]:0", libc::IPPROTO_IPV6, libc::IPV6_TCLASS),
        ] {
            let (socket, _) = bound(any, options);
            assert_eq!(option(&socket, level, name), 46 << 2);
            // The kernel doubles what is asked for, for its own book-keeping.
            assert_eq!(option(&socket, libc::SOL_SOCKET, libc::SO_RCVBUF), 200_000);
            assert_eq!(option(&socket, libc::SOL_SOCKET, libc::SO_REUSEADDR), 0);
        }
    }

    #[test]
    fn only_sockets_to_inherit_stay_open_on_exec() {
        for inherit in [false, true] {
            let socket = bind_udp("127.0.0.1:0".parse().unwrap(), UdpOptions::default(), inherit).unwrap();
            let path = format!("/proc/self/fd/{}", socket.as_raw_fd());
            let status = std::process::Command::new("test").args(["-e", &path]).status().unwrap();
            assert_eq!(status.success(), inherit);
        }
    }
}
