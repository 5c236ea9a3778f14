//! A batched relay allocates nothing once it runs.
use std::alloc::{GlobalAlloc, Layout, System};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU64, Ordering};

use trunkline_io::{Batch, Poller, Ring, UdpOptions, bind_udp};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn ten_thousand_packets_allocate_nothing() {
    relay(None);
    // Where the system has io_uring.
    if let Ok(ring) = Ring::new() {
        relay(Some(ring));
    }
}

fn relay(mut ring: Option<Ring>) {
    let socket = bind_udp("127.0.0.1:0".parse().unwrap(), UdpOptions::default(), false).unwrap();
    let other = bind_udp("127.0.0.1:0".parse().unwrap(), UdpOptions::default(), false).unwrap();
    let to = UdpSocket::from(socket.try_clone().unwrap()).local_addr().unwrap();
    let poller = Poller::new().unwrap();
    match &mut ring {
        None => poller.add(socket.as_raw_fd(), 1).unwrap(),
        Some(ring) => {
            ring.watch(socket.as_raw_fd(), 1).unwrap();
            poller.add(ring.fd(), 1).unwrap();
        }
    }
    let mut tokens = Vec::with_capacity(64);
    let mut batch = Batch::new(64);
    let (mut ready, mut relayed, mut before) = (Vec::new(), 0, 0);
    for round in 0..250 {
        if round == 50 {
            before = ALLOCATIONS.load(Ordering::Relaxed);
        }
        for way in 0..50 {
            let fd = if way % 3 == 0 { socket.as_raw_fd() } else { other.as_raw_fd() };
            assert!(batch.queue_bytes(fd, to, &[0; 172]));
        }
        batch.flush(|_, _| ());
        tokens.clear();
        while batch.len() < 50 {
            poller.wait(&mut ready, Some(1_000_000)).unwrap();
            assert!(!ready.is_empty(), "nothing is lost");
            relayed += match &mut ring {
                None => batch.receive(socket.as_raw_fd()).unwrap(),
                Some(ring) => ring.receive(&mut batch, &mut tokens).unwrap(),
            };
        }
    }
    assert_eq!(ALLOCATIONS.load(Ordering::Relaxed) - before, 0);
    assert_eq!(relayed, 250 * 50);
}
