use bytemuck::{Pod, Zeroable};
use trunkline_base::Micros;

use crate::telephone_event::{EVENT_BYTES, LONGEST_DURATION, TelephoneEvent};
use crate::{Header, Line, Place};

/// Clocks that a telephone-event passes between, in Hz.
#[derive(Clone, Copy, Debug)]
pub struct EventClocks {
    /// Of `telephone-event` as the source negotiated it.
    pub source_hz: u32,
    /// Of `telephone-event` as the peer negotiated it.
    pub peer_hz: u32,
    /// Of the audio on the outgoing line.
    pub line_hz: u32,
}

/// A telephone-event that is passed on between clocks (RFC 4733 §2.3.5): durations are scaled, and all packets of an
/// event keep one timestamp, save the segments of an event too long for its duration field (§2.5.1.3).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub struct EventRelay {
    ssrc: u32,
    /// Of the current segment at the source.
    timestamp: u32,
    /// Ticks of the segments before, in the source's clock.
    before: u32,
    /// Timestamp of the event's start on the outgoing line.
    start: u32,
    event: u8,
    /// 1: an event was relayed and has a `start`.
    known: u8,
    padding: [u8; 2],
}

impl EventRelay {
    /// Place of an event packet on the line. The duration in `payload`, which is the packet's, is converted in place.
    ///
    /// `None`: not a telephone-event, or `Line::place_event` refused the packet. Then it must not be sent.
    pub fn place(
        &mut self,
        line: &mut Line,
        header: &Header,
        payload: &mut [u8],
        clocks: EventClocks,
        now: Micros,
    ) -> Option<Place> {
        let told = TelephoneEvent::read(payload)?;
        let current = self.follow(told.event, header);
        let total = scaled(current.before.saturating_add(u32::from(told.duration)), clocks);
        let offset = total.saturating_sub(1) / LONGEST_DURATION * LONGEST_DURATION;
        let start = (current.known != 0).then_some(current.start);
        let place = line.place_event(header, clocks.line_hz, now, start)?;
        *self = Self { start: place.timestamp, known: 1, ..current };
        let duration = (total - offset) as u16;
        payload[..EVENT_BYTES].copy_from_slice(&TelephoneEvent { duration, ..told }.to_bytes());
        Some(Place { timestamp: place.timestamp.wrapping_add(offset), ..place })
    }

    /// The source ends; the next packet belongs to an event of its own.
    pub fn cut(&mut self) {
        *self = Self::default();
    }

    /// The event that a packet is of, as it is with this packet.
    fn follow(&self, event: u8, header: &Header) -> Self {
        if self.known != 0 && self.event == event && self.ssrc == header.ssrc {
            if self.timestamp == header.timestamp {
                return *self;
            }
            if self.timestamp.wrapping_add(LONGEST_DURATION) == header.timestamp {
                let before = self.before.saturating_add(LONGEST_DURATION);
                return Self { timestamp: header.timestamp, before, ..*self };
            }
        }
        Self { ssrc: header.ssrc, event, timestamp: header.timestamp, ..Self::default() }
    }
}

/// Ticks in the peer's clock, rounded.
fn scaled(ticks: u32, EventClocks { source_hz, peer_hz, .. }: EventClocks) -> u32 {
    let source_hz = u64::from(source_hz.max(1));
    let scaled = (u64::from(ticks) * u64::from(peer_hz) + source_hz / 2) / source_hz;
    u32::try_from(scaled).unwrap_or(u32::MAX)
}
