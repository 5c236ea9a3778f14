//! RTCP of one stream as its peer sees it.

mod support;

use bytemuck::Zeroable;
use proptest::prelude::*;
use support::rtcp::{Read, kinds, read, write};
use support::{MS, cases, header};
use trunkline_base::Packet;
use trunkline_rtp::{Line, News, Reception, Reports, SenderClock, Sent, build_nack};

const OURS: u32 = 0x1000;
const THEIRS: u32 = 0x2000;
const SOURCE: u32 = 0x3000;
const SR: u8 = 200;
const RR: u8 = 201;
const SDES: u8 = 202;
const BYE: u8 = 203;
const RTPFB: u8 = 205;
const PSFB: u8 = 206;
/// As random as half of the numbers are above it.
const MIDDLE: u32 = 0x8000_0000;

/// One stream of 8,000 Hz, fed in milliseconds.
struct Leg {
    reports: Reports,
    line: Line,
    reception: Reception,
    sent: Sent,
    packet: Packet,
}

impl Leg {
    fn new() -> Self {
        Self {
            reports: Reports::new(0, MIDDLE),
            line: Line::new(5, 50_000),
            reception: Reception::default(),
            sent: Sent { ssrc: OURS, packets: 0, bytes: 0, clock_hz: 8_000 },
            packet: Packet::new(),
        }
    }

    fn send(&mut self, sequence: u16, timestamp: u32, now_ms: u64) {
        self.line.place(&header(SOURCE, sequence, timestamp), 8_000, now_ms * MS).unwrap();
        self.sent.packets += 1;
        self.sent.bytes += 160;
    }

    fn receive(&mut self, sequence: u16, timestamp: u32, now_ms: u64) {
        self.reception.on_packet(&header(THEIRS, sequence, timestamp), 172, 8_000, now_ms * MS);
    }

    fn poll(&mut self, now_ms: u64) -> Option<Vec<Read>> {
        let Self { reports, line, reception, sent, packet } = self;
        reports
            .poll(packet, sent, line, "trunkline", reception, now_ms * MS, MIDDLE)
            .then(|| read(packet.bytes()))
    }

    /// The first packet of the report that is due.
    fn due(&mut self, now_ms: u64) -> Read {
        self.poll(now_ms).expect("a report is due").swap_remove(0)
    }

    fn hear(&mut self, compound: &[u8], now_ms: u64) -> News {
        self.reports.on_packet(compound, OURS, &self.reception, now_ms * MS)
    }

    fn key_frame_request(&mut self, now_ms: u64) -> Vec<u8> {
        let asked = self.reports.key_frame_request(&mut self.packet, OURS, &self.reception, now_ms * MS);
        if asked { kinds_and_formats(self.packet.bytes()) } else { Vec::new() }
    }
}

fn kinds_and_formats(compound: &[u8]) -> Vec<u8> {
    read(compound).iter().map(|packet| if packet.kind == PSFB { packet.count } else { packet.kind }).collect()
}

fn sender_report(ssrc: u32) -> Vec<u8> {
    write(SR, 0, &[ssrc, 0x0001_0203, 0x0405_0607, 900, 1, 2])
}

fn receiver_report(last_sender_report: u32, delay: u32) -> Vec<u8> {
    write(RR, 1, &[THEIRS, OURS, 0x8000_0001, 5, 80, last_sender_report, delay])
}

#[test]
fn rfc_3550_6_3_reports_come_about_every_5_s_the_first_after_half_of_it() {
    for (random, first_ms, then_ms) in [(0, 1_250, 2_500), (MIDDLE, 2_500, 5_000), (u32::MAX, 3_750, 7_500)] {
        let mut leg = Leg::new();
        leg.reports = Reports::new(0, random);
        assert!(leg.reports.due_at.abs_diff(first_ms * MS) < 10);
        let due_at = leg.reports.due_at;
        let Leg { reports, line, reception, sent, packet } = &mut leg;
        assert!(!reports.poll(packet, sent, line, "x", reception, due_at - 1, random));
        assert!(reports.poll(packet, sent, line, "x", reception, due_at, random));
        assert!((reports.due_at - due_at).abs_diff(then_ms * MS) < 10);
    }
}

#[test]
fn a_report_before_any_media_is_an_empty_rr_with_our_name() {
    let packets = Leg::new().poll(2_500).unwrap();
    assert_eq!(packets[0], Read { kind: RR, count: 0, bytes: write(RR, 0, &[OURS]) });
    assert_eq!((packets[1].kind, packets[1].count, packets[1].word(1)), (SDES, 1, OURS));
    assert_eq!(&packets[1].bytes[8..19], b"\x01\x09trunkline");
    assert_eq!(packets.len(), 2);
}

#[test]
fn what_we_sent_is_reported_in_our_numbers_in_the_clock_of_the_source() {
    let mut leg = Leg::new();
    leg.send(1, 777_000, 100);
    leg.send(2, 777_160, 120);
    leg.reports.on_source_clock(&SenderClock {
        ssrc: SOURCE,
        timestamp: 777_080,
        ntp: 500 << 32 | 7,
        received_at: 110 * MS,
    });
    let sent = leg.due(3_110);
    assert_eq!((sent.kind, sent.count), (SR, 0));
    let words: Vec<u32> = (1..7).map(|n| sent.word(n)).collect();
    assert_eq!(words, [OURS, 503, 7, 50_080 + 24_000, 2, 320]);
}

#[test]
fn a_clock_of_a_source_that_is_not_connected_any_more_is_not_used() {
    let mut leg = Leg::new();
    let clock = SenderClock { ssrc: SOURCE, timestamp: 777_080, ntp: 500 << 32, received_at: 0 };
    leg.reports.on_source_clock(&clock);
    leg.reports.switch_source();
    leg.send(1, 777_000, 2_000);
    let sent = leg.due(3_500);
    assert_eq!((sent.kind, sent.word(2), sent.word(3), sent.word(4)), (SR, 3, 1 << 31, 62_000));
}

#[test]
fn with_nothing_sent_since_the_last_report_there_is_no_sender_report() {
    let mut leg = Leg::new();
    leg.send(1, 0, 100);
    assert_eq!(leg.due(3_000).kind, SR);
    assert_eq!(leg.due(9_000).kind, RR);
}

#[test]
fn what_we_received_is_reported_with_the_time_since_the_peers_own_report() {
    let mut leg = Leg::new();
    leg.receive(1, 0, 1_000);
    leg.receive(3, 320, 1_040);
    let news = leg.hear(&sender_report(THEIRS), 2_500);
    let clock =
        SenderClock { ssrc: THEIRS, timestamp: 900, ntp: 0x0001_0203_0405_0607, received_at: 2_500 * MS };
    assert_eq!(news.sender_clock, Some(clock));
    let report = leg.due(3_000);
    let words: Vec<u32> = (1..8).map(|n| report.word(n)).collect();
    let fraction = 256 / 3;
    assert_eq!(words, [OURS, THEIRS, fraction << 24 | 1, 3, 0, 0x0203_0405, 32_768]);
}

#[test]
fn the_loss_fraction_counts_from_the_report_before_and_anew_for_another_ssrc() {
    let mut leg = Leg::new();
    for n in [0, 1, 3] {
        leg.receive(n, u32::from(n) * 160, u64::from(n) * 20);
    }
    assert_eq!(leg.due(3_000).word(3), 64 << 24 | 1);
    for n in [4, 5] {
        leg.receive(n, u32::from(n) * 160, u64::from(n) * 20);
    }
    assert_eq!(leg.due(9_000).word(3), 1, "no loss since, one in all");
    leg.reception.on_packet(&header(9, 77, 0), 172, 8_000, 9_000 * MS);
    leg.reception.on_packet(&header(9, 86, 1_440), 172, 8_000, 9_040 * MS);
    let report = leg.due(15_000);
    assert_eq!((report.word(2), report.word(3), report.word(4)), (9, 204 << 24 | 8, 86));
}

#[test]
fn duplicates_make_the_cumulative_loss_negative() {
    let mut leg = Leg::new();
    leg.receive(1, 0, 0);
    leg.receive(1, 0, 1);
    assert_eq!(leg.due(3_000).word(3), 0x00ff_ffff);
}

#[test]
fn rfc_3550_6_4_1_the_round_trip_is_the_time_since_our_report_less_the_peers_delay() {
    let mut leg = Leg::new();
    leg.send(1, 0, 100);
    let sent = leg.due(3_000);
    let last = sent.word(2) << 16 | sent.word(3) >> 16;
    let news = leg.hear(&receiver_report(last, 65_536), 4_040);
    assert_eq!(
        (news.loss_fraction, news.jitter_us, news.round_trip_us),
        (Some(0.5), Some(10_000), Some(40_000))
    );
    assert_eq!(leg.hear(&receiver_report(12_345, 65_536), 4_040).round_trip_us, None);
    assert_eq!(leg.hear(&receiver_report(0, 0), 4_040).round_trip_us, None, "they had none of ours");
    assert_eq!(leg.hear(&receiver_report(last, u32::MAX), 4_040).round_trip_us, Some(0));
}

#[test]
fn the_round_trip_is_known_from_one_of_the_last_three_reports_also_in_the_clock_of_a_source() {
    let mut leg = Leg::new();
    let mut lasts = Vec::new();
    for n in 0..4u16 {
        let now_ms = 10_000 * (u64::from(n) + 1);
        leg.send(n, u32::from(n) * 80_000, now_ms - 1_000);
        let timestamp = u32::from(n) * 80_000;
        let ntp = (9_000 + u64::from(n)) << 32;
        leg.reports.on_source_clock(&SenderClock { ssrc: SOURCE, timestamp, ntp, received_at: now_ms * MS });
        let sent = leg.due(now_ms);
        lasts.push(sent.word(2) << 16 | sent.word(3) >> 16);
    }
    let trips: Vec<_> =
        lasts.iter().map(|last| leg.hear(&receiver_report(*last, 0), 41_000).round_trip_us).collect();
    assert_eq!(trips, [None, Some(21_000_000), Some(11_000_000), Some(1_000_000)]);
}

#[test]
fn key_frames_are_asked_for_once_in_500_ms_and_asked_again_soon_also_by_fir() {
    let mut leg = Leg::new();
    assert!(leg.key_frame_request(0).is_empty(), "nothing was received");
    leg.receive(1, 0, 0);
    const PLI: u8 = 1;
    const FIR: u8 = 4;
    assert_eq!(leg.key_frame_request(0), [RR, PLI]);
    assert!(leg.key_frame_request(499).is_empty());
    assert_eq!(leg.key_frame_request(1_000), [RR, PLI, FIR]);
    let packets = read(leg.packet.bytes());
    assert_eq!((packets[1].word(1), packets[1].word(2)), (OURS, THEIRS));
    assert_eq!((1..5).map(|n| packets[2].word(n)).collect::<Vec<_>>(), [OURS, 0, THEIRS, 0]);
    leg.key_frame_request(2_000);
    assert_eq!(read(leg.packet.bytes())[2].bytes[16], 1, "RFC 5104 §4.3.1.1: a new command");
    assert_eq!(leg.key_frame_request(9_000), [RR, PLI]);
}

#[test]
fn requests_and_goodbyes_count_only_for_the_streams_they_name() {
    let mut leg = Leg::new();
    let bye = write(BYE, 1, &[THEIRS]);
    assert!(!leg.hear(&bye, 0).goodbye, "nothing was received from there");
    leg.receive(1, 0, 0);
    let mut news = |packets: &[Vec<u8>]| {
        let news = leg.hear(&packets.concat(), 0);
        (news.key_frame_wanted, news.goodbye)
    };
    let pli = |ssrc| write(PSFB, 1, &[THEIRS, ssrc]);
    let fir = |ssrc| write(PSFB, 4, &[THEIRS, 0, 8, 0, ssrc, 0]);
    let sdes = write(SDES, 1, &[THEIRS, 0x0101_6100]);
    assert_eq!(news(&[pli(OURS)]), (true, false));
    assert_eq!(news(&[fir(OURS)]), (true, false));
    assert_eq!(news(&[sdes, write(BYE, 2, &[7, THEIRS])]), (false, true));
    assert_eq!(news(&[pli(OURS), write(BYE, 1, &[THEIRS]), pli(9), write(BYE, 1, &[9])]), (true, true));
    assert_eq!(news(&[pli(9), fir(9), write(BYE, 1, &[9, THEIRS])]), (false, false));
}

#[test]
fn rfc_4585_6_2_1_a_nack_names_packets_by_a_number_and_a_bitmask() {
    let mut leg = Leg::new();
    let nack = write(RTPFB, 1, &[THEIRS, OURS, 0xfffe_8005, 7 << 16]);
    assert_eq!(leg.hear(&nack, 0).missing, [0xfffe, 0xffff, 1, 0x000e, 7]);
    assert!(leg.hear(&write(RTPFB, 1, &[THEIRS, 9, 7 << 16]), 0).missing.is_empty());
    let flood = write(RTPFB, 1, &[[THEIRS, OURS].as_slice(), &[0xffff; 300]].concat());
    assert_eq!(leg.hear(&[flood.clone(), flood].concat(), 0).missing.len(), 64);
    assert_eq!(leg.hear(&[], 0).missing.capacity(), 0, "nothing is allocated without a NACK");
}

#[test]
fn what_we_miss_is_told_after_an_empty_rr_and_read_by_the_peer() {
    let mut packet = Packet::new();
    let missing = [0xfffe, 0xffff, 1, 14, 15, 40];
    build_nack(&mut packet, THEIRS, OURS, &missing);
    assert_eq!(kinds(packet.bytes()), [RR, RTPFB]);
    assert_eq!(read(packet.bytes())[1].bytes.len(), 12 + 3 * 4);
    assert_eq!(Leg::new().hear(packet.bytes(), 0).missing, missing);
    build_nack(&mut packet, THEIRS, OURS, &[]);
    assert_eq!(kinds(packet.bytes()), [RR]);
    let every_other: Vec<u16> = (0..3_000).map(|n| n * 20).collect();
    build_nack(&mut packet, THEIRS, OURS, &every_other);
    assert_eq!(Leg::new().hear(packet.bytes(), 0).missing, every_other[..64]);
}

#[test]
fn our_goodbye_names_our_ssrc_after_a_report_and_our_name() {
    let mut leg = Leg::new();
    leg.receive(1, 0, 0);
    let Leg { reports, reception, sent, packet, .. } = &mut leg;
    reports.goodbye(packet, sent, "trunkline", reception, 0);
    let packets = read(packet.bytes());
    assert_eq!(kinds(packet.bytes()), [RR, SDES, BYE]);
    assert_eq!((packets[0].count, packets[2].count, packets[2].word(1)), (1, 1, OURS));
}

#[test]
fn an_sdes_packet_ends_on_a_whole_word_after_at_least_one_zero() {
    for cname in ["", "a", "ab", "abc", "abcd", &"é".repeat(200)] {
        let mut leg = Leg::new();
        let Leg { reports, line, reception, sent, packet } = &mut leg;
        assert!(reports.poll(packet, sent, line, cname, reception, 9_000 * MS, 0));
        let sdes = &read(packet.bytes())[1].bytes;
        let end = 10 + usize::from(sdes[9]);
        assert_eq!(usize::from(sdes[9]), cname.len().min(255));
        assert!(sdes.len() > end && sdes.len() - end <= 4 && sdes[end..].iter().all(|byte| *byte == 0));
    }
}

#[test]
fn padding_is_cut_off_and_a_packet_that_lies_about_its_length_ends_the_reading() {
    let mut leg = Leg::new();
    leg.receive(1, 0, 0);
    let mut padded = write(BYE, 1, &[THEIRS, 4]);
    padded[0] |= 0x20;
    assert!(leg.hear(&padded, 0).goodbye);
    *padded.last_mut().unwrap() = 8;
    assert!(!leg.hear(&padded, 0).goodbye, "the SSRC is padding");
    let mut lies = write(RR, 0, &[THEIRS]);
    lies[3] = 9;
    let bye = write(BYE, 1, &[THEIRS]);
    assert!(leg.hear(&[bye.clone(), lies.clone()].concat(), 0).goodbye);
    assert!(!leg.hear(&[lies, bye].concat(), 0).goodbye);
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn law_any_bytes_are_read_without_a_fault_and_a_good_packet_before_them_is_kept(
        mut rest in prop::collection::vec(any::<u8>(), 0..120),
        first in prop::sample::select(vec![0x80u8, 0x9f, 0xa0, 0xbf]),
    ) {
        if rest.len() > 1 {
            (rest[0], rest[1]) = (first, 200 + rest[1] % 8);
        }
        let mut leg = Leg::new();
        leg.receive(1, 0, 0);
        let news = leg.hear(&[sender_report(THEIRS), rest].concat(), 0);
        prop_assert!(news.sender_clock.is_some());
    }

    #[test]
    fn law_no_state_found_in_shared_memory_is_fatal_and_every_report_is_well_formed(
        states in prop::collection::vec(any::<u8>(), size_of::<(Reports, Reception, Line)>()),
        now: u64, random: u32, packets: u64, clock_hz: u32,
    ) {
        let (reports_bytes, rest) = states.split_at(size_of::<Reports>());
        let (reception_bytes, rest) = rest.split_at(size_of::<Reception>());
        let mut reports = Reports::zeroed();
        let mut reception = Reception::zeroed();
        let mut line = Line::zeroed();
        bytemuck::bytes_of_mut(&mut reports).copy_from_slice(reports_bytes);
        bytemuck::bytes_of_mut(&mut reception).copy_from_slice(reception_bytes);
        bytemuck::bytes_of_mut(&mut line).copy_from_slice(&rest[..size_of::<Line>()]);
        let mut packet = Packet::new();
        let sent = Sent { ssrc: OURS, packets, bytes: packets, clock_hz };
        reports.due_at = reports.due_at.min(now);
        prop_assert!(reports.poll(&mut packet, &sent, &line, "trunkline", &reception, now, random));
        prop_assert_eq!(kinds(packet.bytes()).len(), 2);
        reports.on_packet(&receiver_report(random, random), OURS, &reception, now);
        reports.on_packet(&sender_report(reception.ssrc), OURS, &reception, now);
        if reports.key_frame_request(&mut packet, OURS, &reception, now) {
            prop_assert!(kinds(packet.bytes()).len() >= 2);
        }
        reports.goodbye(&mut packet, &sent, "trunkline", &reception, now);
        prop_assert_eq!(kinds(packet.bytes()), [RR, SDES, BYE]);
    }
}
