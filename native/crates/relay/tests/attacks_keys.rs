//! No index of a key twice, whatever is negotiated, renegotiated, restarted or killed, in any order (RFC 3711 §9.1).

mod support;

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use support::{Browser, MS, Phone, Rig, pcmu, rtp_spec, webrtc_spec};
use trunkline_control::MediumKind::Audio;
use trunkline_control::{SdesKey, SdesPair, SessionChange};
use trunkline_rtp::is_rtcp;
use trunkline_sim::Random;
use trunkline_srtp::{MasterKey, Suite};

/// Every datagram that left under one of our keys.
#[derive(Default)]
struct Watch {
    /// By key and by what tells key streams apart on the wire: SSRC and sequence number, or the index of SRTCP.
    seen: HashMap<(String, u32, u32), Vec<Vec<u8>>>,
    packets: usize,
}

impl Watch {
    fn check(&mut self, key: &SdesKey, datagram: &[u8]) {
        let word = |at: usize| u32::from_be_bytes(datagram[at..at + 4].try_into().expect("four bytes"));
        let is_gcm = key.suite.contains("GCM");
        let (ssrc, number) = match is_rtcp(datagram) {
            true => (word(4), word(datagram.len() - if is_gcm { 4 } else { 14 }) | 1 << 31),
            false => (word(8), u32::from(datagram[2]) << 8 | u32::from(datagram[3])),
        };
        let before = self.seen.entry((key.key.clone(), ssrc, number)).or_default();
        if before.iter().any(|one| one == datagram) {
            return; // The same once more tells nobody anything.
        }
        for one in before.iter() {
            assert!(!is_rtcp(one), "an index of SRTCP came twice");
            // What is said is one byte all along: under one key stream two texts differ by one byte all along.
            let apart: Vec<u8> =
                one[12..172].iter().zip(&datagram[12..172]).map(|(one, other)| one ^ other).collect();
            assert!(apart.iter().any(|byte| *byte != apart[0]), "a key stream came twice");
        }
        before.push(datagram.to_vec());
        self.packets += 1;
    }
}

fn random_key(like: &SdesKey) -> SdesKey {
    let suite = Suite::from_name(&like.suite).expect("a suite");
    let (bytes, len) = MasterKey::random(suite).to_bytes();
    SdesKey { key: STANDARD.encode(&bytes[..len]), ..like.clone() }
}

#[test]
fn no_order_of_changes_and_deaths_makes_a_key_stream_come_twice() {
    let mut seen = 0;
    for seed in 0..60 {
        seen += walk(seed);
    }
    assert!(seen > 20_000, "{seen} packets are too few to prove anything");
}

/// Toward phone a, of whom every key is watched; b is its source, c another one.
fn walk(seed: u64) -> usize {
    let mut random = Random::new(seed);
    let mut rig = Rig::open(&["a", "b", "c"].map(rtp_spec));
    let mut a = Phone::new(&mut rig, "a", 1, &[pcmu()]);
    let mut sources = [Phone::new(&mut rig, "b", 2, &[pcmu()]), Phone::new(&mut rig, "c", 3, &[pcmu()])];
    rig.link("a", "b");
    a.remote.nack = true;
    let mut watch = Watch::default();
    let mut numbers = [0_u16; 2];
    let mut theirs: HashMap<String, SdesKey> = HashMap::new();
    for _ in 0..150 {
        match random.below(12) {
            0..=2 => {
                // A suite is taken up, or left for another, with the peer's key of before or a new one.
                let local = a.local.crypto[random.below(4) as usize].clone();
                let renews = random.chance(0.3);
                let known = theirs.entry(local.key.clone()).or_insert_with(|| random_key(&local));
                if renews {
                    *known = random_key(&local);
                }
                a.remote.srtp = Some(SdesPair { remote: known.clone(), local });
                a.negotiate(&mut rig);
            }
            3 if random.chance(0.3) => {
                a.remote.srtp = None;
                a.negotiate(&mut rig);
            }
            4 => rig.crash(random.below(200) * MS),
            5 => rig.link("a", if random.chance(0.5) { "b" } else { "c" }),
            6 if !a.remote.send || random.chance(0.3) => {
                a.remote.send = !a.remote.send;
                a.negotiate(&mut rig);
            }
            7 => {
                a.address.set_port(4_000 + 2 * random.below(20) as u16);
                a.remote.port = Some(a.address.port());
                a.remote.rtcp_port = Some(a.address.port() + 1);
                a.negotiate(&mut rig);
            }
            8 => {
                let source = &mut sources[random.below(2) as usize];
                source.ssrc = random.bits() as u32;
            }
            9 => rig.change(&SessionChange::Mute { side: "b".into(), muted: random.chance(0.5) }).clear(),
            _ => {
                for _ in 0..random.below(60) {
                    let at = random.below(2) as usize;
                    let ahead = [1, 1, 1, 2, 50, 2_900, 40_000][random.below(7) as usize];
                    numbers[at] = numbers[at].wrapping_add(ahead);
                    (0..2).for_each(|after| sources[at].say(&mut rig, numbers[at].wrapping_add(after)));
                    // Now and then a late one.
                    sources[at].say(&mut rig, numbers[at].wrapping_sub(random.below(120) as u16));
                    numbers[at] = numbers[at].wrapping_add(1);
                    rig.advance(random.below(40) * MS);
                }
            }
        }
        let key = a.remote.srtp.as_ref().map(|pair| pair.local.clone());
        for sent in std::mem::take(&mut rig.shell.sent) {
            let is_for_a = sent.to.ip() == a.address.ip();
            if let Some(key) = key.as_ref().filter(|_| is_for_a) {
                watch.check(key, &sent.bytes);
            }
        }
    }
    watch.packets
}

/// The browser's own opener never forgets: it panics if an index comes again under one key.
#[test]
fn nor_do_ice_restarts_new_associations_and_deaths_in_a_browsers_call() {
    for seed in 0..15 {
        let mut random = Random::new(seed);
        let mut rig = Rig::open(&[webrtc_spec("a", &[Audio]), rtp_spec("b")]);
        let mut phone = Phone::new(&mut rig, "b", 2, &[pcmu()]);
        let mut browser = Browser::new("a", 1, "active", &[pcmu()]);
        browser.media[0].nack = true;
        rig.link("a", "b");
        browser.connect(&mut rig);
        let (mut number, mut heard) = (0_u16, 0);
        for _ in 0..60 {
            match random.below(8) {
                0 => rig.crash(random.below(100) * MS),
                1 => {
                    rig.change(&SessionChange::RestartIce { side: "a".into() });
                    browser.check(&mut rig, true);
                }
                2 => {
                    browser.start_dtls(&mut rig);
                    browser.advance(&mut rig, 3_000 * MS);
                }
                3 => {
                    let media = browser.media[0].send;
                    browser.media[0].send = !media;
                    rig.change(&browser.remote());
                }
                _ => {
                    for _ in 0..random.below(60) {
                        number = number.wrapping_add(random.below(900) as u16);
                        phone.say(&mut rig, number);
                        rig.advance(20 * MS);
                    }
                }
            }
            browser.check(&mut rig, false);
            heard += browser.heard(&mut rig).len();
        }
        browser.media[0].send = true;
        rig.change(&browser.remote());
        phone.say(&mut rig, number.wrapping_add(1));
        assert_eq!(browser.heard(&mut rig).len(), 1, "seed {seed}");
        assert!(heard > 100, "seed {seed}: {heard} packets prove nothing");
    }
}
