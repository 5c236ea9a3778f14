//! Relays that die or are replaced, with calls up.

mod support;

use std::time::Duration;

use support::traffic::{KILL, call, recovered, under_traffic};
use support::{Keeper, signal, wait_for_end};
use trunkline_control::{Answer, Op};

#[test]
fn a_relay_that_is_killed_twenty_times_loses_no_call() {
    let calls = 200;
    let keeper = Keeper::start(512, &["--quality-ms", "60000"]);
    let mut gateway = keeper.gateway();
    let mut gaps = Vec::new();
    let seen = under_traffic(&mut gateway, calls, |gateway| {
        for round in 0..20_u64 {
            // At moments that fall anywhere between two packets.
            std::thread::sleep(Duration::from_millis(150 + round * 37 % 83));
            let before = gateway.relay;
            signal(before, KILL);
            *gateway = keeper.gateway();
            assert_ne!(gateway.relay, before);
            gaps.push(recovered(gateway, calls));
            assert_eq!(gateway.sessions().len(), calls);
        }
        std::thread::sleep(Duration::from_millis(200));
    });
    let Answer::Engine { engine } = gateway.call(Op::Engine) else { panic!("no counters") };
    assert_eq!((engine.restarts, engine.sessions), (20, calls as u64));
    gaps.sort_by(f64::total_cmp);
    let silences = seen.iter().map(|seen| seen.longest);
    println!("gaps {gaps:?} ms; longest silence {:?}", silences.max().unwrap());
    for (n, seen) in seen.iter().enumerate() {
        assert!(seen.packets > 150, "phone {n} heard only {}", seen.packets);
    }
    // The goal of 31 ms is for a machine that has nothing else to do.
    assert!(gaps[10] < 100.0, "{gaps:?}");
}

#[test]
fn a_relay_that_dies_together_with_its_standby_loses_no_call() {
    let keeper = Keeper::start(32, &[]);
    let mut gateway = keeper.gateway();
    under_traffic(&mut gateway, 8, |gateway| {
        for _ in 0..3 {
            for relay in keeper.relays() {
                signal(relay, KILL);
            }
            wait_for_end(gateway.relay);
            *gateway = keeper.gateway();
            recovered(gateway, 8);
            std::thread::sleep(Duration::from_millis(200));
        }
    });
    assert_eq!(gateway.sessions().len(), 8);
}

#[test]
fn a_relay_is_replaced_politely() {
    let keeper = Keeper::start(64, &[]);
    let mut gateway = keeper.gateway();
    let seen = under_traffic(&mut gateway, 20, |gateway| {
        std::thread::sleep(Duration::from_millis(300));
        let before = gateway.relay;
        assert_eq!(gateway.call(Op::Upgrade { path: None }), Answer::Done);
        wait_for_end(before);
        *gateway = keeper.gateway();
        assert_ne!(gateway.relay, before);
        println!("gap {} ms", recovered(gateway, 20));
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
    let [mut a, mut b] = call(&mut gateway, "x");
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
