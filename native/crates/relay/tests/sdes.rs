//! SRTP with keys of SDES (RFC 4568).

mod support;

use support::{MS, Phone, Rig, SECOND, Words, pcmu, rtp_packet, rtp_spec};
use trunkline_srtp::Suite;

fn pair() -> (Rig, Phone, Phone) {
    let mut rig = Rig::open(&["a", "b"].map(rtp_spec));
    let a = Phone::new(&mut rig, "a", 1, &[pcmu()]);
    let b = Phone::new(&mut rig, "b", 2, &[pcmu()]);
    rig.link("a", "b");
    (rig, a, b)
}

#[test]
fn every_suite_works_both_ways_and_nothing_is_taken_that_is_not_authentic() {
    for suite in Suite::ALL {
        let (mut rig, mut a, mut b) = pair();
        b.secure(&mut rig, suite);
        a.say(&mut rig, 1);
        assert_eq!(b.heard(&mut rig)[0].payload, [1; 160]);
        let words = Words { sequence: 9, timestamp: 0, payload_type: 0, marker: false, ssrc: b.ssrc };
        rig.arrive(b.socket, b.address, &rtp_packet(&words, b"in the clear"));
        let sealed = b.packet(&Words { sequence: 1, ..words }, b"words");
        rig.arrive(b.socket, b.address, &sealed);
        rig.arrive(b.socket, b.address, &sealed);
        let mut forged = b.packet(&Words { sequence: 2, ..words }, b"other words");
        forged[20] ^= 1;
        rig.arrive(b.socket, b.address, &forged);
        let heard = a.heard(&mut rig);
        assert_eq!((heard.len(), &heard[0].payload[..]), (1, &b"words"[..]));
        let stats = b.stats(&rig);
        assert_eq!((stats.media[0].packets_discarded, stats.srtp_suite.as_deref()), (3, Some(suite.name())));
        assert_eq!(a.stats(&rig).srtp_suite, None);
    }
}

#[test]
fn forged_packets_teach_nothing_about_the_peers_place() {
    let (mut rig, mut a, mut b) = pair();
    b.secure(&mut rig, Suite::AeadAes128Gcm);
    let thief = "192.0.2.2:6666".parse().unwrap();
    for sequence in 0..8 {
        let words = Words { sequence, timestamp: 0, payload_type: 0, marker: false, ssrc: 5 };
        rig.arrive(b.socket, thief, &rtp_packet(&words, b"in the clear"));
    }
    rig.advance(SECOND);
    a.say(&mut rig, 1);
    assert_eq!((b.heard(&mut rig).len(), b.stats(&rig).remote), (1, Some(b.address.to_string())));
    rig.advance(5 * SECOND);
    let events = format!("{:?}", rig.take_events());
    assert!(events.contains("not-authentic"), "{events}");
}

#[test]
fn a_suite_that_is_left_and_taken_up_again_uses_no_index_twice() {
    let (mut rig, mut a, mut b) = pair();
    let mut n = 0;
    let mut seen = std::collections::HashMap::new();
    for suite in [Suite::Aes128CmSha1_80, Suite::AeadAes128Gcm, Suite::Aes128CmSha1_80] {
        b.secure(&mut rig, suite);
        for _ in 0..50 {
            n += 1;
            rig.advance(20 * MS);
            a.say(&mut rig, n);
        }
        for sent in rig.take_sent(b.address) {
            let number = (suite, [sent.bytes[2], sent.bytes[3]]);
            assert_eq!(seen.insert((number.0 as u8, number.1), sent.bytes), None);
        }
    }
    assert_eq!(seen.len(), 150);
}

#[test]
fn a_long_call_that_changes_its_suite_is_understood_by_a_peer_that_counts_from_0() {
    let (mut rig, mut a, mut b) = pair();
    // Past the wrap of sequence numbers.
    for n in 0..70_000_u32 {
        rig.now += 20 * MS;
        a.send(&mut rig, n as u16, n * 160, &[1; 20]);
        if n % 1_000 == 0 {
            rig.take_sent(b.address);
        }
    }
    rig.take_sent(b.address);
    b.secure(&mut rig, Suite::Aes128CmSha1_80);
    a.send(&mut rig, 4_464, 70_000 * 160, b"after the change");
    assert_eq!(b.heard(&mut rig)[0].payload, b"after the change");
}

#[test]
fn keys_that_do_not_fit_are_refused_and_nothing_changes() {
    let (mut rig, mut a, mut b) = pair();
    b.secure(&mut rig, Suite::AeadAes128Gcm);
    let good = b.remote.srtp.clone().unwrap();
    let mut wrong = vec![good.clone(); 4];
    wrong[0].remote.suite = "AES_CM_128_HMAC_SHA1_80".into();
    wrong[1].remote.key = "AAAA".into();
    wrong[2].local.key = wrong[2].remote.key.clone();
    for pair in &mut wrong[3..] {
        (pair.local.suite, pair.remote.suite) = ("NULL".into(), "NULL".into());
    }
    for pair in wrong {
        b.remote.srtp = Some(pair);
        assert_eq!(rig.try_change(&b.remote_change()).unwrap_err().code, "MEDIA_SPEC_INVALID");
    }
    a.say(&mut rig, 1);
    assert_eq!(b.heard(&mut rig).len(), 1);
}

#[test]
fn rtcp_is_protected_with_the_same_keys() {
    let (mut rig, mut a, mut b) = pair();
    b.secure(&mut rig, Suite::Aes128CmSha1_80);
    a.say(&mut rig, 1);
    rig.advance(20 * SECOND);
    let reports = b.heard_rtcp(&mut rig);
    assert!(reports.len() >= 3);
    // SSRC in the clear, E and a new index in each.
    let indices: Vec<[u8; 4]> = reports
        .iter()
        .map(|report| report[report.len() - 14..report.len() - 10].try_into().unwrap())
        .collect();
    assert!(reports.iter().all(|report| report[4..8] == b.local.ssrc.to_be_bytes()));
    for (index, expected) in indices.iter().zip(1_u32..) {
        assert_eq!(u32::from_be_bytes(*index), 0x8000_0000 | expected);
    }
}
