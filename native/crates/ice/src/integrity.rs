use aws_lc_rs::hmac;

use crate::message::{ATTRIBUTE_HEADER_BYTES, HEADER_BYTES, Message, attribute};

/// Of MESSAGE-INTEGRITY (RFC 8489 §14.5).
pub const SHA1_BYTES: usize = 20;
/// Of MESSAGE-INTEGRITY-SHA256 (RFC 8489 §14.6); ICE does not let it be truncated.
pub const SHA256_BYTES: usize = 32;

/// Whether MESSAGE-INTEGRITY (or -SHA256, if present) is that of this password, in constant time.
///
/// The password is taken as it is: those of ICE are ASCII, and need no preparation (RFC 8445 §7.2.2).
#[must_use]
pub fn is_authentic(datagram: &[u8], password: &str) -> bool {
    verify(datagram, password.as_bytes()).unwrap_or(false)
}

/// `None`: nothing to be verified, or malformed.
pub fn verify(datagram: &[u8], key: &[u8]) -> Option<bool> {
    let message = Message::read(datagram)?;
    let mut sha1 = None;
    for attribute in message.attributes() {
        let attribute = attribute?;
        match attribute.kind {
            attribute::MESSAGE_INTEGRITY if attribute.value.len() != SHA1_BYTES => return None,
            attribute::MESSAGE_INTEGRITY => sha1 = sha1.or(Some(attribute)),
            // The stronger one decides, wherever it is (RFC 8489 §9.1.3).
            attribute::MESSAGE_INTEGRITY_SHA256 if attribute.value.len() != SHA256_BYTES => return None,
            attribute::MESSAGE_INTEGRITY_SHA256 => {
                let expected = hmac_of(hmac::HMAC_SHA256, &datagram[..attribute.at], key);
                return Some(is_equal(&expected, attribute.value));
            }
            _ => {}
        }
    }
    let attribute = sha1?;
    let expected = hmac_of(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &datagram[..attribute.at], key);
    Some(is_equal(&expected, attribute.value))
}

/// The value of MESSAGE-INTEGRITY for what stands before it.
pub fn message_integrity(before: &[u8], password: &str) -> hmac::Tag {
    hmac_of(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, before, password.as_bytes())
}

/// The header is hashed with the length that it has if integrity is the last attribute.
fn hmac_of(algorithm: hmac::Algorithm, before: &[u8], key: &[u8]) -> hmac::Tag {
    let (header, attributes) = before.split_at(HEADER_BYTES);
    let own_bytes = ATTRIBUTE_HEADER_BYTES + algorithm.digest_algorithm().output_len();
    let length = (attributes.len() + own_bytes) as u16;
    let mut context = hmac::Context::with_key(&hmac::Key::new(algorithm, key));
    context.update(&header[..2]);
    context.update(&length.to_be_bytes());
    context.update(&header[4..]);
    context.update(attributes);
    context.sign()
}

fn is_equal(expected: &hmac::Tag, value: &[u8]) -> bool {
    subtle::ConstantTimeEq::ct_eq(expected.as_ref(), value).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits = hex.as_bytes().as_chunks::<2>().0;
        digits.iter().map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    /// With a key that is not a password: MD5 of user name, realm and password.
    #[test]
    fn rfc_5769_2_4() {
        let request = bytes(
            "000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b900000015001c662f\
             2f3439396b39353464364f4c33346f4c39465354767936347341001400\
             0b6578616d706c652e6f72670000080014f67024656dd64a3e02b8e0712e85c9a28ca89666",
        );
        assert_eq!(verify(&request, &bytes("e8ca7ad59d5eb0518e312911d2dab2a9")), Some(true));
        assert_eq!(verify(&request, b"another"), Some(false));
    }

    /// As corrected by erratum 6268.
    #[test]
    fn rfc_8489_b_1() {
        let request = bytes(
            "000100902112a44278ad3433c6ad72c029da412e001e00204a3cf38fef6992bda952c6780417da0f24819415569e60b205c4\
             6e41407f1704001500296f624d61744a6f733241414143662f2f3439396b39353464364f4c33346f4c394653547679363473\
             410000000014000b6578616d706c652e6f726700001d000400020000001c0020b5c7bf005b6c52a21c51c5e892f819241362\
             96cb927c43149309278cc6518e65",
        );
        let key = bytes("dd295a613b9058c3c23d6dc7165bda072304d989c9d0af3a8c7e184b4f9bb4a1");
        assert_eq!(verify(&request, &key), Some(true));
        for bit in 8 * (request.len() - SHA256_BYTES)..8 * request.len() {
            let mut forged = request.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(verify(&forged, &key), Some(false), "bit {bit}");
        }
    }

    /// What follows MESSAGE-INTEGRITY is passed over, another of its kind too (RFC 8489 §14.5).
    #[test]
    fn the_first_integrity_counts() {
        let mut message = vec![0, 1, 0, 48, 0x21, 0x12, 0xa4, 0x42];
        message.extend([5; 12]);
        let sha1 = message_integrity(&message, "password");
        for tag in [sha1.as_ref(), &[0; 20]] {
            message.extend([0x00, 0x08, 0, 20]);
            message.extend(tag);
        }
        assert!(is_authentic(&message, "password"));
    }

    /// Who adds MESSAGE-INTEGRITY-SHA256 means it: a right SHA-1 beside a wrong one does not help.
    #[test]
    fn the_stronger_integrity_decides() {
        let mut message = vec![0, 1, 0, 24, 0x21, 0x12, 0xa4, 0x42];
        message.extend([5; 12]);
        let sha1 = message_integrity(&message, "password");
        message.extend([0x00, 0x08, 0, 20]);
        message.extend(sha1.as_ref());
        assert!(is_authentic(&message, "password"));
        message[3] = 24 + 36;
        let sha256 = hmac_of(hmac::HMAC_SHA256, &message, b"password");
        message.extend([0x00, 0x1c, 0, 32]);
        message.extend(sha256.as_ref());
        assert!(is_authentic(&message, "password"));
        *message.last_mut().unwrap() ^= 1;
        assert!(!is_authentic(&message, "password"));
    }
}
