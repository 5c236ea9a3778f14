//! Which SRTP protection profile is taken.

use dimpl::SrtpProfile::{
    self, AEAD_AES_128_GCM as GCM_128, AEAD_AES_256_GCM as GCM_256, AES128_CM_SHA1_32 as CM_32,
    AES128_CM_SHA1_80 as CM_80,
};
use trunkline_sim::Conditions;
use trunkline_srtp::Suite;

use super::support::{Pair, VERSIONS, changed, seeded};
use crate::sieve::Version;

fn pair(version: Version, client: &[SrtpProfile], server: Option<&[SrtpProfile]>) -> Pair {
    let server = match server {
        Some(profiles) => changed(None, 2, |builder| builder.srtp_profiles(profiles)),
        None => seeded(None, 2),
    };
    let client = changed(Some(version), 1, |builder| builder.srtp_profiles(client));
    let mut pair = Pair::with(client, server, 1, Conditions::lan());
    pair.start();
    pair.run();
    pair
}

#[track_caller]
fn assert_taken(pair: &Pair, suite: Suite) {
    pair.assert_connected();
    let (send, receive) = pair.server.keys.unwrap();
    assert_eq!((send.suite, receive.suite), (suite as u8, suite as u8));
}

#[test]
fn gcm_128_is_taken_before_gcm_256_before_cm_whatever_the_client_likes_best() {
    for version in VERSIONS {
        for (offered, taken) in [
            // Chromium's order, Firefox's, and what older ones offer.
            (&[CM_80, GCM_256, GCM_128][..], Suite::AeadAes128Gcm),
            (&[GCM_128, GCM_256, CM_80, CM_32], Suite::AeadAes128Gcm),
            (&[CM_80, GCM_256], Suite::AeadAes256Gcm),
            (&[CM_32, CM_80], Suite::Aes128CmSha1_80),
            (&[CM_32], Suite::Aes128CmSha1_32),
        ] {
            assert_taken(&pair(version, offered, None), taken);
        }
    }
}

#[test]
fn a_client_takes_what_the_server_chose() {
    let ours = [GCM_128, GCM_256, CM_80, CM_32];
    for version in VERSIONS {
        for (server, suite) in [
            (&[CM_80, GCM_128][..], Suite::Aes128CmSha1_80),
            (&[CM_32], Suite::Aes128CmSha1_32),
            (&[GCM_256], Suite::AeadAes256Gcm),
        ] {
            assert_taken(&pair(version, &ours, Some(server)), suite);
        }
    }
}

#[test]
fn without_a_common_profile_it_fails() {
    for version in VERSIONS {
        let pair = pair(version, &[CM_80], Some(&[GCM_128]));
        for peer in [&pair.client, &pair.server] {
            assert_eq!(peer.failed.as_deref(), Some("no SRTP protection profile in common"));
            assert!(peer.keys.is_none() && !peer.association.is_connected());
        }
    }
}
