use bytemuck::{Pod, Zeroable};
use trunkline_base::random_array;

use crate::Suite;

/// Master key and salt (RFC 3711 §3.2.1) with their suite: plain data for the slab. `Debug` shows no key.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
pub struct MasterKey {
    /// The code of a [`Suite`]; 0 where there is no key.
    pub suite: u8,
    /// The key, zeros after its end.
    pub key: [u8; 32],
    /// The salt, zeros after its end.
    pub salt: [u8; 14],
    /// 0.
    pub pad: u8,
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MasterKey(suite {})", self.suite)
    }
}

impl MasterKey {
    /// No key.
    pub const NONE: Self = Self { suite: 0, key: [0; 32], salt: [0; 14], pad: 0 };

    /// Key and salt one after the other, as in `inline:` of SDES once decoded (RFC 4568 §6.1).
    /// `None`: not as many bytes as the suite has.
    #[must_use]
    pub fn from_bytes(suite: Suite, key_and_salt: &[u8]) -> Option<MasterKey> {
        let (key, salt) = key_and_salt.split_at_checked(suite.key_bytes())?;
        if salt.len() != suite.salt_bytes() {
            return None;
        }
        let mut master = Self { suite: suite as u8, ..Self::NONE };
        master.key[..key.len()].copy_from_slice(key);
        master.salt[..salt.len()].copy_from_slice(salt);
        Some(master)
    }

    /// A new random one.
    #[must_use]
    pub fn random(suite: Suite) -> MasterKey {
        let bytes: [u8; 46] = random_array();
        let mut master = Self { suite: suite as u8, ..Self::NONE };
        master.key[..suite.key_bytes()].copy_from_slice(&bytes[..suite.key_bytes()]);
        master.salt[..suite.salt_bytes()].copy_from_slice(&bytes[32..32 + suite.salt_bytes()]);
        master
    }

    /// Key and salt one after the other, and how many bytes that is: 30, 28 or 44; 0 where there is no key.
    #[must_use]
    pub fn to_bytes(&self) -> ([u8; 46], usize) {
        let mut bytes = [0; 46];
        let Some(suite) = Suite::from_code(self.suite) else { return (bytes, 0) };
        let (key, salt) = (suite.key_bytes(), suite.salt_bytes());
        bytes[..key].copy_from_slice(&self.key[..key]);
        bytes[key..key + salt].copy_from_slice(&self.salt[..salt]);
        (bytes, key + salt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_the_way_through_sdes() {
        for suite in Suite::ALL {
            let key = MasterKey::random(suite);
            let (bytes, length) = key.to_bytes();
            assert_eq!(length, suite.key_bytes() + suite.salt_bytes());
            assert_eq!(MasterKey::from_bytes(suite, &bytes[..length]), Some(key));
            assert_ne!(MasterKey::random(suite), key);
        }
    }

    #[test]
    fn a_key_of_another_length_is_none() {
        for suite in Suite::ALL {
            let length = suite.key_bytes() + suite.salt_bytes();
            for wrong in (0..64).filter(|wrong| *wrong != length) {
                assert_eq!(MasterKey::from_bytes(suite, &[1; 64][..wrong]), None);
            }
        }
        assert_eq!(MasterKey::NONE.to_bytes().1, 0);
    }

    #[test]
    fn debug_shows_no_key() {
        let shown = format!("{:?}", MasterKey::from_bytes(Suite::AeadAes128Gcm, &[0xab; 28]));
        assert_eq!(shown, "Some(MasterKey(suite 3))");
    }
}
