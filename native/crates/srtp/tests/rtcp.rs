//! SRTCP as a receiver sees it.

mod support;

use support::{Ends, rtcp};
use trunkline_base::{PACKET_BYTES, Packet};
use trunkline_srtp::{Refused, Suite};

const LAST: u32 = 0x7fff_ffff;

#[test]
fn the_index_is_sent_along_so_that_any_order_is_understood() {
    for suite in Suite::ALL {
        let mut ends = Ends::new(suite);
        for index in [1_000, 0x1_0000, 0x1_0000 - 127, 0x4000_0000, LAST, LAST - 1] {
            let sealed = ends.sealed_rtcp(7, index);
            assert_eq!(ends.open_rtcp(&sealed).unwrap(), rtcp(7).bytes(), "{suite:?} {index}");
            assert_eq!(ends.open_rtcp(&sealed), Err(Refused::Replayed));
        }
        let old = ends.sealed_rtcp(7, LAST - 128);
        assert_eq!(ends.open_rtcp(&old), Err(Refused::Replayed));
    }
}

#[test]
fn it_grows_by_the_index_and_a_tag_that_even_the_short_suite_has_whole() {
    let overheads = [14, 14, 20, 20];
    for (suite, overhead) in Suite::ALL.into_iter().zip(overheads) {
        let sealed = Ends::new(suite).sealed_rtcp(7, 1);
        assert_eq!(sealed.len(), rtcp(7).len() + overhead, "{suite:?}");
        assert_eq!(sealed.bytes()[..8], rtcp(7).bytes()[..8], "the first header stays clear");
        let index_at = if overhead == 14 { sealed.len() - 14 } else { sealed.len() - 4 };
        assert_eq!(sealed.bytes()[index_at..index_at + 4], [0x80, 0, 0, 1], "E and index");
    }
}

#[test]
fn every_changed_byte_and_every_cut_is_noticed_and_moves_nothing() {
    for suite in Suite::ALL {
        let mut ends = Ends::new(suite);
        let first = ends.sealed_rtcp(7, 10);
        ends.open_rtcp(&first).unwrap();
        let (sealed, before) = (ends.sealed_rtcp(7, 11), ends.received);
        for at in 0..sealed.len() {
            for flip in [1, 0x80, 0xff] {
                let mut forged = sealed.clone();
                forged.bytes_mut()[at] ^= flip;
                assert!(ends.open_rtcp(&forged).is_err(), "{suite:?} byte {at} ^ {flip:#x}");
                assert_eq!(ends.received, before);
            }
            assert!(
                ends.open_rtcp(&Packet::from_bytes(&sealed.bytes()[..at])).is_err(),
                "{suite:?} cut at {at}"
            );
            assert_eq!(ends.received, before);
        }
        assert!(ends.open_rtcp(&sealed).is_ok());
    }
}

#[test]
fn rtp_and_rtcp_of_one_ssrc_are_counted_apart() {
    for suite in Suite::ALL {
        let mut ends = Ends::new(suite);
        ends.pass(7, 500).unwrap();
        let sealed = ends.sealed_rtcp(7, 1);
        assert!(ends.open_rtcp(&sealed).is_ok());
        assert_eq!(ends.pass(7, 501), Ok(()));
    }
}

#[test]
fn an_ssrc_that_was_pushed_out_is_not_replayed() {
    let mut ends = Ends::new(Suite::Aes128CmSha1_80);
    let recorded = ends.sealed_rtcp(1, 5);
    ends.open_rtcp(&recorded).unwrap();
    for ssrc in 2..=12 {
        let sealed = ends.sealed_rtcp(ssrc, 5);
        ends.open_rtcp(&sealed).unwrap();
        assert_eq!(ends.open_rtcp(&recorded), Err(Refused::Replayed), "after SSRC {ssrc}");
    }
}

/// After 2^31 packets the key is used up (RFC 3711 §9.2).
#[test]
fn nothing_leaves_in_the_clear_nor_under_an_index_that_does_not_exist() {
    for suite in Suite::ALL {
        let sealer = Ends::new(suite).sealer;
        let report = rtcp(7);
        let full = [report.bytes(), &[0; PACKET_BYTES]].concat();
        let unfit: [(&[u8], u32); 4] =
            [(&[], 1), (&[0x80, 200, 0, 0, 0], 1), (&full, 1), (report.bytes(), LAST + 1)];
        for (bytes, index) in unfit {
            let mut packet = Packet::from_bytes(bytes);
            sealer.protect_rtcp(&mut packet, index);
            assert!(packet.is_empty());
        }
    }
}
