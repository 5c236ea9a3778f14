use std::fs::File;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::FileExt;

use serde::{Deserialize, Serialize};
use trunkline_relay::{SideRecord, SocketId};
use trunkline_slab::Shape;

use crate::Config;

/// What the keeper opened, by inherited descriptor. The same for every relay of the keeper's life, so a socket's number
/// ([`SocketId`]) names it over restarts. Fields are only added, with defaults: a relay may be newer than its keeper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Process id of the keeper.
    pub keeper: u32,
    /// What all relays share.
    pub config: Config,
    /// The slab's memory file.
    pub slab: RawFd,
    /// The ledger's memory file.
    pub ledger: RawFd,
    /// Listener of the control socket.
    pub control: RawFd,
    /// Listeners of ICE-TCP.
    pub tcp: Vec<RawFd>,
    /// Port of ICE-TCP; absent: none is offered.
    pub tcp_port: Option<u16>,
    /// One group for each thread.
    pub webrtc: Vec<WebRtcGroup>,
    /// Shared RTP ports: those of thread `n` are `n`, `n + threads`, …
    pub shared: Vec<SharedPort>,
    /// Pairs of RTP and RTCP ports, by number of the pair.
    pub pairs: Vec<PortPair>,
}

/// The sockets of one WebRTC port.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WebRtcGroup {
    /// Their port.
    pub port: u16,
    /// One for each local address, or one for each family.
    pub fds: Vec<RawFd>,
}

/// One RTP port for many calls, RTCP muxed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SharedPort {
    /// The port.
    pub port: u16,
    /// On IPv4 and on IPv6; absent where no address of the family is advertised.
    pub fds: [Option<RawFd>; 2],
}

/// An even port and the next one (RFC 3550 §11).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PortPair {
    /// The even port.
    pub port: u16,
    /// (RTP, RTCP) on IPv4 and on IPv6.
    pub fds: [Option<(RawFd, RawFd)>; 2],
}

impl Manifest {
    /// Writes it where [`Manifest::read`] of another process finds it.
    ///
    /// # Errors
    /// Those of the file.
    pub fn write(&self, file: &OwnedFd) -> std::io::Result<()> {
        let file = File::from(file.try_clone()?);
        file.set_len(0)?;
        file.write_all_at(&serde_json::to_vec(self)?, 0)
    }

    /// Reads it from an inherited file.
    ///
    /// # Errors
    /// Those of the file; not a manifest.
    pub fn read(file: &OwnedFd) -> std::io::Result<Self> {
        let file = File::from(file.try_clone()?);
        let mut text = vec![0; file.metadata()?.len() as usize];
        file.read_exact_at(&mut text, 0)?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// Shape of the slab for these relays. Ringing calls have more than two sides, and texts are mostly of one or two KiB;
    /// what is not used takes no memory.
    #[must_use]
    pub fn slab_shape(config: &Config) -> Shape {
        let sides = config.max_sessions.saturating_mul(3) / config.threads.max(1) + 64;
        Shape {
            threads: config.threads,
            slots_per_thread: sides,
            blocks_per_thread: sides.saturating_mul(16),
            record_bytes: size_of::<SideRecord>() as u32,
        }
    }
}

/// What a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SocketKind {
    WebRtc,
    SharedRtp,
    /// RTP or RTCP of one session's side.
    OwnRtp,
}

/// The sockets by number: WebRTC, then shared, then four for each pair (IPv4 RTP and RTCP, IPv6 RTP and RTCP).
pub(crate) struct Sockets {
    fds: Vec<Option<OwnedFd>>,
    webrtc: Vec<(u32, u32)>,
    first_shared: u32,
    first_pair: u32,
}

impl Sockets {
    /// Takes the descriptors of the manifest over.
    pub(crate) fn inherit(manifest: &Manifest) -> std::io::Result<Self> {
        let mut fds = Vec::with_capacity(manifest.pairs.len() * 4 + 64);
        let adopt = |fds: &mut Vec<Option<OwnedFd>>, fd: Option<RawFd>| {
            fds.push(fd.map(trunkline_io::inherited).transpose()?);
            std::io::Result::Ok(())
        };
        let mut webrtc = Vec::new();
        for group in &manifest.webrtc {
            let first = fds.len() as u32;
            for &fd in &group.fds {
                adopt(&mut fds, Some(fd))?;
            }
            webrtc.push((first, fds.len() as u32));
        }
        let first_shared = fds.len() as u32;
        for fd in manifest.shared.iter().flat_map(|shared| shared.fds) {
            adopt(&mut fds, fd)?;
        }
        let first_pair = fds.len() as u32;
        for pair in manifest.pairs.iter().flat_map(|pair| pair.fds) {
            adopt(&mut fds, pair.map(|(rtp, _)| rtp))?;
            adopt(&mut fds, pair.map(|(_, rtcp)| rtcp))?;
        }
        Ok(Self { fds, webrtc, first_shared, first_pair })
    }

    pub(crate) fn len(&self) -> usize {
        self.fds.len()
    }

    /// Descriptor of a socket; none for numbers that are not in the table (TCP connections).
    pub(crate) fn fd(&self, socket: SocketId) -> Option<RawFd> {
        Some(self.fds.get(socket as usize)?.as_ref()?.as_raw_fd())
    }

    pub(crate) fn kind(&self, socket: SocketId) -> SocketKind {
        if socket < self.first_shared {
            SocketKind::WebRtc
        } else if socket < self.first_pair {
            SocketKind::SharedRtp
        } else {
            SocketKind::OwnRtp
        }
    }

    /// The WebRTC sockets of a thread.
    pub(crate) fn of_group(&self, thread: u32) -> impl Iterator<Item = SocketId> + use<> {
        let (first, end) = self.webrtc.get(thread as usize).copied().unwrap_or_default();
        first..end
    }

    /// The shared RTP sockets of a thread.
    pub(crate) fn shared_of(&self, thread: u32, threads: u32) -> impl Iterator<Item = SocketId> + use<> {
        let first = self.first_shared;
        (first..self.first_pair).filter(move |socket| (socket - first) / 2 % threads.max(1) == thread)
    }

    /// The socket of a shared port (by its number in the manifest) in a family.
    pub(crate) fn shared(&self, number: usize, family: Family) -> Option<SocketId> {
        let socket = self.first_shared + number as u32 * 2 + family as u32;
        self.fd(socket).map(|_| socket)
    }

    /// The sockets of a pair (by its number in the manifest) in a family: RTP and RTCP.
    pub(crate) fn pair(&self, number: u32, family: Family) -> Option<(SocketId, SocketId)> {
        let rtp = self.first_pair + number * 4 + family as u32 * 2;
        self.fd(rtp).zip(self.fd(rtp + 1)).map(|_| (rtp, rtp + 1))
    }

    /// Number of the pair that a socket belongs to.
    pub(crate) fn pair_of(&self, socket: SocketId) -> Option<u32> {
        let offset = socket.checked_sub(self.first_pair)?;
        ((socket as usize) < self.fds.len()).then_some(offset / 4)
    }
}

/// Family of an address, as index of the tables above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4 = 0,
    V6 = 1,
}

impl Family {
    pub(crate) fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}
