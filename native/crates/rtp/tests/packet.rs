//! Headers as peers send and see them.

mod support;

use proptest::prelude::*;
use support::{bytes, cases};
use trunkline_base::{HEADROOM, PACKET_BYTES, Packet};
use trunkline_rtp::{Header, Outgoing, build, extension, is_rtcp, rewrite, rtcp_ssrc};

const OUT: Outgoing<'_> = Outgoing {
    marker: false,
    payload_type: 8,
    sequence: 1,
    timestamp: 2,
    ssrc: 3,
    mid: None,
    transport_sequence: None,
};

#[test]
fn csrcs_extension_and_padding_are_not_payload() {
    let packet = bytes("b2e5fffe 00003e80 decafbad 00000001 00000002 bede0001 10ff0000 aabbcc 000003");
    let expected = Header {
        marker: true,
        payload_type: 0x65,
        sequence: 0xfffe,
        timestamp: 16_000,
        ssrc: 0xdeca_fbad,
        payload_start: 28,
        payload_end: 31,
    };
    assert_eq!(Header::read(&packet), Some(expected));
}

#[test]
fn what_is_not_rtp_is_not_read() {
    for (why, hex) in [
        ("empty", ""),
        ("too short", "8000000000000000000000"),
        ("version 1", "400000000000000000000000"),
        ("CSRCs past the end", "830000000000000000000000"),
        ("an extension without its header", "900000000000000000000000bede"),
        ("an extension past the end", "900000000000000000000000bede0002aabbccdd"),
        ("more padding than payload", "a00000000000000000000000aa03"),
        ("padding of nothing", "a00000000000000000000000aa00"),
        ("a sender report", "80c8000600000000000000000000000000000000000000000000"),
    ] {
        assert_eq!(Header::read(&bytes(hex)), None, "{why}");
    }
}

#[test]
fn rfc_5761_4_packet_types_from_192_to_223_are_rtcp_and_all_others_are_rtp() {
    for second in 0..=255u8 {
        let mut packet = [0; 12];
        packet[..2].copy_from_slice(&[0x80, second]);
        assert_eq!(is_rtcp(&packet), (192..=223).contains(&second));
        assert_eq!(Header::read(&packet).is_some(), !is_rtcp(&packet));
    }
    assert_eq!(rtcp_ssrc(&bytes("80c90001 01020304")), Some(0x0102_0304));
    assert_eq!(rtcp_ssrc(&bytes("80c90001 010203")), None);
    assert_eq!(rtcp_ssrc(&bytes("80000001 01020304 00000000")), None);
}

#[test]
fn rfc_8285_4_2_elements_of_the_one_byte_form_are_found_between_padding() {
    let packet = bytes("90000000 00000000 00000000 bede0003 10aa 00 21bbcc 00 32ddeeff 00");
    assert_eq!(extension(&packet, 1), Some(&[0xaa][..]));
    assert_eq!(extension(&packet, 2), Some(&[0xbb, 0xcc][..]));
    assert_eq!(extension(&packet, 3), Some(&[0xdd, 0xee, 0xff][..]));
    assert_eq!(extension(&packet, 4), None);
    let stopped = bytes("90000000 00000000 00000000 bede0001 f0aa10bb");
    assert_eq!(extension(&stopped, 1), None, "nothing is read after id 15");
    let lies = bytes("90000000 00000000 00000000 bede0001 1faabbcc");
    assert_eq!(extension(&lies, 1), None, "longer than the extension");
}

#[test]
fn rfc_8285_4_3_elements_of_the_two_byte_form_are_found() {
    let packet = bytes("90000000 00000000 00000000 1000 0003 0100 00 14 03aabbcc 1501dd 00");
    assert_eq!(extension(&packet, 20), Some(&[0xaa, 0xbb, 0xcc][..]));
    assert_eq!(extension(&packet, 21), Some(&[0xdd][..]));
    assert_eq!(extension(&packet, 1), None, "an empty element says nothing");
    assert_eq!(extension(&bytes("80000000 00000000 00000000 1000"), 1), None, "no extension bit");
}

#[test]
fn the_mid_goes_into_a_one_byte_extension_that_ends_on_a_whole_word() {
    let mut packet = Packet::new();
    build(&mut packet, &Outgoing { mid: Some((4, b"audio")), ..OUT }, &[0xaa]);
    assert_eq!(packet.bytes(), bytes("9008000100000002 00000003 bede0002 44617564696f0000 aa"));
    build(&mut packet, &Outgoing { mid: Some((15, b"audio")), ..OUT }, &[0xaa]);
    assert_eq!(packet.bytes(), bytes("8008000100000002 00000003 aa"), "no room for this id");
}

#[test]
fn mid_and_transport_wide_number_share_one_extension() {
    let mut packet = Packet::new();
    let out = Outgoing { mid: Some((1, b"0123456789abcdef")), transport_sequence: Some((3, 0xfffe)), ..OUT };
    build(&mut packet, &out, b"payload");
    assert_eq!(extension(packet.bytes(), 1), Some(&b"0123456789abcdef"[..]));
    assert_eq!(extension(packet.bytes(), 3), Some(&[0xff, 0xfe][..]));
    let header = Header::read(packet.bytes()).unwrap();
    assert_eq!(&packet.bytes()[header.payload_start..header.payload_end], b"payload");
}

#[test]
fn a_rewritten_packet_has_our_header_and_the_payload_without_padding() {
    let source = bytes("b2e5fffe 00003e80 decafbad 00000001 00000002 bede0001 10ff0000 aabbcc 000003");
    for (out, expected) in [
        (OUT, "8008000100000002 00000003 aabbcc"),
        (
            Outgoing { marker: true, mid: Some((4, b"0")), ..OUT },
            "9088000100000002 00000003 bede0001 40300000 aabbcc",
        ),
    ] {
        let mut packet = Packet::from_bytes(&source);
        let header = Header::read(packet.bytes()).unwrap();
        rewrite(&mut packet, &header, &out);
        assert_eq!(packet.bytes(), bytes(expected));
    }
}

#[test]
fn an_extension_without_room_before_the_payload_is_left_out() {
    let mut packet = Packet::new();
    packet.buffer()[..16].copy_from_slice(&bytes("80000000 00000000 00000000 aabbccdd"));
    packet.set_range(0, 16);
    let header = Header::read(packet.bytes()).unwrap();
    rewrite(&mut packet, &header, &Outgoing { mid: Some((4, b"0")), ..OUT });
    assert_eq!(packet.bytes(), bytes("8008000100000002 00000003 aabbccdd"));
}

#[test]
fn a_payload_longer_than_the_buffer_is_cut() {
    let mut packet = Packet::new();
    build(&mut packet, &OUT, &[0x55; PACKET_BYTES]);
    assert_eq!(packet.len(), PACKET_BYTES - HEADROOM);
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn law_what_is_built_is_read_again(
        marker: bool, payload_type in 0..64u8, sequence: u16, timestamp: u32, ssrc: u32,
        mid in prop::option::of((1..15u8, prop::collection::vec(any::<u8>(), 1..17))),
        payload in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mid = mid.as_ref().map(|(id, value)| (*id, value.as_slice()));
        let mut packet = Packet::new();
        build(&mut packet, &Outgoing { marker, payload_type, sequence, timestamp, ssrc, mid, ..OUT }, &payload);
        let header = Header::read(packet.bytes()).unwrap();
        prop_assert_eq!(
            (header.marker, header.payload_type, header.sequence, header.timestamp, header.ssrc),
            (marker, payload_type, sequence, timestamp, ssrc)
        );
        prop_assert_eq!(&packet.bytes()[header.payload_start..header.payload_end], &payload[..]);
        if let Some((id, value)) = mid {
            prop_assert_eq!(extension(packet.bytes(), id), Some(value));
        }
    }

    #[test]
    fn law_nothing_read_from_any_bytes_lies_outside_of_them(
        mut datagram in prop::collection::vec(any::<u8>(), 1..80), id: u8,
    ) {
        datagram[0] = 0x80 | datagram[0] & 0x3f;
        let _ = extension(&datagram, id);
        if let Some(header) = Header::read(&datagram) {
            prop_assert!(header.payload_start >= 12 && header.payload_start <= header.payload_end);
            prop_assert!(header.payload_end <= datagram.len());
            let mut packet = Packet::from_bytes(&datagram);
            rewrite(&mut packet, &header, &OUT);
            prop_assert_eq!(&packet.bytes()[12..], &datagram[header.payload_start..header.payload_end]);
        }
    }
}
