use trunkline_base::Micros;

use crate::clock::{distance32, ticks};
use crate::telephone_event::{EVENT_BYTES, LONGEST_DURATION, TelephoneEvent, event_of};

/// One packet of a digit made here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventPacket {
    /// Of telephone-event (RFC 4733 §2.3).
    pub payload: [u8; EVENT_BYTES],
    /// On the line: that of the digit's start.
    pub timestamp: u32,
    /// Set on the first packet of a digit.
    pub marker: bool,
}

/// Digits that are made here: packets every 20 ms, the end three times, a pause between digits (RFC 4733 §2.5.1).
#[derive(Clone, Copy, Debug)]
pub struct DtmfSender {
    waiting: [Waiting; DIGITS_MOST],
    /// Where the next digit waits, and how many do.
    first: usize,
    count: usize,
    current: Option<Current>,
    /// The digit before: its start on the line, when that was, and when the pause after it ends.
    before: Option<(u32, Micros)>,
    pause_until: Micros,
}

#[derive(Clone, Copy, Debug, Default)]
struct Waiting {
    event: u8,
    duration_ms: u32,
    gap_ms: u32,
}

/// A digit that is being sent.
#[derive(Clone, Copy, Debug)]
struct Current {
    digit: Waiting,
    began_at: Micros,
    timestamp: u32,
    next_at: Micros,
    packets: u32,
    /// Packets with the end bit so far.
    ends: u8,
}

impl DtmfSender {
    /// Nothing waits.
    #[must_use]
    pub fn new() -> Self {
        let waiting = [Waiting::default(); DIGITS_MOST];
        Self { waiting, first: 0, count: 0, current: None, before: None, pause_until: 0 }
    }

    /// Digits of `0-9*#A-Da-d`, at most 64 waiting. `false`: another character, or too many; then none of them waits.
    ///
    /// A digit lasts at least 20 ms, and at most what 16 bits of ticks can say: 8 s at 8,000 Hz, 1.3 s at 48,000 Hz.
    /// The pause lasts until the end was sent three times, if `gap_ms` is shorter.
    pub fn queue(&mut self, digits: &str, duration_ms: u32, gap_ms: u32) -> bool {
        let asked = digits.chars().count();
        if asked > DIGITS_MOST - self.count || !digits.chars().all(|digit| event_of(digit).is_some()) {
            return false;
        }
        for event in digits.chars().filter_map(event_of) {
            self.waiting[(self.first + self.count) % DIGITS_MOST] = Waiting { event, duration_ms, gap_ms };
            self.count += 1;
        }
        true
    }

    /// When the next packet is due; `None`: nothing waits.
    #[must_use]
    pub fn deadline(&self) -> Option<Micros> {
        match self.current {
            Some(current) => Some(current.next_at),
            None => (self.count > 0).then_some(self.pause_until),
        }
    }

    /// The packet that is due. `timestamp_now` is the line's timestamp at `now`, `clock_hz` its clock.
    pub fn poll(&mut self, timestamp_now: u32, clock_hz: u32, now: Micros) -> Option<EventPacket> {
        if self.deadline().is_none_or(|at| now < at) {
            return None;
        }
        let mut current = match self.current {
            Some(current) => current,
            None => self.start(timestamp_now, clock_hz, now)?,
        };
        let packet = current.packet(clock_hz, now);
        current.next_at = (current.next_at + PACKET_US).max(now + PACKET_US / 2);
        self.current = Some(current);
        if current.ends == ENDS {
            self.finish(&current, now);
        }
        Some(packet)
    }

    fn start(&mut self, timestamp_now: u32, clock_hz: u32, now: Micros) -> Option<Current> {
        let digit = *self.waiting.get(self.first).filter(|_| self.count > 0)?;
        self.first = (self.first + 1) % DIGITS_MOST;
        self.count -= 1;
        let timestamp = self.after_the_one_before(timestamp_now, clock_hz, now);
        self.before = Some((timestamp, now));
        Some(Current { digit, began_at: now, timestamp, next_at: now, packets: 0, ends: 0 })
    }

    /// A line that sends nothing else may stand still; digits must not share a timestamp all the same.
    fn after_the_one_before(&self, timestamp_now: u32, clock_hz: u32, now: Micros) -> u32 {
        let Some((timestamp, at)) = self.before else { return timestamp_now };
        let earliest = timestamp.wrapping_add(ticks(now.saturating_sub(at), clock_hz) as u32);
        if distance32(timestamp, timestamp_now) > 0 { timestamp_now } else { earliest }
    }

    fn finish(&mut self, current: &Current, now: Micros) {
        let pause_us = Micros::from(current.digit.gap_ms) * 1_000;
        self.pause_until = (current.began_at + current.duration_us() + pause_us).max(now + PACKET_US);
        self.current = None;
    }
}

impl Default for DtmfSender {
    fn default() -> Self {
        Self::new()
    }
}

impl Current {
    /// The first packet tells of 20 ms, as the audio that it stands for would.
    fn packet(&mut self, clock_hz: u32, now: Micros) -> EventPacket {
        let longest = self.duration_us();
        let lasted = (now.saturating_sub(self.began_at) + PACKET_US).min(longest);
        let end = self.packets > 0 && lasted >= longest;
        self.packets += 1;
        self.ends += u8::from(end);
        let duration = ticks(lasted, clock_hz).min(u64::from(LONGEST_DURATION)) as u16;
        let told = TelephoneEvent { event: self.digit.event, end, volume: VOLUME, duration };
        EventPacket { payload: told.to_bytes(), timestamp: self.timestamp, marker: self.packets == 1 }
    }

    fn duration_us(&self) -> Micros {
        Micros::from(self.digit.duration_ms) * 1_000
    }
}

const DIGITS_MOST: usize = 64;
const PACKET_US: Micros = 20_000;
/// The last packet of an event is sent three times (RFC 4733 §2.5.1.4).
const ENDS: u8 = 3;
/// In dBm0 without the sign.
const VOLUME: u8 = 10;
