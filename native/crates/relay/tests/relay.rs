//! Packets between plain RTP sides: what `test/contract/media-relay.ts` asks of every engine.

mod support;

use support::{MS, Phone, Rig, SECOND, Words, dtmf_8, dtmf_48, kinds_of, opus, pcmu, rtp_packet, rtp_spec};
use trunkline_control::{ConnectedTo, Event, PayloadCodec, SessionChange};

/// Three phones in one session, negotiated but not connected.
fn trio(codecs: &[PayloadCodec], theirs: &[PayloadCodec]) -> (Rig, Phone, Phone, Phone) {
    let mut rig = Rig::open(&["a", "b", "c"].map(rtp_spec));
    let a = Phone::new(&mut rig, "a", 1, codecs);
    let b = Phone::new(&mut rig, "b", 2, theirs);
    let c = Phone::new(&mut rig, "c", 3, theirs);
    (rig, a, b, c)
}

fn plain_trio() -> (Rig, Phone, Phone, Phone) {
    trio(&[pcmu()], &[pcmu()])
}

#[test]
fn one_ssrc_and_one_line_of_numbers_toward_a_peer_whoever_it_talks_to() {
    let (mut rig, mut a, mut b, mut c) = plain_trio();
    rig.link("a", "b");
    for (sequence, timestamp) in [(100, 5_000), (101, 5_160), (103, 5_480)] {
        b.send(&mut rig, sequence, timestamp, b"from b");
        rig.advance(20 * MS);
    }
    rig.link("a", "c");
    for (sequence, timestamp) in [(60_000, 9), (60_001, 169)] {
        c.send(&mut rig, sequence, timestamp, b"from c");
    }
    let heard = a.heard(&mut rig);
    let first = heard[0].clone();
    let told: Vec<_> = heard.iter().map(|heard| (heard.ssrc, heard.sequence - first.sequence)).collect();
    assert_eq!(told, [0, 1, 3, 4, 5].map(|distance| (a.local.ssrc, distance)));
    let steps: Vec<_> =
        heard.windows(2).map(|pair| pair[1].timestamp.wrapping_sub(pair[0].timestamp)).collect();
    assert_eq!((steps[0], steps[1], steps[3]), (160, 320, 160));
    assert!((160..8_000).contains(&steps[2]), "time goes on over the switch");
    let markers: Vec<_> = heard.iter().map(|heard| heard.marker).collect();
    assert_eq!(markers, [true, false, false, true, false]);
}

#[test]
fn payload_types_are_those_of_the_peer_and_a_codec_it_did_not_agree_to_does_not_reach_it() {
    let renumbered = PayloadCodec { payload_type: 96, ..opus() };
    let (mut rig, mut a, mut b, _) = trio(&[opus(), pcmu()], &[renumbered]);
    rig.link("a", "b");
    a.send(&mut rig, 1, 0, b"not for b");
    let words = Words { sequence: 2, timestamp: 960, payload_type: 111, marker: false, ssrc: a.ssrc };
    a.send_as(&mut rig, &words, b"for b");
    let heard = b.heard(&mut rig);
    assert_eq!(heard.iter().map(|heard| heard.payload_type).collect::<Vec<_>>(), [96]);
    assert_eq!(a.stats(&rig).media[0].packets_discarded, 1);
}

#[test]
fn a_side_on_hold_hears_nothing_and_when_resumed_it_hears_on_without_a_loss() {
    let (mut rig, mut a, mut b, _) = plain_trio();
    rig.link("a", "b");
    a.say(&mut rig, 1);
    b.remote.send = false;
    b.negotiate(&mut rig);
    for n in 2..40 {
        rig.advance(20 * MS);
        a.say(&mut rig, n);
    }
    b.remote.send = true;
    b.negotiate(&mut rig);
    a.say(&mut rig, 40);
    let heard = b.heard(&mut rig);
    assert_eq!(heard.len(), 2);
    assert_eq!((heard[0].ssrc, heard[1].sequence), (heard[1].ssrc, heard[0].sequence + 1));
    assert_eq!((&heard[1].payload[..], heard[1].marker), (&[40; 160][..], true));
}

#[test]
fn nobody_is_at_the_unspecified_address() {
    let (mut rig, mut a, mut b, _) = plain_trio();
    rig.link("a", "b");
    b.remote.address = Some("0.0.0.0".into());
    b.negotiate(&mut rig);
    a.say(&mut rig, 1);
    assert_eq!((b.heard(&mut rig), b.stats(&rig).remote), (vec![], None));
    b.remote.address = Some(b.address.ip().to_string());
    b.negotiate(&mut rig);
    a.say(&mut rig, 2);
    assert_eq!(b.heard(&mut rig).len(), 1);
}

#[test]
fn what_a_side_may_not_send_is_not_taken() {
    let (mut rig, mut a, mut b, _) = plain_trio();
    rig.link("a", "b");
    a.remote.receive = false;
    a.negotiate(&mut rig);
    a.say(&mut rig, 1);
    a.remote.receive = true;
    a.negotiate(&mut rig);
    a.say(&mut rig, 2);
    assert_eq!(b.heard(&mut rig).len(), 1);
    assert_eq!(a.stats(&rig).media[0].packets_discarded, 1);
}

#[test]
fn a_refused_medium_carries_nothing_and_a_medium_without_link_neither() {
    let (mut rig, mut a, mut b, mut c) = plain_trio();
    a.say(&mut rig, 1);
    rig.link("a", "b");
    rig.connect("a", ConnectedTo::Nothing);
    a.say(&mut rig, 2);
    rig.link("a", "c");
    a.say(&mut rig, 3);
    assert_eq!((b.heard(&mut rig).len(), c.heard(&mut rig).len()), (0, 1));
    c.remote.active = false;
    c.negotiate(&mut rig);
    a.say(&mut rig, 4);
    c.say(&mut rig, 1);
    assert_eq!((c.heard(&mut rig).len(), a.heard(&mut rig).len()), (0, 0));
}

#[test]
fn counters_and_codec_are_those_of_the_wire() {
    let (mut rig, mut a, mut b, _) = plain_trio();
    rig.link("a", "b");
    for n in [1, 2, 5, 4, 5] {
        a.say(&mut rig, n);
    }
    rig.advance(40 * MS);
    let from = a.stats(&rig);
    let [received] = &from.media[..] else { panic!("one medium") };
    assert_eq!((received.packets_received, received.bytes_received), (4, 4 * 160));
    assert_eq!((received.packets_lost, received.packets_discarded), (0, 0));
    assert_eq!((received.packets_duplicated, received.packets_reordered), (Some(1), Some(1)));
    assert_eq!((received.codec.as_deref(), received.silent_for_ms), (Some("PCMU"), Some(40)));
    assert!(received.mos.is_some_and(|mos| mos > 3.0) && received.r_factor.is_some());
    assert_eq!(from.remote, Some(a.address.to_string()));
    let to = b.stats(&rig);
    assert_eq!((to.media[0].packets_sent, to.media[0].bytes_sent), (4, 4 * 160));
    assert_eq!((to.media[0].mos, to.media[0].silent_for_ms), (None, None));
    assert_eq!(b.heard(&mut rig).len(), 4);
}

#[test]
fn packets_from_another_address_are_not_relayed_and_are_counted() {
    let (mut rig, mut a, mut b, _) = plain_trio();
    rig.link("a", "b");
    a.say(&mut rig, 1);
    let forged = rtp_packet(
        &Words { sequence: 2, timestamp: 160, payload_type: 0, marker: false, ssrc: a.ssrc },
        b"forged",
    );
    for _ in 0..8 {
        rig.arrive(a.socket, "192.0.2.99:4000".parse().unwrap(), &forged);
    }
    a.say(&mut rig, 3);
    assert_eq!((b.heard(&mut rig).len(), a.stats(&rig).media[0].packets_discarded), (2, 8));
    assert_eq!(a.stats(&rig).remote, Some(a.address.to_string()));
}

#[test]
fn a_peer_behind_a_nat_is_followed_and_stays_so_over_the_same_sdp() {
    let (mut rig, mut a, mut b, _) = plain_trio();
    rig.link("a", "b");
    a.address.set_port(61_000);
    for n in 0..10 {
        a.say(&mut rig, n);
        rig.advance(20 * MS);
    }
    assert_eq!(b.heard(&mut rig).len(), 7, "three packets prove it");
    a.remote.ptime_ms = Some(20);
    a.negotiate(&mut rig);
    b.say(&mut rig, 1);
    assert_eq!((a.heard(&mut rig).len(), a.stats(&rig).remote), (1, Some(a.address.to_string())));
}

#[test]
fn strict_follows_nobody() {
    let mut rig = Rig::empty();
    rig.settings.strict_source = true;
    rig.try_open(&["a", "b"].map(rtp_spec)).unwrap();
    let (mut a, mut b) = (Phone::new(&mut rig, "a", 1, &[pcmu()]), Phone::new(&mut rig, "b", 2, &[pcmu()]));
    rig.link("a", "b");
    a.address.set_port(61_000);
    (0..10).for_each(|n| a.say(&mut rig, n));
    assert_eq!(b.heard(&mut rig).len(), 0);
}

#[test]
fn the_first_packet_of_a_side_is_told_once_with_its_address() {
    let (mut rig, mut a, mut b, _) = plain_trio();
    rig.link("a", "b");
    (1..4).for_each(|n| a.say(&mut rig, n));
    b.say(&mut rig, 1);
    let first = |side: &str, phone: &Phone| Event::FirstPacket {
        session: "call".into(),
        side: side.into(),
        remote: phone.address.to_string(),
    };
    assert_eq!(rig.take_events(), [first("a", &a), first("b", &b)]);
}

#[test]
fn silence_of_a_side_that_may_send_is_told_once_with_what_is_known_and_its_end() {
    let (mut rig, mut a, mut b, _) = plain_trio();
    rig.link("a", "b");
    a.say(&mut rig, 1);
    rig.take_events();
    rig.advance(3 * SECOND);
    let stranger = "192.0.2.77:9".parse().unwrap();
    rig.arrive(
        b.socket,
        stranger,
        &rtp_packet(&Words { sequence: 1, timestamp: 0, payload_type: 0, marker: false, ssrc: 1 }, b"x"),
    );
    rig.advance(20 * SECOND);
    let events: Vec<_> =
        rig.take_events().into_iter().filter(|event| matches!(event, Event::Silent { .. })).collect();
    let silent = |side: &str, cause: &str| Event::Silent {
        session: "call".into(),
        side: side.into(),
        for_ms: 5_000,
        cause: cause.into(),
    };
    assert_eq!(events, [silent("a", "stopped"), silent("b", "wrong-source"), silent("c", "never-heard")]);
    a.say(&mut rig, 2);
    assert_eq!(kinds_of(&rig.take_events()), ["resumed"]);
    b.remote.receive = false;
    b.negotiate(&mut rig);
    rig.advance(20 * SECOND);
    assert_eq!(kinds_of(&rig.take_events()), ["silent"], "b may not send, c is still silent");
}

#[test]
fn a_digit_of_48000_hz_reaches_a_peer_of_8000_hz_with_its_length_and_is_told_once() {
    let (mut rig, mut a, mut b, _) = trio(&[opus(), dtmf_48()], &[opus(), dtmf_8()]);
    rig.link("a", "b");
    let words = Words { sequence: 1, timestamp: 0, payload_type: 111, marker: false, ssrc: a.ssrc };
    a.send_as(&mut rig, &words, b"audio");
    for n in 1..=7_u16 {
        rig.advance(20 * MS);
        let duration = n.min(5) * 960;
        let [high, low] = duration.to_be_bytes();
        let payload = [5, if n >= 5 { 0x8a } else { 0x0a }, high, low];
        let words =
            Words { sequence: 1 + n, timestamp: 960, payload_type: 110, marker: n == 1, ssrc: a.ssrc };
        a.send_as(&mut rig, &words, &payload);
    }
    let heard = b.heard(&mut rig);
    let (audio, events) = heard.split_first().unwrap();
    let durations: Vec<_> =
        events.iter().map(|event| u16::from_be_bytes([event.payload[2], event.payload[3]])).collect();
    assert_eq!(durations, [160, 320, 480, 640, 800, 800, 800]);
    let distances: Vec<_> = events.iter().map(|event| event.sequence - audio.sequence).collect();
    assert_eq!(distances, [1, 2, 3, 4, 5, 6, 7]);
    assert!(events.iter().all(|event| event.payload_type == 101 && event.timestamp == events[0].timestamp));
    let digit = Event::Dtmf { session: "call".into(), side: "a".into(), digit: "5".into(), duration_ms: 100 };
    let told: Vec<_> =
        rig.take_events().into_iter().filter(|event| matches!(event, Event::Dtmf { .. })).collect();
    assert_eq!(told, [digit]);
}

#[test]
fn a_digit_whose_end_was_lost_is_told_all_the_same() {
    let (mut rig, mut a, _, _) = trio(&[pcmu(), dtmf_8()], &[pcmu()]);
    let words = Words { sequence: 1, timestamp: 0, payload_type: 101, marker: true, ssrc: a.ssrc };
    a.send_as(&mut rig, &words, &[11, 10, 3, 32]);
    rig.advance(2 * SECOND);
    let told = rig.take_events();
    assert!(
        told.iter().any(|event| matches!(event, Event::Dtmf { digit, duration_ms: 100, .. } if digit == "#")),
        "{told:?}"
    );
}

#[test]
fn an_echo_says_what_the_side_said() {
    let (mut rig, mut a, _, _) = plain_trio();
    rig.connect("a", ConnectedTo::Echo);
    a.say(&mut rig, 1);
    a.say(&mut rig, 2);
    let heard = a.heard(&mut rig);
    assert_eq!(heard.iter().map(|heard| heard.ssrc).collect::<Vec<_>>(), [a.local.ssrc; 2]);
    assert_eq!(heard[1].sequence, heard[0].sequence + 1);
    assert_eq!(heard[1].payload, [2; 160]);
}

#[test]
fn a_tone_is_heard_in_one_line_with_what_was_heard_before() {
    let (mut rig, mut a, mut b, _) = plain_trio();
    rig.link("a", "b");
    b.say(&mut rig, 1);
    rig.connect("a", ConnectedTo::Tone { frequency_hz: 1_004 });
    rig.advance(200 * MS);
    rig.link("a", "b");
    b.say(&mut rig, 30);
    let heard = a.heard(&mut rig);
    assert_eq!(heard.len(), 13, "one before, one at once and one each 20 ms, one after");
    for pair in heard.windows(2) {
        assert_eq!((pair[1].ssrc, pair[1].sequence), (a.local.ssrc, pair[0].sequence + 1));
    }
    let frames = &heard[1..12];
    assert!(frames.windows(2).all(|pair| pair[1].timestamp == pair[0].timestamp + 160));
    let markers: Vec<_> = heard.iter().map(|heard| heard.marker).collect();
    assert_eq!(markers.iter().filter(|marker| **marker).count(), 3, "where a source begins");
    assert!(frames.iter().any(|frame| frame.payload.iter().any(|byte| *byte != 0xff)));
}

#[test]
fn silence_is_sent_where_it_was_asked_for() {
    let (mut rig, mut a, _, _) = plain_trio();
    rig.connect("a", ConnectedTo::Silence);
    rig.advance(100 * MS);
    let heard = a.heard(&mut rig);
    assert_eq!(heard.len(), 6);
    assert!(heard.iter().all(|heard| heard.payload == [0xff; 160]));
    rig.connect("a", ConnectedTo::Nothing);
    rig.advance(100 * MS);
    assert_eq!(a.heard(&mut rig).len(), 0);
}

#[test]
fn a_muted_side_is_not_heard_but_hears_and_what_it_said_is_no_loss() {
    let (mut rig, mut a, mut b, _) = plain_trio();
    rig.link("a", "b");
    a.say(&mut rig, 1);
    rig.change(&SessionChange::Mute { side: "a".into(), muted: true });
    for n in 2..10 {
        rig.advance(20 * MS);
        a.say(&mut rig, n);
        b.say(&mut rig, n);
    }
    assert_eq!(a.heard(&mut rig).len(), 8);
    assert_eq!(a.stats(&rig).media[0].packets_received, 9);
    rig.change(&SessionChange::Mute { side: "a".into(), muted: false });
    a.say(&mut rig, 10);
    let heard = b.heard(&mut rig);
    assert_eq!((heard.len(), heard[1].sequence), (2, heard[0].sequence + 1));
}

#[test]
fn digits_of_ours_take_the_place_of_audio_in_the_same_line() {
    let (mut rig, mut a, mut b, _) = trio(&[pcmu(), dtmf_8()], &[pcmu(), dtmf_8()]);
    rig.link("a", "b");
    b.say(&mut rig, 1);
    let digits = SessionChange::SendDtmf {
        side: "a".into(),
        digits: "1#".into(),
        duration_ms: Some(100),
        gap_ms: Some(60),
    };
    rig.change(&digits);
    for n in 2..40 {
        rig.advance(20 * MS);
        b.say(&mut rig, n);
    }
    let heard = a.heard(&mut rig);
    for pair in heard.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence + 1, "one line");
    }
    let events: Vec<_> = heard.iter().filter(|heard| heard.payload_type == 101).collect();
    let codes: Vec<_> = events.iter().map(|event| event.payload[0]).collect();
    assert!(codes.starts_with(&[1]) && codes.ends_with(&[11]));
    for code in [1, 11] {
        let of_code: Vec<_> = events.iter().filter(|event| event.payload[0] == code).collect();
        assert!(of_code.iter().all(|event| event.timestamp == of_code[0].timestamp));
        assert_eq!(of_code.iter().filter(|event| event.payload[1] & 0x80 != 0).count(), 3);
        assert_eq!(of_code.iter().filter(|event| event.marker).count(), 1);
        let last = of_code.last().unwrap();
        assert_eq!(u16::from_be_bytes([last.payload[2], last.payload[3]]), 800);
    }
    let first = heard.iter().position(|heard| heard.payload_type == 101).unwrap();
    let last = heard.iter().rposition(|heard| heard.payload_type == 101).unwrap();
    assert!(heard[first..=last].iter().all(|heard| heard.payload_type == 101), "audio is withheld");
    assert!(heard[last + 1..].iter().all(|heard| heard.payload_type == 0) && heard.len() > last + 10);
    assert_eq!(b.heard(&mut rig).len(), 0, "b hears none of it");
}

#[test]
fn digits_can_be_the_first_thing_a_peer_hears() {
    let (mut rig, mut a, _, _) = trio(&[pcmu(), dtmf_8()], &[pcmu()]);
    let digits =
        SessionChange::SendDtmf { side: "a".into(), digits: "42".into(), duration_ms: None, gap_ms: None };
    rig.change(&digits);
    rig.advance(SECOND);
    let heard = a.heard(&mut rig);
    let four: Vec<_> = heard.iter().filter(|heard| heard.payload[0] == 4).collect();
    let two: Vec<_> = heard.iter().filter(|heard| heard.payload[0] == 2).collect();
    assert!(!four.is_empty() && !two.is_empty());
    assert_ne!(four[0].timestamp, two[0].timestamp);
    assert!(heard.windows(2).all(|pair| pair[1].sequence == pair[0].sequence + 1));
}

#[test]
fn digits_that_cannot_be_sent_are_refused() {
    let (mut rig, _, _, _) = trio(&[pcmu(), dtmf_8()], &[pcmu()]);
    for (side, digits) in [("b", "1"), ("a", "1x"), ("nobody", "1")] {
        let change = SessionChange::SendDtmf {
            side: side.into(),
            digits: digits.into(),
            duration_ms: None,
            gap_ms: None,
        };
        assert_eq!(rig.try_change(&change).unwrap_err().code, "MEDIA_SPEC_INVALID", "{side} {digits}");
    }
}

#[test]
fn counters_are_told_every_few_seconds() {
    let (mut rig, _, _, _) = plain_trio();
    rig.advance(21 * SECOND);
    let qualities = rig.take_events().into_iter().filter_map(|event| match event {
        Event::Quality { sides, .. } => Some(sides.into_iter().map(|stats| stats.side).collect::<Vec<_>>()),
        _ => None,
    });
    assert_eq!(qualities.collect::<Vec<_>>(), vec![["a", "b", "c"]; 4]);
}
