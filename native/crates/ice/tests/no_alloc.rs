//! No allocation per check, authentic or not, nor per frame: a counting allocator sees none.
//!
//! Not here: what the C of `aws-lc` allocates for an HMAC, which is nothing that Rust's allocator would see.
#![allow(unsafe_code, reason = "an allocator is unsafe to implement")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use trunkline_base::Address;
use trunkline_ice::{
    Agent, Framer, Path, REPLY_BYTES, REQUEST_BYTES, RecentChecks, Request, error, is_authentic, read_check,
    request, success,
};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged; counting touches no heap.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(run: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    run();
    ALLOCATIONS.get() - before
}

const PASSWORD: &str = "a password of enough length";

#[test]
fn ten_thousand_checks_allocate_nothing() {
    assert!(allocations(|| drop(Box::new([0_u8; 64]))) > 0, "it counts");
    let (mut agent, mut recent, mut framer) = (Agent::new(), RecentChecks::default(), Framer::new());
    let (mut datagram, mut out) = ([0; REQUEST_BYTES], [0; REPLY_BYTES]);
    let count = allocations(|| {
        for number in 0..10_000_u64 {
            let mut transaction = [0; 12];
            transaction[..8].copy_from_slice(&number.to_be_bytes());
            let length = request(
                &mut datagram,
                &Request {
                    transaction,
                    ufrags: ("ours", "theirs"),
                    password: PASSWORD,
                    priority: 1,
                    tie_breaker: 2,
                    use_candidate: number % 3 == 0,
                },
            );
            let bytes = &datagram[..length];
            let check = read_check(bytes).unwrap();
            assert!(is_authentic(bytes, PASSWORD) && !is_authentic(bytes, "another"));
            recent.is_new(&check.transaction);
            let remote = std::net::SocketAddr::from(([192, 0, 2, 1], number as u16));
            let path = Path { remote: Address::from(remote), socket: 0, pad: 0 };
            agent.on_check(path, check.use_candidate, number);
            agent.take_forgotten();
            success(&mut out, &transaction, remote, PASSWORD);
            error(&mut out, &transaction, 420, &[1, 2], Some(PASSWORD));
            framer.push(&[0, 2, 1, 2], |_| {}).unwrap();
        }
    });
    assert_eq!(count, 0);
    let once = allocations(|| (0..10_000).for_each(|_| framer.push(&[3, 0, 2, 1], |_| {}).unwrap()));
    assert_eq!(once, 1, "the buffer of the first partial frame");
}
