//! Streams of SRTP as a receiver sees them: every suite, in order and out of order, honest and not.

mod support;

use bytemuck::Zeroable;
use proptest::prelude::*;
use support::{Ends, rtp};
use trunkline_base::{HEADROOM, PACKET_BYTES, Packet};
use trunkline_srtp::{MasterKey, Opener, Received, Refused, Sealer, Suite};

#[test]
fn a_stream_comes_through_three_wraps_with_gaps_and_late_packets() {
    for suite in Suite::ALL {
        let mut ends = Ends::new(suite);
        let mut late = Vec::new();
        for index in (65_000..65_000 + 3 * 65_536_u64).step_by(37) {
            if index % 5 == 0 {
                late.push(index);
                continue;
            }
            assert_eq!(ends.pass(7, index), Ok(()), "{suite:?} {index}");
            if let Some(overtaken) = late.pop() {
                assert_eq!(ends.pass(7, overtaken), Ok(()), "{suite:?} {overtaken}, late");
            }
        }
    }
}

/// RFC 3711 §3.3.1: what was overtaken by the wrap belongs to the round before.
#[test]
fn packets_that_the_wrap_overtakes_are_of_the_round_before() {
    for suite in Suite::ALL {
        let mut ends = Ends::new(suite);
        for index in [65_533, 65_536, 65_535, 65_537, 65_534] {
            assert_eq!(ends.pass(7, index), Ok(()), "{suite:?} {index}");
        }
        for index in 65_533..=65_537 {
            assert_eq!(ends.pass(7, index), Err(Refused::Replayed), "{suite:?} {index}");
        }
    }
}

#[test]
fn nothing_is_taken_twice_nor_from_behind_the_window() {
    for suite in Suite::ALL {
        let mut ends = Ends::new(suite);
        for index in 1_000..1_200 {
            assert_eq!(ends.pass(7, index), Ok(()));
            assert_eq!(ends.pass(7, index), Err(Refused::Replayed));
        }
        for index in 900..1_200 {
            assert_eq!(ends.pass(7, index), Err(Refused::Replayed), "{index}");
        }
        assert_eq!(ends.pass(7, 1_327), Ok(()));
        assert_eq!(ends.pass(7, 1_200), Ok(()), "127 behind");
    }
}

#[test]
fn every_changed_byte_is_noticed_and_moves_nothing() {
    for suite in Suite::ALL {
        let mut ends = Ends::new(suite);
        ends.pass(7, 100).unwrap();
        let (sealed, before) = (ends.sealed(7, 101), ends.received);
        for at in 0..sealed.len() {
            for flip in [1, 0x80, 0xff] {
                let mut forged = sealed.clone();
                forged.bytes_mut()[at] ^= flip;
                assert!(ends.open(&forged).is_err(), "{suite:?} byte {at} ^ {flip:#x}");
                assert_eq!(ends.received, before);
            }
        }
        for length in 0..sealed.len() {
            assert!(
                ends.open(&Packet::from_bytes(&sealed.bytes()[..length])).is_err(),
                "{suite:?} cut at {length}"
            );
            assert_eq!(ends.received, before);
        }
        assert!(ends.open(&sealed).is_ok());
    }
}

#[test]
fn a_forged_packet_far_ahead_moves_nothing() {
    for suite in Suite::ALL {
        let mut ends = Ends::new(suite);
        ends.pass(7, 100).unwrap();
        let second = ends.sealed(7, 101);
        for sequence in [101_u16, 20_000, 32_000, 65_000] {
            let mut forged = second.clone();
            forged.bytes_mut()[2..4].copy_from_slice(&sequence.to_be_bytes());
            *forged.bytes_mut().last_mut().unwrap() ^= 1;
            assert!(ends.open(&forged).is_err());
        }
        assert_eq!(ends.open(&second).unwrap(), rtp(7, 101).bytes());
    }
}

#[test]
fn a_key_of_another_suite_or_direction_opens_nothing() {
    for (one, other) in Suite::ALL.into_iter().flat_map(|one| Suite::ALL.map(|other| (one, other))) {
        let (sealer, mut ends) = (Ends::new(one).sealer, Ends::new(other));
        let mut packet = rtp(7, 1);
        sealer.protect_rtp(&mut packet, 1);
        assert_eq!(ends.open(&packet).is_ok(), one == other);
        let stranger = Opener::new(&MasterKey::random(one)).unwrap();
        let forged = stranger.open_rtp(&mut packet, &mut Received::default());
        assert_eq!(forged, Err(Refused::Forged));
    }
}

#[test]
fn what_is_protected_differs_per_packet_and_grows_by_the_tag() {
    let tags = [10, 4, 16, 16];
    for (suite, tag) in Suite::ALL.into_iter().zip(tags) {
        let ends = Ends::new(suite);
        let plain = rtp(7, 1);
        let sealed = ends.sealed(7, 1);
        assert_eq!(sealed.len(), plain.len() + tag);
        assert_eq!(sealed.bytes()[..12], plain.bytes()[..12], "the header stays clear");
        let mut second = plain.clone();
        ends.sealer.protect_rtp(&mut second, 65_537);
        assert_ne!(
            second.bytes()[12..],
            sealed.bytes()[12..],
            "another roll-over counter, another keystream"
        );
    }
}

/// CSRCs and header extension are authenticated, not encrypted (RFC 3711 §3.1).
#[test]
fn a_long_header_stays_clear() {
    for suite in Suite::ALL {
        let mut ends = Ends::new(suite);
        let mut bytes = vec![0x92, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 7];
        bytes.extend([1; 8]);
        bytes.extend([0xbe, 0xde, 0, 1, 0x10, 0xff, 0, 0]);
        bytes.extend(b"payload");
        let mut sealed = Packet::from_bytes(&bytes);
        ends.sealer.protect_rtp(&mut sealed, 9);
        assert_eq!(sealed.bytes()[..28], bytes[..28]);
        assert_ne!(sealed.bytes()[28..35], bytes[28..]);
        assert_eq!(ends.open(&sealed), Ok(bytes));
    }
}

#[test]
fn packets_without_payload_and_as_large_as_the_buffer_pass() {
    for suite in Suite::ALL {
        let tag = Ends::new(suite).sealed(7, 1).len() - rtp(7, 1).len();
        for payload in [0, 1, 15, 16, 17, 64, 1_200, PACKET_BYTES - HEADROOM - 12 - tag] {
            let mut ends = Ends::new(suite);
            let bytes = [&rtp(7, 3).bytes()[..12], &vec![9; payload]].concat();
            let mut packet = Packet::from_bytes(&bytes);
            ends.sealer.protect_rtp(&mut packet, 3);
            assert_eq!(ends.open(&packet), Ok(bytes), "{suite:?}, {payload} bytes");
        }
    }
}

#[test]
fn nothing_leaves_in_the_clear() {
    for suite in Suite::ALL {
        let sealer = Ends::new(suite).sealer;
        let full = [rtp(7, 1).bytes(), &[0; PACKET_BYTES]].concat();
        let unfit: [&[u8]; 4] = [&[], &[0x80; 11], &[0x10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7], &full];
        for bytes in unfit {
            let mut packet = Packet::from_bytes(bytes);
            sealer.protect_rtp(&mut packet, 1);
            assert!(packet.is_empty(), "{} bytes", bytes.len());
        }
    }
}

#[test]
fn without_a_key_there_is_nothing_to_seal_or_open_with() {
    for suite in [0, 5, 255] {
        let key = MasterKey { suite, ..MasterKey::NONE };
        assert!(Sealer::new(&key).is_none() && Opener::new(&key).is_none());
    }
}

/// The process is replaced between any two packets: what was received is plain data.
#[test]
fn another_process_goes_on_where_the_first_was() {
    for suite in Suite::ALL {
        let mut first = Ends::new(suite);
        for index in [65_530, 65_536 + 5] {
            first.pass(7, index).unwrap();
        }
        let mut second = Ends::new(suite);
        second.received = bytemuck::pod_read_unaligned(bytemuck::bytes_of(&first.received));
        assert_eq!(second.pass(7, 65_536 + 5), Err(Refused::Replayed));
        assert_eq!(second.pass(7, 65_535), Ok(()), "late over the wrap");
        assert_eq!(second.pass(7, 65_536 + 6), Ok(()));
    }
}

#[test]
fn a_replay_of_an_ssrc_that_was_pushed_out_is_refused() {
    let mut ends = Ends::new(Suite::AeadAes128Gcm);
    let recorded = ends.sealed(1, 500);
    ends.open(&recorded).unwrap();
    for ssrc in 2..=12 {
        ends.pass(ssrc, 500).unwrap();
        assert_eq!(ends.open(&recorded), Err(Refused::Replayed), "after SSRC {ssrc}");
    }
    assert_eq!(ends.pass(1, 501), Ok(()), "the source itself goes on");
}

#[test]
fn a_slab_with_nonsense_makes_no_panic() {
    let mut ends = Ends::new(Suite::Aes128CmSha1_80);
    for byte in [0xff, 0x80, 1] {
        ends.received = Received::zeroed();
        bytemuck::bytes_of_mut(&mut ends.received).fill(byte);
        for ssrc in [0, u32::MAX, u32::from_ne_bytes([byte; 4])] {
            let _ = ends.pass(ssrc, 9);
            let _ = ends.pass(ssrc, 65_535);
            let sealed = ends.sealed_rtcp(ssrc, 9);
            let _ = ends.open_rtcp(&sealed);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the order: taken are exactly the packets that are not behind the window and were not taken before.
    #[test]
    fn each_packet_is_taken_once(
        start in prop_oneof![0_u64..200, 65_400_u64..65_600, Just(5 * 65_536 - 50)],
        steps in prop::collection::vec(-140_i64..100, 1..150),
    ) {
        let mut ends = Ends::new(Suite::AeadAes128Gcm);
        let mut taken = std::collections::BTreeSet::new();
        // A receiver that comes late would not know the roll-over counter.
        for index in (0..start).step_by(30_000) {
            ends.pass(7, index).unwrap();
            taken.insert(index);
        }
        let mut at = start;
        for step in steps {
            at = at.saturating_add_signed(step);
            let highest = taken.last().copied();
            let expected = if highest.is_some_and(|highest| at + 128 <= highest) || taken.contains(&at) {
                Err(Refused::Replayed)
            } else if highest.is_none() && at >= 65_536 {
                Err(Refused::Forged)
            } else {
                taken.insert(at);
                Ok(())
            };
            prop_assert_eq!(ends.pass(7, at), expected, "index {} after {:?}", at, highest);
        }
    }
}
