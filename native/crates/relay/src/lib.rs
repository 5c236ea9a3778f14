//! One media session as a machine without sockets and clock.
//!
//! What has to outlive the process is plain data in [`SideRecord`] (a slot of the slab, one per side, and one more for each
//! further medium) and a JSON text beside it (what was negotiated); everything else is derived from the two again.
//!
//! A packet takes one way: `Session::on_datagram` finds its medium and opens it (`rtp_end`, `webrtc`), counts it and finds
//! its route (`stream`, `routes`), places it on the line toward the partner's peer, rewrites and protects it (`side`). Nothing on
//! that way allocates. Whatever else happens — commands (`change`), STUN and DTLS (`ice`, `dtls`), RTCP (`rtcp`), time
//! (`wake`) — ends in `Session::refresh`, which says when to wake.
#![forbid(unsafe_code)]

mod bundle;
mod change;
mod codec;
mod crypto;
mod cx;
mod dtls;
mod fault;
mod ice;
mod latch;
mod made;
mod make;
mod monitor;
mod record;
mod recover;
mod retransmission;
mod routes;
mod rtcp;
mod rtp_end;
mod session;
mod side;
mod sides;
mod spec_check;
mod stats;
mod stream;
mod text;
mod wake;
mod webrtc;

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use trunkline_base::Micros;
use trunkline_control as control;
use trunkline_dtls::Certificate;
use trunkline_slab::Slot;

pub use record::SideRecord;
pub use session::Session;
pub use trunkline_control::Fault;

/// A socket of the engine, by its number in the keeper's table: stable over restarts. TCP connections have numbers from
/// [`TCP_FROM`] on and do not survive.
pub type SocketId = u32;
/// First number of a TCP connection.
pub const TCP_FROM: SocketId = 0x8000_0000;

/// Index of a side in its session; stable while the side lives.
pub type SideIndex = u8;

/// What the engine gives a WebRTC side: its thread's shared sockets (one per local address) as candidates.
#[derive(Clone, Debug)]
pub struct WebRtcPlace {
    /// Most wanted first.
    pub candidates: Vec<control::LocalCandidate>,
}

/// What the engine gives one medium of an RTP side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RtpPlace {
    /// Told to the peer.
    pub address: IpAddr,
    /// For RTP.
    pub port: u16,
    /// For RTCP; equal to `port` on a shared port.
    pub rtcp_port: u16,
    /// Socket of `port`.
    pub rtp: SocketId,
    /// The same as `rtp` on a shared port: RTCP is muxed there.
    pub rtcp: SocketId,
    /// Many sessions use these sockets: datagrams are told apart by their source.
    pub shared: bool,
}

/// What the machine wants from its shell.
pub trait Shell {
    /// Sends bytes made here (STUN, DTLS, RTCP, tones, retransmissions): copied at once.
    fn send(&mut self, socket: SocketId, to: SocketAddr, bytes: &[u8]);
    /// What the gateway is told, in order.
    fn event(&mut self, event: control::Event);
    /// From now on datagrams from `from` on this shared socket belong to the side. An older owner loses them only if
    /// `steal`: an authentic STUN check proves ownership, a signalled address does not. `false`: another side of this or
    /// another session keeps them. Telling what is the side's already is `true`.
    fn learn(&mut self, socket: SocketId, from: SocketAddr, side: SideIndex, steal: bool) -> bool;
    /// They belong to nobody. Another owner keeps them.
    fn unlearn(&mut self, socket: SocketId, from: SocketAddr);
    /// STUN checks to this user fragment belong to the side.
    fn accept_ufrag(&mut self, ufrag: &str, side: SideIndex);
    /// STUN checks to it belong to nobody.
    fn retire_ufrag(&mut self, ufrag: &str);
    /// A free, zeroed record.
    ///
    /// # Errors
    /// `MEDIA_SESSIONS_EXHAUSTED`.
    fn slot(&mut self) -> Result<Slot<SideRecord>, Fault>;
    /// Where a browser reaches us.
    ///
    /// # Errors
    /// `MEDIA_PORTS_EXHAUSTED`: nothing is bound.
    fn webrtc_place(&mut self) -> Result<WebRtcPlace, Fault>;
    /// Ports for one medium of the side: what arrives at its own ports is the side's from now on.
    ///
    /// # Errors
    /// `MEDIA_PORTS_EXHAUSTED`.
    fn rtp_place(
        &mut self,
        side: SideIndex,
        towards: Option<IpAddr>,
        shared: bool,
    ) -> Result<RtpPlace, Fault>;
    /// The ports of a side are free; they rest before they are used again, unless nobody was ever told of them.
    fn release(&mut self, place: &RtpPlace, rest: bool);
}

/// Configuration that all sessions share.
#[derive(Clone)]
pub struct Settings {
    /// The newest certificate last; sides remember which one they showed.
    pub certificates: Vec<Certificate>,
    /// Time without a STUN check after which nothing is sent to a browser (RFC 7675 §5.1: 30 s).
    pub consent: Micros,
    /// Time without media after which a side is told silent.
    pub silence: Micros,
    /// Between two `quality` events of a session.
    pub quality: Micros,
    /// `false` (`same-ip`): a new port of the signalled IP is followed after a few valid packets. `true`: never.
    pub strict_source: bool,
}

/// A packet in the buffer is ready to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward {
    /// From which socket.
    pub socket: SocketId,
    /// To whom.
    pub to: SocketAddr,
}
