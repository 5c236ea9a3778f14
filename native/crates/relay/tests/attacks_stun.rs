//! Checks that are forged, replayed or too many: the call goes on where its peers are.

mod support;

use std::net::SocketAddr;

use support::{Browser, MS, Phone, Rig, SECOND, WEBRTC, check_datagram, pcmu, rtp_spec, webrtc_spec};
use trunkline_control::MediumKind::Audio;
use trunkline_control::SessionChange;

fn attacker() -> SocketAddr {
    SocketAddr::from(([203, 0, 113, 66], 6_666))
}

fn call() -> (Rig, Browser, Phone) {
    let mut rig = Rig::open(&[webrtc_spec("a", &[Audio]), rtp_spec("b")]);
    let phone = Phone::new(&mut rig, "b", 2, &[pcmu()]);
    let mut browser = Browser::new("a", 1, "active", &[pcmu()]);
    rig.link("a", "b");
    browser.connect(&mut rig);
    (rig, browser, phone)
}

/// Audio reaches the browser, and the phone.
fn assert_talking(rig: &mut Rig, browser: &mut Browser, phone: &mut Phone, number: u16) {
    browser.heard(rig);
    phone.heard(rig);
    browser.say(rig, number);
    phone.say(rig, number);
    assert_eq!((phone.heard(rig).len(), browser.heard(rig).len()), (1, 1), "packet {number}");
}

#[test]
fn a_check_with_a_wrong_password_changes_nothing_and_its_answer_is_smaller_than_it() {
    let (mut rig, mut browser, mut phone) = call();
    let (ufrag, pwd) = browser.credentials(&rig);
    let sources = rig.shell.sources.clone();
    let mut forged =
        vec![check_datagram(&ufrag, "a password that is wrong", true), check_datagram(&ufrag, "", true)];
    for at in 0..forged[0].len() {
        let mut changed = check_datagram(&ufrag, &pwd, true);
        changed[at] ^= 1;
        forged.push(changed);
    }
    for check in &forged {
        rig.arrive(WEBRTC, attacker(), check);
        let answered: usize = rig.take_sent(attacker()).iter().map(|sent| sent.bytes.len()).sum();
        assert!(answered < check.len(), "{answered} bytes for {}", check.len());
    }
    assert_eq!(rig.shell.sources, sources);
    assert_eq!(rig.stats("a").remote, Some(browser.address.to_string()));
    assert_talking(&mut rig, &mut browser, &mut phone, 10);
}

#[test]
fn a_recorded_nomination_moves_nothing_when_it_is_sent_again_from_elsewhere() {
    let (mut rig, mut browser, mut phone) = call();
    let (ufrag, pwd) = browser.credentials(&rig);
    let recorded: Vec<_> = (0..50).map(|_| check_datagram(&ufrag, &pwd, true)).collect();
    for check in &recorded {
        rig.arrive(WEBRTC, browser.address, check);
    }
    let sources = rig.shell.sources.clone();
    for round in 0..20 {
        for check in &recorded {
            rig.arrive(WEBRTC, attacker(), check);
        }
        assert_talking(&mut rig, &mut browser, &mut phone, 10 + round);
    }
    assert_eq!(rig.shell.sources, sources, "nothing of the recorder is heard either");
    assert!(rig.take_sent(attacker()).iter().all(|sent| sent.bytes[0] == 1), "answers only, no media");
}

/// The memory of past checks dies with the process, and holds half an hour: then a recorded nomination counts. The peer's
/// own checks bring media back, also of a peer that nominates once and never again.
#[test]
fn media_that_was_led_astray_comes_back_although_the_peer_does_not_nominate_again() {
    let (mut rig, mut browser, mut phone) = call();
    let (ufrag, pwd) = browser.credentials(&rig);
    let recorded = check_datagram(&ufrag, &pwd, true);
    rig.arrive(WEBRTC, browser.address, &recorded);
    rig.crash(5 * MS);
    rig.arrive(WEBRTC, attacker(), &recorded);
    for _ in 0..5 {
        rig.advance(5 * SECOND);
        browser.check(&mut rig, false);
        rig.arrive(WEBRTC, attacker(), &recorded);
    }
    assert_eq!(rig.stats("a").remote, Some(browser.address.to_string()));
    assert_talking(&mut rig, &mut browser, &mut phone, 10);
}

/// RFC 7675 §5.1: consent is to send to an address, so that of another does not help.
#[test]
fn an_address_that_gives_no_consent_is_not_sent_to_for_longer_than_consent_lasts() {
    let (mut rig, mut browser, mut phone) = call();
    let old = browser.address;
    browser.address = attacker();
    browser.check(&mut rig, true);
    browser.address = old;
    for _ in 0..6 {
        browser.check(&mut rig, false);
        rig.advance(5 * SECOND);
    }
    rig.take_sent(attacker());
    (10..20).for_each(|number| phone.say(&mut rig, number));
    assert!(rig.take_sent(attacker()).is_empty());
}

#[test]
fn a_peer_that_seems_to_be_in_ten_thousand_places_is_kept_in_eight() {
    let (mut rig, mut browser, mut phone) = call();
    let home = browser.address;
    for port in 10_000..20_000 {
        browser.address.set_port(port);
        browser.check(&mut rig, port % 3 == 0);
    }
    assert!(rig.shell.sources.len() <= 8, "{}", rig.shell.sources.len());
    assert!(rig.take_events().len() < 20, "the gateway hears of few of them");
    browser.address = home;
    browser.check(&mut rig, true);
    assert_talking(&mut rig, &mut browser, &mut phone, 10);
}

#[test]
fn after_a_restart_the_old_password_is_worth_nothing_once_the_new_one_was_used() {
    let (mut rig, mut browser, mut phone) = call();
    let mut used = vec![browser.credentials(&rig)];
    for round in 0..5 {
        rig.change(&SessionChange::RestartIce { side: "a".into() });
        assert_eq!(rig.shell.ufrags.len(), 2, "the old ones stay good until then, and no older ones");
        browser.check(&mut rig, true);
        assert_eq!(rig.shell.ufrags.len(), 1);
        for (ufrag, pwd) in &used {
            let check = check_datagram(ufrag, pwd, true);
            // As if the engine still knew the user fragment.
            rig.check(0, WEBRTC, attacker(), &check);
        }
        used.push(browser.credentials(&rig));
        assert_eq!(rig.stats("a").remote, Some(browser.address.to_string()), "round {round}");
        assert_talking(&mut rig, &mut browser, &mut phone, 10 + round);
    }
}

/// Consent that was lost is not given back by a connection that ends (RFC 7675 §5.2: only a check does).
#[test]
fn a_closed_connection_does_not_bring_a_lost_path_back() {
    const TCP: u32 = 0x8000_0007;
    let (mut rig, mut browser, mut phone) = call();
    let (ufrag, pwd) = browser.credentials(&rig);
    rig.check(0, TCP, attacker(), &check_datagram(&ufrag, &pwd, false));
    rig.advance(31 * SECOND);
    assert_eq!(rig.stats("a").ice.as_deref(), Some("disconnected"));
    rig.disconnect(0, TCP);
    assert_eq!(rig.stats("a").ice.as_deref(), Some("disconnected"));
    browser.heard(&mut rig);
    phone.say(&mut rig, 5);
    assert_eq!(browser.heard(&mut rig).len(), 0);
    browser.check(&mut rig, false);
    assert_talking(&mut rig, &mut browser, &mut phone, 10);
}
