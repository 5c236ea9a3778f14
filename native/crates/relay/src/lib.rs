//! One media session as a machine without sockets and clock.
//!
//! What has to outlive the process is plain data in `SideRecord` (a slot of the slab, one per side) and a JSON text beside it
//! (what was negotiated); everything else is derived from the two again.
#![forbid(unsafe_code)]
#![allow(missing_docs, unused_variables)]

use std::net::{IpAddr, SocketAddr};

use trunkline_base::{Micros, Packet};
use trunkline_control as control;
use trunkline_dtls::Certificate;
use trunkline_slab::Slot;

/// A socket of the engine, by its number in the keeper's table: stable over restarts. TCP connections have numbers from
/// `TCP_FROM` on and do not survive.
pub type SocketId = u32;
pub const TCP_FROM: SocketId = 0x8000_0000;

/// Index of a side in its session; stable while the side lives.
pub type SideIndex = u8;

/// What the engine gives a WebRTC side: its thread's shared sockets (one per local address) as candidates.
#[derive(Clone, Debug)]
pub struct WebRtcPlace {
    pub candidates: Vec<control::LocalCandidate>,
}

/// What the engine gives one medium of an RTP side.
#[derive(Clone, Copy, Debug)]
pub struct RtpPlace {
    /// Told to the peer.
    pub address: IpAddr,
    pub port: u16,
    pub rtcp_port: u16,
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
    fn event(&mut self, event: control::Event);
    /// From now on datagrams from `from` on this shared socket belong to the side. An older owner loses them only if
    /// `steal`: an authentic STUN check proves ownership, a signalled address does not. `false`: another side of this or
    /// another session keeps them. Telling what is the side's already is `true`.
    fn learn(&mut self, socket: SocketId, from: SocketAddr, side: SideIndex, steal: bool) -> bool;
    fn unlearn(&mut self, socket: SocketId, from: SocketAddr);
    /// STUN checks to this user fragment belong to the side.
    fn accept_ufrag(&mut self, ufrag: &str, side: SideIndex);
    fn retire_ufrag(&mut self, ufrag: &str);
    /// A free record.
    fn slot(&mut self) -> Result<Slot<SideRecord>, Fault>;
    fn webrtc_place(&mut self) -> Result<WebRtcPlace, Fault>;
    /// Ports for one medium of the side: what arrives at its own ports is the side's from now on.
    fn rtp_place(&mut self, side: SideIndex, towards: Option<IpAddr>, shared: bool) -> Result<RtpPlace, Fault>;
    /// The ports of a side are free; they rest before they are used again, unless nobody was ever told of them.
    fn release(&mut self, place: &RtpPlace, rest: bool);
}

pub use trunkline_control::Fault;

/// Configuration that all sessions share.
#[derive(Clone)]
pub struct Settings {
    /// The newest certificate last; sides remember which one they showed.
    pub certificates: Vec<Certificate>,
    pub consent: Micros,
    pub silence: Micros,
    pub quality: Micros,
    /// `false` (`same-ip`): a new port of the signalled IP is followed after a few valid packets. `true`: never.
    pub strict_source: bool,
}

/// Everything of a side that packets change, as plain data. Fields are only appended.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub struct SideRecord {
    todo: u64,
}

/// A packet in the buffer is ready to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward {
    pub socket: SocketId,
    pub to: SocketAddr,
}

/// One session. Every method takes `now`; `deadline` says when to call `wake`.
pub struct Session {}

impl Session {
    /// # Errors
    /// `MEDIA_SPEC_INVALID`, `MEDIA_PORTS_EXHAUSTED`, `MEDIA_SESSIONS_EXHAUSTED`; then nothing is left.
    pub fn open(
        spec: &control::SessionSpec,
        settings: &Settings,
        shell: &mut impl Shell,
        now: Micros,
    ) -> Result<Session, Fault> {
        todo!()
    }
    /// A session that a process before this one had, from the slots whose text names it. Tells `learn` and `accept_ufrag`
    /// of everything again.
    pub fn recover(
        slots: Vec<Slot<SideRecord>>,
        settings: &Settings,
        shell: &mut impl Shell,
        now: Micros,
    ) -> Option<Session> {
        todo!()
    }
    /// Session id named in the text of a slot.
    pub fn id_of(slot: &Slot<SideRecord>) -> Option<String> {
        todo!()
    }
    /// Places of the sides of a recovered session, so that the engine marks them used and knows whose they are.
    pub fn places(&self) -> Vec<(SideIndex, RtpPlace)> {
        todo!()
    }
    pub fn id(&self) -> &str {
        todo!()
    }
    pub fn local(&self) -> control::OpenedSession {
        todo!()
    }
    pub fn change(
        &mut self,
        change: &control::SessionChange,
        settings: &Settings,
        shell: &mut impl Shell,
        now: Micros,
    ) -> Result<Vec<control::LocalSide>, Fault> {
        todo!()
    }
    pub fn stats(&self, now: Micros) -> Vec<control::SideStats> {
        todo!()
    }
    /// Says goodbye (RTCP BYE, close_notify), releases everything.
    pub fn close(self, shell: &mut impl Shell, now: Micros) -> Vec<control::SideStats> {
        todo!()
    }
    /// A STUN check for a user fragment of this side, not yet authenticated.
    pub fn on_check(
        &mut self,
        side: SideIndex,
        socket: SocketId,
        from: SocketAddr,
        datagram: &[u8],
        settings: &Settings,
        shell: &mut impl Shell,
        now: Micros,
    ) {
        todo!()
    }
    /// Any other datagram for this side: DTLS, SRTP, RTP, RTCP. `Some`: `packet` now holds what is to be sent there.
    /// The hot path: no allocation.
    pub fn on_datagram(
        &mut self,
        side: SideIndex,
        socket: SocketId,
        from: SocketAddr,
        packet: &mut Packet,
        settings: &Settings,
        shell: &mut impl Shell,
        now: Micros,
    ) -> Option<Forward> {
        todo!()
    }
    /// A TCP connection is gone.
    pub fn on_disconnected(
        &mut self,
        side: SideIndex,
        socket: SocketId,
        shell: &mut impl Shell,
        now: Micros,
    ) {
        todo!()
    }
    /// Earliest time at which `wake` has something to do. Handshakes, reports, consent, silence, tones, digits, quality.
    pub fn deadline(&self) -> Micros {
        todo!()
    }
    /// DTLS handshakes in progress, for the engine's budget.
    pub fn handshakes(&self) -> u32 {
        todo!()
    }
    pub fn wake(&mut self, settings: &Settings, shell: &mut impl Shell, now: Micros) {
        todo!()
    }
}
