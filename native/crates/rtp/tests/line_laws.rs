//! Laws of the line over every order of packets, switches, deaths of the process and packets made here.

mod support;

use std::collections::HashSet;

use bytemuck::Zeroable;
use proptest::prelude::*;
use support::{MS, cases, header};
use trunkline_rtp::{EventClocks, EventRelay, Line, Place};

/// What may happen to a line.
#[derive(Clone, Debug)]
enum Step {
    Packet {
        ssrc: u32,
        sequence: u16,
        timestamp: u32,
        clock_hz: u32,
    },
    Event {
        ssrc: u32,
        sequence: u16,
        timestamp: u32,
        duration: u16,
    },
    /// The next packets of a source that behaves, some of them twice, swapped or lost.
    Burst {
        ssrc: u32,
        order: Vec<u8>,
    },
    Next {
        ticks: u32,
        clock_hz: u32,
    },
    NextAt {
        ahead: u32,
    },
    Cut,
    /// The process dies; every field but `highest` holds these bytes.
    Die {
        torn: Vec<u8>,
    },
    Recover,
}

fn sequence() -> impl Strategy<Value = u16> {
    prop_oneof![any::<u16>(), 0..40u16, 0xffe0..=0xffffu16]
}

fn timestamp() -> impl Strategy<Value = u32> {
    prop_oneof![any::<u32>(), 0..6_400u32]
}

fn clock() -> impl Strategy<Value = u32> {
    prop_oneof![4 => Just(8_000), 1 => Just(48_000), 1 => Just(90_000), 1 => Just(0), 1 => any::<u32>()]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (1..4u32, sequence(), timestamp(), clock())
            .prop_map(|(ssrc, sequence, timestamp, clock_hz)| Step::Packet { ssrc, sequence, timestamp, clock_hz }),
        3 => (1..4u32, sequence(), timestamp(), any::<u16>())
            .prop_map(|(ssrc, sequence, timestamp, duration)| Step::Event { ssrc, sequence, timestamp, duration }),
        4 => (1..4u32, prop::collection::vec(0..12u8, 1..12)).prop_map(|(ssrc, order)| Step::Burst { ssrc, order }),
        2 => (any::<u32>(), clock()).prop_map(|(ticks, clock_hz)| Step::Next { ticks, clock_hz }),
        2 => any::<u32>().prop_map(|ahead| Step::NextAt { ahead }),
        2 => Just(Step::Cut),
        1 => prop::collection::vec(any::<u8>(), size_of::<Line>()).prop_map(|torn| Step::Die { torn }),
        1 => Just(Step::Recover),
    ]
}

/// The line, and all that ever left on it.
struct World {
    line: Line,
    events: EventRelay,
    sent: HashSet<u64>,
    behaving: u16,
}

impl World {
    fn run(&mut self, step: &Step, now: u64) {
        match step {
            Step::Packet { ssrc, sequence, timestamp, clock_hz } => {
                let place = self.line.place(&header(*ssrc, *sequence, *timestamp), *clock_hz, now);
                self.leave(place);
            }
            Step::Event { ssrc, sequence, timestamp, duration } => {
                let [high, low] = duration.to_be_bytes();
                let mut payload = [1, 10, high, low];
                let clocks = EventClocks { source_hz: 8_000, peer_hz: 48_000, line_hz: 8_000 };
                let header = header(*ssrc, *sequence, *timestamp);
                let place = self.events.place(&mut self.line, &header, &mut payload, clocks, now);
                self.leave(place);
            }
            Step::Burst { ssrc, order } => {
                for n in order {
                    let sequence = self.behaving.wrapping_add(u16::from(*n));
                    let place =
                        self.line.place(&header(*ssrc, sequence, u32::from(sequence) * 160), 8_000, now);
                    self.leave(place);
                }
                self.behaving = self.behaving.wrapping_add(12);
            }
            Step::Next { ticks, clock_hz } => {
                let place = self.line.next(*ticks, *clock_hz, now);
                self.leave(Some(place));
            }
            Step::NextAt { ahead } => {
                let timestamp = self.line.timestamp_at(now).unwrap_or(0).wrapping_add(*ahead);
                let place = self.line.next_at(timestamp, now);
                self.leave(Some(place));
            }
            Step::Cut => {
                self.line.cut();
                self.events.cut();
            }
            Step::Die { torn } => {
                let highest = self.line.highest;
                bytemuck::bytes_of_mut(&mut self.line).copy_from_slice(torn);
                self.line.highest = highest;
                self.line.recover(now);
            }
            Step::Recover => self.line.recover(now),
        }
    }

    fn leave(&mut self, place: Option<Place>) {
        let Some(place) = place else { return };
        assert!(self.sent.insert(place.index), "index {} twice", place.index);
        assert!(place.index <= self.line.highest, "index {} leaves before it is kept", place.index);
        assert!(
            self.line.highest - place.index < 128,
            "index {} is older than a receiver's window",
            place.index
        );
    }
}

/// A line whose process died while it placed a packet: word by word of `before` or `after`, save the index, which is
/// written at once.
fn tear(before: &Line, after: &Line, torn: u64) -> Line {
    let mut line = *after;
    let words: &mut [u32] = bytemuck::cast_slice_mut(bytemuck::bytes_of_mut(&mut line));
    let old: &[u32] = bytemuck::cast_slice(bytemuck::bytes_of(before));
    for (n, word) in words.iter_mut().enumerate().skip(2) {
        if torn >> n & 1 == 1 {
            *word = old[n];
        }
    }
    if torn & 1 == 1 {
        line.highest = before.highest;
    }
    line
}

fn is_after(earlier: u32, later: u32) -> bool {
    later.wrapping_sub(earlier).cast_signed() > 0
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn law_whatever_happens_no_index_leaves_twice(
        first: u16, steps in prop::collection::vec((step(), 0..4_000u64), 1..80),
    ) {
        let line = Line::new(first, 0xffff_ff00);
        let mut world = World { line, events: EventRelay::default(), sent: HashSet::new(), behaving: first };
        let mut now = 0;
        for (step, wait_ms) in &steps {
            now += wait_ms * MS;
            let highest = world.line.highest;
            world.run(step, now);
            prop_assert!(world.line.highest >= highest);
            prop_assert!(world.line.highest - highest <= 3_000 * 12);
        }
    }

    #[test]
    fn law_a_source_in_order_is_monotone_whatever_it_loses_and_across_switches_and_deaths(
        steps in prop::collection::vec((1..5u16, 0..40u64, prop::option::weighted(0.1, 0..3u8), any::<u64>()), 2..200),
        start: u16, start_timestamp: u32,
    ) {
        let mut line = Line::new(start, start_timestamp);
        let (mut ssrc, mut sequence, mut timestamp, mut now) = (1, start, start_timestamp, 0);
        let mut newest: Option<Place> = None;
        for (missing, jitter_ms, change, torn) in steps {
            match change {
                Some(0) => (ssrc, sequence, timestamp) = (ssrc + 1, sequence.wrapping_mul(31), torn as u32),
                Some(1) => line.cut(),
                Some(_) => {
                    let mut dying = line;
                    let _ = dying.place(&header(ssrc, sequence.wrapping_add(1), timestamp.wrapping_add(160)), 8_000, now);
                    line = tear(&line, &dying, torn);
                    line.recover(now);
                }
                None => {}
            }
            sequence = sequence.wrapping_add(missing);
            timestamp = timestamp.wrapping_add(160 * u32::from(missing));
            now += u64::from(missing) * 20 * MS;
            let place = line.place(&header(ssrc, sequence, timestamp), 8_000, now + jitter_ms * MS);
            let place = place.expect("in order, so it leaves");
            if let Some(newest) = newest {
                prop_assert!(place.index > newest.index);
                prop_assert!(is_after(newest.timestamp, place.timestamp), "{newest:?} then {place:?}");
            }
            newest = Some(place);
        }
    }

    #[test]
    fn law_timestamps_stay_near_the_clock(
        steps in prop::collection::vec((1..4u32, sequence(), timestamp(), 0..100u64, any::<bool>()), 1..120),
    ) {
        let mut line = Line::new(0x7fff, 0xffff_ff00);
        let mut now = 0;
        for (ssrc, sequence, timestamp, wait_ms, cut) in steps {
            now += wait_ms * MS;
            if cut {
                line.cut();
            }
            let Some(place) = line.place(&header(ssrc, sequence, timestamp), 8_000, now) else { continue };
            let clock = line.timestamp_at(now).expect("packets were sent");
            let apart = place.timestamp.wrapping_sub(clock).cast_signed();
            prop_assert!(apart.abs() <= 8_000 * 7, "{apart} ticks off");
        }
    }
}

#[test]
fn a_line_of_zeroes_is_a_line() {
    let mut line = Line::zeroed();
    assert_eq!(line.place(&header(1, 9, 90), 8_000, 0).map(|place| place.index), Some(1));
    assert_eq!(line.next(160, 8_000, 20 * MS).index, 2);
}
