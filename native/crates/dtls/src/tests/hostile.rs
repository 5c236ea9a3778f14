//! A peer with good keys that says anything under them: a browser is not to be trusted either. Its cryptography changes what it is
//! about to encrypt.

use std::cell::RefCell;
use std::sync::Arc;

use dimpl::crypto::{
    Aad, Buf, Cipher, CryptoProvider, Dtls12CipherSuite, Dtls13CipherSuite, HashAlgorithm, Nonce,
    SupportedDtls12CipherSuite, SupportedDtls13CipherSuite, TmpBuf, aws_lc_rs,
};
use dimpl::{Config, CryptoError, Dtls};
use trunkline_base::Micros;
use trunkline_sim::Random;

use super::support::{Peer, VERSIONS, client_certificate, fingerprint_of, server_certificate};
use crate::clock::Clock;
use crate::config::Library;
use crate::record::content;
use crate::sieve::Version;
use crate::{Certificate, Role};

thread_local! {
    /// What changes the next records, and how likely that is.
    static CHANGES: RefCell<Option<(Random, f64)>> = const { RefCell::new(None) };
}

/// The length stays: it is told in the clear, and proved.
fn change(plaintext: &mut [u8]) {
    CHANGES.with_borrow_mut(|changes| {
        let Some((random, chance)) = changes else { return };
        if plaintext.is_empty() || !random.chance(*chance) {
            return;
        }
        for _ in 0..=random.below(3) {
            let bound = if random.chance(0.5) { plaintext.len() as u64 } else { 14 };
            let at = (random.below(bound) as usize).min(plaintext.len() - 1);
            plaintext[at] = match random.below(4) {
                0 => plaintext[at] ^ (1 << random.below(8)),
                1 => [0, 1, 0x7f, 0xff][random.below(4) as usize],
                2 => [0, 1, 2, 4, 8, 11, 13, 15, 20, 24][random.below(10) as usize],
                _ => random.bits() as u8,
            };
        }
        if random.chance(0.3) {
            // In 1.3 the last byte is the type of the record (RFC 9147 §4).
            let kinds = [content::CHANGE_CIPHER_SPEC, content::ALERT, content::HANDSHAKE, 23, 26, 0];
            *plaintext.last_mut().expect("it is not empty") = kinds[random.below(6) as usize];
        }
    });
}

#[derive(Debug)]
struct Changing<T: ?Sized>(Box<T>);

impl Cipher for Changing<dyn Cipher> {
    fn encrypt(&mut self, plaintext: &mut Buf, aad: Aad, nonce: Nonce) -> Result<(), CryptoError> {
        change(plaintext);
        self.0.encrypt(plaintext, aad, nonce)
    }

    fn decrypt(&mut self, ciphertext: &mut TmpBuf, aad: Aad, nonce: Nonce) -> Result<(), CryptoError> {
        self.0.decrypt(ciphertext, aad, nonce)
    }
}

#[derive(Debug)]
struct Suite12(&'static dyn SupportedDtls12CipherSuite);

impl SupportedDtls12CipherSuite for Suite12 {
    fn suite(&self) -> Dtls12CipherSuite {
        self.0.suite()
    }
    fn hash_algorithm(&self) -> HashAlgorithm {
        self.0.hash_algorithm()
    }
    fn key_lengths(&self) -> (usize, usize, usize) {
        self.0.key_lengths()
    }
    fn explicit_nonce_len(&self) -> usize {
        self.0.explicit_nonce_len()
    }
    fn tag_len(&self) -> usize {
        self.0.tag_len()
    }
    fn create_cipher(&self, key: &[u8]) -> Result<Box<dyn Cipher>, CryptoError> {
        Ok(Box::new(Changing(self.0.create_cipher(key)?)))
    }
}

#[derive(Debug)]
struct Suite13(&'static dyn SupportedDtls13CipherSuite);

impl SupportedDtls13CipherSuite for Suite13 {
    fn suite(&self) -> Dtls13CipherSuite {
        self.0.suite()
    }
    fn hash_algorithm(&self) -> HashAlgorithm {
        self.0.hash_algorithm()
    }
    fn key_len(&self) -> usize {
        self.0.key_len()
    }
    fn iv_len(&self) -> usize {
        self.0.iv_len()
    }
    fn tag_len(&self) -> usize {
        self.0.tag_len()
    }
    fn create_cipher(&self, key: &[u8]) -> Result<Box<dyn Cipher>, CryptoError> {
        Ok(Box::new(Changing(self.0.create_cipher(key)?)))
    }
    fn encrypt_sn(&self, key: &[u8], sample: &[u8; 16]) -> [u8; 16] {
        self.0.encrypt_sn(key, sample)
    }
}

fn provider() -> CryptoProvider {
    let good = aws_lc_rs::default_provider();
    let suites12 = good.cipher_suites.iter().map(|suite| &*Box::leak(Box::new(Suite12(*suite))) as _);
    let suites13 = good.dtls13_cipher_suites.iter().map(|suite| &*Box::leak(Box::new(Suite13(*suite))) as _);
    CryptoProvider {
        cipher_suites: Vec::leak(suites12.collect()),
        dtls13_cipher_suites: Vec::leak(suites13.collect()),
        ..good
    }
}

/// The library itself, without our care.
struct Hostile {
    dtls: Dtls,
    clock: Clock,
}

impl Hostile {
    fn new(version: Version, role: Role, certificate: &Certificate, config: &Arc<Config>) -> Self {
        let clock = Clock::new(0);
        let make = if version == Version::Dtls12 { Dtls::new_12 } else { Dtls::new_13 };
        let mut dtls = make(Arc::clone(config), certificate.pair(), clock.instant(0));
        dtls.set_active(role == Role::Client);
        Self { dtls, clock }
    }

    /// What it sends; nothing any more once it gave up.
    fn answers(&mut self, datagrams: &[Vec<u8>], now: Micros) -> Vec<Vec<u8>> {
        let _ = self.dtls.handle_timeout(self.clock.instant(now));
        for datagram in datagrams {
            let _ = self.dtls.handle_packet(datagram);
        }
        let mut out = [0; 2_048];
        let mut answers = Vec::new();
        for _ in 0..100 {
            match self.dtls.poll_output(&mut out) {
                dimpl::Output::Packet(datagram) => answers.push(datagram.to_vec()),
                dimpl::Output::Timeout(_) => break,
                _ => {}
            }
        }
        answers
    }
}

/// Changes begin at once or with the `calm`th round. Returns whether we connected.
fn meet(version: Version, ours: Role, config: &Arc<Config>, seed: u64, calm: u64) -> bool {
    let (theirs, shown, wanted) = match ours {
        Role::Server => (Role::Client, client_certificate(), client_certificate()),
        Role::Client => (Role::Server, server_certificate(), server_certificate()),
    };
    let library =
        Library::changed(if ours == Role::Client { Some(version) } else { None }, |builder| builder);
    let mut peer = Peer::new(ours, library, vec![fingerprint_of(wanted)], 0);
    let mut hostile = Hostile::new(version, theirs, shown, config);
    peer.association.start(0);
    let mut datagrams = peer.drain(0);
    for round in 0..60 {
        let now = round * 20_000;
        CHANGES.set((round >= calm).then(|| (Random::new(seed << 8 | round), 0.7)));
        let _ = hostile.dtls.send_application_data(&[round as u8; 40]);
        let answers = hostile.answers(&datagrams, now);
        CHANGES.set(None);
        let before = peer.sent.len();
        for answer in &answers {
            peer.association.handle(answer, now);
            peer.drain(now);
        }
        if peer.association.deadline().is_some_and(|at| at <= now) {
            peer.association.wake(now);
        }
        peer.drain(now);
        datagrams = peer.sent[before..].to_vec();
        assert!(datagrams.len() < 100, "{version:?} {ours:?} seed {seed}: a storm");
    }
    peer.keys.is_some()
}

#[test]
fn a_peer_that_says_anything_under_good_keys_ends_only_itself() {
    let runs: u64 =
        std::env::var("TRUNKLINE_FUZZ_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(100);
    let config = Config::builder().with_crypto_provider(provider()).use_server_cookie(false);
    let config = Arc::new(config.build().unwrap());
    for version in VERSIONS {
        for ours in [Role::Server, Role::Client] {
            let connected =
                (0..runs).filter(|seed| meet(version, ours, &config, *seed, [0, 3, 6][*seed as usize % 3]));
            // With nothing changed during the handshake it always does.
            assert!(connected.count() as u64 >= runs / 3);
        }
    }
}
