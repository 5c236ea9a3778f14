/// A crypto suite of SDES (RFC 4568 §6.2, RFC 7714 §14.2), which is also a protection profile of DTLS-SRTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Suite {
    /// AES in counter mode, HMAC-SHA1 with tags of 80 bits.
    Aes128CmSha1_80 = 1,
    /// The same with SRTP tags of 32 bits; SRTCP tags keep 80 (RFC 4568 §6.2.2).
    Aes128CmSha1_32 = 2,
    /// AES in Galois/counter mode, keys of 128 bits.
    AeadAes128Gcm = 3,
    /// AES in Galois/counter mode, keys of 256 bits.
    AeadAes256Gcm = 4,
}

impl Suite {
    /// Every suite, in the order of their codes.
    pub const ALL: [Suite; 4] =
        [Self::Aes128CmSha1_80, Self::Aes128CmSha1_32, Self::AeadAes128Gcm, Self::AeadAes256Gcm];

    /// `AES_CM_128_HMAC_SHA1_80`, …: the name in SDES and in our interfaces.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Aes128CmSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::Aes128CmSha1_32 => "AES_CM_128_HMAC_SHA1_32",
            Self::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
        }
    }

    /// The suite of this name, if it is one of ours.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Suite> {
        Self::ALL.into_iter().find(|suite| suite.name() == name)
    }

    /// The suite that has this number in a [`MasterKey`](crate::MasterKey); `None` for 0 and what nobody knows.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Suite> {
        Self::ALL.into_iter().find(|suite| *suite as u8 == code)
    }

    /// Bytes of the master key, and of each session key for encryption.
    #[must_use]
    pub fn key_bytes(self) -> usize {
        if self == Self::AeadAes256Gcm { 32 } else { 16 }
    }

    /// Bytes of the master salt, and of each session salt.
    #[must_use]
    pub fn salt_bytes(self) -> usize {
        match self {
            Self::Aes128CmSha1_80 | Self::Aes128CmSha1_32 => 14,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Suite;

    #[test]
    fn a_suite_has_the_lengths_of_its_rfc() {
        let lengths = Suite::ALL.map(|suite| (suite.name(), suite.key_bytes(), suite.salt_bytes()));
        assert_eq!(
            lengths,
            [
                ("AES_CM_128_HMAC_SHA1_80", 16, 14),
                ("AES_CM_128_HMAC_SHA1_32", 16, 14),
                ("AEAD_AES_128_GCM", 16, 12),
                ("AEAD_AES_256_GCM", 32, 12),
            ]
        );
    }

    #[test]
    fn names_and_codes_lead_back_to_their_suite() {
        for suite in Suite::ALL {
            assert_eq!(Suite::from_name(suite.name()), Some(suite));
            assert_eq!(Suite::from_code(suite as u8), Some(suite));
        }
        assert_eq!(Suite::from_name("AES_192_CM_HMAC_SHA1_80"), None);
        assert_eq!((Suite::from_code(0), Suite::from_code(5)), (None, None));
    }
}
