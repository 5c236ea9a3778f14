//! A browser's side: ICE, DTLS of either role, one bundle of media.

mod support;

use support::{
    Browser, End, MS, Phone, Rig, SECOND, WEBRTC, Words, check_datagram, dtmf_8, kinds_of, pcmu, rtp_packet,
    rtp_spec, video_medium, vp8, webrtc_spec,
};
use trunkline_control::MediumKind::{Audio, Video};
use trunkline_control::{Event, LocalSide, RemoteMedium, SessionChange};

fn call(role: &'static str) -> (Rig, Browser, Phone) {
    let mut rig = Rig::open(&[webrtc_spec("a", &[Audio]), rtp_spec("b")]);
    let phone = Phone::new(&mut rig, "b", 2, &[pcmu(), dtmf_8()]);
    let mut browser = Browser::new("a", 1, role, &[pcmu(), dtmf_8()]);
    rig.link("a", "b");
    browser.connect(&mut rig);
    (rig, browser, phone)
}

#[test]
fn audio_flows_both_ways_whichever_role_the_browser_has() {
    for role in ["active", "passive"] {
        let (mut rig, mut browser, mut phone) = call(role);
        browser.say(&mut rig, 100);
        phone.say(&mut rig, 9);
        let at_phone = phone.heard(&mut rig);
        assert_eq!((&at_phone[0].payload[..], at_phone[0].ssrc), (&[100; 160][..], phone.local.ssrc));
        let LocalSide::WebRtc { media, .. } = rig.local("a") else { panic!() };
        let at_browser = browser.heard(&mut rig);
        assert_eq!((&at_browser[0].payload[..], at_browser[0].ssrc), (&[9; 160][..], media[0].ssrc));
        let told = kinds_of(&rig.take_events());
        assert_eq!(told, ["ice-connected", "dtls-connected", "first-packet", "first-packet"]);
        let stats = rig.stats("a");
        assert_eq!((stats.ice.as_deref(), stats.dtls.as_deref()), (Some("connected"), Some("connected")));
        assert_eq!(stats.remote, Some(browser.address.to_string()));
        assert!(stats.srtp_suite.is_some() && rig.session().handshakes() == 0);
    }
}

#[test]
fn a_wrong_fingerprint_fails_the_side_and_no_media_passes() {
    for role in ["active", "passive"] {
        let mut rig = Rig::open(&[webrtc_spec("a", &[Audio])]);
        let mut browser = Browser::new("a", 1, role, &[pcmu()]);
        rig.change(&Browser::new("a", 9, role, &[pcmu()]).remote());
        browser.begin(&mut rig);
        browser.settle(&mut rig);
        let events = rig.take_events();
        let failed = events.iter().any(|event| {
            matches!(event, Event::Failed { side, code, .. } if side == "a" && code == "MEDIA_DTLS_FAILED")
        });
        assert!(failed, "{role}: {events:?}");
        assert_eq!(rig.stats("a").dtls.as_deref(), Some("failed"));
        // The right fingerprint is heard of later.
        rig.change(&browser.remote());
        browser.start_dtls(&mut rig);
        browser.settle(&mut rig);
        assert_eq!(rig.stats("a").dtls.as_deref(), Some("connected"), "{role}");
    }
}

#[test]
fn a_hello_that_overtakes_the_answer_waits_for_it() {
    let mut rig = Rig::open(&[webrtc_spec("a", &[Audio])]);
    let mut browser = Browser::new("a", 1, "active", &[pcmu()]);
    browser.check(&mut rig, false);
    browser.start_dtls(&mut rig);
    assert_eq!((rig.stats("a").dtls.as_deref(), browser.ends.len()), (Some("new"), 0));
    rig.change(&browser.remote());
    browser.settle(&mut rig);
    assert_eq!(browser.ends, [End::Connected]);
}

#[test]
fn what_comes_early_is_bounded() {
    let mut rig = Rig::open(&[webrtc_spec("a", &[Audio])]);
    let mut browser = Browser::new("a", 1, "active", &[pcmu()]);
    browser.check(&mut rig, false);
    for _ in 0..20 {
        rig.arrive(WEBRTC, browser.address, &[22, 254, 253, 0, 0, 1, 2, 3]);
    }
    assert_eq!(rig.stats("a").media[0].packets_discarded, 12);
}

#[test]
fn dtls_and_media_from_an_address_without_a_check_never_get_through() {
    let (mut rig, mut browser, mut phone) = call("active");
    let elsewhere = "198.51.100.77:1".parse().unwrap();
    let words = Words { sequence: 1, timestamp: 0, payload_type: 0, marker: false, ssrc: browser.ssrc };
    let sealed = browser.seal(&rtp_packet(&words, b"from elsewhere"));
    rig.arrive(WEBRTC, elsewhere, &sealed);
    // Even if the engine still takes them for this side's.
    rig.shell.sources.insert((WEBRTC, elsewhere), 0);
    rig.arrive(WEBRTC, elsewhere, &sealed);
    rig.arrive(WEBRTC, elsewhere, &[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!((phone.heard(&mut rig), rig.stats("a").media[0].packets_discarded), (vec![], 2));
    browser.send_rtp(&mut rig, &rtp_packet(&words, b"from the browser"));
    assert_eq!(phone.heard(&mut rig)[0].payload, b"from the browser");
}

#[test]
fn checks_that_are_not_in_order_are_refused_and_change_nothing() {
    let mut rig = Rig::open(&[webrtc_spec("a", &[Audio])]);
    let mut browser = Browser::new("a", 1, "active", &[pcmu()]);
    let (ufrag, pwd) = browser.credentials(&rig);
    rig.arrive(WEBRTC, browser.address, &check_datagram(&ufrag, "a guess of 22 characters", true));
    browser.pump(&mut rig);
    assert_eq!((&browser.answers[..], rig.stats("a").ice.as_deref()), (&[401][..], Some("new")));
    assert!(rig.shell.sources.is_empty() && rig.take_events().is_empty());
    let check = check_datagram(&ufrag, &pwd, true);
    rig.arrive(WEBRTC, browser.address, &check);
    let thief = "198.51.100.66:1".parse().unwrap();
    rig.arrive(WEBRTC, thief, &check);
    assert_eq!(rig.stats("a").remote, Some(browser.address.to_string()), "a copy moves nothing");
    assert!(!rig.shell.sources.contains_key(&(WEBRTC, thief)));
}

#[test]
fn a_nominated_new_address_is_followed_at_once() {
    let (mut rig, mut browser, mut phone) = call("active");
    let old = std::mem::replace(&mut browser.address, "198.51.100.200:7".parse().unwrap());
    browser.check(&mut rig, false);
    phone.say(&mut rig, 1);
    assert_eq!(browser.heard(&mut rig).len(), 0, "not nominated");
    browser.check(&mut rig, true);
    assert_eq!(rig.stats("a").remote, Some(browser.address.to_string()));
    rig.take_sent(old);
    phone.say(&mut rig, 2);
    assert_eq!((browser.heard(&mut rig).len(), rig.take_sent(old).len()), (1, 0));
    browser.say(&mut rig, 1);
    assert_eq!(phone.heard(&mut rig).len(), 1);
}

#[test]
fn an_ice_restart_keeps_media_takes_both_credentials_then_only_the_new_ones() {
    let (mut rig, mut browser, mut phone) = call("active");
    let (ufrag, pwd) = browser.credentials(&rig);
    rig.change(&SessionChange::RestartIce { side: "a".into() });
    let (new_ufrag, new_pwd) = browser.credentials(&rig);
    browser.answers.clear();
    for (ufrag, pwd) in [(&ufrag, &pwd), (&new_ufrag, &new_pwd), (&ufrag, &pwd)] {
        rig.arrive(WEBRTC, browser.address, &check_datagram(ufrag, pwd, false));
    }
    browser.pump(&mut rig);
    assert_eq!(browser.answers, [0, 0], "the engine knows of the old fragment no more");
    assert_eq!(rig.shell.ufrags.keys().collect::<Vec<_>>(), [&new_ufrag]);
    phone.say(&mut rig, 1);
    assert_eq!((browser.heard(&mut rig).len(), browser.ends.len()), (1, 1));
    for _ in 0..3 {
        rig.change(&SessionChange::RestartIce { side: "a".into() });
    }
    assert_eq!(rig.shell.ufrags.len(), 2, "never more than two");
}

#[test]
fn a_renegotiation_that_repeats_or_turns_the_dtls_role_keeps_the_association() {
    let (mut rig, mut browser, mut phone) = call("active");
    for role in ["active", "passive"] {
        browser.role = role;
        browser.media[0].ptime_ms = Some(20);
        rig.change(&browser.remote());
        browser.settle(&mut rig);
        browser.say(&mut rig, if role == "active" { 1 } else { 2 });
    }
    assert_eq!((phone.heard(&mut rig).len(), browser.ends.len()), (2, 1));
    let connected =
        rig.take_events().iter().filter(|event| matches!(event, Event::DtlsConnected { .. })).count();
    assert_eq!(connected, 1);
}

#[test]
fn another_fingerprint_means_another_association_with_other_keys_and_one_line() {
    let (mut rig, mut browser, mut phone) = call("active");
    phone.say(&mut rig, 1);
    let before = browser.heard(&mut rig);
    let mut second = Browser::new("a", 3, "active", &[pcmu()]);
    second.connect(&mut rig);
    browser.settle(&mut rig);
    assert_eq!(browser.ends, [End::Connected, End::Closed]);
    phone.say(&mut rig, 2);
    let after = second.heard(&mut rig);
    assert_eq!((after[0].ssrc, after[0].sequence), (before[0].ssrc, before[0].sequence + 1));
}

#[test]
fn a_new_association_late_in_a_call_is_understood_by_a_peer_that_counts_from_0() {
    let (mut rig, mut browser, mut phone) = call("active");
    for n in 0..70_000_u32 {
        rig.now += 20 * MS;
        phone.send(&mut rig, n as u16, n * 160, &[1; 20]);
        if n % 1_000 == 0 {
            rig.take_sent(browser.address);
        }
    }
    rig.take_sent(browser.address);
    let mut second = Browser::new("a", 3, "active", &[pcmu()]);
    second.connect(&mut rig);
    phone.send(&mut rig, 4_464, 70_000 * 160, b"words");
    assert_eq!(second.heard(&mut rig)[0].payload, b"words");
    browser.rtp.clear();
}

#[test]
fn without_consent_media_stops_and_a_check_brings_it_back() {
    let (mut rig, mut browser, mut phone) = call("active");
    phone.say(&mut rig, 1);
    browser.say(&mut rig, 1);
    rig.take_events();
    rig.advance(31 * SECOND);
    let told = kinds_of(&rig.take_events());
    assert_eq!(told, ["silent", "silent", "ice-disconnected"]);
    assert_eq!(rig.stats("a").ice.as_deref(), Some("disconnected"));
    browser.heard(&mut rig);
    phone.say(&mut rig, 2);
    assert_eq!(browser.heard(&mut rig).len(), 0);
    browser.check(&mut rig, false);
    phone.say(&mut rig, 3);
    assert_eq!(browser.heard(&mut rig).len(), 1);
    assert_eq!(kinds_of(&rig.take_events()), ["resumed", "ice-connected"]);
}

#[test]
fn silence_without_checks_is_a_lost_network() {
    let (mut rig, mut browser, _) = call("active");
    for n in 0..4 {
        browser.say(&mut rig, n);
        rig.advance(2 * SECOND);
    }
    rig.advance(5 * SECOND);
    let cause = rig.take_events().into_iter().find_map(|event| match event {
        Event::Silent { side, cause, .. } if side == "a" => Some(cause),
        _ => None,
    });
    assert_eq!(cause.as_deref(), Some("no-consent"));
}

#[test]
fn close_notify_is_the_end_and_ours_is_sent() {
    let (mut rig, mut browser, _) = call("active");
    browser.goodbye(&mut rig);
    assert!(kinds_of(&rig.take_events()).contains(&"ended".into()));
    let (mut rig, mut browser, _) = call("passive");
    rig.change(&SessionChange::DropSide { side: "a".into() });
    browser.settle(&mut rig);
    assert_eq!(browser.ends, [End::Connected, End::Closed]);
}

#[test]
fn the_association_is_given_up_after_a_minute_and_a_new_hello_makes_another() {
    let (mut rig, mut browser, mut phone) = call("active");
    for _ in 0..35 {
        browser.check(&mut rig, false);
        browser.advance(&mut rig, 2 * SECOND);
    }
    let old = browser.association.take();
    browser.say(&mut rig, 1);
    assert_eq!((phone.heard(&mut rig).len(), rig.stats("a").dtls.as_deref()), (1, Some("connected")));
    // Somebody on the path without the certificate gets nowhere, and media goes on.
    let certificate = std::mem::replace(&mut browser.certificate, trunkline_dtls::Certificate::generate());
    browser.start_dtls(&mut rig);
    for _ in 0..10 {
        let bytes: Vec<_> = rig.take_sent(browser.address);
        for sent in bytes.iter().filter(|sent| (20..64).contains(&sent.bytes[0])) {
            browser.association.as_mut().unwrap().handle(&sent.bytes, rig.now);
        }
        let mut out = [0; 2_048];
        while let Some(output) = browser.association.as_mut().unwrap().poll(&mut out) {
            if let trunkline_dtls::Output::Send(len) = output {
                rig.arrive(WEBRTC, browser.address, &out[..len]);
            }
        }
    }
    browser.say(&mut rig, 2);
    assert_eq!(phone.heard(&mut rig).len(), 1, "the old keys are good still");
    assert!(!kinds_of(&rig.take_events()).contains(&"failed".into()));
    browser.certificate = certificate;
    browser.start_dtls(&mut rig);
    browser.settle(&mut rig);
    assert_eq!(browser.ends.iter().filter(|end| **end == End::Connected).count(), 2);
    browser.say(&mut rig, 3);
    assert_eq!(phone.heard(&mut rig).len(), 1);
    drop(old);
}

#[test]
fn garbage_changes_nothing() {
    let (mut rig, mut browser, mut phone) = call("active");
    let mut noise = trunkline_sim::Random::new(7);
    for n in 0..5_000_usize {
        let mut bytes: Vec<u8> = (0..1 + n * 7 % 200).map(|_| noise.bits() as u8).collect();
        bytes[0] = n as u8;
        rig.arrive(WEBRTC, browser.address, &bytes);
        rig.arrive(phone.socket, phone.address, &bytes);
        rig.arrive(phone.socket + 1, phone.address, &bytes);
    }
    rig.take_sent(phone.address);
    rig.take_sent(browser.address);
    browser.say(&mut rig, 1);
    phone.say(&mut rig, 60_000);
    phone.say(&mut rig, 60_001);
    assert!(phone.heard(&mut rig).iter().any(|heard| heard.payload == [1; 160]));
    assert!(!browser.heard(&mut rig).is_empty());
    let told = kinds_of(&rig.take_events());
    assert!(!told.contains(&"failed".into()) && !told.contains(&"ended".into()), "{told:?}");
}

fn bundle(side: &str, host: u8, role: &'static str) -> Browser {
    let mut browser = Browser::new(side, host, role, &[pcmu()]);
    let mid = |mid: &str, medium| RemoteMedium {
        mid: Some(mid.into()),
        mid_extension_id: Some(4),
        nack: true,
        transport_cc_extension_id: Some(5),
        ..medium
    };
    browser.media = vec![mid("0", support::medium(&[pcmu()])), mid("1", video_medium(&[vp8()]))];
    browser
}

fn two_browsers() -> (Rig, Browser, Browser) {
    let mut rig = Rig::open(&[webrtc_spec("a", &[Audio, Video]), webrtc_spec("b", &[Audio, Video])]);
    let (mut one, mut two) = (bundle("a", 1, "active"), bundle("b", 2, "passive"));
    rig.link("a", "b");
    one.connect(&mut rig);
    two.connect(&mut rig);
    (rig, one, two)
}

fn picture(sequence: u16, ssrc: u32) -> Words {
    Words { sequence, timestamp: u32::from(sequence) * 3_000, payload_type: 96, marker: true, ssrc }
}

fn ssrcs(rig: &Rig, side: &str) -> Vec<u32> {
    let LocalSide::WebRtc { media, .. } = rig.local(side) else { panic!() };
    media.iter().map(|stream| stream.ssrc).collect()
}

#[test]
fn each_medium_of_a_bundle_finds_its_partner_and_says_which_it_is() {
    let (mut rig, mut one, mut two) = two_browsers();
    one.say(&mut rig, 1);
    one.send_rtp(&mut rig, &rtp_packet(&picture(1, 20), b"picture"));
    let heard = two.heard(&mut rig);
    let expected = ssrcs(&rig, "b");
    assert_eq!(
        heard.iter().map(|heard| (heard.ssrc, heard.payload_type)).collect::<Vec<_>>(),
        [(expected[0], 0), (expected[1], 96)]
    );
    assert!(heard[1].marker && heard[0].marker, "a frame ends; a talkspurt begins");
    for (raw, mid) in two.raw.iter().filter(|raw| raw[1] & 0x60 != 0x40).zip([b"0", b"1"]) {
        assert_eq!(trunkline_rtp::extension(raw, 4), Some(&mid[..]));
    }
    // The marker of video is the source's.
    let mid_frame = Words { marker: false, ..picture(2, 20) };
    one.send_rtp(&mut rig, &rtp_packet(&mid_frame, b"more"));
    assert!(!two.heard(&mut rig)[0].marker);
}

#[test]
fn the_media_identification_comes_before_what_was_learnt() {
    let (mut rig, mut one, mut two) = two_browsers();
    // Both media may have the same number for a codec.
    for medium in &mut one.media {
        medium.receive_codecs[0].payload_type = 96;
    }
    rig.change(&one.remote());
    let with_mid = |mid: &[u8], words: &Words| {
        let mut packet = trunkline_base::Packet::new();
        let out = trunkline_rtp::Outgoing {
            marker: words.marker,
            payload_type: words.payload_type,
            sequence: words.sequence,
            timestamp: words.timestamp,
            ssrc: words.ssrc,
            mid: Some((4, mid)),
            transport_sequence: None,
        };
        trunkline_rtp::build(&mut packet, &out, b"words");
        packet.bytes().to_vec()
    };
    one.send_rtp(&mut rig, &rtp_packet(&picture(1, 30), b"of whom?"));
    assert_eq!(two.heard(&mut rig).len(), 0, "two media take this number");
    one.send_rtp(&mut rig, &with_mid(b"0", &picture(2, 30)));
    one.send_rtp(&mut rig, &rtp_packet(&picture(3, 30), b"known now"));
    one.send_rtp(&mut rig, &with_mid(b"1", &picture(4, 30)));
    one.send_rtp(&mut rig, &rtp_packet(&picture(5, 30), b"known anew"));
    let own = ssrcs(&rig, "b");
    let heard: Vec<_> = two.heard(&mut rig).iter().map(|heard| heard.ssrc).collect();
    assert_eq!(heard, [own[0], own[0], own[1], own[1]]);
}

#[test]
fn a_wish_for_a_key_frame_finds_the_camera_twice_a_second_at_most() {
    let (mut rig, mut one, mut two) = two_browsers();
    one.send_rtp(&mut rig, &rtp_packet(&picture(1, 20), b"picture"));
    two.settle(&mut rig);
    let own = ssrcs(&rig, "b")[1];
    let mut pli = vec![0x81, 206, 0, 2, 0, 0, 0, 9];
    pli.extend(own.to_be_bytes());
    for _ in 0..10 {
        two.send_rtcp(&mut rig, &pli);
        rig.advance(50 * MS);
    }
    one.settle(&mut rig);
    let asked = one.rtcp.iter().filter(|compound| has_type(compound, 206, 20)).count();
    assert_eq!(asked, 1);
    rig.advance(500 * MS);
    two.send_rtcp(&mut rig, &pli);
    one.settle(&mut rig);
    assert_eq!(one.rtcp.iter().filter(|compound| has_type(compound, 206, 20)).count(), 2);
}

/// Whether a compound packet has one of this type with this SSRC as its subject.
fn has_type(compound: &[u8], packet_type: u8, ssrc: u32) -> bool {
    let mut rest = compound;
    while rest.len() >= 4 {
        let len = 4 + 4 * usize::from(u16::from_be_bytes([rest[2], rest[3]]));
        let (packet, after) = rest.split_at(len);
        if packet[1] == packet_type && packet[8..12] == ssrc.to_be_bytes() {
            return true;
        }
        rest = after;
    }
    false
}

#[test]
fn a_packet_that_is_missed_comes_again_as_it_left() {
    let (mut rig, mut one, mut two) = two_browsers();
    for n in 1..=3 {
        one.send_rtp(&mut rig, &rtp_packet(&picture(n, 20), &[n as u8; 100]));
    }
    let left: Vec<_> = rig.take_sent(two.address).into_iter().map(|sent| sent.bytes).collect();
    let own = ssrcs(&rig, "b")[1];
    let mut nack = vec![0x81, 205, 0, 3, 0, 0, 0, 9];
    nack.extend(own.to_be_bytes());
    nack.extend(&left[1][2..4]);
    nack.extend([0, 0]);
    two.send_rtcp(&mut rig, &nack);
    let again: Vec<_> = rig.take_sent(two.address).into_iter().map(|sent| sent.bytes).collect();
    assert_eq!(again, [left[1].clone()]);
}

#[test]
fn transport_wide_numbers_are_answered_every_100_ms() {
    let (mut rig, mut one, _) = two_browsers();
    for n in 0..10 {
        let mut packet = trunkline_base::Packet::new();
        let out = trunkline_rtp::Outgoing {
            marker: false,
            payload_type: 0,
            sequence: n,
            timestamp: u32::from(n) * 160,
            ssrc: 10,
            mid: None,
            transport_sequence: Some((5, 1_000 + n)),
        };
        trunkline_rtp::build(&mut packet, &out, &[0; 160]);
        let bytes = packet.bytes().to_vec();
        one.send_rtp(&mut rig, &bytes);
        rig.advance(20 * MS);
    }
    rig.advance(100 * MS);
    one.settle(&mut rig);
    let feedback = one.rtcp.iter().filter(|compound| has_type(compound, 205, 10)).count();
    assert_eq!(feedback, 2);
}

#[test]
fn a_lost_tcp_connection_leaves_the_other_paths() {
    let (mut rig, mut browser, mut phone) = call("active");
    let udp = browser.address;
    let (ufrag, pwd) = browser.credentials(&rig);
    let tcp = trunkline_relay::TCP_FROM + 3;
    rig.shell.ufrags.iter().for_each(drop);
    let check = check_datagram(&ufrag, &pwd, true);
    rig.check(0, tcp, "198.51.100.1:9".parse().unwrap(), &check);
    phone.say(&mut rig, 1);
    assert_eq!(rig.shell.sent.back().map(|sent| sent.socket), Some(tcp));
    rig.disconnect(0, tcp);
    rig.shell.sent.clear();
    phone.say(&mut rig, 2);
    assert_eq!(rig.shell.sent.back().map(|sent| (sent.socket, sent.to)), Some((WEBRTC, udp)));
    assert!(!kinds_of(&rig.take_events()).contains(&"ice-disconnected".into()));
    browser.rtp.clear();
}

#[test]
fn handshakes_over_a_bad_network_come_to_an_end() {
    for seed in 0..10 {
        let mut rig = Rig::open(&[webrtc_spec("a", &[Audio])]);
        let role = if seed % 2 == 0 { "active" } else { "passive" };
        let mut browser = Browser::new("a", 1, role, &[pcmu()]);
        rig.change(&browser.remote());
        browser.check(&mut rig, true);
        let mut random = trunkline_sim::Random::new(seed);
        browser.loss = Some(Box::new(move || random.chance(0.3)));
        browser.start_dtls(&mut rig);
        for _ in 0..500 {
            if browser.has_keys() && rig.stats("a").dtls.as_deref() == Some("connected") {
                break;
            }
            browser.check(&mut rig, true);
            browser.advance(&mut rig, 20 * MS);
        }
        assert_eq!(rig.stats("a").dtls.as_deref(), Some("connected"), "seed {seed}");
        assert!(browser.has_keys(), "seed {seed}");
    }
}
