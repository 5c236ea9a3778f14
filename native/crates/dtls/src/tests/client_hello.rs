//! A hello in several datagrams: Chromium's and Firefox's have been since they carry post-quantum key shares.

use trunkline_sim::Conditions;

use super::support::{Pair, VERSIONS, changed, seeded};
use crate::Role;
use crate::record::HEADER_BYTES;
use crate::sieve::Version;

const HANDSHAKE_HEADER_BYTES: usize = 12;

/// The hello in `datagram` as fragments with these bounds of its body, each a datagram.
fn split(datagram: &[u8], bounds: &[(usize, usize)]) -> Vec<Vec<u8>> {
    let (record, rest) = datagram.split_at(HEADER_BYTES);
    let (message, body) = rest.split_at(HANDSHAKE_HEADER_BYTES);
    let fragment = |(number, (begin, end)): (usize, &(usize, usize))| {
        let body = &body[*begin..(*end).min(body.len())];
        let uint24 = |value: usize| (value as u32).to_be_bytes()[1..].to_vec();
        let record_length = ((HANDSHAKE_HEADER_BYTES + body.len()) as u16).to_be_bytes();
        let sequence = [record[9], record[10] + number as u8];
        let header = [&record[..9], &sequence, &record_length, &message[..6]].concat();
        [header, uint24(*begin), uint24(body.len()), body.to_vec()].concat()
    };
    bounds.iter().enumerate().map(fragment).collect()
}

fn is_hello(datagram: &[u8]) -> bool {
    datagram[0] == 22 && datagram[HEADER_BYTES] == 1
}

fn orders<const N: usize>() -> Vec<[usize; N]> {
    let mut orders = vec![std::array::from_fn(|index| index)];
    for fixed in 0..N {
        let shorter = std::mem::take(&mut orders);
        for order in shorter {
            for other in fixed..N {
                let mut order: [usize; N] = order;
                order.swap(fixed, other);
                orders.push(order);
            }
        }
    }
    orders
}

/// A client whose hello is as long as Chromium's.
fn long_hello(version: Version, seed: u64) -> Pair {
    let client = match version {
        Version::Dtls12 => seeded(Some(Version::Dtls12), seed),
        // Both versions are offered, and the rest is padding.
        Version::Dtls13 => changed(None, seed, |builder| builder.mtu(1_438)),
    };
    Pair::with(client, seeded(None, seed + 1), seed, Conditions::lan())
}

#[test]
fn fragments_may_come_in_any_order() {
    for version in VERSIONS {
        let bounds = match version {
            Version::Dtls12 => [(0, 40), (40, 60), (60, 2_000)],
            Version::Dtls13 => [(0, 600), (600, 1_175), (1_175, 2_000)],
        };
        for order in orders::<3>() {
            let mut pair = long_hello(version, 1);
            pair.tamper = Box::new(move |by, _, datagram| {
                if by == Role::Server || !is_hello(datagram) {
                    return vec![datagram.to_vec()];
                }
                let fragments = split(datagram, &bounds);
                order.iter().map(|index| fragments[*index].clone()).collect()
            });
            pair.start();
            pair.run();
            pair.assert_connected();
            assert_eq!(pair.server.association.refused(), 0);
            let took = pair.network.now() - pair.began;
            assert!(took < 10_000, "{version:?} {order:?}: no timer was needed, but it took {took} µs");
        }
    }
}

#[test]
fn fragments_may_overlap_and_come_twice() {
    let mut pair = long_hello(Version::Dtls13, 1);
    pair.tamper = Box::new(|by, _, datagram| {
        if by == Role::Server || !is_hello(datagram) {
            return vec![datagram.to_vec()];
        }
        let fragments = split(datagram, &[(700, 2_000), (0, 800), (300, 1_000)]);
        [&fragments[..], &fragments[..]].concat()
    });
    pair.start();
    pair.run();
    pair.assert_connected();
    assert!(pair.network.now() - pair.began < 10_000);
}

#[test]
fn a_lost_fragment_comes_with_the_next_hello() {
    for lost in 0..2 {
        let mut pair = long_hello(Version::Dtls13, 1);
        let mut hellos = 0;
        pair.tamper = Box::new(move |by, _, datagram| {
            if by == Role::Server || !is_hello(datagram) {
                return vec![datagram.to_vec()];
            }
            let mut fragments = split(datagram, &[(0, 1_175), (1_175, 2_000)]);
            hellos += 1;
            if hellos == 1 {
                fragments.remove(lost);
            } else {
                // Put together with what the first one left.
                fragments.remove(1 - lost);
            }
            fragments
        });
        pair.start();
        pair.run();
        pair.assert_connected();
        assert!(pair.network.now() - pair.began < 100_000);
    }
}

#[test]
fn a_post_quantum_key_share_that_we_do_not_know_is_passed_over() {
    let mut pair = long_hello(Version::Dtls13, 1);
    pair.start();
    let hello = with_key_share(&pair.client.sent[0], 0x11ec, &[7; 1_216]);
    assert!(hello.len() > 2_000);
    let fragments = split(&hello, &[(1_200, 3_000), (0, 1_200)]);
    for fragment in fragments {
        pair.server.association.handle(&fragment, pair.network.now());
    }
    let answer = pair.server.drain(pair.network.now());
    let server_hello = &answer[0][HEADER_BYTES..];
    assert_eq!(server_hello[0], 2, "a ServerHello");
    let x25519 = [0x00, 0x33, 0x00, 0x24, 0x00, 0x1d, 0x00, 0x20];
    assert!(server_hello.windows(8).any(|part| part == x25519), "with a key share of X25519");
}

/// The hello in `datagram` with another key share before its own.
fn with_key_share(datagram: &[u8], group: u16, key: &[u8]) -> Vec<u8> {
    let mut hello = datagram.to_vec();
    let at = hello.windows(4).position(|part| part == [0x00, 0x33, 0x00, 0x26]).expect("key_share of X25519");
    let share = [&group.to_be_bytes()[..], &(key.len() as u16).to_be_bytes(), key].concat();
    hello.splice(at + 6..at + 6, share.iter().copied());
    let mut grow = |at: usize| {
        let length = u16::from_be_bytes([hello[at], hello[at + 1]]) + share.len() as u16;
        hello[at..at + 2].copy_from_slice(&length.to_be_bytes());
    };
    // The extension and its list, then record, message and fragment.
    [at + 2, at + 4, 11, HEADER_BYTES + 2, HEADER_BYTES + 10].into_iter().for_each(&mut grow);
    // Version, random, session id, cookie, then cipher suites and compression methods.
    let mut extensions_at = HEADER_BYTES + HANDSHAKE_HEADER_BYTES + 34;
    extensions_at += 1 + usize::from(datagram[extensions_at]);
    extensions_at += 1 + usize::from(datagram[extensions_at]);
    extensions_at +=
        2 + usize::from(u16::from_be_bytes([datagram[extensions_at], datagram[extensions_at + 1]]));
    extensions_at += 1 + usize::from(datagram[extensions_at]);
    grow(extensions_at);
    hello
}
