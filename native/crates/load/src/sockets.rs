use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use trunkline_io::{Poller, UdpOptions, bind_udp};

use crate::plan::Plan;

/// The local sockets and whose packets come in on each.
pub struct Sockets {
    files: Vec<OwnedFd>,
    owners: Vec<Owners>,
    by_address: HashMap<SocketAddr, usize>,
}

enum Owners {
    One(usize),
    /// Ends that share a port, told apart by where their relay sends from.
    Many(HashMap<SocketAddr, usize>),
}

impl Sockets {
    /// Binds every address of the plan, once each.
    ///
    /// # Errors
    /// An address is in use or not ours, or there are too many.
    pub fn bind(plan: &Plan, poller: &Poller) -> io::Result<Self> {
        let mut sockets = Self { files: Vec::new(), owners: Vec::new(), by_address: HashMap::new() };
        let options = UdpOptions { receive_buffer: plan.socket_buffer_bytes, dscp: 0 };
        for (index, end) in plan.ends.iter().enumerate() {
            let Some(address) = end.bind else { continue };
            if let Some(socket) = sockets.by_address.get(&address) {
                let owners = &mut sockets.owners[*socket];
                owners.add(index, end.remote, |owner| plan.ends[owner].remote);
                continue;
            }
            let file = bind_udp(address, options, false)
                .map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))?;
            poller.add(file.as_raw_fd(), sockets.files.len() as u64)?;
            sockets.by_address.insert(address, sockets.files.len());
            sockets.files.push(file);
            sockets.owners.push(Owners::One(index));
        }
        Ok(sockets)
    }

    /// Index of the socket with this local address.
    pub fn index_of(&self, address: &SocketAddr) -> Option<usize> {
        self.by_address.get(address).copied()
    }

    pub fn fd(&self, socket: usize) -> RawFd {
        self.files[socket].as_raw_fd()
    }

    /// The end that what comes from there belongs to. An end with a port of its own is not asked where from.
    pub fn owner(&self, socket: usize, from: &SocketAddr) -> Option<usize> {
        match &self.owners[socket] {
            Owners::One(end) => Some(*end),
            Owners::Many(ends) => ends.get(from).copied(),
        }
    }
}

impl Owners {
    fn add(
        &mut self,
        end: usize,
        remote: Option<SocketAddr>,
        remote_of: impl Fn(usize) -> Option<SocketAddr>,
    ) {
        if let Owners::One(first) = *self {
            *self = Owners::Many(remote_of(first).map(|remote| (remote, first)).into_iter().collect());
        }
        if let (Owners::Many(ends), Some(remote)) = (self, remote) {
            ends.insert(remote, end);
        }
    }
}
