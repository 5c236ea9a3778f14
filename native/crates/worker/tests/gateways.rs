//! Gateways that come, die, come back, and talk nonsense.

mod support;

use std::io::Write;
use std::path::Path;

use support::{Keeper, audio_side, rest_of, wait_for_end, webrtc_side};
use trunkline_control::{Answer, Event, Op, Outcome, PROTOCOL, SessionSpec};

#[test]
fn sessions_outlive_the_gateway_and_end_if_nobody_claims_them() {
    let keeper = Keeper::start(4, &["--test-clock"]);
    let mut first = keeper.gateway();
    for id in ["x", "y"] {
        first.open(id, vec![webrtc_side("a")]);
    }
    drop(first);
    let mut second = keeper.gateway();
    assert_eq!(second.sessions(), ["x", "y"]);
    second.call(Op::Claim { sessions: vec!["x".into(), "unknown".into()] });
    second.open("z", vec![webrtc_side("a")]);
    second.call(Op::Skip { ms: 59_000 });
    assert_eq!(second.sessions(), ["x", "y", "z"]);
    second.call(Op::Skip { ms: 1_000 });
    let closed = second.event(|event| matches!(event, Event::Closed { .. }));
    let Event::Closed { session, reason, sides } = closed else { unreachable!() };
    assert_eq!((session.as_str(), sides.len()), ("y", 1));
    assert!(reason.contains("claimed"), "{reason}");
    assert_eq!(second.sessions(), ["x", "z"]);
}

#[test]
fn events_wait_for_a_gateway_and_go_to_the_newest() {
    let keeper = Keeper::start(4, &["--quality-ms", "50"]);
    let mut first = keeper.gateway();
    first.open("x", vec![webrtc_side("a")]);
    first.event(|event| matches!(event, Event::Quality { .. }));
    drop(first);
    let mut second = keeper.gateway();
    second.event(|event| matches!(event, Event::Quality { .. }));
    let mut third = keeper.gateway();
    third.event(|event| matches!(event, Event::Quality { .. }));
    drop(third);
    second.event(|event| matches!(event, Event::Quality { .. }));
}

#[test]
fn commands_that_were_not_waited_for_take_effect_in_their_order() {
    let keeper = Keeper::start(4, &[]);
    let mut gateway = keeper.gateway();
    let spec = |id: &str| SessionSpec { id: id.into(), sides: vec![audio_side("a")] };
    let close = |id: &str| Op::Close { session: id.into() };
    let open = |id: &str| Op::Open { spec: spec(id), deadline_ms: None };
    let ops = [open("x"), open("x"), close("x"), close("x"), open("x"), close("y"), Op::List];
    let ids: Vec<u64> = ops.into_iter().map(|op| gateway.send(op)).collect();
    let outcomes: Vec<Outcome> = ids.into_iter().map(|id| gateway.outcome(id).unwrap()).collect();
    assert_eq!(outcomes[0], outcomes[1]);
    assert!(matches!(outcomes[2], Outcome::Ok(Answer::Closed { .. })));
    assert_eq!(outcomes[2], outcomes[3]);
    assert!(matches!(outcomes[4], Outcome::Ok(Answer::Opened { .. })));
    assert_ne!(outcomes[0], outcomes[4], "a new session has new keys");
    assert!(matches!(&outcomes[5], Outcome::Fault(fault) if fault.code == "MEDIA_SESSION_UNKNOWN"));
    assert_eq!(gateway.sessions(), ["x"]);
}

#[test]
fn more_sessions_than_allowed_are_refused() {
    let keeper = Keeper::start(4, &["--max-sessions", "2"]);
    let mut gateway = keeper.gateway();
    for id in ["x", "y"] {
        gateway.open(id, vec![webrtc_side("a")]);
    }
    let spec = SessionSpec { id: "z".into(), sides: vec![webrtc_side("a")] };
    let open = Op::Open { spec, deadline_ms: None };
    assert_eq!(gateway.refused(open).code, "MEDIA_SESSIONS_EXHAUSTED");
    gateway.close("x");
    gateway.open("z", vec![webrtc_side("a")]);
}

#[test]
fn nonsense_ends_its_connection_and_no_other() {
    let keeper = Keeper::start(4, &[]);
    let mut good = keeper.gateway();
    good.open("x", vec![webrtc_side("a")]);
    let mut half = keeper.gateway();
    half.stream.write_all(&[0, 0, 0]).unwrap();
    let too_long = (16_u32 << 20).to_be_bytes();
    let deep = [&(100_000_u32).to_be_bytes()[..], "[".repeat(100_000).as_bytes()].concat();
    for (bytes, says) in [
        (too_long.to_vec(), "bytes"),
        (b"\0\0\0\x05hello".to_vec(), "cannot be read"),
        (deep, "cannot be read"),
        (b"\0\0\0\x00".to_vec(), "cannot be read"),
    ] {
        let mut bad = keeper.gateway();
        bad.stream.write_all(&bytes).unwrap();
        let rest = String::from_utf8_lossy(&rest_of(&bad.stream)).into_owned();
        assert!(rest.contains("MEDIA_SPEC_INVALID") && rest.contains(says), "{rest}");
        assert_eq!(good.sessions(), ["x"]);
    }
    // A command that we do not know is only refused.
    let text = br#"{"id":77,"op":"sing"}"#;
    half.stream.write_all(&[text.len() as u8]).unwrap();
    half.stream.write_all(text).unwrap();
    let Ok(Outcome::Fault(fault)) = half.outcome(77) else { panic!("it was taken") };
    assert_eq!(fault.code, "MEDIA_SPEC_INVALID");
    assert_eq!(half.sessions(), ["x"]);
}

#[test]
fn whoever_does_not_say_hello_in_our_protocol_is_sent_away() {
    let keeper = Keeper::start(4, &[]);
    let mut rude = support::Gateway::silent(&keeper.control);
    assert!(rude.refused(Op::List).message.contains("hello"));
    assert!(rude.read().is_err());
    let mut future = support::Gateway::silent(&keeper.control);
    let hello = Op::Hello { protocol: PROTOCOL + 1, gateway: "test".into() };
    assert!(future.refused(hello).message.contains("protocol"));
    assert!(future.read().is_err());
}

#[test]
fn the_clock_moves_only_in_tests() {
    let keeper = Keeper::start(4, &[]);
    assert_eq!(keeper.gateway().refused(Op::Skip { ms: 1 }).code, "MEDIA_SPEC_INVALID");
}

#[test]
fn an_engine_that_nobody_needs_ends() {
    let mut keeper = Keeper::start(4, &["--idle-exit-s", "1"]);
    let relay = keeper.ready["relayPid"].as_u64().unwrap() as u32;
    assert!(keeper.wait().success());
    wait_for_end(relay);
    assert!(!keeper.control.exists());
}

#[test]
fn a_gateway_can_end_the_engine() {
    let mut keeper = Keeper::start(4, &[]);
    let mut gateway = keeper.gateway();
    gateway.open("x", vec![webrtc_side("a")]);
    while keeper.relays().len() < 2 {
        std::thread::yield_now();
    }
    let relays = keeper.relays();
    assert_eq!(gateway.call(Op::Stop), Answer::Done);
    assert!(keeper.wait().success());
    let left: Vec<_> = relays.iter().filter(|pid| Path::new(&format!("/proc/{pid}")).exists()).collect();
    assert!(left.is_empty(), "{left:?} still have the ports open");
}
