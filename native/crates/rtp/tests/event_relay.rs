//! Telephone-events that pass from one clock to another.

mod support;

use bytemuck::Zeroable;
use proptest::prelude::*;
use support::{MS, bytes, cases, header, numbers};
use trunkline_rtp::{EventClocks, EventRelay, Line, Place};

/// A line of audio and events.
struct Feed {
    line: Line,
    events: EventRelay,
    clocks: EventClocks,
}

impl Feed {
    fn new(source_hz: u32, peer_hz: u32, line_hz: u32) -> Self {
        let clocks = EventClocks { source_hz, peer_hz, line_hz };
        Self { line: Line::new(100, 1_000), events: EventRelay::default(), clocks }
    }

    fn audio(&mut self, sequence: u16, timestamp: u32, now_ms: u64) -> Option<Place> {
        self.line.place(&header(1, sequence, timestamp), self.clocks.line_hz, now_ms * MS)
    }

    fn event(&mut self, sequence: u16, timestamp: u32, payload: &mut [u8], now_ms: u64) -> Option<Place> {
        let header = header(1, sequence, timestamp);
        self.events.place(&mut self.line, &header, payload, self.clocks, now_ms * MS)
    }

    /// Sequence number, timestamp and duration of event 2.
    fn told(&mut self, sequence: u16, timestamp: u32, duration: u16, now_ms: u64) -> Option<(u16, u32, u16)> {
        let [high, low] = duration.to_be_bytes();
        let mut payload = [2, 10, high, low];
        let place = self.event(sequence, timestamp, &mut payload, now_ms)?;
        assert_eq!(payload[..2], [2, 10]);
        Some((place.index as u16, place.timestamp, u16::from_be_bytes([payload[2], payload[3]])))
    }
}

#[test]
fn rfc_4733_2_5_1_2_all_packets_of_an_event_have_the_timestamp_of_its_start() {
    let mut feed = Feed::new(8_000, 8_000, 8_000);
    feed.audio(1, 8_000, 0);
    let mut event = |n: u16, hex: &str| {
        let mut payload = bytes(hex);
        let place = feed.event(2 + n, 8_160, &mut payload, 20 + u64::from(n) * 20).unwrap();
        assert_eq!(payload, bytes(hex), "the clock is the same");
        numbers(place)
    };
    assert_eq!(event(0, "050a00a0"), (101, 1_160, false));
    assert_eq!(event(1, "050a0140"), (102, 1_160, false));
    assert_eq!(event(2, "058a01e0"), (103, 1_160, false));
    assert_eq!(feed.audio(5, 8_640, 80).map(numbers), Some((104, 1_640, false)));
}

#[test]
fn an_event_of_48000_hz_that_began_a_call_keeps_one_timestamp_toward_8000_hz() {
    let mut feed = Feed::new(48_000, 8_000, 48_000);
    let told: Vec<_> = (1..4u16).map(|n| feed.told(n, 375, n * 960, u64::from(n) * 20).unwrap()).collect();
    assert_eq!(told, [(100, 1_000, 160), (101, 1_000, 320), (102, 1_000, 480)]);
}

#[test]
fn rfc_4733_2_5_1_3_an_event_too_long_for_the_faster_clock_is_told_in_segments() {
    let mut feed = Feed::new(8_000, 48_000, 48_000);
    let told: Vec<_> = [10_000, 11_000, 22_000]
        .into_iter()
        .zip(0..)
        .map(|(duration, n)| feed.told(n, 375, duration, u64::from(n) * 20).unwrap())
        .collect();
    let second = (101, 1_000 + 65_535, (66_000u32 - 65_535) as u16);
    let third = (102, 1_000 + 2 * 65_535, (132_000u32 - 2 * 65_535) as u16);
    assert_eq!(told, [(100, 1_000, 60_000), second, third]);
}

#[test]
fn rfc_4733_2_5_1_3_segments_of_the_source_are_one_event_toward_a_slower_clock() {
    let mut feed = Feed::new(48_000, 8_000, 8_000);
    let told: Vec<_> = [(0, 60_000), (0, 65_535), (65_535, 960), (65_535, 48_000)]
        .into_iter()
        .zip(0..)
        .map(|((timestamp, duration), n)| feed.told(n, timestamp, duration, u64::from(n) * 1_000).unwrap())
        .collect();
    let durations = [10_000, 10_923, 11_083, 18_923];
    let expected: Vec<_> = durations.into_iter().zip(100..).map(|(ticks, n)| (n, 1_000, ticks)).collect();
    assert_eq!(told, expected);
}

#[test]
fn the_longest_duration_still_fits_one_segment() {
    let mut feed = Feed::new(8_000, 8_000, 8_000);
    assert_eq!(feed.told(1, 375, 0xffff, 0), Some((100, 1_000, 0xffff)));
}

#[test]
fn an_event_in_a_clock_of_its_own_begins_where_the_line_is() {
    let mut feed = Feed::new(8_000, 8_000, 48_000);
    feed.audio(1, 960_000, 0);
    assert_eq!(feed.told(2, 4_000_000, 160, 100), Some((101, 1_000 + 4_800, 160)));
    assert_eq!(feed.told(3, 4_000_000, 320, 120), Some((102, 1_000 + 4_800, 320)));
    feed.events.cut();
    assert_eq!(feed.told(4, 4_000_000, 480, 140), Some((103, 1_000 + 6_720, 480)), "a new event");
}

#[test]
fn what_is_not_an_event_or_comes_twice_takes_no_number_and_is_not_changed() {
    let mut feed = Feed::new(8_000, 48_000, 8_000);
    assert_eq!(feed.event(1, 0, &mut [1, 10, 0], 0), None);
    assert_eq!(feed.line.highest, 99);
    feed.told(1, 0, 160, 0);
    let mut again = [2, 10, 0, 160];
    assert_eq!(feed.event(1, 0, &mut again, 1), None);
    assert_eq!(again, [2, 10, 0, 160]);
}

#[test]
fn the_reserved_bit_is_not_ours_to_pass_on() {
    let mut feed = Feed::new(8_000, 8_000, 8_000);
    let mut payload = [1, 0x4a, 0, 160];
    feed.event(1, 0, &mut payload, 0);
    assert_eq!(payload, [1, 0x0a, 0, 160]);
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn law_no_state_found_in_shared_memory_is_fatal(
        state in prop::collection::vec(any::<u8>(), size_of::<EventRelay>()),
        clocks in (any::<u32>(), any::<u32>(), any::<u32>()),
        packets in prop::collection::vec((any::<u16>(), any::<u32>(), any::<[u8; 4]>()), 1..20),
    ) {
        let mut events = EventRelay::zeroed();
        bytemuck::bytes_of_mut(&mut events).copy_from_slice(&state);
        let clocks = EventClocks { source_hz: clocks.0, peer_hz: clocks.1, line_hz: clocks.2 };
        let mut line = Line::new(1, 1);
        for (sequence, timestamp, mut payload) in packets {
            events.place(&mut line, &header(1, sequence, timestamp), &mut payload, clocks, 1);
        }
    }
}
