//! RTCP that is forged, repeated or without measure: reports are not a lever.

mod support;

use support::{Browser, MS, Phone, Rig, SECOND, kinds_of, pcmu, rtp_spec, video_medium, vp8, webrtc_spec};
use trunkline_base::Packet;
use trunkline_control::LocalSide;
use trunkline_control::MediumKind::{Audio, Video};
use trunkline_rtp::build_nack;

fn call() -> (Rig, Browser, Phone) {
    let mut rig = Rig::open(&[webrtc_spec("a", &[Audio]), rtp_spec("b")]);
    let phone = Phone::new(&mut rig, "b", 2, &[pcmu()]);
    let mut browser = Browser::new("a", 1, "active", &[pcmu()]);
    browser.media[0].nack = true;
    rig.link("a", "b");
    browser.connect(&mut rig);
    (rig, browser, phone)
}

fn ssrc_toward_browser(rig: &Rig) -> u32 {
    let LocalSide::WebRtc { media, .. } = rig.local("a") else { panic!() };
    media[0].ssrc
}

/// An empty receiver report, then feedback of a format.
fn feedback(kind: u8, format: u8, own: u32, media: u32, rest: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80, 201, 0, 1];
    bytes.extend(own.to_be_bytes());
    bytes.extend([0x80 | format, kind]);
    bytes.extend((2 + rest.len() as u16 / 4).to_be_bytes());
    bytes.extend(own.to_be_bytes());
    bytes.extend(media.to_be_bytes());
    bytes.extend(rest);
    bytes
}

fn goodbye(ssrc: u32) -> Vec<u8> {
    let mut bytes = vec![0x80, 201, 0, 1, 0, 0, 0, 9, 0x81, 203, 0, 1];
    bytes.extend(ssrc.to_be_bytes());
    bytes
}

/// Whoever asks for the same packets for ever costs at most a small multiple of what was sent anyway.
#[test]
fn asking_again_and_again_gives_no_more_than_a_few_times_what_was_sent() {
    let (mut rig, mut browser, mut phone) = call();
    let ours = ssrc_toward_browser(&rig);
    (0..40).for_each(|number| phone.say(&mut rig, number));
    browser.pump(&mut rig);
    let sent: Vec<_> = std::mem::take(&mut browser.rtp).iter().map(|heard| heard.sequence).collect();
    let bytes: usize = browser.raw.drain(..).map(|datagram| datagram.len()).sum();
    assert_eq!(sent.len(), 40);
    // Sixty-four times the same number, and each number in every packet.
    let greedy: Vec<u8> =
        std::iter::repeat_n([sent[30].to_be_bytes(), [0xff; 2]].concat(), 64).flatten().collect();
    let mut repeated = 0;
    for round in 0..200 {
        let mut nack = Packet::new();
        build_nack(&mut nack, browser.ssrc, ours, &sent);
        let bytes = if round % 2 == 0 {
            nack.bytes().to_vec()
        } else {
            feedback(205, 1, browser.ssrc, ours, &greedy)
        };
        browser.send_rtcp(&mut rig, &bytes);
        repeated += rig.take_sent(browser.address).iter().map(|sent| sent.bytes.len()).sum::<usize>();
        rig.advance(MS);
    }
    assert!(repeated >= bytes, "what is asked for is sent at all");
    assert!(repeated <= 4 * bytes, "{repeated} bytes were repeated of {bytes}");
}

#[test]
fn a_flood_of_requests_for_pictures_becomes_two_a_second() {
    let mut rig = Rig::open(&[webrtc_spec("a", &[Video]), webrtc_spec("b", &[Video])]);
    let mut browsers = [Browser::new("a", 1, "active", &[]), Browser::new("b", 2, "passive", &[])];
    rig.link("a", "b");
    for browser in &mut browsers {
        browser.media = vec![video_medium(&[vp8()])];
        browser.connect(&mut rig);
    }
    let [a, b] = &mut browsers;
    let LocalSide::WebRtc { media, .. } = rig.local("a") else { panic!() };
    let words = support::Words { sequence: 1, timestamp: 0, payload_type: 96, marker: true, ssrc: b.ssrc };
    b.send_rtp(&mut rig, &support::rtp_packet(&words, b"a frame"));
    rig.advance(SECOND);
    b.pump(&mut rig);
    b.rtcp.clear();
    for _ in 0..10_000 {
        a.send_rtcp(&mut rig, &feedback(206, 1, a.ssrc, media[0].ssrc, &[]));
        rig.advance(MS / 5);
    }
    b.pump(&mut rig);
    let asked = b.rtcp.iter().filter(|rtcp| rtcp.windows(2).any(|pair| pair == [0x81, 206])).count();
    assert!((3..=5).contains(&asked), "{asked} in two seconds");
}

#[test]
fn a_goodbye_that_nobody_meant_ends_nothing_while_the_peer_goes_on() {
    let (mut rig, mut browser, mut phone) = call();
    for number in 0..200 {
        phone.say(&mut rig, number);
        browser.say(&mut rig, number);
        // From another port of the phone's address, as whoever forges its address can.
        let mut from = phone.address;
        from.set_port(7);
        rig.arrive(phone.socket + 1, from, &goodbye(phone.ssrc));
        rig.advance(20 * MS);
    }
    browser.pump(&mut rig);
    assert_eq!((browser.rtp.len(), phone.heard(&mut rig).len()), (200, 200));
    assert!(!kinds_of(&rig.take_events()).contains(&"ended".into()));
}

/// Somebody else's address, and SRTCP that is not authentic, replayed or of another length.
#[test]
fn reports_that_are_not_the_peers_say_nothing() {
    let (mut rig, mut browser, mut phone) = call();
    phone.say(&mut rig, 1);
    browser.say(&mut rig, 1);
    let before = rig.stats("a").media[0].packets_discarded;
    let stranger = "203.0.113.9:4001".parse().unwrap();
    for n in 0..1_000_u32 {
        rig.arrive(phone.socket + 1, stranger, &goodbye(phone.ssrc));
        let mut bytes = goodbye(browser.ssrc);
        bytes.extend(n.to_be_bytes());
        bytes.extend([7; 16]);
        rig.arrive(support::WEBRTC, browser.address, &bytes);
    }
    rig.advance(2 * SECOND);
    assert!(!kinds_of(&rig.take_events()).contains(&"ended".into()));
    assert_eq!(rig.stats("a").media[0].packets_discarded - before, 1_000);
    assert_eq!(rig.stats("b").media[0].packets_discarded, 1_000);
}
