use aes::cipher::generic_array::GenericArray;
use aes::cipher::{BlockEncrypt, BlockSizeUser, KeyInit, typenum::U16};
use aes::{Aes128Enc, Aes256Enc};

use crate::{MasterKey, Suite};

/// What a session key is for (RFC 3711 §4.3.1, §4.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Label {
    RtpEncryption = 0,
    RtpAuthentication = 1,
    RtpSalt = 2,
    RtcpEncryption = 3,
    RtcpAuthentication = 4,
    RtcpSalt = 5,
}

/// Fills `out` with the session key or salt of this label. The key derivation rate is 0: keys do not change.
///
/// RFC 3711 §4.3.3 with the AES of the master key's length (RFC 7714 §11); a salt of 12 bytes has zeros after it.
pub fn derive(master: &MasterKey, suite: Suite, label: Label, out: &mut [u8]) {
    let mut counter = [0; 16];
    counter[..14].copy_from_slice(&master.salt);
    counter[7] ^= label as u8;
    if suite.key_bytes() == 16 {
        key_stream(&Aes128Enc::new(GenericArray::from_slice(&master.key[..16])), counter, out);
    } else {
        key_stream(&Aes256Enc::new(GenericArray::from_slice(&master.key)), counter, out);
    }
}

/// The same into an array.
pub fn derived<const N: usize>(master: &MasterKey, suite: Suite, label: Label) -> [u8; N] {
    let mut out = [0; N];
    derive(master, suite, label, &mut out);
    out
}

fn key_stream<C: BlockEncrypt + BlockSizeUser<BlockSize = U16>>(
    aes: &C,
    mut counter: [u8; 16],
    out: &mut [u8],
) {
    for (block, chunk) in (0_u16..).zip(out.chunks_mut(16)) {
        counter[14..].copy_from_slice(&block.to_be_bytes());
        let mut stream = GenericArray::from(counter);
        aes.encrypt_block(&mut stream);
        chunk.copy_from_slice(&stream[..chunk.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{bytes, hex};

    #[test]
    fn rfc_3711_b_3() {
        let suite = Suite::Aes128CmSha1_80;
        let key_and_salt = bytes("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6");
        let master = MasterKey::from_bytes(suite, &key_and_salt).unwrap();
        let of = |label, length| {
            let mut out = vec![0; length];
            derive(&master, suite, label, &mut out);
            hex(&out)
        };
        assert_eq!(of(Label::RtpEncryption, 16), "c61e7a93744f39ee10734afe3ff7a087");
        assert_eq!(of(Label::RtpSalt, 14), "30cbbc08863d8c85d49db34a9ae1");
        assert_eq!(
            of(Label::RtpAuthentication, 94),
            "cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbcee049646c43d9327ad175578ef7\
             2270986371c10c9a369ac2f94a8c5fbcdddc256d6e919a48b610ef17c2041e474035766b68642c59bbfc2f34db60dbdfb2"
        );
    }

    /// The longer key is that of AEAD_AES_256_GCM too; the vector has a salt of 14 bytes.
    #[test]
    fn rfc_6188_7_2() {
        let mut master = MasterKey { suite: Suite::AeadAes256Gcm as u8, ..MasterKey::NONE };
        let key = bytes("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6");
        master.key.copy_from_slice(&key);
        master.salt.copy_from_slice(&bytes("3b04803de51ee7c96423ab5b78d2"));
        let suite = Suite::AeadAes256Gcm;
        assert_eq!(
            hex(&derived::<32>(&master, suite, Label::RtpEncryption)),
            "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4"
        );
        assert_eq!(hex(&derived::<14>(&master, suite, Label::RtpSalt)), "fa31791685ca444a9e07c6c64e93");
    }
}
