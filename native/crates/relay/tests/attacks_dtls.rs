//! DTLS that is forged, too early or without end: the handshake of the peer completes, and keys in use stay.

mod support;

use std::net::SocketAddr;

use support::{Browser, End, MS, Phone, Rig, SECOND, WEBRTC, kinds_of, pcmu, rtp_spec, webrtc_spec};
use trunkline_control::MediumKind::Audio;
use trunkline_dtls::{Association, Certificate, Fingerprint, Options, Output, Role};
use trunkline_sim::Random;

fn attacker() -> SocketAddr {
    SocketAddr::from(([203, 0, 113, 66], 6_666))
}

/// The first flight of a client that nobody expects.
fn hello() -> Vec<Vec<u8>> {
    let certificate = Certificate::generate();
    let peer_fingerprints =
        vec![Fingerprint { algorithm: "sha-256".into(), value: certificate.fingerprint() }];
    let mut client = Association::new(Options { role: Role::Client, peer_fingerprints }, &certificate, 0);
    client.start(0);
    let (mut out, mut flight) = ([0; 2_048], Vec::new());
    while let Some(output) = client.poll(&mut out) {
        if let Output::Send(len) = output {
            flight.push(out[..len].to_vec());
        }
    }
    flight
}

fn rig() -> (Rig, Browser, Phone) {
    let mut rig = Rig::open(&[webrtc_spec("a", &[Audio]), rtp_spec("b")]);
    let phone = Phone::new(&mut rig, "b", 2, &[pcmu()]);
    rig.link("a", "b");
    (rig, Browser::new("a", 1, "active", &[pcmu()]), phone)
}

fn assert_talking(rig: &mut Rig, browser: &mut Browser, phone: &mut Phone, number: u16) {
    browser.heard(rig);
    phone.heard(rig);
    browser.say(rig, number);
    phone.say(rig, number);
    assert_eq!((phone.heard(rig).len(), browser.heard(rig).len()), (1, 1), "packet {number}");
}

/// As if the engine let them through: the session itself hears nobody whom no check proved.
#[test]
fn a_hello_without_a_check_begins_nothing_and_is_not_answered() {
    let (mut rig, mut browser, mut phone) = rig();
    rig.change(&browser.remote());
    for from in [attacker(), browser.address] {
        rig.shell.sources.insert((WEBRTC, from), 0);
        for datagram in hello() {
            (0..100).for_each(|_| rig.arrive(WEBRTC, from, &datagram));
        }
    }
    rig.advance(2 * SECOND);
    // The phone may have had a report by now.
    let answers = rig.shell.sent.iter().filter(|sent| sent.socket == WEBRTC).count();
    assert_eq!((rig.session().handshakes(), answers), (0, 0));
    browser.connect(&mut rig);
    for datagram in hello() {
        rig.arrive(WEBRTC, attacker(), &datagram);
    }
    assert!(rig.take_sent(attacker()).is_empty());
    assert_talking(&mut rig, &mut browser, &mut phone, 1);
}

/// Before the answer of the peer is known, hellos wait in a few places. Noise that fills them delays nobody for long.
#[test]
fn noise_that_comes_before_the_answer_does_not_keep_the_peer_out() {
    let (mut rig, mut browser, mut phone) = rig();
    let mut random = Random::new(5);
    browser.check(&mut rig, true);
    for n in 0..1_000 {
        let mut noise = vec![0; 1 + random.below(1_300) as usize];
        random.fill(&mut noise);
        noise[0] = 20 + (n % 44) as u8;
        rig.arrive(WEBRTC, browser.address, &noise);
    }
    browser.start_dtls(&mut rig);
    rig.change(&browser.remote());
    browser.advance(&mut rig, 3 * SECOND);
    assert_eq!(browser.ends, [End::Connected]);
    assert_talking(&mut rig, &mut browser, &mut phone, 1);
}

/// Whoever can forge the peer's address sends noise, hellos and alerts all through the handshake.
#[test]
fn a_handshake_among_forgeries_completes() {
    let forged_hello = hello();
    for seed in 0..10 {
        let (mut rig, mut browser, mut phone) = rig();
        let mut random = Random::new(seed);
        rig.change(&browser.remote());
        browser.check(&mut rig, true);
        browser.start_dtls(&mut rig);
        for _ in 0..200 {
            let forged = match random.below(4) {
                0 => forged_hello[random.below(forged_hello.len() as u64) as usize].clone(),
                1 => vec![21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40],
                2 => vec![22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 12, 14, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0],
                _ => vec![23, 254, 253, 0, 1, 0, 0, 0, 0, 0, 9, 0, 2, 1, 1],
            };
            rig.arrive(WEBRTC, browser.address, &forged);
            browser.advance(&mut rig, 10 * MS);
        }
        browser.advance(&mut rig, 3 * SECOND);
        assert!(browser.has_keys(), "seed {seed}: {:?} {:?}", browser.ends, rig.take_events());
        assert_talking(&mut rig, &mut browser, &mut phone, 1);
    }
}

/// Long after the handshake its association is given up. A hello that is forged then begins one that comes to nothing.
#[test]
fn forged_hellos_do_not_touch_keys_in_use_nor_stay_nor_draw_much() {
    let (mut rig, mut browser, mut phone) = rig();
    browser.connect(&mut rig);
    for number in 0..50 {
        rig.advance(2 * SECOND);
        browser.check(&mut rig, true);
        assert_talking(&mut rig, &mut browser, &mut phone, number);
    }
    rig.take_events();
    let (mut received, mut sent) = (0, 0);
    for number in 50..200 {
        for datagram in hello() {
            received += datagram.len();
            rig.arrive(WEBRTC, browser.address, &datagram);
        }
        rig.advance(100 * MS);
        sent += rig.take_sent(browser.address).iter().map(|sent| sent.bytes.len()).sum::<usize>();
        if number % 10 == 0 {
            browser.check(&mut rig, true);
        }
        assert_talking(&mut rig, &mut browser, &mut phone, number);
    }
    assert!(sent < 3 * received, "{sent} bytes for {received}");
    for number in 200..260 {
        rig.advance(2 * SECOND);
        browser.check(&mut rig, true);
        assert_talking(&mut rig, &mut browser, &mut phone, number);
    }
    assert_eq!(rig.session().handshakes(), 0, "what came to nothing is given up");
    let events = kinds_of(&rig.take_events());
    assert!(!events.iter().any(|kind| kind == "failed" || kind == "ended"), "{events:?}");
}
