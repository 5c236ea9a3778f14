use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::AsRawFd;

use super::Ring;
use crate::{Batch, Poller, UdpOptions, bind_udp};

const PATIENCE: u64 = 1_000_000;

/// Whether a `Ring` works here: a datagram is sent through one on loopback.
///
/// # Errors
/// Why not, for people.
pub fn probe_uring() -> Result<(), String> {
    let ring = Ring::new().map_err(|error| reason(&error))?;
    match receive_one(ring) {
        Ok(true) => Ok(()),
        Ok(false) => Err("io_uring brought no datagram: the kernel is older than 6.1".into()),
        Err(error) => Err(reason(&error)),
    }
}

fn receive_one(mut ring: Ring) -> io::Result<bool> {
    let ours = bind_udp((Ipv4Addr::LOCALHOST, 0).into(), UdpOptions::default(), false)?;
    let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    peer.send_to(b"probe", UdpSocket::from(ours.try_clone()?).local_addr()?)?;
    ring.watch(ours.as_raw_fd(), 0)?;
    let poller = Poller::new()?;
    poller.add(ring.fd(), 0)?;
    poller.wait(&mut Vec::new(), Some(PATIENCE))?;
    let mut batch = Batch::new(1);
    let count = ring.receive(&mut batch, &mut Vec::new())?;
    Ok(count == 1 && batch.get(0).packet.bytes() == b"probe")
}

fn reason(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::ENOSYS) => "the kernel has no io_uring".into(),
        Some(libc::EPERM | libc::EACCES) => {
            "io_uring is not allowed here (kernel.io_uring_disabled, or the container's filter)".into()
        }
        Some(libc::EINVAL) => "io_uring is older than Linux 6.1".into(),
        Some(libc::ENOMEM) => "io_uring may not lock enough memory (RLIMIT_MEMLOCK)".into(),
        _ => format!("io_uring failed: {error}"),
    }
}
