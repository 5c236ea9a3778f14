//! Mutated messages and streams: nothing panics, only the right bytes authenticate, and answers stay small.
//! `FUZZ_ROUNDS` and `FUZZ_SEED` say how many and which.

mod support;

use std::net::SocketAddr;

use support::{Answer, answer, hex};
use trunkline_ice::{
    FRAME_BYTES, Framer, REQUEST_BYTES, Request, is_authentic, kind_of, read_check, request, transaction_of,
};
use trunkline_sim::{Random, mutate, seeds};

const OURS: (&str, &str) = ("ours", "a-password-of-ours-22ch");

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn good() -> Vec<u8> {
    let mut out = [0; REQUEST_BYTES];
    let check = Request {
        transaction: [7; 12],
        ufrags: ("ours", "theirs"),
        password: OURS.1,
        priority: 1,
        tie_breaker: 2,
        use_candidate: true,
    };
    let length = request(&mut out, &check);
    out[..length].to_vec()
}

/// Makes length and FINGERPRINT right again, so that a mutation gets behind them.
fn repair(bytes: &mut Vec<u8>) {
    bytes.truncate(bytes.len() & !3);
    if bytes.len() < 28 {
        return;
    }
    let end = bytes.len() - 8;
    let length = (bytes.len() - 20) as u16;
    bytes[2..4].copy_from_slice(&length.to_be_bytes());
    bytes[4..8].copy_from_slice(&0x2112_a442_u32.to_be_bytes());
    let crc = support::crc32(&bytes[..end]) ^ 0x5354_554e;
    bytes[end..end + 4].copy_from_slice(&[0x80, 0x28, 0, 4]);
    bytes[end + 4..].copy_from_slice(&crc.to_be_bytes());
}

fn try_datagram(datagram: &[u8], good: &[u8]) {
    let from: SocketAddr = "[2001:db8::1]:50000".parse().unwrap();
    let _ = kind_of(datagram);
    let _ = transaction_of(datagram);
    match answer(datagram, from, OURS) {
        Answer::Taken { .. } => assert!(is_signed_part_of(good, datagram), "{}", hex(datagram)),
        Answer::Refused(_, reply) => assert!(reply.len() <= datagram.len().max(40), "{}", hex(datagram)),
        Answer::Dropped => {}
    }
    if is_authentic(datagram, OURS.1) && read_check(datagram).is_ok() {
        assert!(is_signed_part_of(good, datagram), "{}", hex(datagram));
    }
}

/// All up to MESSAGE-INTEGRITY is as it was signed; what follows counts for nothing, nor does the length before it.
fn is_signed_part_of(good: &[u8], datagram: &[u8]) -> bool {
    let signed = good.len() - 8;
    datagram[..2] == good[..2] && datagram[4..signed] == good[4..signed]
}

#[test]
fn mutated_messages() {
    let good = good();
    let mut seeds = seeds(&["fuzz-seeds/stun"]);
    seeds.push(good.clone());
    for seed in &seeds {
        try_datagram(seed, &good);
    }
    let mut random = Random::new(setting("FUZZ_SEED", 1));
    for _ in 0..setting("FUZZ_ROUNDS", 100_000) {
        let seed = match random.below(2) {
            0 => &good,
            _ => &seeds[random.below(seeds.len() as u64) as usize],
        };
        let mut datagram = mutate(seed, &seeds, &mut random);
        if random.chance(0.5) {
            repair(&mut datagram);
        }
        try_datagram(&datagram, &good);
    }
}

/// What a framer gives does not depend on how the stream is cut, and no frame is longer than allowed.
#[test]
fn mutated_streams() {
    let seeds: Vec<Vec<u8>> = seeds(&["fuzz-seeds/stun"])
        .iter()
        .chain([&good()])
        .map(|seed| [&(seed.len() as u16).to_be_bytes()[..], seed].concat().repeat(3))
        .collect();
    let mut random = Random::new(setting("FUZZ_SEED", 1));
    for _ in 0..setting("FUZZ_ROUNDS", 100_000) / 10 {
        let seed = &seeds[random.below(seeds.len() as u64) as usize];
        let stream = mutate(seed, &seeds, &mut random);
        let at_once = frames(&stream, || usize::MAX);
        assert_eq!(at_once, frames(&stream, || 1 + random.below(700) as usize), "{}", hex(&stream));
    }
}

fn frames(stream: &[u8], mut cut: impl FnMut() -> usize) -> (Vec<Vec<u8>>, bool) {
    let mut framer = Framer::new();
    let mut frames = Vec::new();
    let mut rest = stream;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(rest.len().min(cut()));
        rest = later;
        let pushed = framer.push(now, |frame| {
            assert!((1..=FRAME_BYTES).contains(&frame.len()));
            frames.push(frame.to_vec());
        });
        if pushed.is_err() {
            return (frames, true);
        }
    }
    (frames, false)
}
