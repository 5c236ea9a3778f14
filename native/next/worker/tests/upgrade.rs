//! An upgrade to a build with another version number, whose session records have one field more, with calls up.

#[path = "../../../crates/worker/tests/support/mod.rs"]
mod support;

use std::time::Duration;

use support::traffic::{KILL, recovered, under_traffic};
use support::{Gateway, Keeper, signal, wait_for_end};
use trunkline_control::Op;

const NEXT: &str = env!("CARGO_BIN_EXE_trunkline-media-next");
const CALLS: usize = 50;

fn upgraded(keeper: &Keeper, gateway: &mut Gateway) -> f64 {
    let before = gateway.relay;
    gateway.call(Op::Upgrade { path: Some(NEXT.into()) });
    wait_for_end(before);
    *gateway = keeper.gateway();
    assert_ne!(gateway.relay, before);
    recovered(gateway, CALLS)
}

#[test]
fn calls_go_on_in_the_next_version_and_over_its_death() {
    let keeper = Keeper::start(128, &[]);
    let mut gateway = keeper.gateway();
    assert_eq!(gateway.version, "0.1.0");
    let seen = under_traffic(&mut gateway, CALLS, |gateway| {
        std::thread::sleep(Duration::from_millis(300));
        println!("gap of the upgrade {} ms", upgraded(&keeper, gateway));
        assert_eq!(gateway.version, "0.2.0-next");
        std::thread::sleep(Duration::from_millis(300));
        let before = gateway.relay;
        signal(before, KILL);
        *gateway = keeper.gateway();
        println!("gap of the death {} ms", recovered(gateway, CALLS));
        assert_eq!(gateway.version, "0.2.0-next", "the one that waited is of the next version too");
        std::thread::sleep(Duration::from_millis(300));
    });
    assert_eq!(gateway.sessions().len(), CALLS);
    for (n, seen) in seen.iter().enumerate() {
        assert!(seen.packets > 30, "phone {n} heard only {}", seen.packets);
    }
}

#[test]
fn nobody_goes_back_to_records_that_cannot_hold_what_was_appended() {
    let keeper = Keeper::start(128, &[]);
    let mut gateway = keeper.gateway();
    under_traffic(&mut gateway, CALLS, |gateway| {
        upgraded(&keeper, gateway);
        let older = std::path::Path::new(NEXT).with_file_name("trunkline-media");
        let fault = gateway.refused(Op::Upgrade { path: Some(older.display().to_string()) });
        assert!(fault.message.contains("no upgrade"), "{fault:?}");
    });
    assert_eq!(gateway.sessions().len(), CALLS);
}
