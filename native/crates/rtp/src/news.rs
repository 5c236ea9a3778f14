use bytemuck::{Pod, Zeroable};
use trunkline_base::Micros;

/// What a peer's RTCP told about what we send, asked for, and its clock.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct News {
    /// Share of our packets that were lost since the peer's report before, from 0 to 1.
    pub loss_fraction: Option<f32>,
    /// Interarrival jitter of our packets.
    pub jitter_us: Option<u32>,
    /// From our report to the peer and back (RFC 3550 §6.4.1).
    pub round_trip_us: Option<u32>,
    /// PLI or FIR.
    pub key_frame_wanted: bool,
    /// Sequence numbers of ours that the peer misses (RFC 4585 §6.2.1), at most 64 a packet.
    pub missing: Vec<u16>,
    /// BYE of the SSRC we receive.
    pub goodbye: bool,
    /// From a sender report of the SSRC we receive: for the `Reports` of the other side.
    pub sender_clock: Option<SenderClock>,
}

/// The clocks of a sender report: NTP time at an RTP timestamp.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct SenderClock {
    /// Who reported.
    pub ssrc: u32,
    /// In ticks of the source's clock.
    pub timestamp: u32,
    /// Seconds in the upper 32 bits, their fraction in the lower ones (RFC 3550 §4).
    pub ntp: u64,
    /// When the report came.
    pub received_at: Micros,
}
