//! Nanoseconds per packet of 172 bytes (20 ms of G.711) for each suite: `cargo run --release --example packet_cost -p trunkline-srtp`.

use std::hint::black_box;
use std::time::Instant;

use trunkline_base::Packet;
use trunkline_srtp::{MasterKey, Opener, Received, Sealer, Suite};

const PACKETS: u16 = 20_000;
const ROUNDS: u32 = 15;

fn main() {
    println!("{:<26}{:>8}{:>10}", "suite", "protect", "unprotect");
    for suite in Suite::ALL {
        let key = MasterKey::random(suite);
        let (sealer, opener) = (Sealer::new(&key).expect("a key"), Opener::new(&key).expect("a key"));
        let rounds = (0..ROUNDS).map(|_| round(&sealer, &opener));
        let best = rounds.fold((f64::MAX, f64::MAX), |a, b| (a.0.min(b.0), a.1.min(b.1)));
        println!("{:<26}{:>5.0} ns{:>7.0} ns", suite.name(), best.0, best.1);
    }
}

/// Protects and opens a stream; the packets lie in 64 buffers, as they do behind a socket.
fn round(sealer: &Sealer, opener: &Opener) -> (f64, f64) {
    let mut packets: Vec<Packet> = (0..64).map(|_| Packet::new()).collect();
    let mut received = Received::default();
    let (mut protect, mut unprotect) = (0, 0);
    for start in (0..PACKETS).step_by(packets.len()) {
        for (sequence, packet) in (start..).zip(&mut packets) {
            packet.fill(&rtp(sequence));
        }
        let begin = Instant::now();
        for (sequence, packet) in (start..).zip(&mut packets) {
            sealer.protect_rtp(packet, sequence.into());
        }
        protect += begin.elapsed().as_nanos();
        let begin = Instant::now();
        for packet in &mut packets {
            opener.open_rtp(packet, &mut received).expect("an authentic packet");
        }
        unprotect += begin.elapsed().as_nanos();
        black_box(&packets);
    }
    (protect as f64 / f64::from(PACKETS), unprotect as f64 / f64::from(PACKETS))
}

fn rtp(sequence: u16) -> [u8; 172] {
    let mut packet = [0; 172];
    packet[0] = 0x80;
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet[8..12].copy_from_slice(&[1, 2, 3, 4]);
    packet
}
