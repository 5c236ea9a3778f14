use bytemuck::{Pod, Zeroable};
use trunkline_base::Micros;

use crate::Header;
use crate::clock::{SECOND_US, distance16, distance32, micros, ticks};
use crate::window::Window;

/// Where a packet goes on the outgoing line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// 48-bit packet index of SRTP (RFC 3711 §3.3.1): roll-over counter and sequence number. Starts in the first cycle.
    pub index: u64,
    /// On the line, in ticks.
    pub timestamp: u32,
    /// The line continues with another source here: the marker is set.
    pub begins: bool,
}

/// One line of sequence numbers and timestamps out of any sources, as plain data.
///
/// Losses and reordering of a source are passed on, so that the receiver sees them. Where one source ends and the
/// next begins, the sequence number goes on by one and the timestamp by the time that passed, at least by one packet.
/// No number is given twice, also not after `recover`: with SRTP that would use a key stream twice.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct Line {
    /// Index of the newest packet given. Stored before the packet can leave.
    pub highest: u64,
    given: Window,
    /// Numbers up to here are not of the current stretch.
    floor: u64,
    /// When the newest timestamp was given.
    at: Micros,
    /// When the stretch began.
    since: Micros,
    /// The newest timestamp given.
    timestamp: u32,
    /// Usual time between two packets.
    step_us: u32,
    clock_hz: u32,
    ssrc: u32,
    source_timestamp: u32,
    /// Added to a timestamp of the source.
    timestamp_shift: u32,
    before_ssrc: u32,
    before_sequence: u16,
    /// Newest sequence number of the source: it has the index `highest`.
    source_sequence: u16,
    /// Who the stretch of the line comes from: `NOBODY`, `SOURCE` or `OURSELVES`.
    origin: u8,
    /// 1: there was a stretch of another source before.
    has_before: u8,
    /// 1: `timestamp` was given at `at`.
    started: u8,
    /// Repetitions in a row.
    refused: u8,
    padding: [u8; 4],
}

impl Line {
    /// A line before its first packet.
    ///
    /// The first number lies in the lower half: then a receiver that misses the first packets still guesses the right
    /// SRTP index (RFC 3711 §3.3.1).
    #[must_use]
    pub fn new(first_sequence: u16, first_timestamp: u32) -> Self {
        let first = u64::from(first_sequence & 0x7fff).max(1);
        let mut line = Self::zeroed();
        line.highest = first - 1;
        line.floor = line.highest;
        line.given = Window::FULL;
        line.timestamp = first_timestamp;
        line.step_us = DEFAULT_STEP_US;
        line
    }

    /// The source ends; whatever comes next continues the line.
    pub fn cut(&mut self) {
        self.origin = NOBODY;
        self.has_before = 0;
    }

    /// After the process died at any moment: everything but `highest`, the newest timestamp and its time may be torn.
    /// The next packet begins a stretch of its own, beyond every number that may have been used.
    pub fn recover(&mut self, now: Micros) {
        let Line { highest, timestamp, at, step_us, clock_hz, .. } = *self;
        *self = Self::zeroed();
        self.highest = highest;
        self.floor = highest;
        self.given = Window::FULL;
        self.timestamp = timestamp;
        self.at = at.min(now);
        self.started = 1;
        self.clock_hz = clock_hz;
        self.step_us = if (1..=LONGEST_STEP_US).contains(&step_us) { step_us } else { DEFAULT_STEP_US };
    }

    /// `None`: given before, too late, or from a source that was replaced.
    ///
    /// A jump of the source's numbers is taken as its new beginning; pass only what `Reception` found plausible.
    pub fn place(&mut self, header: &Header, clock_hz: u32, now: Micros) -> Option<Place> {
        if self.is_another(header, clock_hz) || self.is_resumed(header, now) {
            return self.begin_unless_leftover(header, clock_hz, now);
        }
        if self.is_implausible(header) {
            self.refused = self.refused.saturating_add(1);
            return None;
        }
        let (index, newer) = self.give(header.sequence)?;
        if newer {
            self.proceed(index, header, now);
        }
        Some(Place { index, timestamp: header.timestamp.wrapping_add(self.timestamp_shift), begins: false })
    }

    /// A telephone-event packet; `start` is the event's timestamp on the line once it is known.
    ///
    /// All packets of an event have the timestamp of its start (RFC 4733 §2.5.1.2), which moves nothing.
    pub fn place_event(
        &mut self,
        header: &Header,
        clock_hz: u32,
        now: Micros,
        start: Option<u32>,
    ) -> Option<Place> {
        let timestamp = start.unwrap_or_else(|| self.event_start(header.timestamp, clock_hz, now));
        if self.is_another(header, clock_hz) {
            let place = self.begin_unless_leftover(header, clock_hz, now)?;
            return Some(Place { timestamp: start.unwrap_or(place.timestamp), ..place });
        }
        let (index, newer) = self.give(header.sequence)?;
        if newer {
            self.raise(index, header.sequence);
        }
        Some(Place { index, timestamp, begins: false })
    }

    /// A packet made here, `ticks` after the one before it.
    pub fn next(&mut self, ticks: u32, clock_hz: u32, now: Micros) -> Place {
        let begins = self.origin != OURSELVES || self.clock_hz != clock_hz;
        let advance = if begins { self.advance(clock_hz, now) } else { ticks };
        self.highest += 1;
        self.given.raise(1);
        self.floor = self.highest;
        self.timestamp = self.timestamp.wrapping_add(advance);
        self.at = now;
        self.started = 1;
        self.clock_hz = clock_hz;
        self.origin = OURSELVES;
        Place { index: self.highest, timestamp: self.timestamp, begins }
    }

    /// The number after the newest, for a packet whose timestamp the caller knows (DTMF made here).
    ///
    /// A source that sends at the same time goes on after it; what it sent before and comes later is too late.
    pub fn next_at(&mut self, timestamp: u32, now: Micros) -> Place {
        self.highest += 1;
        self.given.raise(1);
        self.floor = self.highest;
        if self.origin == NOBODY && (self.started == 0 || distance32(self.timestamp, timestamp) > 0) {
            self.timestamp = timestamp;
            self.at = now;
            self.started = 1;
        }
        Place { index: self.highest, timestamp, begins: false }
    }

    /// The timestamp on the line of a timestamp of the current source. `None`: no packet of it came through.
    #[must_use]
    pub fn map_timestamp(&self, ssrc: u32, timestamp: u32) -> Option<u32> {
        (self.origin == SOURCE && self.ssrc == ssrc).then(|| timestamp.wrapping_add(self.timestamp_shift))
    }

    /// Where the line's clock is at `now`; `None` before the first packet.
    #[must_use]
    pub fn timestamp_at(&self, now: Micros) -> Option<u32> {
        let elapsed = ticks(now.saturating_sub(self.at), self.clock_hz) as u32;
        (self.started != 0).then(|| self.timestamp.wrapping_add(elapsed))
    }

    fn begin_unless_leftover(&mut self, header: &Header, clock_hz: u32, now: Micros) -> Option<Place> {
        if self.is_leftover(header, now) {
            return None;
        }
        let advance = self.advance(clock_hz, now);
        self.highest += 1;
        self.given.raise(1);
        self.floor = self.highest - 1;
        self.has_before = u8::from(self.origin == SOURCE);
        (self.before_ssrc, self.before_sequence) = (self.ssrc, self.source_sequence);
        self.timestamp = self.timestamp.wrapping_add(advance);
        self.timestamp_shift = self.timestamp.wrapping_sub(header.timestamp);
        (self.at, self.since) = (now, now);
        (self.ssrc, self.clock_hz) = (header.ssrc, clock_hz);
        (self.source_sequence, self.source_timestamp) = (header.sequence, header.timestamp);
        (self.origin, self.started, self.refused) = (SOURCE, 1, 0);
        Some(Place { index: self.highest, timestamp: self.timestamp, begins: true })
    }

    /// Takes the number of a packet of the current source, if it is free. `true`: it is the newest.
    fn give(&mut self, sequence: u16) -> Option<(u64, bool)> {
        let index = self.highest.checked_add_signed(distance16(self.source_sequence, sequence));
        let index = index.filter(|index| *index > self.floor);
        let free = index.filter(|index| match self.highest.checked_sub(*index) {
            Some(back) => self.given.take(back),
            None => true,
        });
        self.refused = if free.is_some() { 0 } else { self.refused.saturating_add(1) };
        free.map(|index| (index, index > self.highest))
    }

    fn raise(&mut self, index: u64, sequence: u16) {
        self.given.raise(index - self.highest);
        self.highest = index;
        self.source_sequence = sequence;
    }

    /// The next packet in order: moves the line on, by what the source says if that can be.
    fn proceed(&mut self, index: u64, header: &Header, now: Micros) {
        let step = distance32(self.source_timestamp, header.timestamp);
        let elapsed = ticks(now.saturating_sub(self.at), self.clock_hz).cast_signed();
        let tolerated = i64::from(self.clock_hz) * TOLERATED_S;
        if step.saturating_sub(elapsed).saturating_abs() > tolerated {
            // The source began its timestamps anew, or its clock stood still during a hold.
            let resumed = self.timestamp.wrapping_add(self.advance(self.clock_hz, now));
            self.timestamp_shift = resumed.wrapping_sub(header.timestamp);
        } else if index == self.highest + 1 && step > 0 {
            let step_us = micros(step.unsigned_abs(), self.clock_hz);
            self.step_us = u32::try_from(step_us)
                .ok()
                .filter(|us| (1..=LONGEST_STEP_US).contains(us))
                .unwrap_or(self.step_us);
        }
        self.raise(index, header.sequence);
        self.source_timestamp = header.timestamp;
        self.timestamp = header.timestamp.wrapping_add(self.timestamp_shift);
        self.at = now;
    }

    fn is_another(&self, header: &Header, clock_hz: u32) -> bool {
        if self.origin != SOURCE || self.ssrc != header.ssrc || self.clock_hz != clock_hz {
            return true;
        }
        let distance = distance16(self.source_sequence, header.sequence);
        // A source that began anew just below its old numbers looks like repetitions that never end.
        !(-MISORDER_PACKETS..=DROPOUT_PACKETS).contains(&distance) || self.refused >= REFUSED_PACKETS
    }

    /// A late packet whose timestamp is of another time: sent before its source began its timestamps anew, or after.
    fn is_implausible(&self, header: &Header) -> bool {
        let apart = distance32(self.source_timestamp, header.timestamp).abs();
        distance16(self.source_sequence, header.sequence) <= 0
            && apart > i64::from(self.clock_hz) * TOLERATED_S
    }

    /// Packets are missing after a long silence: they were never meant for this line (hold).
    fn is_resumed(&self, header: &Header, now: Micros) -> bool {
        distance16(self.source_sequence, header.sequence) > 1 && now.saturating_sub(self.at) > INTERRUPTED_US
    }

    /// A packet of the SSRC before, overtaken by the first one of the new SSRC.
    fn is_leftover(&self, header: &Header, now: Micros) -> bool {
        self.origin == SOURCE
            && self.has_before != 0
            && self.before_ssrc == header.ssrc
            && self.ssrc != header.ssrc
            && now.saturating_sub(self.since) < LEFTOVER_US
            && distance16(self.before_sequence, header.sequence) <= 0
    }

    /// Ticks from the newest timestamp to the first one of what comes next.
    fn advance(&self, clock_hz: u32, now: Micros) -> u32 {
        if self.started == 0 {
            return 0;
        }
        let elapsed = now.saturating_sub(self.at);
        ticks(elapsed.max(u64::from(self.step_us)), clock_hz) as u32
    }

    /// Where an event begins on the line: where its source says, if that is near the line's clock.
    fn event_start(&self, timestamp: u32, clock_hz: u32, now: Micros) -> u32 {
        let expected = self.timestamp_at(now).unwrap_or(self.timestamp);
        let mapped = timestamp.wrapping_add(self.timestamp_shift);
        let apart = distance32(expected, mapped).abs();
        if self.origin != SOURCE || apart > i64::from(clock_hz) * TOLERATED_S { expected } else { mapped }
    }
}

const NOBODY: u8 = 0;
const SOURCE: u8 = 1;
const OURSELVES: u8 = 2;

/// How far ahead and how late a packet may be to belong to the same stretch (RFC 3550 A.1).
pub(crate) const DROPOUT_PACKETS: i64 = 3_000;
pub(crate) const MISORDER_PACKETS: i64 = 100;
pub(crate) const REFUSED_PACKETS: u8 = 16;
const DEFAULT_STEP_US: u32 = 20_000;
const LONGEST_STEP_US: u32 = 200_000;
/// How far a source's timestamps may be from the time that passed between two packets.
const TOLERATED_S: i64 = 3;
const INTERRUPTED_US: Micros = 2 * SECOND_US;
const LEFTOVER_US: Micros = SECOND_US;

const _: () = assert!(size_of::<Line>() <= 160);
