use bytemuck::{Pod, Zeroable};
use trunkline_base::Micros;

use crate::Header;
use crate::clock::distance32;
use crate::telephone_event::{LONGEST_DURATION, TelephoneEvent, digit_of};

/// A digit that was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digit {
    /// One of `0123456789*#ABCD`.
    pub digit: char,
    /// As far as packets told.
    pub duration_ms: u32,
}

/// Tells each event once, also when its end was lost or several of its packets (RFC 4733 §2.5).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub struct DtmfDetector {
    /// When the event counts as ended, if nothing more is heard of it.
    silent_at: Micros,
    ssrc: u32,
    clock_hz: u32,
    /// Of the event's current segment.
    timestamp: u32,
    /// Ticks of the segments before (RFC 4733 §2.5.1.3).
    before: u32,
    duration: u16,
    event: u8,
    /// `NONE`, `RUNNING` or `TOLD`.
    state: u8,
    padding: [u8; 4],
}

impl DtmfDetector {
    /// `payload` of a telephone-event packet, `clock_hz` the clock of its duration. Gives the digits that are finished
    /// with it: an event before whose end was lost, and the one it ends.
    pub fn on_packet(
        &mut self,
        header: &Header,
        payload: &[u8],
        clock_hz: u32,
        now: Micros,
    ) -> [Option<Digit>; 2] {
        let Some(told) = TelephoneEvent::read(payload) else { return [None; 2] };
        if self.is_same(&told, header) {
            return [None, self.proceed(&told, header, now)];
        }
        if self.is_old(header) {
            return [None; 2];
        }
        let finished = self.finish();
        let (ssrc, timestamp, event) = (header.ssrc, header.timestamp, told.event);
        *self = Self { ssrc, clock_hz, timestamp, event, state: RUNNING, ..Self::default() };
        [finished, self.proceed(&told, header, now)]
    }

    /// When to call `on_wakeup`.
    #[must_use]
    pub fn deadline(&self) -> Option<Micros> {
        (self.state == RUNNING).then_some(self.silent_at)
    }

    /// Time passed: ends an event whose end packets were lost. Early calls are harmless.
    pub fn on_wakeup(&mut self, now: Micros) -> Option<Digit> {
        if now >= self.silent_at { self.finish() } else { None }
    }

    fn proceed(&mut self, told: &TelephoneEvent, header: &Header, now: Micros) -> Option<Digit> {
        if header.timestamp != self.timestamp {
            self.before = self.before.saturating_add(LONGEST_DURATION);
            self.timestamp = header.timestamp;
            self.duration = 0;
        }
        self.duration = self.duration.max(told.duration);
        self.silent_at = now.saturating_add(SILENT_US);
        if told.end { self.finish() } else { None }
    }

    fn finish(&mut self) -> Option<Digit> {
        if self.state != RUNNING {
            return None;
        }
        self.state = TOLD;
        let digit = digit_of(self.event)?;
        let ticks = u64::from(self.before) + u64::from(self.duration);
        let hz = u64::from(self.clock_hz.max(1));
        let duration_ms = u32::try_from((ticks * 1_000 + hz / 2) / hz).unwrap_or(u32::MAX);
        Some(Digit { digit, duration_ms })
    }

    fn is_same(&self, told: &TelephoneEvent, header: &Header) -> bool {
        if self.state == NONE || self.ssrc != header.ssrc || self.event != told.event {
            return false;
        }
        self.timestamp == header.timestamp
            || self.state == RUNNING && self.timestamp.wrapping_add(LONGEST_DURATION) == header.timestamp
    }

    /// A late packet of an event before this one.
    fn is_old(&self, header: &Header) -> bool {
        self.state != NONE && self.ssrc == header.ssrc && distance32(self.timestamp, header.timestamp) < 0
    }
}

const NONE: u8 = 0;
const RUNNING: u8 = 1;
const TOLD: u8 = 2;
/// Three times the longest usual interval of 50 ms (RFC 4733 §2.5.2.2), and some jitter.
const SILENT_US: Micros = 200_000;
