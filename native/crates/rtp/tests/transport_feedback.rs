//! Transport-wide feedback, read by a decoder of its own
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).

mod support;

use std::collections::BTreeMap;

use proptest::prelude::*;
use support::rtcp::read;
use support::{MS, cases};
use trunkline_base::{Micros, Packet};
use trunkline_rtp::TransportFeedback;

const OURS: u32 = 1;
const MEDIA: u32 = 2;

/// What a feedback packet says.
#[derive(Debug, PartialEq)]
struct Told {
    base: u16,
    count: u8,
    /// One for each number from `base` on: when it came, in units of 250 µs of the receiver's clock.
    statuses: Vec<Option<i64>>,
}

/// Bit by bit as the draft has it.
fn decode(compound: &[u8]) -> Told {
    let packets = read(compound);
    assert_eq!((packets[0].kind, packets[0].count), (201, 0), "an empty RR comes first");
    assert_eq!((packets[1].kind, packets[1].count, packets.len()), (205, 15, 2));
    let feedback = &packets[1];
    assert_eq!((feedback.word(1), feedback.word(2)), (OURS, MEDIA));
    let statuses_count = (feedback.word(3) & 0xffff) as usize;
    let mut rest = &feedback.bytes[20..];
    let mut symbols = Vec::new();
    while symbols.len() < statuses_count {
        let chunk = u16::from_be_bytes([rest[0], rest[1]]);
        rest = &rest[2..];
        match chunk >> 14 {
            0 | 1 => symbols.extend(std::iter::repeat_n(chunk >> 13 & 3, usize::from(chunk & 0x1fff))),
            2 => symbols.extend((0..14).rev().map(|bit| chunk >> bit & 1)),
            _ => symbols.extend((0..7).rev().map(|pair| chunk >> (2 * pair) & 3)),
        }
    }
    symbols.truncate(statuses_count);
    let mut at = i64::from(feedback.word(4) >> 8) * 256;
    let mut statuses = Vec::new();
    for symbol in symbols {
        let (delta, bytes) = match symbol {
            1 => (i64::from(rest[0]), 1),
            2 => (i64::from(i16::from_be_bytes([rest[0], rest[1]])), 2),
            other => {
                assert_eq!(other, 0, "a reserved symbol");
                statuses.push(None);
                continue;
            }
        };
        rest = &rest[bytes..];
        at += delta;
        statuses.push(Some(at));
    }
    assert!(rest.len() < 4 && rest.iter().all(|byte| *byte == 0), "only padding is left");
    Told { base: (feedback.word(3) >> 16) as u16, count: (feedback.word(4) & 0xff) as u8, statuses }
}

fn poll(feedback: &mut TransportFeedback, now: Micros) -> Option<Told> {
    let mut packet = Packet::new();
    let told = feedback.poll(&mut packet, OURS, MEDIA, now).then(|| decode(packet.bytes()));
    assert!(packet.len() < 1_200, "fits a datagram");
    told
}

#[test]
fn feedback_is_due_100_ms_after_the_first_packet_and_only_if_packets_came() {
    let mut feedback = TransportFeedback::new();
    assert_eq!(feedback.deadline(), None);
    assert_eq!(poll(&mut feedback, 500 * MS), None);
    feedback.on_packet(7, 1_000 * MS);
    feedback.on_packet(8, 1_050 * MS);
    assert_eq!(feedback.deadline(), Some(1_100 * MS));
    assert_eq!(poll(&mut feedback, 1_099 * MS), None);
    let told = Told { base: 7, count: 0, statuses: vec![Some(4_000), Some(4_200)] };
    assert_eq!(poll(&mut feedback, 1_100 * MS), Some(told));
    assert_eq!((feedback.deadline(), poll(&mut feedback, 9_000 * MS)), (None, None));
}

#[test]
fn losses_reordering_and_the_wrap_are_told_and_the_next_feedback_goes_on_after_the_last_number() {
    let mut feedback = TransportFeedback::new();
    for (n, number) in [0xfffe, 0xffff, 2, 1, 2].into_iter().enumerate() {
        feedback.on_packet(number, (1_000 + n as u64) * MS);
    }
    let statuses = vec![Some(4_000), Some(4_004), None, Some(4_012), Some(4_008)];
    assert_eq!(poll(&mut feedback, 1_100 * MS), Some(Told { base: 0xfffe, count: 0, statuses }));
    feedback.on_packet(0, 1_101 * MS);
    assert_eq!(feedback.deadline(), None, "it was called lost");
    feedback.on_packet(5, 1_102 * MS);
    let statuses = vec![None, None, Some(4_408)];
    assert_eq!(poll(&mut feedback, 1_300 * MS), Some(Told { base: 3, count: 1, statuses }));
}

#[test]
fn long_runs_take_one_chunk_and_long_gaps_take_two_bytes() {
    let mut feedback = TransportFeedback::new();
    feedback.on_packet(0, 0);
    feedback.on_packet(1_000, 5_000 * MS);
    let mut packet = Packet::new();
    assert!(feedback.poll(&mut packet, OURS, MEDIA, 5_000 * MS));
    // RR, feedback head, a vector of 14 numbers, a run of losses, a last number; deltas of one and two bytes.
    assert_eq!(packet.len(), 8 + 20 + 12);
    let told = decode(packet.bytes());
    assert_eq!((told.statuses[0], told.statuses[1_000]), (Some(0), Some(20_000)));
    assert!(told.statuses[1..1_000].iter().all(Option::is_none));
}

#[test]
fn what_does_not_fit_the_delta_of_one_packet_comes_in_the_next() {
    let mut feedback = TransportFeedback::new();
    feedback.on_packet(1, 0);
    feedback.on_packet(2, 60_000 * MS);
    let told = poll(&mut feedback, 60_000 * MS).unwrap();
    assert_eq!((told.base, told.statuses), (1, vec![Some(0)]));
    let told = poll(&mut feedback, 60_000 * MS).unwrap();
    assert_eq!((told.base, told.statuses), (2, vec![Some(240_000)]));
    assert_eq!(feedback.deadline(), None);
}

#[test]
fn a_sender_that_begins_its_numbers_anew_is_followed() {
    for restart in [20_000, 60_000, 5_000] {
        let mut feedback = TransportFeedback::new();
        feedback.on_packet(10_000, 0);
        feedback.on_packet(restart, 10 * MS);
        feedback.on_packet(restart + 1, 20 * MS);
        let told = poll(&mut feedback, 200 * MS).unwrap();
        assert_eq!((told.base, told.statuses), (restart, vec![Some(40), Some(80)]));
    }
}

#[test]
fn unpolled_feedback_is_due_at_once_and_stays_bounded() {
    let mut feedback = TransportFeedback::new();
    for n in 0..10_000u16 {
        feedback.on_packet(n, u64::from(n));
    }
    assert!(feedback.deadline().is_some_and(|at| at < 10_000));
    let told = poll(&mut feedback, 10_000).unwrap();
    assert!(told.statuses.len() <= 256 && told.statuses.iter().all(Option::is_some));
    assert_eq!(told.base.wrapping_add(told.statuses.len() as u16), 10_000, "the newest are kept");
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn law_what_came_is_told_once_at_its_time_and_nothing_else_is(
        start: u16,
        steps in prop::collection::vec((prop_oneof![8 => Just(1u16), 2 => 0..40u16, 1 => 0..900u16],
            prop_oneof![8 => 0..30_000u64, 1 => 0..3_000_000u64], 0..4u16), 1..300),
    ) {
        let mut feedback = TransportFeedback::new();
        let (mut number, mut now) = (start, 1_000_000);
        let mut came: BTreeMap<u16, i64> = BTreeMap::new();
        let check = |told: Option<Told>, came: &mut BTreeMap<u16, i64>| {
            let Some(told) = told else { return };
            for (n, status) in told.statuses.iter().enumerate() {
                let number = told.base.wrapping_add(n as u16);
                assert_eq!(*status, came.remove(&number), "number {number}");
            }
        };
        for (ahead, wait_us, late) in steps {
            now += wait_us;
            if ahead > 1 {
                // Longer gaps than a packet can tell would count as numbers that begin anew.
                now = now.max(feedback.deadline().unwrap_or(now));
                check(poll(&mut feedback, now), &mut came);
            }
            number = number.wrapping_add(ahead);
            for number in [number, number.wrapping_sub(late)] {
                // What was told of, or lies before the first packet, is not taken any more.
                let before = format!("{feedback:?}");
                feedback.on_packet(number, now);
                if before != format!("{feedback:?}") {
                    came.entry(number).or_insert(now as i64 / 250);
                }
            }
            check(poll(&mut feedback, now), &mut came);
        }
        while let Some(at) = feedback.deadline() {
            check(poll(&mut feedback, at), &mut came);
        }
        prop_assert!(came.is_empty(), "never told: {came:?}");
    }
}
