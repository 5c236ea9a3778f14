//! Relays that die or are replaced, with calls up.

mod support;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use support::{Gateway, Keeper, Phone, audio_side, connect, signal, wait_for_end};
use trunkline_control::{Answer, Event, Op};

const KILL: i32 = 9;
const CALLS: usize = 20;

/// What phones of one call saw.
#[derive(Default)]
struct Seen {
    packets: u64,
    /// Longest time between two packets.
    longest: Duration,
    sequences: HashSet<(u32, u64)>,
}

/// Opens a call between two phones, one of them with SRTP.
fn call(gateway: &mut Gateway, id: &str) -> (Phone, Phone) {
    let opened = gateway.open(id, vec![audio_side("a"), audio_side("b")]);
    let (mut a, mut b) = (Phone::new(&opened, "a"), Phone::new(&opened, "b"));
    gateway.change(id, a.remote(true));
    gateway.change(id, b.remote(false));
    gateway.change(id, connect("a", "b"));
    (a, b)
}

/// Talks at 20 ms from one phone to the other until told to stop, and notes what arrives.
fn talk((from, to): (&mut Phone, &mut Phone), stop: &AtomicBool) -> Seen {
    let mut seen = Seen::default();
    let mut last_heard = Instant::now();
    let mut next = Instant::now();
    let (mut word, mut extended, mut ssrc) = (0, 0_u64, None);
    while !stop.load(Ordering::Relaxed) {
        word += 1;
        from.say(word);
        next += Duration::from_millis(20);
        loop {
            let left = next.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let Some(heard) = to.hear_within(left) else { break };
            let heard = heard.expect("no packet is protected twice under one index, or forged");
            assert_eq!(*ssrc.get_or_insert(heard.ssrc), heard.ssrc);
            let step = heard.sequence.wrapping_sub(extended as u16) as i16;
            let index = if seen.packets == 0 {
                heard.sequence.into()
            } else {
                extended.wrapping_add_signed(step.into())
            };
            extended = extended.max(index);
            assert!(seen.sequences.insert((heard.ssrc, index)), "{index} came twice");
            seen.packets += 1;
            if seen.packets > 1 {
                seen.longest = seen.longest.max(last_heard.elapsed());
            }
            last_heard = Instant::now();
        }
    }
    seen
}

/// Runs calls in both directions while something is done to the relay.
fn under_traffic(gateway: &mut Gateway, disturb: impl FnOnce(&mut Gateway)) -> Vec<Seen> {
    let mut calls: Vec<(Phone, Phone)> = (0..CALLS).map(|n| call(gateway, &format!("call{n:02}"))).collect();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let talks: Vec<_> = calls
            .iter_mut()
            .enumerate()
            .map(|(n, (a, b))| {
                let pair = if n % 2 == 0 { (a, b) } else { (b, a) };
                scope.spawn(|| talk(pair, &stop))
            })
            .collect();
        disturb(gateway);
        stop.store(true, Ordering::Relaxed);
        talks.into_iter().map(|talk| talk.join().unwrap()).collect()
    })
}

fn recovered(gateway: &mut Gateway) -> f64 {
    match gateway.event(|event| matches!(event, Event::Recovered { .. })) {
        Event::Recovered { sessions, gap_ms } => {
            assert_eq!(sessions as usize, CALLS);
            gap_ms
        }
        _ => unreachable!(),
    }
}

#[test]
fn a_relay_that_is_killed_twenty_times_loses_no_call() {
    let keeper = Keeper::start(64, &[]);
    let mut gateway = keeper.gateway();
    let mut gaps = Vec::new();
    let seen = under_traffic(&mut gateway, |gateway| {
        for round in 0..20_u64 {
            // At moments that fall anywhere between two packets.
            std::thread::sleep(Duration::from_millis(150 + round * 37 % 83));
            signal(gateway.relay, KILL);
            let before = gateway.relay;
            *gateway = keeper.gateway();
            assert_ne!(gateway.relay, before);
            gaps.push(recovered(gateway));
            assert_eq!(gateway.sessions().len(), CALLS);
        }
        std::thread::sleep(Duration::from_millis(100));
    });
    let ids: Vec<String> = (0..CALLS).map(|n| format!("call{n:02}")).collect();
    assert_eq!(gateway.sessions(), ids);
    let Answer::Engine { engine } = gateway.call(Op::Engine) else { panic!("no counters") };
    assert_eq!(engine.restarts, 20);
    gaps.sort_by(f64::total_cmp);
    let longest = seen.iter().map(|seen| seen.longest).max().unwrap();
    println!("gaps {gaps:?} ms; longest silence {longest:?}");
    for (n, seen) in seen.iter().enumerate() {
        assert!(seen.packets > 150, "call {n} heard only {}", seen.packets);
    }
    assert!(gaps[10] < 100.0, "{gaps:?}");
}

#[test]
fn a_relay_is_replaced_politely() {
    let keeper = Keeper::start(64, &[]);
    let mut gateway = keeper.gateway();
    let seen = under_traffic(&mut gateway, |gateway| {
        std::thread::sleep(Duration::from_millis(300));
        let before = gateway.relay;
        assert_eq!(gateway.call(Op::Upgrade { path: None }), Answer::Done);
        wait_for_end(before);
        *gateway = keeper.gateway();
        assert_ne!(gateway.relay, before);
        println!("gap {} ms", recovered(gateway));
        std::thread::sleep(Duration::from_millis(300));
    });
    assert!(seen.iter().all(|seen| seen.packets > 20));
}

#[test]
fn a_program_that_is_not_fit_replaces_nothing() {
    let keeper = Keeper::start(4, &[]);
    let mut gateway = keeper.gateway();
    for path in ["/nowhere/trunkline-media", "/bin/true", "/etc/hostname"] {
        let fault = gateway.refused(Op::Upgrade { path: Some(path.into()) });
        assert!(fault.message.contains("no upgrade"), "{fault:?}");
    }
    let before = gateway.relay;
    assert_eq!(keeper.gateway().relay, before);
}

#[test]
fn calls_go_on_without_their_keeper() {
    let mut keeper = Keeper::start(8, &["--idle-exit-s", "1"]);
    let mut gateway = keeper.gateway();
    let (mut a, mut b) = call(&mut gateway, "x");
    a.say(1);
    b.hear();
    keeper.kill();
    a.say(2);
    assert_eq!(b.hear().word, 2);
    assert_eq!(gateway.refused(Op::Upgrade { path: None }).code, "MEDIA_ENGINE_LOST");
    gateway.close("x");
    let relay = gateway.relay;
    drop(gateway);
    wait_for_end(relay);
    let _ = std::fs::remove_file(&keeper.control);
}
