//! What a stream received, as RFC 3550 counts it.

mod support;

use bytemuck::Zeroable;
use proptest::prelude::*;
use support::{MS, cases, header};
use trunkline_rtp::Reception;

/// A stream of 8,000 Hz fed in milliseconds.
#[derive(Default)]
struct Feed(Reception);

impl Feed {
    fn packet(&mut self, sequence: u16, timestamp: u32, now_ms: u64) -> bool {
        self.packet_of(1, sequence, timestamp, now_ms)
    }

    fn packet_of(&mut self, ssrc: u32, sequence: u16, timestamp: u32, now_ms: u64) -> bool {
        self.0.on_packet(&header(ssrc, sequence, timestamp), 172, 8_000, now_ms * MS)
    }
}

#[test]
fn rfc_3550_a_3_losses_are_counted_across_the_wrap() {
    for start in [0, 0x7ffe, 0xfffd] {
        let mut feed = Feed::default();
        let mut packet =
            |n: u16| feed.packet(u16::wrapping_add(start, n), u32::from(n) * 160, u64::from(n) * 20);
        for n in [0, 1, 2, 4, 5, 9] {
            assert!(packet(n));
        }
        assert!(packet(3));
        assert_eq!((feed.0.packets, feed.0.lost(), feed.0.reordered), (7, 3, 1), "from {start}");
        assert_eq!(feed.0.bytes, 7 * 172);
        assert_eq!(feed.0.last_at, 60 * MS);
    }
}

#[test]
fn duplicates_are_counted_do_not_pass_and_make_the_loss_negative() {
    let mut feed = Feed::default();
    assert!(feed.packet(1, 0, 0));
    assert!(!feed.packet(1, 0, 0));
    assert_eq!((feed.0.packets, feed.0.duplicates, feed.0.lost()), (1, 1, -1));
    feed.packet(5, 640, 80);
    assert!(feed.packet(3, 320, 81));
    assert!(!feed.packet(3, 320, 82));
    assert_eq!((feed.0.duplicates, feed.0.reordered), (2, 1));
}

#[test]
fn rfc_3550_a_1_a_jump_is_believed_with_the_second_packet_and_is_not_a_loss() {
    let mut feed = Feed::default();
    feed.packet(1, 0, 0);
    assert!(!feed.packet(20_000, 160, 20));
    assert!(feed.packet(20_001, 320, 40));
    assert_eq!((feed.0.lost(), feed.0.packets), (0, 2));
    let mut feed = Feed::default();
    feed.packet(30_000, 0, 0);
    assert!(!feed.packet(0, 160, 20), "also a jump to the first of all numbers");
}

#[test]
fn a_peer_that_restarts_just_below_its_old_numbers_is_followed() {
    let mut feed = Feed::default();
    for n in 0..60 {
        feed.packet(500 + n, u32::from(n) * 160, u64::from(n) * 20);
    }
    let refused = (0..40).take_while(|n| !feed.packet(510 + n, 7_000_000, 1_300)).count();
    assert_eq!(refused, 16);
    assert!(feed.packet(527, 7_000_160, 1_320));
}

#[test]
fn another_ssrc_starts_anew_and_the_totals_go_on() {
    let mut feed = Feed::default();
    feed.packet(1, 0, 0);
    feed.packet(3, 320, 40);
    assert!(feed.packet_of(2, 50_000, 7, 60));
    assert_eq!((feed.0.ssrc, feed.0.lost(), feed.0.packets, feed.0.bytes), (2, 1, 3, 3 * 172));
}

#[test]
fn rfc_3550_a_8_steady_spacing_has_no_jitter_across_the_wrap() {
    for start in [0, 0x7fff_ffff, 0xffff_ffff - 159] {
        let mut feed = Feed::default();
        for n in 0..50u16 {
            feed.packet(n, u32::wrapping_add(start, u32::from(n) * 160), 1_000 + u64::from(n) * 20);
        }
        assert_eq!(feed.0.jitter_us(), 0, "from {start}");
    }
}

#[test]
fn rfc_3550_a_8_one_packet_16_ms_late_adds_a_sixteenth_and_so_does_its_return() {
    let mut feed = Feed::default();
    feed.packet(0, 0, 0);
    feed.packet(1, 160, 36);
    assert_eq!(feed.0.jitter_us(), 1_000);
    feed.packet(2, 320, 40);
    assert_eq!(feed.0.jitter_us(), 1_937);
}

#[test]
fn packets_that_share_a_timestamp_and_a_source_that_begins_anew_say_nothing_about_the_network() {
    let mut feed = Feed::default();
    feed.packet(0, 0, 0);
    for n in 1..8u16 {
        feed.packet(n, 160, 20 * u64::from(n));
    }
    feed.packet(8, 3_000_000_000, 160);
    feed.packet(9, 3_000_000_160, 180);
    assert_eq!(feed.0.jitter_us(), 0);
}

#[test]
fn jitter_in_microseconds_outlives_a_change_of_the_clock() {
    let mut feed = Feed::default();
    feed.packet(0, 0, 0);
    feed.packet(1, 160, 36);
    feed.0.on_packet(&header(1, 2, 0), 172, 48_000, 40 * MS);
    assert_eq!(feed.0.jitter_us(), 1_000);
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn law_the_counters_add_up_and_what_does_not_pass_came_before(
        steps in prop::collection::vec(0..60u16, 1..200),
    ) {
        let mut feed = Feed::default();
        let mut passed = std::collections::HashSet::new();
        for (n, step) in steps.iter().enumerate() {
            // Close together, so that nothing looks like a jump.
            let sequence = 0xffe0u16.wrapping_add(*step);
            let duplicates = feed.0.duplicates;
            let passes = feed.packet(sequence, u32::from(*step) * 160, n as u64);
            prop_assert!(passes || passed.contains(&sequence));
            prop_assert_eq!(feed.0.duplicates, duplicates + u64::from(!passes));
            passed.insert(sequence);
        }
        prop_assert_eq!(feed.0.packets + feed.0.duplicates, steps.len() as u64);
    }

    #[test]
    fn law_no_state_found_in_shared_memory_is_fatal(
        state in prop::collection::vec(any::<u8>(), size_of::<Reception>()),
        packets in prop::collection::vec((any::<u32>(), any::<u16>(), any::<u32>(), any::<u64>(), any::<u32>()), 1..20),
    ) {
        let mut reception = Reception::zeroed();
        bytemuck::bytes_of_mut(&mut reception).copy_from_slice(&state);
        for (ssrc, sequence, timestamp, now, clock_hz) in packets {
            reception.on_packet(&header(ssrc % 2, sequence, timestamp), 172, clock_hz, now);
            let _ = (reception.lost(), reception.jitter_us());
        }
    }
}
