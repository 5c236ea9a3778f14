//! What tests of this crate share: the shell around a check, written as the relay has it.
#![allow(dead_code, reason = "each test file uses another part")]

use std::net::SocketAddr;

use serde_json::Value;
use trunkline_ice::{
    Check, REPLY_BYTES, StunError, error, is_authentic, read_check, success, transaction_of,
};

/// What became of a datagram, with the answer to it.
#[derive(Debug)]
pub enum Answer {
    Dropped,
    Refused(u16, Vec<u8>),
    Taken { nominated: bool, reply: Vec<u8> },
}

/// Answers as an ICE-lite agent with one user fragment and its password does.
pub fn answer(datagram: &[u8], from: SocketAddr, (ufrag, password): (&str, &str)) -> Answer {
    let check = match read_check(datagram) {
        Ok(check) => check,
        Err(StunError::Anonymous) => {
            return refuse(&transaction_of(datagram).expect("it was read"), 400, &[], None);
        }
        Err(StunError::Malformed | StunError::NotACheck) => return Answer::Dropped,
    };
    if check.local_ufrag != ufrag || !is_authentic(datagram, password) {
        return refuse(&check.transaction, 401, &[], None);
    }
    answer_authentic(&check, from, password)
}

fn answer_authentic(check: &Check<'_>, from: SocketAddr, password: &str) -> Answer {
    if check.unknown[0] != 0 {
        return refuse(&check.transaction, 420, &check.unknown, Some(password));
    }
    if check.controlled.is_some() {
        return refuse(&check.transaction, 487, &[], Some(password));
    }
    let mut out = [0; REPLY_BYTES];
    let length = success(&mut out, &check.transaction, from, password);
    Answer::Taken { nominated: check.use_candidate, reply: out[..length].to_vec() }
}

fn refuse(transaction: &[u8; 12], code: u16, unknown: &[u16], password: Option<&str>) -> Answer {
    let mut out = [0; REPLY_BYTES];
    let length = error(&mut out, transaction, code, unknown, password);
    Answer::Refused(code, out[..length].to_vec())
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().as_chunks::<2>().0;
    digits.iter().map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// A table of the corpora.
pub fn corpus(path: &str) -> Option<Value> {
    let text = std::fs::read_to_string(trunkline_sim::corpora(path)?).expect("a readable file");
    Some(serde_json::from_str(&text).expect("JSON"))
}

/// CRC-32, the slow way.
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}
