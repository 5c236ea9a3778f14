//! What an attacker or a broken network adds. The handshake ends as without it, in about the same time.

use trunkline_base::Micros;
use trunkline_sim::{Conditions, Random};

use super::support::{Pair, VERSIONS, seeded};
use crate::config::Library;
use crate::sieve::Version;

/// A record of the plain form.
fn plain(content: u8, epoch: u16, sequence: u64, fragment: &[u8]) -> Vec<u8> {
    let header = [&[content, 0xfe, 0xfd][..], &epoch.to_be_bytes(), &sequence.to_be_bytes()[2..]].concat();
    [header, (fragment.len() as u16).to_be_bytes().to_vec(), fragment.to_vec()].concat()
}

fn message(kind: u8, seq: u16, length: u32, offset: u32, body: &[u8]) -> Vec<u8> {
    let uint24 = |value: u32| value.to_be_bytes()[1..].to_vec();
    let header = [vec![kind], uint24(length), seq.to_be_bytes().to_vec(), uint24(offset)].concat();
    [header, uint24(body.len() as u32), body.to_vec()].concat()
}

/// Headers that look right, with anything behind them.
fn garbage(random: &mut Random) -> Vec<u8> {
    let mut noise = vec![0; 16 + random.below(200) as usize];
    random.fill(&mut noise);
    let sequence = random.below(1 << 16);
    let epoch = random.below(5) as u16;
    match random.below(8) {
        0 => plain(22, epoch, sequence, &noise),
        1 => {
            let kind = [0, 2, 3, 4, 5, 8, 11, 12, 13, 14, 15, 16, 20, 24, 25][random.below(15) as usize];
            let seq = random.below(10) as u16;
            let length = noise.len() as u32 + random.below(3) as u32 * 100;
            plain(22, 0, sequence, &message(kind, seq, length, 0, &noise))
        }
        2 => plain(21, epoch, sequence, &[2, random.below(120) as u8]),
        3 => plain(21, epoch, sequence, &[1, 0]),
        4 => plain(20, epoch, sequence, &[1]),
        5 => plain(23, epoch, sequence, &noise),
        6 => plain(26, epoch, sequence, &[0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        _ => {
            let length = (noise.len() as u16).to_be_bytes();
            [&[0x2c | random.below(4) as u8, noise[0], noise[1]][..], &length, &noise].concat()
        }
    }
}

/// The handshake with `before` pieces of garbage ahead of it toward each side, and `beside` after each datagram.
fn disturbed(version: Version, seed: u64, before: usize, beside: usize) -> Pair {
    let mut pair = Pair::new(version, seed, Conditions::lan());
    let mut random = Random::new(seed);
    pair.client.association.start(pair.network.now());
    for _ in 0..before {
        let now = pair.network.now();
        pair.client.association.handle(&garbage(&mut random), now);
        pair.server.association.handle(&garbage(&mut random), now);
    }
    pair.tamper = Box::new(move |_, _, datagram| {
        let mut datagrams = vec![datagram.to_vec()];
        datagrams.extend((0..beside).map(|_| garbage(&mut random)));
        datagrams
    });
    pair.drain();
    pair.run();
    pair
}

#[test]
fn garbage_before_the_handshake_changes_nothing() {
    for version in VERSIONS {
        for seed in 0..100 {
            let pair = disturbed(version, seed, 100, 0);
            pair.assert_connected();
            let took = pair.network.now() - pair.began;
            assert!(took < 20_000, "{version:?} seed {seed}: {took} µs");
            for peer in [&pair.client, &pair.server] {
                assert!(peer.association.refused() >= 60, "{}", peer.association.refused());
            }
        }
    }
}

#[test]
fn garbage_beside_every_datagram_changes_nothing() {
    for version in VERSIONS {
        for seed in 0..200 {
            let pair = disturbed(version, seed, 0, 5);
            assert_eq!((&pair.client.failed, &pair.server.failed), (&None, &None), "{version:?} seed {seed}");
            pair.assert_connected();
            let took = pair.network.now() - pair.began;
            assert!(took < 3_000_000, "{version:?} seed {seed}: {took} µs");
        }
    }
}

#[test]
fn garbage_after_the_handshake_ends_nothing() {
    for version in VERSIONS {
        let mut pair = Pair::new(version, 1, Conditions::lan());
        pair.start();
        pair.settle();
        let mut random = Random::new(1);
        let now = pair.network.now();
        for number in 0..5_000 {
            for peer in [&mut pair.client, &mut pair.server] {
                peer.association.handle(&garbage(&mut random), now + number);
            }
            pair.drain();
        }
        for peer in [&pair.client, &pair.server] {
            assert!(peer.association.is_connected() && !peer.closed && peer.failed.is_none());
            assert!(peer.association.refused() > 4_000, "{}", peer.association.refused());
        }
        // It still hears the peer.
        pair.client.association.close();
        for datagram in pair.client.drain(now) {
            pair.server.association.handle(&datagram, now);
        }
        pair.server.drain(now);
        assert!(pair.server.closed);
    }
}

/// How long a handshake takes with a hello of somebody else beside the client's first.
fn with_forged_hello(version: Version, is_forged_first: bool) -> Micros {
    // Not seeded: each attempt of this client has a random number of its own.
    let client = || Library::changed(Some(version), |builder| builder);
    let mut forger = Pair::with(client(), client(), 1, Conditions::lan());
    forger.start();
    let forged = forger.client.sent[0].clone();
    let mut pair = Pair::with(client(), seeded(None, 2), 2, Conditions::lan());
    pair.tamper = Box::new(move |_, index, datagram| match (index, is_forged_first) {
        (0, true) => vec![forged.clone(), datagram.to_vec()],
        (0, false) => vec![datagram.to_vec(), forged.clone()],
        _ => vec![datagram.to_vec()],
    });
    pair.start();
    pair.run();
    pair.assert_connected();
    pair.network.now() - pair.began
}

#[test]
fn a_forged_hello_after_the_real_one_changes_nothing() {
    for version in VERSIONS {
        let took = with_forged_hello(version, false);
        assert!(took < 10_000, "{version:?}: {took} µs");
    }
}

#[test]
fn a_forged_hello_before_the_real_one_costs_the_client_an_attempt() {
    // Our answer is not for what it began. A client of 1.2 sees that at once; one of 1.3 gives up after ten seconds.
    for (version, longest) in [(Version::Dtls12, 3_000_000), (Version::Dtls13, 10_500_000)] {
        let took = with_forged_hello(version, true);
        assert!(took < longest, "{version:?}: {took} µs");
    }
}

#[test]
fn a_peer_that_begins_anew_is_served() {
    for version in VERSIONS {
        let mut first = Pair::new(version, 1, Conditions::lan());
        first.start();
        // The server answered; then the client's process ended, and another one took over.
        first.step();
        let mut pair = Pair::new(version, 2, Conditions::lan());
        std::mem::swap(&mut pair.server, &mut first.server);
        pair.start();
        pair.run();
        pair.assert_connected();
        assert!(pair.network.now() - pair.began < 200_000);
    }
}

#[test]
fn a_real_alert_in_the_clear_ends_it_soon() {
    for version in VERSIONS {
        let mut pair = Pair::new(version, 1, Conditions { loss: 1.0, ..Conditions::lan() });
        pair.start();
        let alert = plain(21, 0, 1, &[2, 40]);
        pair.client.association.handle(&alert, pair.network.now());
        pair.settle();
        let reason = pair.client.failed.unwrap();
        assert_eq!(reason, "the peer ended the handshake: handshake_failure (40)");
        assert_eq!(pair.network.now() - pair.began, 3_000_000);
    }
}
