use bytemuck::{Pod, Zeroable};
use trunkline_base::Micros;

use crate::Header;
use crate::clock::{SECOND_US, distance16, ticks};
use crate::line::{DROPOUT_PACKETS, MISORDER_PACKETS, REFUSED_PACKETS};
use crate::window::Window;

/// What one stream received (RFC 3550 §6.4, appendix A). A new SSRC starts anew; the totals go on.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub struct Reception {
    /// Of the newest valid packet; means something once `packets` is not 0.
    pub ssrc: u32,
    /// Clock of the newest valid packet, in Hz.
    pub clock_hz: u32,
    /// Valid packets, duplicates left out.
    pub packets: u64,
    /// Bytes of these packets, headers included as the caller counts them.
    pub bytes: u64,
    /// Packets that came again.
    pub duplicates: u64,
    /// Packets that came after a later one.
    pub reordered: u64,
    /// When the newest valid packet came; 0 for never.
    pub last_at: Micros,
    seen: Window,
    /// Extended with the cycles in the upper half, from the first packet of this SSRC on.
    highest: u32,
    /// Packets of this SSRC, duplicates too.
    received: u32,
    /// Loss of the SSRCs before.
    lost_before: i32,
    /// 16 × the jitter in ticks.
    jitter_scaled: u32,
    transit: u32,
    timestamp: u32,
    first: u16,
    /// The sequence number that would make a jump believable.
    believable: u16,
    /// `BELIEVABLE`, `TIMESTAMP` and `TRANSIT`: which of these are known.
    known: u8,
    /// Duplicates in a row.
    refused: u8,
    padding: [u8; 2],
}

impl Reception {
    /// `false`: a duplicate, or the first packet after a jump, which the next one has to confirm (RFC 3550 A.1).
    /// A peer that begins new numbers (SSRC, restart) is followed; totals go on.
    pub fn on_packet(&mut self, header: &Header, bytes: usize, clock_hz: u32, now: Micros) -> bool {
        let first = self.packets == 0;
        if first || header.ssrc != self.ssrc || self.refused >= REFUSED_PACKETS {
            self.restart(header);
        } else if !self.follow(header) {
            return false;
        }
        self.received = self.received.wrapping_add(1);
        self.packets = self.packets.wrapping_add(1);
        self.bytes = self.bytes.wrapping_add(bytes as u64);
        self.refused = 0;
        self.last_at = now;
        self.measure(header.timestamp, clock_hz, now);
        true
    }

    /// Expected minus received over all SSRCs (appendix A.3), negative with many duplicates.
    #[must_use]
    pub fn lost(&self) -> i64 {
        i64::from(self.lost_before) + i64::from(self.lost_of_ssrc())
    }

    /// Interarrival jitter (appendix A.8), in µs.
    #[must_use]
    pub fn jitter_us(&self) -> u32 {
        let scaled = u64::from(self.jitter_scaled) * SECOND_US / 16;
        u32::try_from(scaled / u64::from(self.clock_hz.max(1))).unwrap_or(u32::MAX)
    }

    /// The SSRC once there is one.
    pub(crate) fn heard(&self) -> Option<u32> {
        (self.packets > 0).then_some(self.ssrc)
    }

    /// Loss of the current SSRC.
    pub(crate) fn lost_of_ssrc(&self) -> i32 {
        self.expected().wrapping_sub(self.received).cast_signed()
    }

    /// Packets of the current SSRC that the sender sent, modulo 2^32.
    pub(crate) fn expected(&self) -> u32 {
        if self.packets == 0 { 0 } else { self.highest.wrapping_sub(u32::from(self.first)).wrapping_add(1) }
    }

    /// Packets of the current SSRC that came, duplicates too, modulo 2^32.
    pub(crate) fn received(&self) -> u32 {
        self.received
    }

    /// Highest sequence number with its cycles in the upper half.
    pub(crate) fn highest(&self) -> u32 {
        self.highest
    }

    pub(crate) fn jitter_ticks(&self) -> u32 {
        self.jitter_scaled >> 4
    }

    fn follow(&mut self, header: &Header) -> bool {
        let distance = distance16(self.highest as u16, header.sequence);
        if distance > 0 && distance < DROPOUT_PACKETS {
            self.highest = self.highest.wrapping_add(distance as u32);
            self.seen.raise(distance as u64);
            true
        } else if (-MISORDER_PACKETS..=0).contains(&distance) {
            self.look_back(distance.unsigned_abs())
        } else {
            self.believe(header)
        }
    }

    /// A packet that is not the newest: late, or a duplicate.
    fn look_back(&mut self, back: u64) -> bool {
        if self.seen.take(back) {
            self.reordered = self.reordered.wrapping_add(1);
            return true;
        }
        self.received = self.received.wrapping_add(1);
        self.duplicates = self.duplicates.wrapping_add(1);
        self.refused = self.refused.saturating_add(1);
        false
    }

    /// A jump: taken as a restart with the second packet in sequence.
    fn believe(&mut self, header: &Header) -> bool {
        if self.known & BELIEVABLE != 0 && header.sequence == self.believable {
            self.restart(header);
            return true;
        }
        self.believable = header.sequence.wrapping_add(1);
        self.known |= BELIEVABLE;
        false
    }

    fn restart(&mut self, header: &Header) {
        self.lost_before = i32::try_from(self.lost()).unwrap_or(self.lost_before);
        self.ssrc = header.ssrc;
        self.first = header.sequence;
        self.highest = u32::from(header.sequence);
        self.received = 0;
        // What came before the first packet of this stretch may still come, once.
        self.seen = Window::default();
        self.seen.raise(1);
        self.known = 0;
    }

    /// Once for a timestamp: packets of a frame or of an event share it without being late.
    fn measure(&mut self, timestamp: u32, clock_hz: u32, now: Micros) {
        if clock_hz != self.clock_hz {
            let scaled =
                u64::from(self.jitter_scaled) * u64::from(clock_hz) / u64::from(self.clock_hz.max(1));
            self.jitter_scaled = u32::try_from(scaled).unwrap_or(0);
            self.clock_hz = clock_hz;
            self.known &= !TRANSIT;
        }
        if self.known & TIMESTAMP != 0 && timestamp == self.timestamp {
            return;
        }
        let transit = (ticks(now, clock_hz) as u32).wrapping_sub(timestamp);
        let change = transit.wrapping_sub(self.transit).cast_signed().unsigned_abs();
        // A source that begins its timestamps anew says nothing about the network.
        if self.known & TRANSIT != 0 && u64::from(change) < u64::from(clock_hz) * RESTART_S {
            let scaled = self.jitter_scaled;
            self.jitter_scaled = scaled.saturating_add(change).saturating_sub(scaled.saturating_add(8) >> 4);
        }
        self.timestamp = timestamp;
        self.transit = transit;
        self.known |= TIMESTAMP | TRANSIT;
    }
}

const BELIEVABLE: u8 = 1;
const TIMESTAMP: u8 = 2;
const TRANSIT: u8 = 4;
const RESTART_S: u64 = 10;

const _: () = assert!(size_of::<Reception>() <= 96);
