//! Calls through the real process: opened, changed, heard and closed.

mod support;

use support::{Keeper, Phone, audio_side, connect, webrtc_side};
use trunkline_control::{Answer, LocalSide, Op, SessionSpec};

#[test]
fn phones_hear_each_other_with_and_without_srtp() {
    let keeper = Keeper::start(8, &[]);
    let mut gateway = keeper.gateway();
    let opened = gateway.open("call", vec![audio_side("a"), audio_side("b")]);
    assert_eq!(gateway.open("call", vec![audio_side("a"), audio_side("b")]), opened);
    let (mut a, mut b) = (Phone::new(&opened, "a"), Phone::new(&opened, "b"));
    gateway.change("call", a.remote(true));
    gateway.change("call", b.remote(false));
    gateway.change("call", connect("a", "b"));
    let (mut at_a, mut at_b) = (Vec::new(), Vec::new());
    for word in 0..1_000 {
        a.say(word);
        at_b.push(b.hear());
        b.say(word + 5_000);
        at_a.push(a.hear());
    }
    for (heard, first) in [(&at_a, 5_000), (&at_b, 0)] {
        for (n, (packet, next)) in heard.iter().zip(&heard[1..]).enumerate() {
            assert_eq!(packet.word, first + n as u64);
            assert_eq!((next.ssrc, next.sequence), (packet.ssrc, packet.sequence.wrapping_add(1)));
        }
    }
    let stats = gateway.stats("call");
    let counts: Vec<_> =
        stats.iter().map(|side| (side.media[0].packets_received, side.media[0].packets_sent)).collect();
    assert_eq!(counts, [(1_000, 1_000), (1_000, 1_000)]);
    let Answer::Engine { engine } = gateway.call(Op::Engine) else { panic!("no counters") };
    assert_eq!(
        (engine.sessions, engine.packets_in, engine.packets_out, engine.restarts),
        (1, 2_000, 2_000, 0)
    );
    assert_eq!(engine.threads.iter().map(|thread| thread.latency_us.count).sum::<u64>(), 2_000);
    let summary = gateway.close("call");
    assert_eq!(gateway.close("call"), summary);
    assert_eq!(gateway.refused(Op::Stats { session: "call".into() }).code, "MEDIA_SESSION_UNKNOWN");
    assert_eq!(gateway.sessions(), Vec::<String>::new());
}

#[test]
fn sessions_are_spread_over_threads_and_browsers_are_told_the_port_of_theirs() {
    let keeper = Keeper::start(2, &[]);
    let mut gateway = keeper.gateway();
    let mut ports: Vec<u64> = (0..4)
        .flat_map(|n| gateway.open(&n.to_string(), vec![webrtc_side("a")]).sides)
        .flat_map(|side| match side {
            LocalSide::WebRtc { candidates, .. } => candidates,
            LocalSide::Rtp { .. } => panic!("a browser was asked for"),
        })
        .filter(|candidate| candidate.protocol == "udp")
        .map(|candidate| candidate.port.into())
        .collect();
    ports.sort_unstable();
    ports.dedup();
    let mut told: Vec<u64> =
        keeper.ready["webrtcPorts"].as_array().unwrap().iter().map(|port| port.as_u64().unwrap()).collect();
    told.sort_unstable();
    assert_eq!(ports, told);
}

#[test]
fn ports_rest_after_a_call_and_are_used_again() {
    let keeper = Keeper::start(1, &["--test-clock"]);
    let mut gateway = keeper.gateway();
    let first = gateway.open("one", vec![webrtc_side("a"), audio_side("b")]);
    let refused = |id: &str| Op::Open {
        spec: SessionSpec { id: id.into(), sides: vec![audio_side("b")] },
        deadline_ms: None,
    };
    assert_eq!(gateway.refused(refused("two")).code, "MEDIA_PORTS_EXHAUSTED");
    gateway.close("one");
    assert_eq!(gateway.refused(refused("two")).code, "MEDIA_PORTS_EXHAUSTED");
    assert_eq!(gateway.call(Op::Skip { ms: 30_000 }), Answer::Done);
    let second = gateway.open("two", vec![audio_side("b")]);
    let port = |side: &LocalSide| match side {
        LocalSide::Rtp { media, .. } => (media[0].port, media[0].rtcp_port),
        LocalSide::WebRtc { .. } => panic!("a phone was asked for"),
    };
    assert_eq!(port(&second.sides[0]), port(&first.sides[1]));
}

#[test]
fn a_call_hears_nothing_that_came_for_the_call_before_it() {
    let keeper = Keeper::start(1, &["--test-clock"]);
    let mut gateway = keeper.gateway();
    let opened = gateway.open("one", vec![audio_side("a")]);
    let mut late = Phone::new(&opened, "a");
    gateway.change("one", late.remote(false));
    gateway.close("one");
    for word in 0..100 {
        late.say(word);
    }
    gateway.call(Op::Skip { ms: 30_000 });
    gateway.open("two", vec![audio_side("a")]);
    gateway.change("two", late.remote(false));
    late.say(100);
    gateway.event(|event| matches!(event, trunkline_control::Event::FirstPacket { .. }));
    let stats = gateway.stats("two");
    assert_eq!((stats[0].media[0].packets_received, stats[0].media[0].packets_discarded), (1, 0));
}
