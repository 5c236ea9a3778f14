//! The process dies at any instruction, and the one that follows goes on.

mod support;

use std::cell::RefCell;

use support::{
    Browser, End, FakeShell, MS, Phone, Rig, SECOND, Words, dtmf_8, kinds_of, opus, pcmu, rtp_spec,
    shared_spec, video_medium, vp8, webrtc_spec,
};
use trunkline_control::MediumKind::{Audio, Video};
use trunkline_control::{ConnectedTo, MediumKind, SessionChange, SessionSpec, SideSpec};
use trunkline_relay::{Session, SideRecord};
use trunkline_slab::Slot;
use trunkline_srtp::Suite;

const GAP: u64 = 3 * MS;

fn pair() -> (Rig, Phone, Phone) {
    let mut rig = Rig::open(&["a", "b"].map(rtp_spec));
    let a = Phone::new(&mut rig, "a", 1, &[pcmu(), dtmf_8()]);
    let b = Phone::new(&mut rig, "b", 2, &[pcmu(), dtmf_8()]);
    rig.link("a", "b");
    (rig, a, b)
}

#[test]
fn a_call_goes_on_where_it_was_and_nobody_is_told_again() {
    let (mut rig, mut a, mut b) = pair();
    a.address.set_port(61_000);
    for n in 0..10 {
        a.say(&mut rig, n);
        b.say(&mut rig, n);
        rig.advance(20 * MS);
    }
    let (before, local) = (rig.session().stats(rig.now), rig.session().local());
    let last = b.heard(&mut rig).pop().unwrap();
    rig.take_events();
    rig.crash(0);
    assert_eq!((rig.session().stats(rig.now), rig.session().local()), (before, local));
    rig.advance(GAP);
    for n in 10..20 {
        a.say(&mut rig, n);
        b.say(&mut rig, n);
        rig.advance(20 * MS);
    }
    let heard = b.heard(&mut rig);
    assert_eq!((heard.len(), a.heard(&mut rig).len()), (10, 10), "the new port was not forgotten");
    assert_eq!((heard[0].ssrc, heard[0].sequence), (last.ssrc, last.sequence + 1));
    assert!(heard[0].timestamp.wrapping_sub(last.timestamp) < 1_000);
    assert!(heard.windows(2).all(|pair| pair[1].sequence == pair[0].sequence + 1));
    assert_eq!(kinds_of(&rig.take_events()), Vec::<String>::new());
    assert_eq!(a.stats(&rig).media[0].packets_received, 17, "three proved the new port");
}

#[test]
fn what_commands_said_holds() {
    let mut rig = Rig::open(&["a", "b"].map(rtp_spec));
    rig.change(&SessionChange::AddSide { side: rtp_spec("c") });
    rig.change(&SessionChange::DropSide { side: "b".into() });
    rig.change(&SessionChange::AddSide { side: rtp_spec("b") });
    let mut a = Phone::new(&mut rig, "a", 1, &[opus()]);
    let mut b =
        Phone::new(&mut rig, "b", 2, &[trunkline_control::PayloadCodec { payload_type: 97, ..opus() }]);
    let mut c = Phone::new(&mut rig, "c", 3, &[pcmu()]);
    rig.link("a", "b");
    rig.connect("c", ConnectedTo::Tone { frequency_hz: 440 });
    rig.change(&SessionChange::Mute { side: "b".into(), muted: true });
    rig.crash(GAP);
    let names: Vec<_> = rig.session().stats(rig.now).into_iter().map(|stats| stats.side).collect();
    assert_eq!(names, ["a", "c", "b"]);
    let opus_words = |phone: &Phone, payload_type| Words {
        sequence: 1,
        timestamp: 0,
        payload_type,
        marker: false,
        ssrc: phone.ssrc,
    };
    let (from_a, from_b) = (opus_words(&a, 111), opus_words(&b, 97));
    a.send_as(&mut rig, &from_a, b"from a");
    b.send_as(&mut rig, &from_b, b"from b, muted");
    assert_eq!(b.heard(&mut rig).iter().map(|heard| heard.payload_type).collect::<Vec<_>>(), [97]);
    assert_eq!(a.heard(&mut rig).len(), 0);
    rig.advance(100 * MS);
    assert!(c.heard(&mut rig).len() >= 5, "the tone plays on");
    let places: Vec<_> = rig.session().places().into_iter().map(|(_, place)| place.port).collect();
    assert_eq!(places, [a.local.port, c.local.port, b.local.port]);
    rig.change(&SessionChange::DropSide { side: "b".into() });
    assert_eq!(rig.shell.slots_used(), 2);
}

#[test]
fn shared_sources_are_known_again() {
    let mut rig = Rig::open(&["a", "b"].map(shared_spec));
    let mut a = Phone::new(&mut rig, "a", 1, &[pcmu()]);
    let mut b = Phone::new(&mut rig, "b", 2, &[pcmu()]);
    rig.link("a", "b");
    rig.crash(GAP);
    a.say(&mut rig, 1);
    b.say(&mut rig, 1);
    assert_eq!((a.heard(&mut rig).len(), b.heard(&mut rig).len()), (1, 1));
}

#[test]
fn keys_of_sdes_go_on_and_what_was_received_is_not_taken_again() {
    let (mut rig, mut a, mut b) = pair();
    b.secure(&mut rig, Suite::Aes128CmSha1_80);
    let words = |sequence| Words { sequence, timestamp: 0, payload_type: 0, marker: false, ssrc: 7 };
    let mut seen = std::collections::HashMap::new();
    let mut recorded = Vec::new();
    for round in 0..10_u16 {
        for n in 0..20 {
            let datagram = b.packet(&words(round * 20 + n), b"words");
            rig.arrive(b.socket, b.address, &datagram);
            recorded.push(datagram);
            a.say(&mut rig, round * 20 + n);
            rig.advance(20 * MS);
        }
        assert_eq!(a.heard(&mut rig).len(), 20);
        for sent in rig.take_sent(b.address) {
            assert_eq!(seen.insert([sent.bytes[2], sent.bytes[3]], sent.bytes), None, "a number twice");
        }
        rig.crash(GAP);
        for datagram in &recorded {
            rig.arrive(b.socket, b.address, datagram);
        }
        assert_eq!(a.heard(&mut rig).len(), 0, "a replay");
    }
    assert_eq!(seen.len(), 200);
}

fn browser_call(role: &'static str) -> (Rig, Browser, Phone) {
    let mut rig = Rig::open(&[webrtc_spec("a", &[Audio]), rtp_spec("b")]);
    let phone = Phone::new(&mut rig, "b", 2, &[pcmu()]);
    let mut browser = Browser::new("a", 1, role, &[pcmu()]);
    rig.link("a", "b");
    browser.connect(&mut rig);
    (rig, browser, phone)
}

#[test]
fn an_established_browser_goes_on_without_a_handshake() {
    for role in ["active", "passive"] {
        let (mut rig, mut browser, mut phone) = browser_call(role);
        let mut seen = std::collections::HashMap::new();
        for n in 0..10 {
            browser.say(&mut rig, n);
            phone.say(&mut rig, n);
            rig.advance(20 * MS);
            assert_eq!((phone.heard(&mut rig).len(), browser.heard(&mut rig).len()), (1, 1), "{role}, {n}");
            rig.crash(GAP);
            assert_eq!(kinds_of(&rig.take_events()), Vec::<String>::new());
        }
        for raw in browser.raw.drain(..) {
            assert_eq!(seen.insert([raw[2], raw[3]], raw), None, "a number twice");
        }
        rig.advance(6 * SECOND);
        browser.settle(&mut rig);
        assert!(!browser.rtcp.is_empty(), "reports are new to the browser");
        assert_eq!((browser.ends.len(), rig.session().handshakes()), (1, 0));
        // Its checks are answered, and consent still counts.
        browser.check(&mut rig, false);
        assert_eq!(browser.answers.last(), Some(&0));
        rig.advance(31 * SECOND);
        assert!(kinds_of(&rig.take_events()).contains(&"ice-disconnected".into()));
    }
}

#[test]
fn a_torn_agent_costs_nothing_but_the_spare_paths() {
    let (mut rig, mut browser, mut phone) = browser_call("active");
    // The agent holds the browser's address in its mapped form: the first of it is torn, the second is the spare copy.
    let needle = browser.address.port().to_ne_bytes();
    rig.crash_with(GAP, |slots| {
        let record =
            bytemuck::bytes_of_mut(&mut **slots.iter_mut().min_by_key(|slot| slot.number()).unwrap());
        let places: Vec<usize> =
            record.windows(2).enumerate().filter(|(_, word)| *word == needle).map(|(at, _)| at).collect();
        assert!(places.len() >= 2, "{places:?}");
        record[places[0]] ^= 1;
    });
    phone.say(&mut rig, 1);
    browser.say(&mut rig, 1);
    assert_eq!((browser.heard(&mut rig).len(), phone.heard(&mut rig).len()), (1, 1));
}

#[test]
fn a_handshake_that_was_not_finished_starts_anew_with_the_peers_next_hello() {
    let mut rig = Rig::open(&[webrtc_spec("a", &[Audio])]);
    let mut browser = Browser::new("a", 1, "active", &[pcmu()]);
    rig.change(&browser.remote());
    browser.check(&mut rig, true);
    browser.start_dtls(&mut rig);
    assert_eq!(rig.session().handshakes(), 1);
    // Our flight is lost with us.
    rig.crash(GAP);
    browser.advance(&mut rig, 5 * SECOND);
    assert_eq!(
        (&browser.ends[..], rig.stats("a").dtls.as_deref()),
        (&[End::Connected][..], Some("connected"))
    );
}

#[test]
fn as_a_client_we_say_hello_again() {
    let mut rig = Rig::open(&[webrtc_spec("a", &[Audio])]);
    let mut browser = Browser::new("a", 1, "passive", &[pcmu()]);
    rig.change(&browser.remote());
    browser.check(&mut rig, true);
    rig.take_sent(browser.address);
    rig.crash(GAP);
    browser.start_dtls(&mut rig);
    browser.settle(&mut rig);
    assert_eq!(browser.ends, [End::Connected]);
}

#[test]
fn both_credentials_of_an_ice_restart_are_good_still() {
    let (mut rig, mut browser, _) = browser_call("active");
    let (ufrag, pwd) = browser.credentials(&rig);
    rig.change(&SessionChange::RestartIce { side: "a".into() });
    rig.crash(GAP);
    browser.answers.clear();
    rig.arrive(support::WEBRTC, browser.address, &support::check_datagram(&ufrag, &pwd, false));
    browser.check(&mut rig, false);
    assert_eq!((&browser.answers[..], rig.shell.ufrags.len()), (&[0, 0][..], 1));
    rig.crash(GAP);
    assert_eq!(rig.shell.ufrags.len(), 1);
}

#[test]
fn each_medium_of_a_bundle_goes_on() {
    let mut rig = Rig::open(&[webrtc_spec("a", &[Audio, Video]), webrtc_spec("b", &[Audio, Video])]);
    let mut browsers = [("a", 1, "active"), ("b", 2, "passive")].map(|(side, host, role)| {
        let mut browser = Browser::new(side, host, role, &[pcmu()]);
        browser.media.push(video_medium(&[vp8()]));
        browser
    });
    rig.link("a", "b");
    browsers.iter_mut().for_each(|browser| browser.connect(&mut rig));
    for n in 0..5 {
        let picture = Words { sequence: n, timestamp: 3_000, payload_type: 96, marker: true, ssrc: 20 };
        let [one, two] = &mut browsers;
        one.say(&mut rig, n);
        one.send_rtp(&mut rig, &support::rtp_packet(&picture, b"picture"));
        let heard = two.heard(&mut rig);
        assert_eq!(heard.iter().map(|heard| heard.payload_type).collect::<Vec<_>>(), [0, 96]);
        rig.crash(GAP);
    }
}

/// Every call of the shell is a place to die in: the session is there as a whole, or not at all.
#[test]
fn who_dies_while_opening_leaves_all_or_nothing() {
    let media = vec![Audio, Video];
    let phone = SideSpec::Rtp { id: "b".into(), media, towards: None, signalled_from: None, ports: None };
    let sides = [webrtc_spec("a", &[Audio, Video]), phone, rtp_spec("c")];
    let mut rig = Rig::empty();
    rig.shell.snapshots = Some(RefCell::default());
    rig.try_open(&sides).unwrap();
    let (last, _file) = rig.shell.slab.copy().unwrap();
    let local = rig.session().local();
    let mut snapshots = rig.shell.snapshots.take().unwrap().into_inner();
    assert!(snapshots.len() >= 6);
    snapshots.push(last);
    let mut opened = 0;
    for snapshot in snapshots {
        let mut other = Rig::empty();
        other.recover(snapshot, GAP, |_| {});
        if other.is_open() {
            assert_eq!(other.session().local(), local);
            opened += 1;
        } else {
            assert_eq!(other.shell.slots_used(), 0, "something is left");
            other.try_open(&sides).unwrap();
        }
    }
    assert!(opened >= 1);
}

#[test]
fn who_dies_while_a_side_is_added_or_dropped_leaves_it_whole_or_not_at_all() {
    let media: Vec<MediumKind> = vec![Audio, Video];
    let side = SideSpec::Rtp { id: "c".into(), media, towards: None, signalled_from: None, ports: None };
    let changes = [
        SessionChange::AddSide { side },
        SessionChange::DropSide { side: "c".into() },
        SessionChange::DropSide { side: "a".into() },
    ];
    let (mut rig, _, _) = pair();
    for change in changes {
        rig.shell.snapshots = Some(RefCell::default());
        rig.change(&change);
        let sides = rig.session().stats(rig.now).len();
        for snapshot in rig.shell.snapshots.take().unwrap().into_inner() {
            let mut other = Rig::empty();
            other.now = rig.now;
            other.recover(snapshot, GAP, |_| {});
            let expected: u32 =
                other.session().stats(other.now).iter().map(|side| side.media.len() as u32).sum();
            assert_eq!(other.shell.slots_used(), expected, "slots that are nobody's");
            // The command was not answered, so it comes again.
            other.change(&change);
            assert_eq!(other.session().stats(other.now).len(), sides);
        }
    }
}

/// The texts of the sides are written one after the other; whichever of them were, two sides agree.
#[test]
fn who_dies_while_connecting_leaves_pairs() {
    for first in ["a-b", "a-b c-d"] {
        for written in 0..16_u32 {
            let mut rig = Rig::open(&["a", "b", "c", "d"].map(rtp_spec));
            let mut phones: Vec<Phone> = ["a", "b", "c", "d"]
                .into_iter()
                .zip(1..)
                .map(|(side, host)| Phone::new(&mut rig, side, host, &[pcmu()]))
                .collect();
            first.split(' ').for_each(|link| rig.link(&link[..1], &link[2..]));
            let before = rig.image();
            rig.link("b", "c");
            let after = rig.image();
            rig.crash_with(GAP, |slots| {
                for slot in slots {
                    let at = before.iter().position(|(number, ..)| *number == slot.number()).unwrap();
                    let image = if written & 1 << at == 0 { &before } else { &after };
                    slot.set_text(&image[at].2).unwrap();
                }
            });
            let mut hears = [[false; 4]; 4];
            for speaker in 0..4 {
                phones[speaker].say(&mut rig, 1);
                for listener in 0..4 {
                    hears[speaker][listener] = !phones[listener].heard(&mut rig).is_empty();
                }
            }
            for (speaker, listener) in (0..4).flat_map(|one| (0..4).map(move |other| (one, other))) {
                assert_eq!(hears[speaker][listener], hears[listener][speaker], "{first}, {written:04b}");
            }
            // The side that asked is written first, so from then on the change is made.
            assert!(written & 0b0110 == 0 || hears[1][2], "{first}, {written:04b}");
        }
    }
}

/// Between two stores of the last packet: any word of a record may be old or new. That packet did not leave.
#[test]
fn a_record_that_is_half_written_uses_no_number_twice_and_takes_nothing_twice() {
    let mut random = trunkline_sim::Random::new(4);
    let (mut rig, mut a, mut b) = pair();
    b.secure(&mut rig, Suite::AeadAes128Gcm);
    let mut seen = std::collections::HashMap::new();
    let mut recorded = Vec::new();
    let mut number = 0_u16;
    let mut last_sequence = None;
    for round in 0..1_500 {
        for _ in 0..3 {
            // With holes, in which a number might be thought free.
            number += 1 + u16::from(random.chance(0.3));
            a.say(&mut rig, number);
            let words = Words { sequence: number, timestamp: 0, payload_type: 0, marker: false, ssrc: 7 };
            let datagram = b.packet(&words, b"words");
            rig.arrive(b.socket, b.address, &datagram);
            recorded.push(datagram);
            rig.advance(20 * MS);
        }
        let heard = a.heard(&mut rig);
        assert_eq!(heard.len(), 3, "round {round}");
        for heard in heard {
            let ahead = last_sequence.map_or(1, |last: u16| heard.sequence.wrapping_sub(last));
            assert!((1..100).contains(&ahead), "round {round}: {ahead}");
            last_sequence = Some(heard.sequence);
        }
        for sent in rig.take_sent(b.address) {
            assert_eq!(
                seen.insert([sent.bytes[2], sent.bytes[3]], sent.bytes),
                None,
                "round {round}: a number twice"
            );
        }
        let before = rig.image();
        number += 1;
        a.say(&mut rig, number);
        let words = Words { sequence: number, timestamp: 0, payload_type: 0, marker: false, ssrc: 7 };
        let datagram = b.packet(&words, b"lost with the process");
        rig.arrive(b.socket, b.address, &datagram);
        let after = rig.image();
        rig.shell.sent.clear();
        rig.crash_with(GAP, |slots| {
            for slot in slots.iter_mut() {
                let number = slot.number();
                let find = |image: &[(u32, SideRecord, Vec<u8>)]| {
                    image.iter().find(|each| each.0 == number).unwrap().1
                };
                tear(slot, &find(&before), &find(&after), &mut random);
            }
        });
        for datagram in recorded.iter().rev().take(200) {
            rig.arrive(b.socket, b.address, datagram);
        }
        assert_eq!(a.heard(&mut rig).len(), 0, "round {round}: a replay");
        // A plain source can say anything again, in other words.
        for back in 0..8 {
            let sequence = number.wrapping_sub(back);
            a.send(&mut rig, sequence, u32::from(sequence) * 160, b"in other words");
        }
    }
}

fn tear(
    slot: &mut Slot<SideRecord>,
    before: &SideRecord,
    after: &SideRecord,
    random: &mut trunkline_sim::Random,
) {
    let (before, after) = (bytemuck::bytes_of(before), bytemuck::bytes_of(after));
    let torn = bytemuck::bytes_of_mut(&mut **slot);
    for at in (0..torn.len()).step_by(8) {
        let source = if random.chance(0.5) { before } else { after };
        torn[at..at + 8].copy_from_slice(&source[at..at + 8]);
    }
}

#[test]
fn slots_of_no_session_are_freed() {
    let mut shell = FakeShell::new();
    let rig = Rig::empty();
    assert!(Session::recover(vec![], &rig.settings, &mut shell, 0).is_none());
    let spec = SessionSpec { id: "call".into(), sides: vec![rtp_spec("a")] };
    let session = Session::open(&spec, &rig.settings, &mut shell, 0).unwrap();
    session.abandon();
    let (slab, _file) = shell.slab.copy().unwrap();
    let mut shell = FakeShell::on(slab);
    let mut slots = shell.recovered();
    slots[0].set_text(b"not what we wrote").unwrap();
    assert_eq!(Session::id_of(&slots[0]), None);
    assert!(Session::recover(slots, &rig.settings, &mut shell, 0).is_none());
    assert_eq!(shell.slots_used(), 0);
}
