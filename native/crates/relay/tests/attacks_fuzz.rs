//! Real traffic, changed in every way, into sessions that live: no panic, a bounded memory, and the call goes on.
#![allow(unsafe_code, reason = "an allocator is unsafe to implement")]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use support::{
    Browser, MS, Phone, Rig, WEBRTC, Words, check_datagram, dtmf_8, pcmu, rtp_packet, rtp_spec, webrtc_spec,
};
use trunkline_base::Packet;
use trunkline_control::MediumKind::Audio;
use trunkline_dtls::{Association, Certificate, Fingerprint, Options, Output, Role};
use trunkline_rtp::build_nack;
use trunkline_sim::{Random, mutate};
use trunkline_srtp::Suite;

/// Counts the bytes in use.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged; counting touches no heap.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A datagram and where it arrives.
type Arrival = (u32, SocketAddr, Vec<u8>);

/// A browser and a phone in a call.
struct World {
    rig: Rig,
    browser: Browser,
    phone: Phone,
    number: u16,
}

impl World {
    fn new(suite: Option<Suite>) -> Self {
        let mut rig = Rig::open(&[webrtc_spec("a", &[Audio]), rtp_spec("b")]);
        let mut phone = Phone::new(&mut rig, "b", 2, &[pcmu(), dtmf_8()]);
        let mut browser = Browser::new("a", 1, "active", &[pcmu(), dtmf_8()]);
        (browser.media[0].nack, browser.media[0].transport_cc_extension_id) = (true, Some(3));
        (browser.media[0].mid, browser.media[0].mid_extension_id) = (Some("0".into()), Some(1));
        rig.link("a", "b");
        browser.connect(&mut rig);
        if let Some(suite) = suite {
            phone.secure(&mut rig, suite);
        }
        Self { rig, browser, phone, number: 100 }
    }

    /// What the peers could send now.
    fn traffic(&mut self, flights: &[Vec<u8>]) -> Vec<Arrival> {
        self.number += 1;
        let (home, away) = (self.browser.address, self.phone.address);
        let words = |payload_type, ssrc| Words {
            sequence: self.number,
            timestamp: u32::from(self.number) * 160,
            payload_type,
            marker: false,
            ssrc,
        };
        let (voice, event) = (words(0, self.browser.ssrc), words(101, self.browser.ssrc));
        let (ufrag, pwd) = self.browser.credentials(&self.rig);
        let mut nack = Packet::new();
        build_nack(&mut nack, self.browser.ssrc, self.phone.local.ssrc, &[1, 2, 3, 900]);
        let mut arrivals = vec![
            (WEBRTC, home, self.browser.seal(&rtp_packet(&voice, &[7; 160]))),
            (WEBRTC, home, self.browser.seal(&rtp_packet(&event, &[5, 0x8a, 1, 0]))),
            (WEBRTC, home, check_datagram(&ufrag, &pwd, true)),
            (WEBRTC, home, check_datagram(&ufrag, &pwd, false)),
            (self.phone.socket + 1, away, nack.bytes().to_vec()),
        ];
        for words in [words(0, self.phone.ssrc), words(101, self.phone.ssrc)] {
            arrivals.push((self.phone.socket, away, self.phone.packet(&words, &[5, 0x8a, 1, 0])));
        }
        arrivals.extend(flights.iter().map(|flight| (WEBRTC, home, flight.clone())));
        arrivals
    }

    /// A browser that seals what it should not say.
    fn rogue(&mut self, random: &mut Random) -> usize {
        // Of another SSRC: by a jump of its own numbers a sender would only lose its place in its own cycle.
        let ssrc = random.bits() as u32;
        let words = Words { sequence: self.number, timestamp: 0, payload_type: 0, marker: false, ssrc };
        let voice = rtp_packet(&words, &[5, 0x8a, 1, 0]);
        let mut nack = Packet::new();
        build_nack(&mut nack, self.browser.ssrc, self.phone.local.ssrc, &[1, 2, 3, 900]);
        for _ in 0..20 {
            let rtp = mutate(&voice, &[], random);
            if rtp.len() >= 12 {
                self.browser.send_rtp(&mut self.rig, &rtp);
            }
            let rtcp = mutate(nack.bytes(), &[], random);
            self.browser.send_rtcp(&mut self.rig, &rtcp);
        }
        40
    }

    fn assert_talking(&mut self) {
        self.rig.advance(600 * MS);
        self.browser.check(&mut self.rig, true);
        // Forged packets of the phone may have to be outnumbered: nothing proves whose they are without keys.
        for _ in 0..20 {
            self.number = self.number.wrapping_add(1);
            self.browser.say(&mut self.rig, self.number);
            self.phone.say(&mut self.rig, self.number);
            self.rig.advance(20 * MS);
        }
        self.browser.pump(&mut self.rig);
        let to_browser = std::mem::take(&mut self.browser.rtp);
        let to_phone = self.phone.heard(&mut self.rig);
        let is_said = |payload: &[u8]| payload == [self.number as u8; 160];
        assert!(to_browser.iter().any(|heard| is_said(&heard.payload)), "the browser does not hear");
        assert!(to_phone.iter().any(|heard| is_said(&heard.payload)), "the phone does not hear");
        self.rig.take_events();
        self.rig.shell.sent.clear();
        (self.browser.raw, self.browser.rtcp) = (Vec::new(), Vec::new());
    }
}

/// Every datagram of a handshake, of both ends.
fn flights() -> Vec<Vec<u8>> {
    let of = |role| {
        let certificate = Certificate::generate();
        let peer_fingerprints =
            vec![Fingerprint { algorithm: "sha-256".into(), value: certificate.fingerprint() }];
        (certificate, Options { role, peer_fingerprints })
    };
    let ((one, for_other), (other, for_one)) = (of(Role::Server), of(Role::Client));
    let mut ends = [Association::new(for_one, &one, 0), Association::new(for_other, &other, 0)];
    ends.iter_mut().for_each(|end| end.start(0));
    let (mut flights, mut out) = (Vec::new(), [0; 2_048]);
    for turn in 0..20 {
        while let Some(output) = ends[turn % 2].poll(&mut out) {
            if let Output::Send(len) = output {
                flights.push(out[..len].to_vec());
                ends[1 - turn % 2].handle(&out[..len], 0);
            }
        }
    }
    assert!(ends.iter().all(Association::is_connected));
    flights
}

/// Media that a mutation leaves authentic or, without keys, plausible does what it says; anything else does nothing.
#[test]
fn three_hundred_thousand_changed_datagrams_stop_no_call_and_fill_no_memory() {
    let flights = flights();
    let mut random = Random::new(2026);
    let mut worlds: Vec<World> =
        [None, Some(Suite::Aes128CmSha1_80), Some(Suite::AeadAes128Gcm)].map(World::new).into();
    let mut in_use = Vec::new();
    for round in 0..10 {
        for world in &mut worlds {
            let mut fed = 0;
            while fed < 10_500 {
                let traffic = world.traffic(&flights);
                let others: Vec<_> = traffic.iter().map(|(.., bytes)| bytes.clone()).collect();
                for (socket, from, bytes) in &traffic {
                    for _ in 0..15 {
                        let changed = mutate(bytes, &others, &mut random);
                        world.rig.arrive(*socket, *from, &changed);
                        fed += 1;
                    }
                }
                fed += world.rogue(&mut random);
                world.rig.shell.sent.clear();
                world.rig.take_events();
                world.rig.advance(MS);
            }
            world.assert_talking();
        }
        if round > 1 {
            in_use.push(IN_USE.load(Ordering::Relaxed));
        }
    }
    let (first, last) = (in_use[0], in_use[in_use.len() - 1]);
    assert!(last <= first + 65_536, "{in_use:?} bytes in use");
}
