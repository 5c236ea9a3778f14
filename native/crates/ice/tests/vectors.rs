//! Messages that others made: RFC 5769, and the negative paths of the corpora.

mod support;

use std::net::SocketAddr;

use serde_json::Value;
use support::{Answer, answer, bytes, corpus, hex};
use trunkline_ice::{REPLY_BYTES, is_authentic, read_check, success};

const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";

#[test]
fn rfc_5769_2_1() {
    let request = bytes(
        "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff8029\
         0008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2\
         80280004e57a3bcf",
    );
    let check = read_check(&request).unwrap();
    assert_eq!(hex(&check.transaction), "b7e7a701bc34d686fa87dfae");
    assert_eq!((check.local_ufrag, check.remote_ufrag), ("evtj", "h6vY"));
    assert_eq!((check.priority, check.controlled), (0x6e00_01ff, Some(0x932f_f9b1_5126_3b36)));
    assert!(!check.use_candidate);
    assert_eq!(check.unknown, [0; 4]);
    assert!(is_authentic(&request, PASSWORD));
    assert!(!is_authentic(&request, "VOkJxbRl1RmTxUk/WvJxBu"));
}

/// 2.2 and 2.3: ours has no SOFTWARE, so the attribute is compared, and the integrity of theirs.
#[test]
fn rfc_5769_2_2_and_2_3() {
    let vectors = [
        (
            "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a6430008\
             00142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96",
            "192.0.2.1:32853",
            "002000080001a147e112a643",
        ),
        (
            "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9faa5d3\
             f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c",
            "[2001:db8:1234:5678:11:2233:4455:6677]:32853",
            "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9",
        ),
    ];
    for (response, mapped, attribute) in vectors {
        assert!(is_authentic(&bytes(response), PASSWORD));
        assert!(response.contains(attribute));
        let mut out = [0; REPLY_BYTES];
        let transaction = bytes("b7e7a701bc34d686fa87dfae").try_into().unwrap();
        let length = success(&mut out, &transaction, mapped.parse().unwrap(), PASSWORD);
        assert!(hex(&out[..length]).contains(attribute));
        assert!(is_authentic(&out[..length], PASSWORD));
    }
}

fn cases() -> Option<Vec<Value>> {
    corpus("stun/negative.json").map(|table| table["cases"].as_array().unwrap().clone())
}

fn from() -> SocketAddr {
    "192.0.2.7:40000".parse().unwrap()
}

fn answer_of(datagram: &[u8]) -> Answer {
    answer(datagram, from(), ("evtj", PASSWORD))
}

#[test]
fn checks_that_must_not_count() {
    let Some(cases) = cases() else { return };
    let mut tried = 0;
    for case in &cases {
        let text = |name: &str| case[name].as_str().unwrap();
        let outcome = answer_of(&bytes(text("message_hex")));
        let expected = text("expect");
        let seen = match outcome {
            Answer::Dropped => "discard".to_owned(),
            Answer::Refused(code, _) => code.to_string(),
            Answer::Taken { .. } => "success".to_owned(),
        };
        let fits = match expected {
            "not-stun" => seen == "discard",
            "ignore-late-attributes" => matches!(outcome, Answer::Taken { nominated: false, .. }),
            // About responses, which a lite agent drops as it never asked.
            "role-switch-if-matching" | "discard-attribute" | "no-crash" => seen == "discard",
            "any" => true,
            one_of => one_of.split("-or-").any(|each| each == seen),
        };
        assert!(fits, "{}: {seen} instead of {expected}", text("name"));
        tried += 1;
    }
    assert_eq!(tried, 29);
}

#[test]
fn every_changed_byte_of_a_good_check_and_every_cut_fails() {
    let Some(cases) = cases() else { return };
    let good = bytes(cases[0]["message_hex"].as_str().unwrap());
    assert!(matches!(answer_of(&good), Answer::Taken { nominated: true, .. }));
    for at in 0..good.len() {
        assert!(!matches!(answer_of(&good[..at]), Answer::Taken { .. }), "cut at {at}");
        for flip in 1..=u8::MAX {
            let mut broken = good.clone();
            broken[at] ^= flip;
            assert!(!matches!(answer_of(&broken), Answer::Taken { .. }), "byte {at} ^ {flip}");
        }
    }
}
