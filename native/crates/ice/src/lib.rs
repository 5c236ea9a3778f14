//! STUN of RFC 8489 and an ICE-lite agent of RFC 8445, without sockets and clock.
#![forbid(unsafe_code)]
#![allow(missing_docs, unused_variables)]

use std::net::SocketAddr;
use trunkline_base::{Address, Micros};

/// What a datagram on a shared port is (RFC 7983 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Stun,
    Dtls,
    /// RTP or RTCP.
    Media,
    Unknown,
}
pub fn kind_of(datagram: &[u8]) -> Kind {
    todo!()
}

/// A binding request as read; not yet authentic.
#[derive(Clone, Copy, Debug)]
pub struct Check<'a> {
    pub transaction: [u8; 12],
    /// User fragment of the one who is asked: the part before the colon of USERNAME.
    pub local_ufrag: &'a str,
    pub remote_ufrag: &'a str,
    pub use_candidate: bool,
    pub priority: u32,
    /// `Some(tie-breaker)` if the peer says it is controlled: a role conflict for an ICE-lite agent (487).
    pub controlled: Option<u64>,
    /// The first comprehension-required attribute we do not know, if any (420).
    pub unknown: [u16; 4],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StunError {
    /// Not STUN, wrong lengths, wrong fingerprint.
    Malformed,
    /// A response, an indication, another method: not for us.
    NotACheck,
    /// No USERNAME or no MESSAGE-INTEGRITY.
    Anonymous,
}

/// Reads a binding request. Total: never panics, whatever the bytes.
pub fn read_check(datagram: &[u8]) -> Result<Check<'_>, StunError> {
    todo!()
}

/// Whether MESSAGE-INTEGRITY (or -SHA256, if present) is that of this password, in constant time.
pub fn is_authentic(datagram: &[u8], password: &str) -> bool {
    todo!()
}

/// Most bytes a reply has.
pub const REPLY_BYTES: usize = 128;

/// A success response; returns its length in `out`.
pub fn success(
    out: &mut [u8; REPLY_BYTES],
    transaction: &[u8; 12],
    mapped: SocketAddr,
    password: &str,
) -> usize {
    todo!()
}

/// An error response (400, 401, 420, 487); with integrity if a password is given.
pub fn error(
    out: &mut [u8; REPLY_BYTES],
    transaction: &[u8; 12],
    code: u16,
    unknown: &[u16],
    password: Option<&str>,
) -> usize {
    todo!()
}

/// New credentials: 8 and 32 characters of the ICE alphabet (RFC 8839 §5.4 asks for 24 and 128 bits).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    pub ufrag: String,
    pub pwd: String,
}
impl Credentials {
    pub fn random() -> Self {
        todo!()
    }
}

/// Candidate priority (RFC 8445 §5.1.2.1) for host candidates: UDP before TCP, addresses in their order.
pub fn host_priority(order: usize, tcp: bool) -> u32 {
    todo!()
}

/// An address pair: where the peer is and on which socket of ours it is heard.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Path {
    pub remote: Address,
    pub socket: u32,
    pub pad: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathChange {
    None,
    /// The first way to the peer, or one again after consent was lost.
    Connected,
    /// Media goes to another place from now on.
    Moved,
}

/// Which pairs authenticated, which one is used; plain data. Keeps at most 8 paths, drops the one heard longest ago.
/// Behaviour: `src/media/engines/portable/ice/lite-agent.ts` and `path-table.ts` (nominations followed at once; before a
/// nomination the first valid pair is used; consent is any authentic check, RFC 7675).
#[repr(C)]
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Agent {
    todo: [u64; 40],
}
impl Agent {
    pub fn new() -> Self {
        todo!()
    }
    /// An authentic check came over this path. `dropped` in the result of `forgotten` tells paths that are no longer ours.
    pub fn on_check(&mut self, path: Path, use_candidate: bool, now: Micros) -> PathChange {
        todo!()
    }
    /// The path that was pushed out by the last `on_check`, once.
    pub fn take_forgotten(&mut self) -> Option<Path> {
        todo!()
    }
    /// Where media goes; `None` before the first check and after consent was lost.
    pub fn selected(&self) -> Option<Path> {
        todo!()
    }
    /// Whether media and DTLS may come over this path.
    pub fn is_valid(&self, path: &Path) -> bool {
        todo!()
    }
    pub fn paths(&self) -> impl Iterator<Item = Path> + '_ {
        std::iter::empty()
    }
    pub fn deadline(&self, consent: Micros) -> Option<Micros> {
        todo!()
    }
    /// `true`: consent was lost just now. `consent` is the time without a check after which it is.
    pub fn on_wakeup(&mut self, consent: Micros, now: Micros) -> bool {
        todo!()
    }
    /// The peer's credentials changed (ICE restart): the old paths stay in use until a check with the new ones comes.
    pub fn restart(&mut self) {
        todo!()
    }
    /// `new`, `checking`, `connected`, `disconnected`.
    pub fn state(&self) -> &'static str {
        todo!()
    }
}

/// Frames of RFC 4571 in a TCP stream (ICE-TCP, RFC 6544 §10.1): sans-IO, bounded.
pub struct Framer {}
impl Framer {
    pub fn new() -> Self {
        todo!()
    }
    /// Takes bytes as they come; `each` gets every complete frame. `Err`: a frame longer than a packet buffer.
    pub fn push(&mut self, bytes: &[u8], each: impl FnMut(&[u8])) -> Result<(), ()> {
        todo!()
    }
}
