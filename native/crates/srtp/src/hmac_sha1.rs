use std::slice;

use aes::cipher::generic_array::GenericArray;
use subtle::ConstantTimeEq;

const BLOCK_BYTES: usize = 64;
const LENGTH_BYTES: usize = 8;
/// The first bytes of a digest that any tag of ours has.
pub const DIGEST_BYTES: usize = 20;

/// HMAC-SHA1 (RFC 2104) under one key of 20 bytes. The two blocks that the key fills are hashed once, here.
#[derive(Clone)]
pub struct HmacSha1 {
    inner: [u32; 5],
    outer: [u32; 5],
}

impl HmacSha1 {
    pub fn new(key: &[u8; 20]) -> Self {
        Self { inner: keyed(key, 0x36), outer: keyed(key, 0x5c) }
    }

    /// Over `message`, then `suffix`, which is shorter than a block.
    pub fn digest(&self, message: &[u8], suffix: &[u8]) -> [u8; DIGEST_BYTES] {
        let inner = finish(self.inner, message, suffix);
        finish(self.outer, &inner, &[])
    }

    /// Whether `tag` is the beginning of the digest, in a time that does not depend on where it differs.
    pub fn verify(&self, message: &[u8], suffix: &[u8], tag: &[u8]) -> bool {
        let digest = self.digest(message, suffix);
        digest.get(..tag.len()).is_some_and(|expected| expected.ct_eq(tag).into())
    }
}

/// The state of SHA-1 after the first block of HMAC.
fn keyed(key: &[u8; 20], pad: u8) -> [u32; 5] {
    let mut block = [pad; BLOCK_BYTES];
    for (padded, key) in block.iter_mut().zip(key) {
        *padded ^= key;
    }
    let mut state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    compress(&mut state, &block);
    state
}

/// Hashes the rest and the padding (RFC 3174 §4); one block was hashed before.
fn finish(mut state: [u32; 5], message: &[u8], suffix: &[u8]) -> [u8; DIGEST_BYTES] {
    let (blocks, rest) = message.as_chunks::<BLOCK_BYTES>();
    for block in blocks {
        compress(&mut state, block);
    }
    let mut tail = [0; 3 * BLOCK_BYTES];
    let used = rest.len() + suffix.len();
    tail[..rest.len()].copy_from_slice(rest);
    tail[rest.len()..used].copy_from_slice(suffix);
    tail[used] = 0x80;
    let end = (used + 1 + LENGTH_BYTES).next_multiple_of(BLOCK_BYTES);
    let bits = 8 * (BLOCK_BYTES + message.len() + suffix.len()) as u64;
    tail[end - LENGTH_BYTES..end].copy_from_slice(&bits.to_be_bytes());
    for block in tail[..end].as_chunks::<BLOCK_BYTES>().0 {
        compress(&mut state, block);
    }
    let mut digest = [0; DIGEST_BYTES];
    for (bytes, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    digest
}

fn compress(state: &mut [u32; 5], block: &[u8; BLOCK_BYTES]) {
    sha1::compress(state, slice::from_ref(GenericArray::from_slice(block)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{bytes, hex};

    /// Cases 1 and 3: the keys of 20 bytes.
    #[test]
    fn rfc_2202_3() {
        let first = HmacSha1::new(&[0x0b; 20]).digest(b"Hi There", &[]);
        assert_eq!(hex(&first), "b617318655057264e28bc0b6fb378c8ef146be00");
        let third = HmacSha1::new(&[0xaa; 20]).digest(&[0xdd; 50], &[]);
        assert_eq!(hex(&third), "125d7342b9ac11cd91a39af48aa17b4f63f175d3");
    }

    #[test]
    fn every_length_gives_what_another_implementation_gives() {
        let key = bytes("000102030405060708090a0b0c0d0e0f10111213");
        let ours = HmacSha1::new(key.as_slice().try_into().unwrap());
        let theirs = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
        let message: Vec<u8> = (0..400_u32).map(|n| (n * 7) as u8).collect();
        for length in 0..=message.len() {
            for suffix in [0, 4].map(|bytes| length.min(bytes)) {
                let (head, tail) = message[..length].split_at(length - suffix);
                let expected = aws_lc_rs::hmac::sign(&theirs, &message[..length]);
                assert_eq!(ours.digest(head, tail), expected.as_ref(), "{length} bytes");
            }
        }
    }

    #[test]
    fn a_tag_is_right_in_every_bit_or_wrong() {
        let hmac = HmacSha1::new(&[1; 20]);
        let digest = hmac.digest(b"message", b"end");
        for length in [4, 10, 20] {
            assert!(hmac.verify(b"message", b"end", &digest[..length]));
            for bit in 0..length * 8 {
                let mut tag = digest;
                tag[bit / 8] ^= 1 << (bit % 8);
                assert!(!hmac.verify(b"message", b"end", &tag[..length]));
            }
        }
        assert!(!hmac.verify(b"message", b"end", &[0; 21]));
    }
}
