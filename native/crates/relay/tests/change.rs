//! What can be asked of a session: `test/contract/media-engine.ts`, and what only this engine knows.

mod support;

use support::{Browser, Phone, Rig, SECOND, pcmu, rtp_spec, shared_spec, webrtc_spec};
use trunkline_control::MediumKind::{Audio, Video};
use trunkline_control::{ConnectedTo, LocalSide, RemoteSide, SessionChange, SideSpec};
use trunkline_relay::RtpPlace;

fn both() -> [SideSpec; 2] {
    [webrtc_spec("a", &[Audio, Video]), rtp_spec("b")]
}

fn names(rig: &Rig) -> Vec<String> {
    rig.session().stats(rig.now).into_iter().map(|stats| stats.side).collect()
}

fn connect(side: &str, to: ConnectedTo) -> SessionChange {
    SessionChange::Connect { side: side.into(), to }
}

fn to(side: &str) -> ConnectedTo {
    ConnectedTo::Side { side: side.into() }
}

#[test]
fn a_session_tells_local_facts_in_the_order_of_its_spec() {
    let rig = Rig::open(&both());
    let local = rig.session().local();
    assert_eq!(local.id, "call");
    let [LocalSide::WebRtc { id, ice, fingerprint, candidates, media, feedback }, LocalSide::Rtp { .. }] =
        &local.sides[..]
    else {
        panic!("{local:?}")
    };
    assert_eq!((id.as_str(), candidates.len(), media.len()), ("a", 1, 2));
    assert_eq!(media.iter().map(|stream| stream.kind).collect::<Vec<_>>(), [Audio, Video]);
    assert!(ice.lite && ice.ufrag.len() >= 4 && ice.pwd.len() >= 22);
    assert_eq!(fingerprint.value, rig.settings.certificates[0].fingerprint());
    assert_eq!(feedback, &["nack", "transport-cc"]);
    let LocalSide::Rtp { media, .. } = &local.sides[1] else { panic!() };
    let suites: Vec<_> = media[0].crypto.iter().map(|key| (key.tag, key.suite.as_str())).collect();
    assert_eq!(
        suites,
        [
            (1, "AES_CM_128_HMAC_SHA1_80"),
            (2, "AES_CM_128_HMAC_SHA1_32"),
            (3, "AEAD_AES_128_GCM"),
            (4, "AEAD_AES_256_GCM")
        ]
    );
}

#[test]
fn a_spec_that_cannot_be_is_refused_and_leaves_nothing() {
    let many: Vec<SideSpec> = (0..25).map(|n| webrtc_spec(&format!("s{n}"), &[Audio])).collect();
    let cases: [(&str, Vec<SideSpec>); 5] = [
        ("no side", vec![]),
        ("two sides of one name", vec![rtp_spec("a"), webrtc_spec("a", &[Audio])]),
        ("a side without media", vec![webrtc_spec("a", &[])]),
        ("a side with too many", vec![webrtc_spec("a", &[Audio; 5])]),
        ("more sides than allowed", many),
    ];
    for (why, sides) in cases {
        let mut rig = Rig::empty();
        assert_eq!(rig.try_open(&sides).unwrap_err().code, "MEDIA_SPEC_INVALID", "{why}");
        assert_eq!(
            (rig.shell.slots_used(), rig.shell.ufrags.len(), rig.shell.pairs_left),
            (0, 0, 100),
            "{why}"
        );
    }
}

#[test]
fn with_all_ports_in_use_a_session_is_refused_and_nothing_is_lost_by_it() {
    let mut rig = Rig::empty();
    rig.shell.pairs_left = 3;
    let sides =
        [webrtc_spec("a", &[Audio, Video]), rtp_spec("b"), rtp_spec("c"), rtp_spec("d"), rtp_spec("e")];
    assert_eq!(rig.try_open(&sides).unwrap_err().code, "MEDIA_PORTS_EXHAUSTED");
    assert_eq!((rig.shell.slots_used(), rig.shell.ufrags.len(), rig.shell.pairs_left), (0, 0, 3));
    assert!(rig.shell.released.iter().all(|(_, rest)| !rest), "nobody was told of them");
    rig.try_open(&sides[..3]).unwrap();
    let media = vec![Audio, Video];
    let side = SideSpec::Rtp { id: "d".into(), media, towards: None, signalled_from: None, ports: None };
    let add = SessionChange::AddSide { side };
    assert_eq!(rig.try_change(&add).unwrap_err().code, "MEDIA_PORTS_EXHAUSTED");
    assert_eq!(names(&rig), ["a", "b", "c"]);
    rig.change(&SessionChange::AddSide { side: rtp_spec("d") });
}

#[test]
fn a_side_that_is_added_tells_its_facts_again_when_asked_again_and_a_dropped_one_is_gone() {
    let mut rig = Rig::open(&both());
    let add = SessionChange::AddSide { side: rtp_spec("b2") };
    let told = rig.change(&add);
    assert!(matches!(&told[..], [LocalSide::Rtp { id, .. }] if id == "b2"));
    assert_eq!(rig.change(&add), told);
    let other = SessionChange::AddSide { side: webrtc_spec("b2", &[Audio]) };
    assert_eq!(rig.try_change(&other).unwrap_err().code, "MEDIA_SPEC_INVALID");
    let drop = SessionChange::DropSide { side: "b".into() };
    assert_eq!(rig.change(&drop), []);
    assert_eq!(rig.change(&drop), []);
    rig.change(&SessionChange::AddSide { side: rtp_spec("x") });
    assert_eq!(names(&rig), ["a", "b2", "x"], "in the order in which they were made");
    assert!(rig.shell.released.iter().all(|(_, rest)| *rest), "its peer may still send");
}

#[test]
fn sides_come_and_go_as_often_as_one_likes() {
    let mut rig = Rig::open(&both());
    for round in 0..300 {
        let side = format!("x{round}");
        rig.change(&SessionChange::AddSide { side: rtp_spec(&side) });
        rig.link("a", &side);
        rig.change(&SessionChange::DropSide { side });
    }
    assert_eq!((names(&rig).len(), rig.shell.slots_used(), rig.shell.pairs_left), (2, 3, 99));
    for n in 0..22 {
        rig.change(&SessionChange::AddSide { side: webrtc_spec(&format!("y{n}"), &[Audio]) });
    }
    let change = SessionChange::AddSide { side: rtp_spec("one too many") };
    assert_eq!(rig.try_change(&change).unwrap_err().code, "MEDIA_SPEC_INVALID");
}

#[test]
fn an_ice_restart_changes_the_credentials_and_nothing_else() {
    let mut rig = Rig::open(&both());
    let before = rig.local("a");
    let told = rig.change(&SessionChange::RestartIce { side: "a".into() });
    let (LocalSide::WebRtc { ice: old, .. }, [LocalSide::WebRtc { ice: new, .. }]) = (&before, &told[..])
    else {
        panic!("{told:?}")
    };
    assert!(old.ufrag != new.ufrag && old.pwd != new.pwd);
    let LocalSide::WebRtc { id, candidates, fingerprint, feedback, media, .. } = told[0].clone() else {
        panic!()
    };
    assert_eq!(LocalSide::WebRtc { id, ice: old.clone(), candidates, fingerprint, feedback, media }, before);
}

#[test]
fn a_change_that_makes_no_sense_is_refused_and_the_next_one_works() {
    let mut rig = Rig::open(&both());
    let phone = Phone::new(&mut rig, "b", 2, &[pcmu()]);
    let wrong_address =
        trunkline_control::RemoteMedium { address: Some("example.test".into()), ..phone.remote.clone() };
    let rtp = |media| RemoteSide::Rtp { media };
    let remote = |side: &str, remote| SessionChange::Remote { side: side.into(), remote };
    let cases = [
        ("an unknown side", connect("x", ConnectedTo::Echo)),
        ("an unknown partner", connect("a", to("x"))),
        ("itself as partner", connect("a", to("a"))),
        ("a tone nobody hears", connect("a", ConnectedTo::Tone { frequency_hz: 9_000 })),
        ("a tone of 0 Hz", connect("a", ConnectedTo::Tone { frequency_hz: 0 })),
        ("ICE where there is none", SessionChange::RestartIce { side: "b".into() }),
        ("a remote of the wrong kind", remote("a", rtp(vec![]))),
        ("a remote with other media", remote("b", rtp(vec![]))),
        ("a name as address", remote("b", rtp(vec![wrong_address]))),
        ("mute of nobody", SessionChange::Mute { side: "x".into(), muted: true }),
    ];
    for (why, change) in cases {
        assert_eq!(rig.try_change(&change).unwrap_err().code, "MEDIA_SPEC_INVALID", "{why}");
    }
    assert_eq!(rig.change(&connect("a", to("b"))), []);
}

#[test]
fn a_side_has_at_most_one_partner() {
    let mut rig = Rig::open(&["a", "b", "c", "d"].map(rtp_spec));
    let mut phones: Vec<Phone> = ["a", "b", "c", "d"]
        .into_iter()
        .zip(1..)
        .map(|(side, host)| Phone::new(&mut rig, side, host, &[pcmu()]))
        .collect();
    rig.link("a", "b");
    rig.link("c", "d");
    rig.link("b", "c");
    for number in 1..4 {
        phones.iter_mut().for_each(|phone| phone.say(&mut rig, number));
    }
    let heard: Vec<usize> = phones.iter_mut().map(|phone| phone.heard(&mut rig).len()).collect();
    assert_eq!(heard, [0, 3, 3, 0]);
}

#[test]
fn closing_gives_the_counters_and_everything_back() {
    let mut rig = Rig::open(&both());
    let mut browser = Browser::new("a", 1, "active", &[pcmu()]);
    browser.media.push(support::video_medium(&[support::vp8()]));
    browser.connect(&mut rig);
    let stats = rig.session().stats(rig.now);
    assert_eq!(rig.close(), stats);
    assert_eq!((rig.shell.slots_used(), rig.shell.ufrags.len(), rig.shell.sources.len()), (0, 0, 0));
    assert!(matches!(&rig.shell.released[..], [(RtpPlace { port: 20_000, .. }, true)]));
}

#[test]
fn on_a_shared_port_calls_are_told_apart_by_the_source_they_signal() {
    let mut rig = Rig::open(&["a", "b"].map(shared_spec));
    let mut a = Phone::new(&mut rig, "a", 1, &[pcmu()]);
    let mut b = Phone::new(&mut rig, "b", 2, &[pcmu()]);
    assert_eq!((a.local.port, a.local.rtcp_port), (b.local.port, a.local.port));
    rig.link("a", "b");
    (1..4).for_each(|n| a.say(&mut rig, n));
    (1..3).for_each(|n| b.say(&mut rig, n));
    assert_eq!((a.heard(&mut rig).len(), b.heard(&mut rig).len()), (2, 3));
    // RTCP is muxed.
    rig.advance(10 * SECOND);
    assert!(!a.heard_rtcp(&mut rig).is_empty());
    // A new place is followed by its SDP only.
    let old = a.address;
    a.address.set_port(4_444);
    (10..20).for_each(|n| a.say(&mut rig, n));
    assert_eq!(b.heard(&mut rig).len(), 0);
    a.remote.port = Some(4_444);
    a.negotiate(&mut rig);
    assert!(!rig.shell.sources.contains_key(&(a.socket, old)));
    a.say(&mut rig, 20);
    assert_eq!(b.heard(&mut rig).len(), 1);
    rig.change(&SessionChange::DropSide { side: "a".into() });
    assert!(!rig.shell.sources.contains_key(&(a.socket, a.address)));
}

#[test]
fn who_signals_the_source_of_another_call_on_a_shared_port_is_refused_and_keeps_what_it_had() {
    let mut rig = Rig::open(&["a", "b"].map(shared_spec));
    let mut a = Phone::new(&mut rig, "a", 1, &[pcmu()]);
    let mut b = Phone::new(&mut rig, "b", 2, &[pcmu()]);
    rig.link("a", "b");
    let mut thief = b.remote.clone();
    thief.address = a.remote.address.clone();
    let remote = RemoteSide::Rtp { media: vec![thief] };
    let change = SessionChange::Remote { side: "b".into(), remote };
    let fault = rig.try_change(&change).unwrap_err();
    assert_eq!(fault.code, "MEDIA_SPEC_INVALID");
    assert!(fault.message.contains("192.0.2.1:4000"), "{}", fault.message);
    a.say(&mut rig, 1);
    b.say(&mut rig, 1);
    assert_eq!((a.heard(&mut rig).len(), b.heard(&mut rig).len()), (1, 1));
    rig.shell.taken.push((a.socket, "192.0.2.1:5555".parse().unwrap()));
    a.remote.port = Some(5_555);
    assert!(rig.try_change(&a.remote_change()).is_err(), "another session has it");
    a.say(&mut rig, 2);
    assert_eq!(b.heard(&mut rig).len(), 1);
}
