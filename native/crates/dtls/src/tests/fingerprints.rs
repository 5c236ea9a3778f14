//! Who is not who the signalling says gets no keys.

use trunkline_sim::Conditions;

use super::support::{Pair, Peer, VERSIONS, client_certificate, fingerprint_of, seeded, server_certificate};
use crate::fingerprint::{Algorithm, colons};
use crate::sieve::Version;
use crate::{Association, Certificate, Fingerprint, Options, Output, Role};

const WRONG: &str = "the peer's certificate has none of the announced fingerprints";

/// What the client and the server know of each other.
fn pair(version: Version, of_server: Vec<Fingerprint>, of_client: Vec<Fingerprint>) -> Pair {
    let mut pair = Pair::new(version, 1, Conditions::lan());
    let now = pair.network.now();
    pair.client = Peer::new(Role::Client, seeded(Some(version), 1), of_server, now);
    pair.server = Peer::new(Role::Server, seeded(None, 2), of_client, now);
    pair.start();
    pair.run();
    pair
}

fn hashed(algorithm: Algorithm, name: &str, certificate: &Certificate) -> Fingerprint {
    let der = certificate.pair().certificate;
    Fingerprint { algorithm: name.into(), value: colons(algorithm.digest(&der).as_ref()) }
}

#[test]
fn a_wrong_fingerprint_fails_in_both_roles_and_versions() {
    let other = Certificate::generate();
    for version in VERSIONS {
        let right = || vec![fingerprint_of(server_certificate())];
        let failed = pair(version, right(), vec![fingerprint_of(&other)]).server;
        assert_eq!((failed.failed.as_deref(), failed.keys), (Some(WRONG), None));
        let right = || vec![fingerprint_of(client_certificate())];
        let failed = pair(version, vec![fingerprint_of(&other)], right()).client;
        assert_eq!((failed.failed.as_deref(), failed.keys), (Some(WRONG), None));
    }
}

#[test]
fn one_of_several_hash_functions_is_enough() {
    let other = fingerprint_of(&Certificate::generate());
    let unknown = Fingerprint { algorithm: "md5".into(), value: "00:11".into() };
    for (algorithm, name) in
        [(Algorithm::Sha256, "SHA-256"), (Algorithm::Sha384, "sha-384"), (Algorithm::Sha512, "sha-512")]
    {
        let of_server = vec![other.clone(), unknown.clone(), hashed(algorithm, name, server_certificate())];
        let of_client = vec![hashed(algorithm, name, client_certificate())];
        pair(Version::Dtls13, of_server, of_client).assert_connected();
    }
}

#[test]
fn without_a_usable_fingerprint_nothing_begins() {
    let unknown = Fingerprint { algorithm: "sha-1".into(), value: "00:11".into() };
    for (role, peer_fingerprints) in [(Role::Client, vec![unknown]), (Role::Server, Vec::new())] {
        let options = Options { role, peer_fingerprints };
        let mut association = Association::new(options, client_certificate(), 0);
        association.start(0);
        let mut out = [0; 1_200];
        assert!(matches!(association.poll(&mut out), Some(Output::Failed(_))));
        assert!(association.poll(&mut out).is_none());
        association.handle(&[22; 100], 1);
        assert!(association.poll(&mut out).is_none());
        assert_eq!((association.deadline(), association.refused()), (None, 1));
    }
}

#[test]
fn a_certificate_longer_than_a_datagram_is_taken() {
    let long = Certificate::named("x".repeat(2_000));
    for version in VERSIONS {
        let mut pair = Pair::new(version, 1, Conditions::lan());
        let now = pair.network.now();
        let showing = |role, only, wanted: &Certificate| {
            Peer::showing(&long, role, seeded(only, 1), vec![fingerprint_of(wanted)], now)
        };
        pair.client = showing(Role::Client, Some(version), &long);
        pair.server = showing(Role::Server, None, &long);
        pair.start();
        pair.run();
        pair.assert_connected();
    }
}
