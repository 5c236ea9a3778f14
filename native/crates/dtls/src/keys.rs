use dimpl::SrtpProfile;
use trunkline_srtp::{MasterKey, Suite};

use crate::Role;

/// Our and the peer's master key out of what DTLS exported: the client's key, the server's, then the salts in the same
/// order (RFC 5764 §4.2).
pub fn split(role: Role, profile: SrtpProfile, exported: &[u8]) -> Option<(MasterKey, MasterKey)> {
    let suite = suite(profile)?;
    let (keys, salts) = exported.split_at_checked(2 * suite.key_bytes())?;
    let (client_key, server_key) = keys.split_at(suite.key_bytes());
    let (client_salt, server_salt) = salts.split_at_checked(suite.salt_bytes())?;
    let client = MasterKey::from_bytes(suite, &[client_key, client_salt].concat())?;
    let server = MasterKey::from_bytes(suite, &[server_key, server_salt].concat())?;
    Some(match role {
        Role::Client => (client, server),
        Role::Server => (server, client),
    })
}

/// The library may learn profiles that we do not have.
fn suite(profile: SrtpProfile) -> Option<Suite> {
    match profile {
        SrtpProfile::AES128_CM_SHA1_80 => Some(Suite::Aes128CmSha1_80),
        SrtpProfile::AES128_CM_SHA1_32 => Some(Suite::Aes128CmSha1_32),
        SrtpProfile::AEAD_AES_128_GCM => Some(Suite::AeadAes128Gcm),
        SrtpProfile::AEAD_AES_256_GCM => Some(Suite::AeadAes256Gcm),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_sends_with_its_own_half() {
        let exported: Vec<u8> = (0..60).collect();
        let (send, receive) = split(Role::Client, SrtpProfile::AES128_CM_SHA1_80, &exported).unwrap();
        let (bytes, length) = send.to_bytes();
        assert_eq!(&bytes[..length], &[&exported[..16], &exported[32..46]].concat()[..]);
        let (bytes, length) = receive.to_bytes();
        assert_eq!(&bytes[..length], &[&exported[16..32], &exported[46..60]].concat()[..]);
        assert_eq!(split(Role::Server, SrtpProfile::AES128_CM_SHA1_80, &exported), Some((receive, send)));
    }

    #[test]
    fn a_wrong_length_gives_no_keys() {
        assert_eq!(split(Role::Client, SrtpProfile::AEAD_AES_128_GCM, &[0; 60]), None);
        assert_eq!(split(Role::Client, SrtpProfile::AEAD_AES_256_GCM, &[0; 87]), None);
    }
}
