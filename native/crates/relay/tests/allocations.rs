//! Nothing is allocated per relayed packet.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::SocketAddr;

use support::{Browser, MS, Phone, Rig, Words, pcmu, rtp_spec, webrtc_spec};
use trunkline_base::Packet;
use trunkline_control::MediumKind::Audio;
use trunkline_relay::SocketId;
use trunkline_srtp::Suite;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: the system's allocator does it all.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const PACKETS: usize = 10_000;

/// Relays these datagrams of one source; how many left, and how many allocations that took.
fn relay(rig: &mut Rig, socket: SocketId, from: SocketAddr, datagrams: &[Vec<u8>]) -> (usize, u64) {
    let mut packet = Packet::new();
    let side = *rig.shell.owners.get(&socket).or_else(|| rig.shell.sources.get(&(socket, from))).unwrap();
    let mut left = 0;
    let before = ALLOCATIONS.with(Cell::get);
    for datagram in datagrams {
        rig.now += 20 * MS;
        packet.fill(datagram);
        left += usize::from(rig.on_datagram(side, socket, from, &mut packet).is_some());
    }
    (left, ALLOCATIONS.with(Cell::get) - before)
}

fn words(n: usize, ssrc: u32) -> Words {
    Words { sequence: n as u16, timestamp: n as u32 * 160, payload_type: 0, marker: false, ssrc }
}

fn say(phone: &mut Phone) -> Vec<Vec<u8>> {
    (0..PACKETS).map(|n| phone.packet(&words(n, 5), &[7; 160])).collect()
}

#[test]
fn between_plain_rtp_peers() {
    let mut rig = Rig::open(&["a", "b"].map(rtp_spec));
    let mut a = Phone::new(&mut rig, "a", 1, &[pcmu()]);
    let _b = Phone::new(&mut rig, "b", 2, &[pcmu()]);
    rig.link("a", "b");
    a.say(&mut rig, 65_000);
    assert_eq!(relay(&mut rig, a.socket, a.address, &say(&mut a)), (PACKETS, 0));
}

#[test]
fn between_srtp_and_rtp_both_ways() {
    for suite in Suite::ALL {
        let mut rig = Rig::open(&["a", "b"].map(rtp_spec));
        let mut a = Phone::new(&mut rig, "a", 1, &[pcmu()]);
        let mut b = Phone::new(&mut rig, "b", 2, &[pcmu()]);
        b.secure(&mut rig, suite);
        rig.link("a", "b");
        a.say(&mut rig, 65_000);
        b.send_as(&mut rig, &words(65_000, 9), b"first");
        assert_eq!(relay(&mut rig, a.socket, a.address, &say(&mut a)), (PACKETS, 0), "{}", suite.name());
        assert_eq!(relay(&mut rig, b.socket, b.address, &say(&mut b)), (PACKETS, 0), "{}", suite.name());
    }
}

#[test]
fn between_a_browser_and_a_phone_both_ways() {
    let mut rig = Rig::open(&[webrtc_spec("a", &[Audio]), rtp_spec("b")]);
    let mut phone = Phone::new(&mut rig, "b", 2, &[pcmu()]);
    let mut browser = Browser::new("a", 1, "active", &[pcmu()]);
    rig.link("a", "b");
    browser.connect(&mut rig);
    browser.say(&mut rig, 1);
    phone.say(&mut rig, 65_000);
    let sealed: Vec<Vec<u8>> = (2..PACKETS)
        .map(|n| browser.seal(&support::rtp_packet(&words(n, browser.ssrc), &[7; 160])))
        .collect();
    assert_eq!(relay(&mut rig, support::WEBRTC, browser.address, &sealed), (PACKETS - 2, 0));
    assert_eq!(relay(&mut rig, phone.socket, phone.address, &say(&mut phone)), (PACKETS, 0));
}

#[test]
fn for_what_is_refused() {
    let mut rig = Rig::open(&["a", "b"].map(rtp_spec));
    let mut a = Phone::new(&mut rig, "a", 1, &[pcmu()]);
    let mut b = Phone::new(&mut rig, "b", 2, &[pcmu()]);
    b.secure(&mut rig, Suite::AeadAes128Gcm);
    rig.link("a", "b");
    let clear = say(&mut a);
    assert_eq!(relay(&mut rig, b.socket, b.address, &clear), (0, 0));
    let stranger = "192.0.2.99:1".parse().unwrap();
    assert_eq!(relay(&mut rig, a.socket, stranger, &clear), (0, 0));
}

/// One that said goodbye and goes on after all, as a forged goodbye or a peer with several sources makes it look.
#[test]
fn nor_after_a_goodbye_that_was_none() {
    let mut rig = Rig::open(&["a", "b"].map(rtp_spec));
    let mut a = Phone::new(&mut rig, "a", 1, &[pcmu()]);
    let _b = Phone::new(&mut rig, "b", 2, &[pcmu()]);
    rig.link("a", "b");
    a.say(&mut rig, 65_000);
    let mut goodbye = vec![0x80, 201, 0, 1, 0, 0, 0, 9, 0x81, 203, 0, 1];
    goodbye.extend(a.ssrc.to_be_bytes());
    a.send_rtcp(&mut rig, &goodbye);
    rig.advance(2_000 * MS);
    assert!(support::kinds_of(&rig.take_events()).contains(&"ended".into()));
    a.say(&mut rig, 65_001);
    assert_eq!(relay(&mut rig, a.socket, a.address, &say(&mut a)), (PACKETS, 0));
}
