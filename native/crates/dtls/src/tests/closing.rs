//! Ends of an association.

use trunkline_sim::Conditions;

use super::support::{Pair, VERSIONS};
use crate::Role;

fn connected(version: crate::sieve::Version) -> Pair {
    let mut pair = Pair::new(version, 1, Conditions::lan());
    pair.start();
    pair.settle();
    pair.assert_connected();
    pair
}

#[test]
fn close_notify_reaches_the_other_side() {
    for version in VERSIONS {
        for by in [Role::Client, Role::Server] {
            let mut pair = connected(version);
            let (closing, other) = match by {
                Role::Client => (&mut pair.client, &mut pair.server),
                Role::Server => (&mut pair.server, &mut pair.client),
            };
            closing.association.close();
            let now = pair.network.now();
            let said = closing.drain(now);
            assert_eq!(said.len(), 1);
            assert!(!closing.association.is_connected());
            assert_eq!(closing.association.deadline(), None);
            said.iter().for_each(|datagram| other.association.handle(datagram, now));
            other.drain(now);
            assert!(other.closed && !other.association.is_connected(), "{version:?} {by:?}");
        }
    }
}

#[test]
fn before_it_is_connected_closing_says_nothing() {
    let mut pair = Pair::new(crate::sieve::Version::Dtls13, 1, Conditions::lan());
    pair.start();
    pair.client.association.close();
    assert!(pair.client.drain(pair.network.now()).is_empty());
    assert_eq!(pair.client.association.deadline(), None);
    let hello = pair.client.sent[0].clone();
    pair.client.association.handle(&hello, pair.network.now());
    assert_eq!(pair.client.association.refused(), 1);
}

#[test]
fn a_peer_that_never_answers_is_given_up_after_thirty_seconds() {
    let mut pair = Pair::new(crate::sieve::Version::Dtls13, 1, Conditions { loss: 1.0, ..Conditions::lan() });
    pair.start();
    pair.settle();
    assert_eq!(pair.network.now() - pair.began, 30_000_000);
    let reason = pair.client.failed.expect("it says so");
    assert!(reason.starts_with("no handshake in time"), "{reason}");
    // The first within 100 ms, then less and less often.
    let hellos = pair.client.sent.len();
    assert!((15..35).contains(&hellos), "{hellos}");
    // Nobody knows when a client will come.
    assert_eq!((pair.server.failed, pair.server.association.deadline()), (None, None));
}

#[test]
fn nothing_runs_once_it_is_connected() {
    for version in VERSIONS {
        let pair = connected(version);
        let took = pair.network.now() - pair.began;
        assert!(took < 1_000_000, "{took} µs");
        assert_eq!(pair.client.association.deadline(), None);
        assert_eq!(pair.server.association.deadline(), None);
    }
}
