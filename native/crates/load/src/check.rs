//! STUN connectivity checks as a controlling client sends them (RFC 8489, RFC 8445 §7.2.2), and what answers them.
//!
//! Written apart from the relay's own STUN, so that a mistake there is not made here too.

use aws_lc_rs::hmac;
use trunkline_base::random_array;

const COOKIE: u32 = 0x2112_a442;
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;

const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const PRIORITY: u16 = 0x0024;
const USE_CANDIDATE: u16 = 0x0025;
const ICE_CONTROLLING: u16 = 0x802a;
const FINGERPRINT: u16 = 0x8028;

/// Of a host candidate (RFC 8445 §5.1.2.1).
const HOST_PRIORITY: u32 = 0x6eff_ffff;

/// Name of one request.
pub type Transaction = [u8; 12];

/// Makes the checks of one client toward one relay.
pub struct Checker {
    username: String,
    key: hmac::Key,
    tie_breaker: [u8; 8],
}

impl Checker {
    pub fn new(local_ufrag: &str, remote_ufrag: &str, remote_pwd: &str) -> Self {
        Self {
            username: format!("{remote_ufrag}:{local_ufrag}"),
            key: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, remote_pwd.as_bytes()),
            tie_breaker: random_array(),
        }
    }

    /// A check that also nominates, and the name that its answer will have.
    pub fn check(&self) -> (Vec<u8>, Transaction) {
        let transaction = random_array();
        let mut message = Vec::with_capacity(128);
        message.extend_from_slice(&BINDING_REQUEST.to_be_bytes());
        message.extend_from_slice(&[0; 2]);
        message.extend_from_slice(&COOKIE.to_be_bytes());
        message.extend_from_slice(&transaction);
        push(&mut message, USERNAME, self.username.as_bytes());
        push(&mut message, PRIORITY, &HOST_PRIORITY.to_be_bytes());
        push(&mut message, ICE_CONTROLLING, &self.tie_breaker);
        push(&mut message, USE_CANDIDATE, &[]);
        // The length covers the attribute that is about to be added (RFC 8489 §14.5, §14.7).
        set_length(&mut message, 24);
        let tag = hmac::sign(&self.key, &message);
        push(&mut message, MESSAGE_INTEGRITY, tag.as_ref());
        set_length(&mut message, 8);
        let sum = crc32(&message) ^ 0x5354_554e;
        push(&mut message, FINGERPRINT, &sum.to_be_bytes());
        (message, transaction)
    }
}

/// The transaction that a success response answers; `None`: it is something else.
pub fn success_of(datagram: &[u8]) -> Option<Transaction> {
    let (head, transaction) = (datagram.get(..8)?, datagram.get(8..20)?);
    let is_success = head[..2] == BINDING_SUCCESS.to_be_bytes() && head[4..] == COOKIE.to_be_bytes();
    is_success.then(|| transaction.try_into().ok()).flatten()
}

fn push(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    message.extend_from_slice(&kind.to_be_bytes());
    message.extend_from_slice(&(value.len() as u16).to_be_bytes());
    message.extend_from_slice(value);
    message.resize(message.len().next_multiple_of(4), 0);
    set_length(message, 0);
}

fn set_length(message: &mut [u8], more: usize) {
    let length = (message.len() - 20 + more) as u16;
    message[2..4].copy_from_slice(&length.to_be_bytes());
}

/// ISO 3309, bit by bit: a check is short and rare.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| sum >> 1 ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_iso_3309() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn a_check_is_authentic_names_both_and_nominates() {
        let checker = Checker::new("mine", "yours", "a password of the relay's");
        let (check, transaction) = checker.check();
        assert_eq!(check[8..20], transaction);
        let integrity = check.len() - 8 - 24;
        let mut signed = check[..integrity].to_vec();
        set_length(&mut signed, 24);
        assert!(hmac::verify(&checker.key, &signed, &check[integrity + 4..integrity + 24]).is_ok());
        let text = String::from_utf8_lossy(&check);
        assert!(text.contains("yours:mine"));
        assert!(check.windows(4).any(|four| four == [0, 0x25, 0, 0]));
        assert_ne!(checker.check().1, transaction);
    }

    #[test]
    fn only_a_success_response_answers() {
        let (check, transaction) = Checker::new("a", "b", "c").check();
        assert_eq!(success_of(&check), None);
        let mut answer = check;
        answer[..2].copy_from_slice(&BINDING_SUCCESS.to_be_bytes());
        assert_eq!(success_of(&answer), Some(transaction));
        assert_eq!(success_of(&answer[..19]), None);
    }
}
