//! Each datagram and each flight is lost once, or comes twice.

use std::ops::Range;

use trunkline_base::Micros;
use trunkline_sim::Conditions;

use super::support::{Pair, VERSIONS, changed, seeded};
use crate::Role;
use crate::sieve::Version;

/// A handshake in which these of all datagrams are lost: how long it took, and who sent each datagram.
fn without(version: Version, lost: Range<usize>) -> (Micros, Vec<Role>) {
    let mut pair = Pair::new(version, 7, Conditions::lan());
    pair.tamper = Box::new(
        move |_, index, datagram| {
            if lost.contains(&index) { Vec::new() } else { vec![datagram.to_vec()] }
        },
    );
    pair.start();
    pair.run();
    pair.assert_connected();
    (pair.network.now() - pair.began, pair.senders)
}

/// Datagrams that one side sent without hearing from the other.
fn flights(senders: &[Role]) -> Vec<Range<usize>> {
    let mut flights = Vec::new();
    for run in senders.chunk_by(|one, next| one == next) {
        let begin = flights.last().map_or(0, |flight: &Range<usize>| flight.end);
        flights.push(begin..begin + run.len());
    }
    flights
}

#[test]
fn any_datagram_and_any_flight_may_be_lost_once() {
    for version in VERSIONS {
        let (undisturbed, senders) = without(version, 0..0);
        assert!(undisturbed < 10_000, "{undisturbed} µs");
        let flights = flights(&senders);
        println!("{version:?}: {} datagrams in flights {flights:?}", senders.len());
        assert!(flights.len() >= 3);
        let single = (0..senders.len()).map(|index| index..index + 1);
        for lost in single.chain(flights) {
            let (took, _) = without(version, lost.clone());
            // The first timer and its deviation of a quarter, twice at most.
            assert!(took < undisturbed + 160_000, "{version:?} without {lost:?}: {took} µs");
        }
    }
}

#[test]
fn every_flight_may_come_twice() {
    for version in VERSIONS {
        for copies in [2, 5] {
            let mut pair = Pair::new(version, 3, Conditions::lan());
            pair.tamper = Box::new(move |_, _, datagram| vec![datagram.to_vec(); copies]);
            pair.start();
            pair.settle();
            pair.assert_connected();
            let sent = pair.client.sent.len() + pair.server.sent.len();
            assert!(sent < 30, "{version:?}: copies make no storm of answers: {sent} datagrams");
        }
    }
}

#[test]
fn a_recorded_handshake_says_nothing_new() {
    for version in VERSIONS {
        let mut pair = Pair::new(version, 3, Conditions::lan());
        pair.start();
        pair.settle();
        pair.assert_connected();
        let now = pair.network.now() + 1_000_000;
        let (client, server) = (pair.client.sent.clone(), pair.server.sent.clone());
        for datagram in client.iter().chain(&server) {
            pair.server.association.handle(datagram, now);
            pair.client.association.handle(datagram, now);
        }
        // `drain` asserts that nobody connects again.
        pair.drain();
        assert!(pair.client.association.is_connected() && pair.server.association.is_connected());
        assert!(!pair.client.closed && !pair.server.closed);
    }
}

#[test]
fn the_last_flight_is_repeated_for_a_peer_that_lost_it() {
    for version in VERSIONS {
        let mut pair = Pair::new(version, 3, Conditions::lan());
        let last_sender = if version == Version::Dtls12 { Role::Server } else { Role::Client };
        pair.start();
        // Everything that the side which connects first sends from then on is lost for 400 ms.
        while pair.client.keys.is_none() && pair.server.keys.is_none() {
            let is_connecting = pair.network.now();
            pair.step();
            assert!(pair.network.now() >= is_connecting);
        }
        let first = if pair.client.keys.is_some() { Role::Client } else { Role::Server };
        assert_eq!(first, last_sender);
        let until = pair.network.now() + 400_000;
        pair.network.set_conditions(Conditions { loss: 1.0, ..Conditions::lan() });
        while pair.network.now() < until && pair.step() {}
        pair.network.set_conditions(Conditions::lan());
        pair.run();
        pair.assert_connected();
    }
}

#[test]
fn a_gap_in_a_flight_is_reported_once() {
    let small = |seed| changed(None, seed, |builder| builder.mtu(250).max_queue_tx(30));
    let mut pair = Pair::with(seeded(Some(Version::Dtls13), 1), small(2), 1, Conditions::lan());
    let mut from_server = 0;
    pair.tamper = Box::new(move |by, _, datagram| {
        from_server += usize::from(by == Role::Server);
        let is_lost = by == Role::Server && from_server == 3;
        if is_lost { Vec::new() } else { vec![datagram.to_vec()] }
    });
    pair.start();
    pair.run();
    pair.assert_connected();
    // Its hello, an ACK or two (RFC 9147 §7), and its last flight.
    assert!(pair.client.sent.len() <= 5, "{}", pair.client.sent.len());
}
