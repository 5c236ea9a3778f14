//! Media that is sprayed, injected, replayed or malformed: nobody hears it, and nothing moves (CVE-2025-53399).

mod support;

use std::net::SocketAddr;

use support::{
    Browser, MS, Phone, Rig, SECOND, SHARED, WEBRTC, Words, codec, dtmf_8, pcmu, rtp_packet, rtp_spec,
    shared_spec, webrtc_spec,
};
use trunkline_control::Event;
use trunkline_control::MediumKind::Audio;
use trunkline_sim::Random;
use trunkline_srtp::Suite;

fn phones(specs: [trunkline_control::SideSpec; 2]) -> (Rig, Phone, Phone) {
    let mut rig = Rig::open(&specs);
    let a = Phone::new(&mut rig, "a", 1, &[pcmu(), dtmf_8()]);
    let b = Phone::new(&mut rig, "b", 2, &[pcmu(), dtmf_8()]);
    rig.link("a", "b");
    (rig, a, b)
}

fn words(sequence: u16, ssrc: u32) -> Words {
    Words { sequence, timestamp: u32::from(sequence) * 160, payload_type: 0, marker: false, ssrc }
}

/// Every port hears from everywhere, in order and with the right SSRC, before, between and after the peers' packets.
#[test]
fn spray_on_all_ports_is_heard_by_nobody_and_moves_nothing() {
    for specs in [["a", "b"].map(rtp_spec), ["a", "b"].map(shared_spec)] {
        let (mut rig, mut a, mut b) = phones(specs);
        let mut random = Random::new(3);
        let sockets: Vec<_> = rig.shell.owners.keys().copied().chain([SHARED]).collect();
        for number in 0..50_u16 {
            for _ in 0..100 {
                let ip = [198, 18, random.bits() as u8, random.bits() as u8];
                let from =
                    SocketAddr::from((ip, [a.address.port(), random.bits() as u16][number as usize % 2]));
                let ssrc = [a.ssrc, b.ssrc, 7][random.below(3) as usize];
                for socket in &sockets {
                    for sequence in number * 4..number * 4 + 4 {
                        rig.arrive(*socket, from, &rtp_packet(&words(sequence, ssrc), b"spray"));
                    }
                }
            }
            a.say(&mut rig, number);
            b.say(&mut rig, number);
            rig.advance(20 * MS);
        }
        let (to_a, to_b) = (a.heard(&mut rig), b.heard(&mut rig));
        assert_eq!((to_a.len(), to_b.len()), (50, 50));
        assert!(to_a.iter().chain(&to_b).all(|heard| heard.payload.len() == 160));
        assert_eq!(rig.stats("a").remote, Some(a.address.to_string()));
        rig.shell.sent.retain(|sent| sent.bytes.get(1) == Some(&0));
        assert_eq!(rig.shell.sent.len(), 0, "media went to a stranger");
    }
}

/// The neighbour behind the same address: as long as the peer is heard, media stays with it.
#[test]
fn another_port_of_the_peers_address_takes_nothing_over_while_the_peer_talks() {
    let (mut rig, mut a, mut b) = phones(["a", "b"].map(rtp_spec));
    let mut neighbour = a.address;
    neighbour.set_port(5_555);
    for number in 0..200 {
        a.say(&mut rig, number);
        b.say(&mut rig, number);
        for n in 0..8 {
            rig.arrive(a.socket, neighbour, &rtp_packet(&words(number * 8 + n, 99), b"injected"));
            rig.advance(2 * MS);
        }
    }
    assert_eq!((a.heard(&mut rig).len(), b.heard(&mut rig).len()), (200, 200));
    assert!(rig.take_sent(neighbour).is_empty());
}

#[test]
fn with_keys_even_the_peers_own_address_injects_and_replays_nothing() {
    for suite in Suite::ALL {
        let (mut rig, mut a, mut b) = phones(["a", "b"].map(rtp_spec));
        a.secure(&mut rig, suite);
        let mut recorded = Vec::new();
        for number in 0..100 {
            let packet = a.packet(&words(number, a.ssrc), &[number as u8; 160]);
            rig.arrive(a.socket, a.address, &packet);
            recorded.push(packet);
        }
        assert_eq!(b.heard(&mut rig).len(), 100);
        let mut elsewhere = a.address;
        elsewhere.set_port(9);
        rig.advance(2 * SECOND);
        for packet in &recorded {
            for from in [a.address, elsewhere] {
                rig.arrive(a.socket, from, packet);
                rig.arrive(a.socket, from, &rtp_packet(&words(200, a.ssrc), b"in the clear"));
                let mut forged = packet.clone();
                let last = forged.len() - 1;
                (forged[3], forged[last]) = (250, forged[last] ^ 1);
                rig.arrive(a.socket, from, &forged);
            }
        }
        assert_eq!(b.heard(&mut rig).len(), 0, "{suite:?}");
        assert_eq!(rig.stats("a").remote, Some(a.address.to_string()));
        assert_eq!(rig.stats("a").media[0].packets_discarded, 600);
        b.say(&mut rig, 1);
        assert_eq!(a.heard(&mut rig).len(), 1);
    }
}

#[test]
fn replays_and_forgeries_over_the_browsers_own_path_are_counted_and_the_call_goes_on() {
    let mut rig = Rig::open(&[webrtc_spec("a", &[Audio]), rtp_spec("b")]);
    let mut phone = Phone::new(&mut rig, "b", 2, &[pcmu()]);
    let mut browser = Browser::new("a", 1, "active", &[pcmu()]);
    rig.link("a", "b");
    browser.connect(&mut rig);
    let recorded: Vec<_> =
        (0..500).map(|n| browser.seal(&rtp_packet(&words(n, browser.ssrc), &[1; 160]))).collect();
    let mut random = Random::new(8);
    let mut bad = 0;
    for (n, packet) in recorded.iter().enumerate() {
        rig.arrive(WEBRTC, browser.address, packet);
        for _ in 0..20 {
            let mut copy = recorded[random.below(n as u64 + 1) as usize].clone();
            if random.chance(0.5) {
                let at = random.below(copy.len() as u64) as usize;
                copy[at] ^= 1 << random.below(6);
            }
            rig.arrive(WEBRTC, browser.address, &copy);
            bad += 1;
        }
    }
    assert_eq!(phone.heard(&mut rig).len(), 500);
    assert_eq!(rig.stats("a").media[0].packets_discarded, bad);
}

/// Each from the peer's own address. What is relayed has our header and nothing of theirs but the payload.
#[test]
fn headers_with_everything_that_can_be_too_long_go_out_clean_or_not_at_all() {
    let (mut rig, mut a, mut b) = phones(["a", "b"].map(rtp_spec));
    a.say(&mut rig, 0);
    b.heard(&mut rig);
    let mut number = 0;
    for csrcs in [0_u8, 1, 15] {
        for extension_words in [None, Some(0_u16), Some(1), Some(400), Some(470), Some(0xffff)] {
            for padding in [None, Some(0_u8), Some(1), Some(4), Some(255)] {
                for payload in [0_usize, 1, 160, 1_400, 1_972] {
                    number += 1;
                    let mut packet = rtp_packet(&words(number, a.ssrc), &[]);
                    packet[0] |= csrcs | if padding.is_some() { 0x20 } else { 0 };
                    packet.extend(vec![0xcc; 4 * usize::from(csrcs)]);
                    if let Some(words) = extension_words {
                        packet[0] |= 0x10;
                        packet.extend([0xbe, 0xde]);
                        packet.extend(words.to_be_bytes());
                        packet.extend(vec![0xee; 4 * usize::from(words.min(480))]);
                    }
                    packet.extend(vec![0xaa; payload]);
                    packet.extend(padding);
                    rig.arrive(a.socket, a.address, &packet);
                    for heard in rig.take_sent(b.address) {
                        assert_eq!(
                            (heard.bytes[0], &heard.bytes[8..12]),
                            (0x80, &b.local.ssrc.to_be_bytes()[..])
                        );
                        assert!(heard.bytes[12..].iter().all(|byte| *byte != 0xcc), "a CSRC passed");
                    }
                }
            }
        }
    }
    a.say(&mut rig, number + 1);
    assert_eq!(b.heard(&mut rig).len(), 1);
}

#[test]
fn ten_thousand_ssrcs_leave_one_ssrc_one_line_and_the_next_packet_of_the_peer_through() {
    let (mut rig, mut a, mut b) = phones(["a", "b"].map(rtp_spec));
    a.secure(&mut rig, Suite::AeadAes128Gcm);
    let mut random = Random::new(1);
    let mut highest = None;
    for _ in 0..10_000 {
        let words = Words { ssrc: random.bits() as u32, ..words(random.bits() as u16, 0) };
        a.send_as(&mut rig, &Words { timestamp: random.bits() as u32, ..words }, b"x");
        for heard in b.heard(&mut rig) {
            assert_eq!(heard.ssrc, b.local.ssrc);
            let ahead = highest.map_or(1, |before: u16| heard.sequence.wrapping_sub(before));
            assert_eq!(ahead, 1, "one line");
            highest = Some(heard.sequence);
        }
    }
    a.ssrc = 0x7777_7777;
    (0..3).for_each(|number| a.say(&mut rig, number));
    assert_eq!(b.heard(&mut rig).len(), 3);
}

/// A gateway that is told of every digit must not be told of more than a finger can press: its queue is everybody's.
#[test]
fn digits_without_end_are_told_as_fast_as_a_person_can_press_them_and_no_faster() {
    let (mut rig, mut a, mut b) = phones(["a", "b"].map(rtp_spec));
    for n in 0..20_000_u32 {
        let payload = [(n % 16) as u8, 0x8a, 0, 80];
        let words = Words { payload_type: 101, timestamp: n * 7, marker: true, ..words(n as u16, a.ssrc) };
        a.send_as(&mut rig, &words, &payload);
        rig.advance(MS / 10);
    }
    let told = rig.take_events().iter().filter(|event| matches!(event, Event::Dtmf { .. })).count();
    assert!((20..=150).contains(&told), "{told} digits in two seconds");
    b.heard(&mut rig);
    a.send(&mut rig, 20_000, 20_000 * 7, &[1; 160]);
    assert_eq!(b.heard(&mut rig).len(), 1);
    rig.advance(10 * SECOND);
    let words = Words { payload_type: 101, timestamp: 900_000, marker: true, ..words(20_001, a.ssrc) };
    a.send_as(&mut rig, &words, &[5, 0x8a, 3, 32]);
    let is_told = |event: &Event| matches!(event, Event::Dtmf { digit, .. } if digit == "5");
    assert!(rig.take_events().iter().any(is_told), "later digits are told");
}

/// The extension that says which medium a packet is of, with every lie it can tell.
#[test]
fn a_lie_about_the_medium_reaches_no_other_codec() {
    let mut rig = Rig::open(&[webrtc_spec("a", &[Audio, Audio]), rtp_spec("b")]);
    let mut phone = Phone::new(&mut rig, "b", 2, &[pcmu()]);
    let mut browser = Browser::new("a", 1, "active", &[]);
    let medium = |mid: &str, codecs: &[trunkline_control::PayloadCodec]| trunkline_control::RemoteMedium {
        mid: Some(mid.into()),
        mid_extension_id: Some(1),
        ..support::medium(codecs)
    };
    browser.media = vec![medium("0", &[pcmu()]), medium("1", &[codec(8, "PCMA", 8_000)])];
    rig.link("a", "b");
    browser.connect(&mut rig);
    let with_mid = |number: u16, payload_type: u8, element: &[u8]| {
        let mut packet =
            rtp_packet(&Words { payload_type, ..words(number, 0x1000 + u32::from(payload_type)) }, &[]);
        packet[0] |= 0x10;
        packet.extend([0xbe, 0xde, 0, 1]);
        packet.extend(element);
        packet.extend([7; 160]);
        packet
    };
    let elements: [&[u8; 4]; 7] =
        [b"\x101\0\0", b"\x102\0\0", b"\x1f123", b"\0\0\0\0", b"\xf0111", b"\x111\0\0", b"\x201\0\0"];
    let mut number = 0;
    for element in elements {
        for payload_type in [0, 8, 77] {
            number += 1;
            browser.send_rtp(&mut rig, &with_mid(number, payload_type, element));
        }
    }
    let heard = phone.heard(&mut rig);
    assert!(heard.iter().all(|heard| heard.payload_type == 0), "the phone takes PCMU only");
    phone.say(&mut rig, 1);
    browser.send_rtp(&mut rig, &with_mid(number + 1, 0, b"\x100\0\0"));
    assert_eq!((phone.heard(&mut rig).len(), browser.heard(&mut rig).len()), (1, 1));
}
