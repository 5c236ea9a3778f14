//! RTP and RTCP: packets, the outgoing line of numbers, reports, telephone-event, tones, quality.
//!
//! Everything here is a function of bytes or plain data (`Pod`) that fits in shared memory: no allocation, no clock.
#![forbid(unsafe_code)]
#![allow(missing_docs, unused_variables)]

mod clock;
mod event_relay;
mod extension;
mod header;
mod line;
mod outgoing;
mod reception;
mod telephone_event;
mod window;

pub use event_relay::{EventClocks, EventRelay};
pub use extension::extension;
pub use header::{Header, is_rtcp, rtcp_ssrc};
pub use line::{Line, Place};
pub use outgoing::{Outgoing, build, rewrite};
pub use reception::Reception;

use bytemuck::{Pod, Zeroable};
use trunkline_base::{Micros, Packet};

// ---- rtcp/: one file per packet type; reports.rs: what is told and learnt ----------------------------------------

/// What a peer's RTCP told about what we send, asked for, and its clock.
#[derive(Clone, Debug, Default)]
pub struct News {
    pub loss_fraction: Option<f32>,
    pub jitter_us: Option<u32>,
    pub round_trip_us: Option<u32>,
    /// PLI or FIR.
    pub key_frame_wanted: bool,
    /// Sequence numbers of ours that the peer misses (RFC 4585 §6.2.1), at most 64 a packet.
    pub missing: Vec<u16>,
    /// BYE of the SSRC we receive.
    pub goodbye: bool,
    pub sender_clock: Option<SenderClock>,
}

/// The clocks of a sender report: NTP time at an RTP timestamp.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub struct SenderClock {
    pub ssrc: u32,
    pub timestamp: u32,
    pub ntp: u64,
    pub received_at: Micros,
}

/// RTCP of one stream toward one peer: it ends here (`docs/adr/0005`). Reports about every 5 s, randomised
/// (RFC 3550 §6.3), the first after half of it. See `stream-rtcp.ts` of the portable engine.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct Reports {
    /// When the next report is due.
    pub due_at: Micros,
    todo: u64,
}

/// What a report says of what we send.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    pub ssrc: u32,
    pub packets: u64,
    /// Payload bytes.
    pub bytes: u64,
    pub clock_hz: u32,
}

impl Reports {
    pub fn new(now: Micros, random: u32) -> Self {
        todo!()
    }
    /// A compound packet, decrypted; malformed rests are ignored.
    pub fn on_packet(&mut self, compound: &[u8], own_ssrc: u32, reception: &Reception, now: Micros) -> News {
        todo!()
    }
    /// The source connected to us sent this: our sender reports follow its clock.
    pub fn on_source_clock(&mut self, clock: &SenderClock) {
        todo!()
    }
    pub fn switch_source(&mut self) {
        todo!()
    }
    /// The compound packet (SR or RR, SDES) that is due, in `packet`; `false`: nothing is due.
    pub fn poll(
        &mut self,
        packet: &mut Packet,
        sent: &Sent,
        line: &Line,
        cname: &str,
        reception: &Reception,
        now: Micros,
        random: u32,
    ) -> bool {
        todo!()
    }
    /// PLI (and FIR every other time) for the SSRC we receive; at most one in 500 ms.
    pub fn key_frame_request(
        &mut self,
        packet: &mut Packet,
        own_ssrc: u32,
        reception: &Reception,
        now: Micros,
    ) -> bool {
        todo!()
    }
    /// RR, SDES and BYE for our SSRC.
    pub fn goodbye(
        &mut self,
        packet: &mut Packet,
        sent: &Sent,
        cname: &str,
        reception: &Reception,
        now: Micros,
    ) {
        todo!()
    }
}

/// Generic NACK for packets a stream misses, and transport-wide feedback: builders in `rtcp/nack.rs`, `rtcp/twcc.rs`.
pub fn build_nack(packet: &mut Packet, own_ssrc: u32, media_ssrc: u32, missing: &[u16]) {
    todo!()
}

/// What arrived with transport-wide numbers (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1), bounded; not kept in the slab.
pub struct TransportFeedback {}
impl TransportFeedback {
    pub fn new() -> Self {
        todo!()
    }
    pub fn on_packet(&mut self, transport_sequence: u16, now: Micros) {
        todo!()
    }
    /// Due every 100 ms while packets come; `false`: nothing to say.
    pub fn poll(&mut self, packet: &mut Packet, own_ssrc: u32, media_ssrc: u32, now: Micros) -> bool {
        todo!()
    }
}

// ---- telephone_event.rs, dtmf_detector.rs, dtmf_sender.rs (RFC 4733) ----------------------------------------------

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digit {
    /// One of `0123456789*#ABCD`.
    pub digit: char,
    pub duration_ms: u32,
}

/// Tells each event once, also when its end was lost or several of its packets.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub struct DtmfDetector {
    todo: [u64; 4],
}
impl DtmfDetector {
    /// `payload` of a telephone-event packet. The first value ended by this packet, if any.
    pub fn on_packet(
        &mut self,
        header: &Header,
        payload: &[u8],
        clock_hz: u32,
        now: Micros,
    ) -> [Option<Digit>; 2] {
        todo!()
    }
    pub fn deadline(&self) -> Option<Micros> {
        todo!()
    }
    pub fn on_wakeup(&mut self, now: Micros) -> Option<Digit> {
        todo!()
    }
}

/// Digits that are made here: packets every 20 ms, the end three times, a pause between digits.
pub struct DtmfSender {}
/// One packet of a digit made here.
#[derive(Clone, Copy, Debug)]
pub struct EventPacket {
    pub payload: [u8; 4],
    pub timestamp: u32,
    pub marker: bool,
}
impl DtmfSender {
    /// Digits of `0-9*#A-Da-d`, at most 64 waiting; `false`: another character, or too many.
    pub fn queue(&mut self, digits: &str, duration_ms: u32, gap_ms: u32) -> bool {
        todo!()
    }
    pub fn new() -> Self {
        todo!()
    }
    pub fn deadline(&self) -> Option<Micros> {
        todo!()
    }
    /// `timestamp_now` is the line's timestamp at `now`.
    pub fn poll(&mut self, timestamp_now: u32, clock_hz: u32, now: Micros) -> Option<EventPacket> {
        todo!()
    }
}

// ---- tone.rs, g711.rs ----------------------------------------------------------------------------------------------

/// G.711 variants that tones are made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum G711 {
    Pcmu,
    Pcma,
}

/// A steady tone at -16 dBm0, or silence (`frequency_hz` 0), frame by frame.
#[derive(Clone, Copy, Debug)]
pub struct Tone {}
impl Tone {
    pub fn new(frequency_hz: u32) -> Self {
        todo!()
    }
    /// The next samples at 8,000 Hz, encoded into `out`.
    pub fn fill(&mut self, codec: G711, out: &mut [u8]) {
        todo!()
    }
}

// ---- quality.rs ----------------------------------------------------------------------------------------------------

/// E-model (ITU-T G.107, default values, G.113 Ie and Bpl of the codec): R and MOS.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    pub r: f32,
    pub mos: f32,
}

/// `one_way_ms` is mouth to ear as far as known: half the round trip, jitter buffer (twice the jitter), packetisation.
pub fn estimate(codec: &str, loss_fraction: f32, one_way_ms: f32) -> Quality {
    todo!()
}
