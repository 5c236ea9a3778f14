use trunkline_base::{Micros, Packet};

use crate::rtcp::compound::begin;
use crate::rtcp::receiver_report;
use crate::rtcp::twcc::{self, Arrival, LONGEST_SPAN, MOST_ARRIVALS, TICK_US};

/// What arrived with transport-wide numbers (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1), bounded; not
/// kept in the slab.
///
/// A packet that comes after feedback called it lost stays lost.
#[derive(Clone, Debug, Default)]
pub struct TransportFeedback {
    /// Not told yet, ascending. Grows to what 100 ms bring, then stays.
    arrivals: Vec<Arrival>,
    /// The first number that no feedback told of; 0 before the first packet.
    base: u64,
    due_at: Option<Micros>,
    count: u8,
}

impl TransportFeedback {
    /// Before the first packet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A packet with this number came.
    pub fn on_packet(&mut self, transport_sequence: u16, now: Micros) {
        let number = self.extend(transport_sequence);
        if number < self.base {
            return;
        }
        self.make_room(number);
        let after = self.arrivals.iter().rposition(|arrival| arrival.number <= number);
        if after.is_some_and(|at| self.arrivals[at].number == number) {
            return;
        }
        self.arrivals.insert(after.map_or(0, |at| at + 1), Arrival { number, ticks: now / TICK_US });
        let full = self.arrivals.len() == MOST_ARRIVALS;
        self.due_at = if full { Some(now) } else { self.due_at.or(Some(now.saturating_add(INTERVAL_US))) };
    }

    /// When `poll` will have something to say.
    #[must_use]
    pub fn deadline(&self) -> Option<Micros> {
        self.due_at
    }

    /// An empty RR and the feedback, due every 100 ms while packets come; `false`: nothing to say.
    pub fn poll(&mut self, packet: &mut Packet, own_ssrc: u32, media_ssrc: u32, now: Micros) -> bool {
        if self.due_at.is_none_or(|due_at| now < due_at) {
            return false;
        }
        begin(packet);
        receiver_report::write(packet, own_ssrc, None);
        let told = twcc::write(packet, own_ssrc, media_ssrc, self.base, self.count, &self.arrivals);
        self.count = self.count.wrapping_add(1);
        if let Some(last) = told.checked_sub(1).and_then(|at| self.arrivals.get(at)) {
            self.base = last.number + 1;
        }
        self.arrivals.drain(..told);
        // What could not be told in one packet is due at once.
        self.due_at = (!self.arrivals.is_empty()).then_some(now);
        true
    }

    /// The number beyond 16 bits, next to those before. Far away from them, the sender began its numbers anew: nothing is
    /// told of what lies between.
    fn extend(&mut self, sequence: u16) -> u64 {
        let ahead = i64::from(sequence.wrapping_sub(self.base as u16).cast_signed());
        if self.base == 0 || ahead.unsigned_abs() >= LONGEST_SPAN {
            self.arrivals.clear();
            self.base = FIRST_CYCLE + u64::from(sequence);
            return self.base;
        }
        self.base.wrapping_add_signed(ahead)
    }

    /// Forgets the oldest arrivals if there are too many: nobody polled.
    fn make_room(&mut self, number: u64) {
        if self.arrivals.len() == MOST_ARRIVALS {
            self.arrivals.drain(..MOST_ARRIVALS / 2);
            self.base = self.arrivals.first().map_or(number, |oldest| oldest.number.min(number));
        }
    }
}

const INTERVAL_US: Micros = 100_000;
/// Extended numbers start here, so that late ones are not negative.
const FIRST_CYCLE: u64 = 0x1_0000;
