//! What a peer gets back for its checks.

mod support;

use std::net::SocketAddr;

use support::{Answer, answer, crc32, hex};
use trunkline_ice::{
    REPLY_BYTES, REQUEST_BYTES, Request, error, is_authentic, read_check, request, success, transaction_of,
};

const OURS: (&str, &str) = ("ours", "a password of enough length");

fn from() -> SocketAddr {
    "[2001:db8::7]:40000".parse().unwrap()
}

fn check(ufrags: (&str, &str), use_candidate: bool) -> Vec<u8> {
    let mut out = [0; REQUEST_BYTES];
    let check = Request {
        transaction: [7; 12],
        ufrags,
        password: OURS.1,
        priority: 99,
        tie_breaker: 5,
        use_candidate,
    };
    let length = request(&mut out, &check);
    out[..length].to_vec()
}

/// The same check with another attribute before its integrity, which is made anew.
fn with(attribute: &[u8]) -> Vec<u8> {
    let plain = check(("ours", "theirs"), false);
    let mut message = plain[..plain.len() - 32].to_vec();
    message.extend(attribute);
    message[3] = (message.len() - 20 + 24) as u8;
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, OURS.1.as_bytes());
    let tag = aws_lc_rs::hmac::sign(&key, &message);
    message.extend([0, 8, 0, 20]);
    message.extend(tag.as_ref());
    message[3] += 8;
    let crc = crc32(&message) ^ 0x5354_554e;
    message.extend([0x80, 0x28, 0, 4]);
    message.extend(crc.to_be_bytes());
    message
}

#[test]
fn a_check_is_read_as_it_was_written() {
    let datagram = check(("ours", "theirs"), true);
    let read = read_check(&datagram).unwrap();
    assert_eq!((read.local_ufrag, read.remote_ufrag), ("ours", "theirs"));
    assert_eq!((read.transaction, read.priority, read.use_candidate), ([7; 12], 99, true));
    assert_eq!((read.controlled, read.unknown), (None, [0; 4]));
    assert!(is_authentic(&datagram, OURS.1) && !is_authentic(&datagram, ""));
    assert!(!read_check(&check(("ours", "theirs"), false)).unwrap().use_candidate);
    assert_eq!(with(&[]), check(("ours", "theirs"), false));
}

#[test]
fn rfc_8445_7_3_1_1_a_peer_that_believes_to_be_controlled_is_told_487() {
    let datagram = with(&[0x80, 0x29, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(read_check(&datagram).unwrap().controlled, Some(1));
    let Answer::Refused(487, reply) = answer(&datagram, from(), OURS) else { panic!("not refused") };
    assert!(is_authentic(&reply, OURS.1));
}

#[test]
fn rfc_8489_6_3_1_what_we_must_understand_and_do_not_is_listed() {
    let datagram = with(&[0x7f, 0xff, 0, 0, 0x7f, 0xfe, 0, 1, 9, 0, 0, 0, 0x7f, 0xff, 0, 0]);
    assert_eq!(read_check(&datagram).unwrap().unknown, [0x7fff, 0x7ffe, 0, 0]);
    let Answer::Refused(420, reply) = answer(&datagram, from(), OURS) else { panic!("not refused") };
    assert!(hex(&reply).contains("000a00047fff7ffe"), "{}", hex(&reply));
    assert!(is_authentic(&reply, OURS.1));
    let optional = with(&[0xc0, 0x57, 0, 4, 0, 0, 0, 0]);
    assert!(matches!(answer(&optional, from(), OURS), Answer::Taken { .. }));
}

#[test]
fn rfc_8445_7_2_2_a_username_is_two_fragments_with_a_colon() {
    assert!(matches!(answer(&check(("ours", ""), false), from(), OURS), Answer::Taken { .. }));
    assert!(matches!(answer(&check(("other", "theirs"), false), from(), OURS), Answer::Refused(401, _)));
    let mut no_colon = check(("ours", "theirs"), false);
    no_colon[28] = b'x';
    assert!(!matches!(answer(&no_colon, from(), OURS), Answer::Taken { .. }));
}

#[test]
fn the_answer_says_from_where_the_check_came() {
    let mut out = [0; REPLY_BYTES];
    let addresses = ["192.0.2.1:32853", "[::ffff:192.0.2.1]:32853"];
    for address in addresses {
        let length = success(&mut out, &[7; 12], address.parse().unwrap(), OURS.1);
        assert!(
            hex(&out[..length]).contains("002000080001a147e112a643"),
            "IPv4 is IPv4, however the socket says it"
        );
    }
}

/// RFC 8489 §6.3, §14.7: then there is no answer, not even 400.
#[test]
fn what_is_not_stun_is_dropped() {
    let mut bare = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    bare.extend([7; 12]);
    assert_eq!(transaction_of(&bare), Some([7; 12]));
    let wrong = |at: usize, byte: u8| {
        let mut wrong = bare.clone();
        wrong[at] = byte;
        wrong
    };
    let odd = [&wrong(3, 2), &[0; 2][..]].concat();
    for datagram in [wrong(0, 4), wrong(3, 4), wrong(7, 0x43), [&bare, &[0; 4][..]].concat(), odd] {
        assert!(matches!(answer(&datagram, from(), OURS), Answer::Dropped), "{}", hex(&datagram));
        assert_eq!(transaction_of(&datagram), None);
    }
    let mut more = check(("ours", "theirs"), true);
    let crc_at = more.len() - 4;
    more[3] += 4;
    let crc = crc32(&more[..crc_at - 4]) ^ 0x5354_554e;
    more[crc_at..].copy_from_slice(&crc.to_be_bytes());
    more.extend([0x80, 0x22, 0, 0]);
    assert!(matches!(answer(&more, from(), OURS), Answer::Dropped), "FINGERPRINT comes last");
}

#[test]
fn no_refusal_of_a_stranger_is_much_longer_than_what_it_refuses() {
    let mut bare = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    bare.extend([7; 12]);
    let Answer::Refused(400, reply) = answer(&bare, from(), OURS) else { panic!("not refused") };
    assert!(reply.len() <= bare.len() + 16);
    assert_eq!(reply[8..20], [7; 12]);
    assert!(!is_authentic(&reply, OURS.1));
}

#[test]
fn the_largest_replies_fit() {
    let mut out = [0; REPLY_BYTES];
    assert_eq!(success(&mut out, &[7; 12], from(), OURS.1), 76);
    let unknown: Vec<u16> = (1..100).collect();
    assert_eq!(error(&mut out, &[7; 12], 420, &unknown, Some(OURS.1)), 96);
    let mut out = [0; REQUEST_BYTES];
    let long = "u".repeat(300);
    let check = Request {
        transaction: [7; 12],
        ufrags: (&long, &long),
        password: OURS.1,
        priority: 1,
        tie_breaker: 1,
        use_candidate: true,
    };
    let length = request(&mut out, &check);
    assert!(read_check(&out[..length]).is_err(), "a longer USERNAME than RFC 8489 §14.3 allows is refused");
}
