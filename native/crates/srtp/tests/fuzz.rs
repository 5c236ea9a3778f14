//! Mutated packets: nothing panics, nothing but what was sealed is taken, and what is refused changes nothing.
//! `FUZZ_ROUNDS` and `FUZZ_SEED` say how many and which.

mod support;

use support::Ends;
use trunkline_base::Packet;
use trunkline_sim::{Random, mutate, seeds};
use trunkline_srtp::Suite;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Whether the bytes are taken, as RTP or as RTCP.
fn is_taken(ends: &mut Ends, bytes: &[u8]) -> bool {
    let packet = Packet::from_bytes(bytes);
    let before = ends.received;
    let is_taken = ends.open(&packet).is_ok() | ends.open_rtcp(&packet).is_ok();
    assert!(is_taken || ends.received == before, "{bytes:02x?}");
    ends.received = before;
    is_taken
}

#[test]
fn mutated_packets() {
    let others = seeds(&["fuzz-seeds/srtp", "fuzz-seeds/rtp", "fuzz-seeds/rtcp"]);
    let mut random = Random::new(setting("FUZZ_SEED", 1));
    for suite in Suite::ALL {
        let mut ends = Ends::new(suite);
        ends.pass(7, 98).unwrap();
        let good = [ends.sealed(7, 99), ends.sealed(8, 3), ends.sealed_rtcp(7, 1)]
            .map(|packet| packet.bytes().to_vec());
        assert!(good.iter().all(|bytes| is_taken(&mut ends, bytes)));
        assert!(!others.iter().any(|bytes| is_taken(&mut ends, bytes)), "a stranger's packet");
        let seeds: Vec<Vec<u8>> = good.iter().chain(&others).cloned().collect();
        for _ in 0..setting("FUZZ_ROUNDS", 100_000) / 4 {
            let among = if random.chance(0.7) { good.len() } else { seeds.len() };
            let bytes = mutate(&seeds[random.below(among as u64) as usize], &seeds, &mut random);
            assert!(!is_taken(&mut ends, &bytes) || good.contains(&bytes), "{suite:?} {bytes:02x?}");
        }
    }
}

/// What is to be protected comes from the other side of a call: whatever it is, it comes out sealed or not at all.
#[test]
fn mutated_packets_are_sealed_so_that_they_open() {
    let others = seeds(&["fuzz-seeds/rtp", "fuzz-seeds/rtcp"]);
    let mut random = Random::new(setting("FUZZ_SEED", 1));
    let plain = [support::rtp(7, 1), support::rtcp(7)].map(|packet| packet.bytes().to_vec());
    let seeds: Vec<Vec<u8>> = plain.into_iter().chain(others).collect();
    for round in 0..setting("FUZZ_ROUNDS", 100_000) / 10 {
        let mut ends = Ends::new(Suite::ALL[round as usize % Suite::ALL.len()]);
        let bytes = mutate(&seeds[random.below(seeds.len() as u64) as usize], &seeds, &mut random);
        let sequence = bytes.get(2..4).map_or(0, |pair| u64::from(pair[0]) << 8 | u64::from(pair[1]));
        let (mut rtp, mut rtcp) = (Packet::from_bytes(&bytes), Packet::from_bytes(&bytes));
        let bytes = rtp.bytes().to_vec();
        ends.sealer.protect_rtp(&mut rtp, sequence);
        assert!(rtp.is_empty() || ends.open(&rtp).as_ref() == Ok(&bytes), "{bytes:02x?}");
        ends.sealer.protect_rtcp(&mut rtcp, 1);
        assert!(rtcp.is_empty() || ends.open_rtcp(&rtcp) == Ok(bytes));
    }
}
