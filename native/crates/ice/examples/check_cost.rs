//! Nanoseconds per STUN check: `cargo run --release --example check_cost -p trunkline-ice`.

use std::hint::black_box;
use std::time::Instant;

use trunkline_ice::{REPLY_BYTES, REQUEST_BYTES, Request, is_authentic, read_check, request, success};

const CALLS: u32 = 50_000;
const ROUNDS: u32 = 9;

fn main() {
    let (mut datagram, mut out) = ([0; REQUEST_BYTES], [0; REPLY_BYTES]);
    let check = Request {
        transaction: [7; 12],
        ufrags: ("abcdefgh", "ijkl"),
        password: "0123456789abcdef0123456789abcdef",
        priority: 1,
        tie_breaker: 2,
        use_candidate: true,
    };
    let length = request(&mut datagram, &check);
    let from = ([192, 0, 2, 1], 5_000).into();
    let bytes = &datagram[..length];
    println!("a check of {length} bytes");
    time("read", || read_check(black_box(bytes)));
    time("authenticate", || is_authentic(black_box(bytes), check.password));
    time("answer", || success(&mut out, &check.transaction, from, check.password));
}

/// The fastest of some rounds: the others were disturbed.
fn time<T>(name: &str, mut call: impl FnMut() -> T) {
    let rounds = (0..ROUNDS).map(|_| {
        let begin = Instant::now();
        (0..CALLS).for_each(|_| {
            black_box(call());
        });
        begin.elapsed().as_nanos() as f64 / f64::from(CALLS)
    });
    println!("{name:<14}{:>6.0} ns", rounds.fold(f64::MAX, f64::min));
}
