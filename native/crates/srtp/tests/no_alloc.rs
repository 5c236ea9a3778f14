//! No allocation per packet: a counting allocator sees none, whatever comes in.
//!
//! It does not see what the C of `aws-lc` allocates; its AEAD does so only when a key is made.
#![allow(unsafe_code, reason = "an allocator is unsafe to implement")]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use support::{Ends, rtcp, rtp};
use trunkline_base::Packet;
use trunkline_srtp::{Refused, Suite};

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

#[test]
fn ten_thousand_packets_allocate_nothing() {
    assert!(allocations(|| drop(Box::new([0_u8; 64]))) > 0, "it counts");
    for suite in Suite::ALL {
        let Ends { sealer, opener, mut received } = Ends::new(suite);
        let (mut packet, mut copy) = (Packet::new(), Packet::new());
        let (plain, report) = (rtp(7, 0), rtcp(7));
        let count = allocations(|| {
            for index in 0..10_000 {
                packet.fill(plain.bytes());
                packet.bytes_mut()[2..4].copy_from_slice(&(index as u16).to_be_bytes());
                packet.bytes_mut()[11] = (index % 9) as u8; // More SSRCs than are kept.
                sealer.protect_rtp(&mut packet, index);
                copy.fill(packet.bytes());
                copy.bytes_mut()[20] ^= 1;
                assert_eq!(opener.open_rtp(&mut copy, &mut received), Err(Refused::Forged));
                copy.fill(packet.bytes());
                assert_eq!(opener.open_rtp(&mut packet, &mut received), Ok(()));
                assert_eq!(opener.open_rtp(&mut copy, &mut received), Err(Refused::Replayed));
                packet.fill(report.bytes());
                sealer.protect_rtcp(&mut packet, index as u32);
                assert_eq!(opener.open_rtcp(&mut packet, &mut received), Ok(()));
            }
        });
        assert_eq!(count, 0, "{suite:?}");
    }
}
