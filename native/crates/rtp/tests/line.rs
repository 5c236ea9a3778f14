//! What the receiver of one outgoing line sees, case by case.

mod support;

use support::{Feed, MS, header, numbers};
use trunkline_rtp::Line;

#[test]
fn losses_and_reordering_of_the_source_stay_visible_and_a_repetition_does_not_leave() {
    let mut feed = Feed::new();
    let mut packet =
        |n: i32| feed.place(1, (65_534 + n) as u16, (8_000 + n * 160) as u32, (n.max(0) as u64) * 20);
    assert_eq!(packet(0), Some((100, 1_000, true)));
    assert_eq!(packet(1), Some((101, 1_160, false)));
    assert_eq!(packet(4), Some((104, 1_640, false)));
    assert_eq!(packet(2), Some((102, 1_320, false)));
    assert_eq!(packet(2), None);
    assert_eq!(packet(-1), None, "before the first one");
    assert_eq!(packet(5), Some((105, 1_800, false)));
}

#[test]
fn rfc_3711_3_3_1_the_index_counts_the_cycles_of_the_sequence_number() {
    let mut line = Line::new(0xffff, 0);
    assert_eq!(
        line.place(&header(1, 9, 0), 8_000, 0).unwrap().index,
        0x7fff,
        "the lower half of the first cycle"
    );
    for n in 1..=0x8001u32 {
        line.place(&header(1, 9u16.wrapping_add(n as u16), n * 160), 8_000, u64::from(n) * 20 * MS);
    }
    assert_eq!(line.highest, 0x1_0000);
}

#[test]
fn another_ssrc_goes_on_by_one_packet_and_by_the_time_that_passed() {
    let mut feed = Feed::new();
    feed.place(1, 1, 160, 0);
    feed.place(1, 2, 320, 20);
    assert_eq!(feed.place(2, 40_000, 4_000_000_000, 120), Some((102, 1_160 + 800, true)));
    assert_eq!(feed.place(1, 2, 320, 121), None, "overtaken by the new SSRC");
    assert_eq!(feed.place(2, 40_001, 4_000_000_160, 140), Some((103, 2_120, false)));
}

#[test]
fn a_switch_moves_the_timestamp_by_one_packet_at_least() {
    let mut feed = Feed::new();
    feed.place(1, 1, 0, 0);
    feed.place(1, 2, 240, 30);
    feed.line.cut();
    assert_eq!(feed.place(1, 2, 240, 31), Some((102, 1_240 + 240, true)));
}

#[test]
fn a_source_that_restarts_far_away_or_just_below_its_old_numbers_is_heard_again() {
    let mut feed = Feed::new();
    feed.place(1, 1_000, 0, 0);
    assert_eq!(feed.place(1, 20_000, 99, 20), Some((101, 1_160, true)));
    assert_eq!(feed.place(1, 500, 5, 40), Some((102, 1_320, true)));
    for n in 1..60 {
        feed.place(1, 500 + n, 5 + u32::from(n) * 160, 40 + u64::from(n) * 20);
    }
    let heard =
        (0..20u16).filter_map(|n| feed.place(1, 510 + n, u32::from(n) * 160, 1_300 + u64::from(n) * 20));
    assert_eq!(heard.count(), 4);
}

#[test]
fn a_source_whose_timestamps_stood_still_during_a_hold_gets_the_time_that_passed() {
    let mut feed = Feed::new();
    feed.place(1, 1, 0, 0);
    assert_eq!(feed.place(1, 2, 160, 60_000), Some((101, 1_000 + 480_000, false)));
    assert_eq!(feed.place(1, 3, 320, 60_020), Some((102, 1_160 + 480_000, false)));
}

#[test]
fn a_late_packet_with_a_timestamp_of_another_time_does_not_leave() {
    let mut feed = Feed::new();
    feed.place(1, 1, 0, 0);
    feed.place(1, 4, 4_000_000, 60);
    assert_eq!(feed.place(1, 2, 160, 61), None, "from before its timestamps began anew");
    assert_eq!(feed.place(1, 3, 3_999_840, 62), Some((102, 1_320, false)));
}

#[test]
fn silence_of_a_source_keeps_its_own_timestamps() {
    let mut feed = Feed::new();
    feed.place(1, 1, 0, 0);
    assert_eq!(feed.place(1, 2, 79_840, 10_000), Some((101, 80_840, false)));
}

#[test]
fn packets_missing_after_a_long_silence_were_not_meant_for_this_line() {
    let mut feed = Feed::new();
    feed.place(1, 1, 0, 0);
    assert_eq!(feed.place(1, 501, 80_000, 10_000), Some((101, 81_000, true)));
}

#[test]
fn another_codec_clock_goes_on_in_the_new_clock() {
    let mut feed = Feed::new();
    feed.place(1, 1, 0, 0);
    assert_eq!(feed.place_at(48_000, 1, 2, 7, 20), Some((101, 1_000 + 960, true)));
    assert_eq!(feed.place_at(48_000, 1, 3, 967, 40), Some((102, 1_000 + 1_920, false)));
}

#[test]
fn a_tone_made_here_and_a_source_after_it_are_one_line() {
    let mut feed = Feed::new();
    let made = [0, 20, 40].map(|now| numbers(feed.line.next(160, 8_000, now * MS)));
    assert_eq!(made, [(100, 1_000, true), (101, 1_160, false), (102, 1_320, false)]);
    assert_eq!(feed.place(1, 9, 9, 60), Some((103, 1_480, true)));
}

#[test]
fn packets_put_in_between_take_numbers_and_the_source_goes_on_after_them() {
    let mut feed = Feed::new();
    feed.place(1, 1, 0, 0);
    feed.place(1, 4, 480, 60);
    assert_eq!(numbers(feed.line.next_at(1_500, 70 * MS)), (104, 1_500, false));
    assert_eq!(feed.place(1, 2, 160, 71), None, "too late: it would take the number of the third");
    assert_eq!(feed.place(1, 5, 640, 80), Some((105, 1_640, false)), "its timestamps stay");
}

#[test]
fn what_comes_late_does_not_fall_into_the_gaps_of_the_source_before() {
    let mut feed = Feed::new();
    feed.place(1, 1, 0, 0);
    feed.place(1, 5, 640, 80);
    assert_eq!(feed.place(2, 900, 0, 100), Some((105, 1_800, true)));
    for late in [899, 898, 897] {
        assert_eq!(feed.place(2, late, 0, 101), None, "{late} was never to be heard here");
    }
    assert_eq!(feed.place(2, 901, 160, 120), Some((106, 1_960, false)));
}

#[test]
fn a_packet_with_a_known_timestamp_can_open_the_line() {
    let mut feed = Feed::new();
    assert_eq!(feed.line.timestamp_at(0), None);
    assert_eq!(numbers(feed.line.next_at(5_000, 0)), (100, 5_000, false));
    assert_eq!(feed.place(1, 7, 70, 100), Some((101, 5_800, true)), "100 ms later");
}

#[test]
fn timestamps_of_the_current_source_are_mapped_and_those_of_others_are_not() {
    let mut feed = Feed::new();
    assert_eq!(feed.line.map_timestamp(1, 0), None);
    feed.place(1, 1, 777_000, 0);
    assert_eq!(feed.line.map_timestamp(1, 777_080), Some(1_080));
    assert_eq!(feed.line.map_timestamp(2, 777_080), None);
    assert_eq!(feed.line.timestamp_at(500 * MS), Some(5_000));
    feed.line.cut();
    assert_eq!(feed.line.map_timestamp(1, 777_080), None);
}

#[test]
fn after_a_restart_of_the_process_the_next_packet_begins_beyond_the_last() {
    let mut feed = Feed::new();
    feed.place(1, 1, 0, 0);
    feed.place(1, 2, 160, 20);
    feed.line.recover(50 * MS);
    assert_eq!(feed.place(1, 4, 480, 60), Some((102, 1_160 + 320, true)), "the time that passed");
    assert_eq!(feed.place(1, 3, 320, 61), None, "may have been sent before");
    assert_eq!(feed.place(1, 5, 640, 80), Some((103, 1_160 + 480, false)));
}
