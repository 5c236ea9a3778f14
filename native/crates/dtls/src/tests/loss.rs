use trunkline_base::Micros;
use trunkline_sim::Conditions;

use super::support::{Pair, VERSIONS, changed};
use crate::sieve::Version;

/// How long each side took, sorted.
fn durations(version: Version, handshakes: u64, conditions: Conditions) -> [Vec<Micros>; 2] {
    durations_of(Pair::new, version, handshakes, conditions)
}

fn durations_of(
    make: impl Fn(Version, u64, Conditions) -> Pair,
    version: Version,
    handshakes: u64,
    conditions: Conditions,
) -> [Vec<Micros>; 2] {
    let mut durations = [Vec::new(), Vec::new()];
    for seed in 0..handshakes {
        let mut pair = make(version, seed, conditions);
        pair.start();
        pair.run();
        assert_eq!((&pair.client.failed, &pair.server.failed), (&None, &None), "{version:?} seed {seed}");
        pair.assert_connected();
        for (side, peer) in [&pair.client, &pair.server].into_iter().enumerate() {
            durations[side].push(peer.connected_at.unwrap() - pair.began);
        }
    }
    durations.iter_mut().for_each(|side| side.sort_unstable());
    durations
}

fn percentile(sorted: &[Micros], percent: usize) -> Micros {
    sorted[(sorted.len() - 1) * percent / 100]
}

#[test]
fn a_tenth_lost_costs_less_than_half_a_second() {
    let conditions = Conditions { loss: 0.1, duplicate: 0.0, reorder: 0.0, delay: 10_000, jitter: 5_000 };
    for version in VERSIONS {
        for (side, durations) in ["client", "server"].iter().zip(durations(version, 1_000, conditions)) {
            let [p50, p95, p99] = [50, 95, 99].map(|percent| percentile(&durations, percent));
            println!("{version:?} {side}: p50 {p50} p95 {p95} p99 {p99} max {:?} µs", durations.last());
            assert!(p95 < 500_000, "{version:?} {side}: p95 {p95} µs");
        }
    }
}

#[test]
fn a_bad_network_is_survived() {
    let third = Conditions { loss: 0.3, ..Conditions::bad() };
    for (conditions, handshakes, longest) in [(Conditions::bad(), 500, 5_000_000), (third, 200, 30_000_000)] {
        for version in VERSIONS {
            let [client, server] = durations(version, handshakes, conditions);
            let slowest = client.last().max(server.last()).copied();
            println!(
                "{version:?} loss {}: server p95 {} slowest {slowest:?}",
                conditions.loss,
                percentile(&server, 95)
            );
            assert!(slowest < Some(longest));
        }
    }
}

#[test]
fn a_round_trip_of_a_second_is_survived() {
    let conditions = Conditions { loss: 0.05, duplicate: 0.0, reorder: 0.0, delay: 500_000, jitter: 50_000 };
    for version in VERSIONS {
        let [client, server] = durations(version, 200, conditions);
        println!(
            "{version:?}: client p95 {} server p95 {} max {:?}",
            percentile(&client, 95),
            percentile(&server, 95),
            server.last()
        );
        assert!(percentile(&server, 95) < 5_000_000);
    }
}

#[test]
fn flights_of_many_datagrams_are_put_together() {
    let small = |version, seed, conditions| {
        let library = |only, seed| changed(only, seed, |builder| builder.mtu(250).max_queue_tx(30));
        Pair::with(library(Some(version), seed), library(None, seed + 1), seed, conditions)
    };
    for (conditions, longest) in [(Conditions::lan(), 10_000), (Conditions::bad(), 10_000_000)] {
        for version in VERSIONS {
            let [client, server] = durations_of(small, version, 200, conditions);
            let slowest = client.last().max(server.last()).copied();
            println!("{version:?} p95 {} slowest {slowest:?} µs", percentile(&server, 95));
            assert!(slowest < Some(longest));
        }
    }
}
