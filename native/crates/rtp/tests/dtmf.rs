//! Digits heard, and digits made here (RFC 4733).

mod support;

use std::fs;

use bytemuck::Zeroable;
use proptest::prelude::*;
use support::{MS, bytes, cases, corpora, header};
use trunkline_rtp::{Digit, DtmfDetector, DtmfSender, EventPacket, Header};

const HZ: u32 = 8_000;

/// Digits of packets that each come at a time in ms, and of the silence after them.
fn detect(packets: &[(u64, Header, [u8; 4])]) -> Vec<Digit> {
    let mut detector = DtmfDetector::default();
    let mut digits = Vec::new();
    for (now_ms, header, payload) in packets {
        digits.extend(detector.on_packet(header, payload, HZ, now_ms * MS).into_iter().flatten());
    }
    if let Some(at) = detector.deadline() {
        assert_eq!(detector.on_wakeup(at - 1), None, "early");
        digits.extend(detector.on_wakeup(at));
    }
    assert_eq!(detector.deadline(), None);
    digits
}

fn payload(event: u8, end: bool, duration: u16) -> [u8; 4] {
    let [high, low] = duration.to_be_bytes();
    [event, if end { 0x8a } else { 10 }, high, low]
}

/// Digit 5 as a phone sends it: four updates, the end three times.
fn digit_5(timestamp: u32) -> Vec<(u64, Header, [u8; 4])> {
    (0..7u16)
        .map(|n| {
            let end = n >= 4;
            let duration = 160 * (n.min(4) + 1);
            (u64::from(n) * 20, header(1, 100 + n, timestamp), payload(5, end, duration))
        })
        .collect()
}

fn digit(digit: char, duration_ms: u32) -> Digit {
    Digit { digit, duration_ms }
}

#[test]
fn a_digit_is_told_once_with_its_duration_whatever_packets_are_lost_or_swapped() {
    let all = digit_5(16_000);
    for (order, duration_ms) in [
        (vec![0, 1, 2, 3, 4, 5, 6], 100),
        (vec![1, 0, 2, 4, 3, 6, 5], 100),
        (vec![3, 4, 5], 100),
        (vec![6], 100),
        (vec![0, 1, 2, 3], 80),
        (vec![0, 0, 4, 4, 4, 1, 2], 100),
    ] {
        let packets: Vec<_> = order.iter().map(|n| all[*n]).collect();
        assert_eq!(detect(&packets), [digit('5', duration_ms)], "{order:?}");
    }
}

#[test]
fn the_same_digit_with_a_new_timestamp_is_a_second_one_also_if_the_end_of_the_first_was_lost() {
    let twice = [digit_5(16_000), digit_5(17_600)].concat();
    assert_eq!(detect(&twice), [digit('5', 100); 2]);
    let without_end = [&twice[..3], &twice[7..]].concat();
    assert_eq!(detect(&without_end), [digit('5', 60), digit('5', 100)]);
    let mut late = twice.clone();
    late.swap(6, 9);
    assert_eq!(detect(&late), [digit('5', 100); 2], "a late packet of the first is not a third");
}

#[test]
fn one_packet_can_end_the_digit_before_and_its_own() {
    let mut detector = DtmfDetector::default();
    detector.on_packet(&header(1, 1, 0), &payload(1, false, 160), HZ, 0);
    let both = detector.on_packet(&header(1, 2, 1_600), &payload(2, true, 320), HZ, 40 * MS);
    assert_eq!(both, [Some(digit('1', 20)), Some(digit('2', 40))]);
}

#[test]
fn rfc_4733_2_5_1_3_a_long_event_in_segments_is_one_digit() {
    let packets = [
        (0, header(1, 1, 1_000), payload(1, false, 0xffff)),
        (20, header(1, 2, 1_000 + 0xffff), payload(1, false, 160)),
        (40, header(1, 3, 1_000 + 0xffff), payload(1, true, 305)),
        (60, header(1, 4, 1_000 + 0xffff), payload(1, true, 305)),
    ];
    assert_eq!(detect(&packets), [digit('1', 8_230)]);
}

#[test]
fn rfc_4733_3_2_sixteen_events_are_digits_and_others_are_none() {
    for (event, expected) in (0..).zip("0123456789*#ABCD".chars()) {
        assert_eq!(detect(&[(0, header(1, 1, 1), payload(event, true, 800))]), [digit(expected, 100)]);
    }
    for event in 16..=255 {
        assert_eq!(detect(&[(0, header(1, 1, 1), payload(event, true, 800))]), []);
    }
    let mut detector = DtmfDetector::default();
    assert_eq!(detector.on_packet(&header(1, 1, 1), &bytes("018a03"), HZ, 0), [None; 2], "too short");
}

#[test]
fn captures_of_the_sipp_project_hold_one_digit_each() {
    let Some(folder) = corpora().map(|corpora| corpora.join("media/pcap")) else { return };
    for (name, expected) in ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "star", "pound"]
        .into_iter()
        .zip("0123456789*#".chars())
    {
        let Ok(capture) = fs::read(folder.join(format!("dtmf_2833_{name}.pcap"))) else { continue };
        let packets: Vec<_> = rtp_of_capture(&capture)
            .into_iter()
            .filter_map(|rtp| {
                let header = Header::read(rtp)?;
                Some((0, header, rtp.get(header.payload_start..)?.get(..4)?.try_into().ok()?))
            })
            .collect();
        assert!(!packets.is_empty(), "{name}");
        assert_eq!(detect(&packets), [digit(expected, 280)], "{name}");
    }
}

/// UDP payloads of IPv4 packets in Ethernet frames.
fn rtp_of_capture(mut capture: &[u8]) -> Vec<&[u8]> {
    let mut datagrams = Vec::new();
    capture = &capture[24..];
    while capture.len() > 16 {
        let length = u32::from_le_bytes(capture[8..12].try_into().unwrap()) as usize;
        datagrams.push(&capture[16 + 14 + 20 + 8..16 + length]);
        capture = &capture[16 + length..];
    }
    datagrams
}

/// All packets of a sender that is polled when it wants to be, with their times in ms. The line goes on with 8,000 Hz.
fn send(sender: &mut DtmfSender, start_ms: u64) -> Vec<(u64, EventPacket)> {
    let mut packets = Vec::new();
    let mut now = start_ms * MS;
    while let Some(at) = sender.deadline() {
        now = now.max(at);
        packets.extend(sender.poll((now / 125) as u32, HZ, now).map(|packet| (now / MS, packet)));
        assert!(packets.len() < 10_000, "no end");
    }
    packets
}

#[test]
fn a_digit_is_sent_every_20_ms_and_its_end_three_times() {
    let mut sender = DtmfSender::new();
    assert_eq!(sender.deadline(), None);
    assert!(sender.queue("5", 100, 50));
    let sent = send(&mut sender, 1_000);
    let expected: Vec<_> = (0..7u16)
        .map(|n| {
            let payload = payload(5, n >= 4, 160 * (n.min(4) + 1));
            (1_000 + 20 * u64::from(n), EventPacket { payload, timestamp: 8_000, marker: n == 0 })
        })
        .collect();
    assert_eq!(sent, expected);
}

#[test]
fn digits_keep_their_pause_and_each_has_its_timestamp() {
    let mut sender = DtmfSender::new();
    assert!(sender.queue("1a", 60, 200) && sender.queue("#", 60, 0));
    let starts: Vec<_> = send(&mut sender, 0)
        .into_iter()
        .filter(|(_, packet)| packet.marker)
        .map(|(at, packet)| (at, packet.timestamp, packet.payload[0]))
        .collect();
    assert_eq!(starts, [(0, 0, 1), (260, 2_080, 12), (520, 4_160, 11)]);
}

#[test]
fn a_short_digit_and_no_pause_still_send_a_start_and_three_ends() {
    let mut sender = DtmfSender::new();
    assert!(sender.queue("12", 0, 0));
    let ends: Vec<_> =
        send(&mut sender, 0).into_iter().map(|(at, packet)| (at, packet.payload[1] >= 0x80)).collect();
    let one = [(0, false), (20, true), (40, true), (60, true)];
    let two = [(80, false), (100, true), (120, true), (140, true)];
    assert_eq!(ends, [one, two].concat());
}

#[test]
fn on_a_line_that_stands_still_digits_do_not_share_a_timestamp() {
    let mut sender = DtmfSender::new();
    sender.queue("11", 100, 100);
    let mut starts = Vec::new();
    while let Some(at) = sender.deadline() {
        let packet = sender.poll(777, HZ, at).unwrap();
        if packet.marker {
            starts.push(packet.timestamp);
        }
    }
    assert_eq!(starts, [777, 777 + 1_600]);
}

#[test]
fn a_late_poll_tells_of_the_time_that_passed_and_does_not_burst() {
    let mut sender = DtmfSender::new();
    sender.queue("1", 400, 0);
    sender.poll(0, HZ, 0);
    let packet = sender.poll(0, HZ, 200 * MS).unwrap();
    assert_eq!(packet.payload, payload(1, false, 220 * 8));
    assert!(sender.deadline().unwrap() >= 210 * MS);
    assert_eq!(sender.poll(0, HZ, 201 * MS), None);
}

#[test]
fn a_digit_too_long_for_its_field_is_told_with_the_longest_duration() {
    let mut sender = DtmfSender::new();
    sender.queue("1", 10_000, 0);
    let sent = send(&mut sender, 0);
    assert_eq!(sent.last().map(|(_, packet)| packet.payload), Some(payload(1, true, 0xffff)));
}

#[test]
fn what_is_not_a_digit_or_too_much_is_refused_as_a_whole() {
    let mut sender = DtmfSender::new();
    for refused in ["12x", "é", "1 2", &"1".repeat(65)] {
        assert!(!sender.queue(refused, 100, 50), "{refused}");
        assert_eq!(sender.deadline(), None);
    }
    assert!(sender.queue(&"1".repeat(64), 40, 0));
    assert!(!sender.queue("1", 40, 0));
    assert!(sender.queue("", 40, 0));
    assert_eq!(send(&mut sender, 0).iter().filter(|(_, packet)| packet.marker).count(), 64);
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn law_what_is_sent_is_detected(
        digits in "[0-9*#A-D]{1,20}", duration_ms in 20..1_000u32, gap_ms in 0..300u32, lost in any::<u64>(),
    ) {
        let mut sender = DtmfSender::new();
        prop_assert!(sender.queue(&digits, duration_ms, gap_ms));
        let mut n = 0;
        let packets: Vec<_> = send(&mut sender, 5)
            .into_iter()
            .map(|(at, packet)| {
                n += 1;
                (at, header(1, n, packet.timestamp), packet.payload)
            })
            // The last packet of each digit gets through, of the others any may be lost.
            .enumerate()
            .filter(|(n, (_, _, payload))| payload[1] >= 0x80 || lost >> (n % 64) & 1 == 0)
            .map(|(_, packet)| packet)
            .collect();
        let heard: String = detect(&packets).iter().map(|digit| digit.digit).collect();
        prop_assert_eq!(heard, digits);
        prop_assert!(detect(&packets).iter().all(|digit| digit.duration_ms == duration_ms));
    }

    #[test]
    fn law_no_state_found_in_shared_memory_is_fatal(
        state in prop::collection::vec(any::<u8>(), size_of::<DtmfDetector>()),
        packets in prop::collection::vec((any::<u32>(), any::<[u8; 4]>(), any::<u32>(), any::<u64>()), 1..20),
    ) {
        let mut detector = DtmfDetector::zeroed();
        bytemuck::bytes_of_mut(&mut detector).copy_from_slice(&state);
        for (timestamp, payload, clock_hz, now) in packets {
            detector.on_packet(&header(1, 1, timestamp), &payload, clock_hz, now);
            detector.on_wakeup(now);
        }
    }
}
