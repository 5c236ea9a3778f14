//! DTLS 1.2 and 1.3 with SRTP keys (RFC 5764), around a library that can be replaced: nothing of it shows here.
//!
//! Datagrams come only from an ICE-validated address. A bad datagram is counted, never fatal; a handshake that the library
//! gives up starts anew within its time. Both roles verify the peer's fingerprint before keys are told.
#![forbid(unsafe_code)]
#![allow(missing_docs, unused_variables)]

use trunkline_base::Micros;
use trunkline_srtp::MasterKey;

/// An ECDSA P-256 certificate and its key. `Clone` is cheap.
#[derive(Clone)]
pub struct Certificate {}
impl Certificate {
    /// Self-signed, valid from yesterday for 30 days, with a random common name.
    pub fn generate() -> Certificate {
        todo!()
    }
    /// For the slab, so that the process that follows shows the same one. Contains the key.
    pub fn to_bytes(&self) -> Vec<u8> {
        todo!()
    }
    pub fn from_bytes(bytes: &[u8]) -> Option<Certificate> {
        todo!()
    }
    /// `sha-256`, upper-case hex with colons (RFC 8122 §5).
    pub fn fingerprint(&self) -> String {
        todo!()
    }
}

/// A fingerprint the peer announced: `sha-256`, `sha-384`, `sha-512` (any case), hex with colons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    pub algorithm: String,
    pub value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Client,
    Server,
}

#[derive(Clone, Debug)]
pub struct Options {
    pub role: Role,
    pub peer_fingerprints: Vec<Fingerprint>,
}

/// What an association has to say; datagrams are in `out`.
#[derive(Debug)]
pub enum Output {
    /// The first `usize` bytes of the buffer are a datagram for the peer.
    Send(usize),
    /// The peer proved to own a certificate with a wanted fingerprint. Keys as seen from us.
    Connected { send: MasterKey, receive: MasterKey },
    /// It will never work: wrong fingerprint, no common suite, time-out. The reason is for people.
    Failed(String),
    /// close_notify.
    Closed,
}

/// One association. `start` (client: sends the hello), then `handle` and `wake`; `poll` until `None` after each.
pub struct Association {}
impl Association {
    pub fn new(options: Options, certificate: &Certificate, now: Micros) -> Association {
        todo!()
    }
    pub fn start(&mut self, now: Micros) {
        todo!()
    }
    pub fn handle(&mut self, datagram: &[u8], now: Micros) {
        todo!()
    }
    pub fn wake(&mut self, now: Micros) {
        todo!()
    }
    pub fn poll(&mut self, out: &mut [u8]) -> Option<Output> {
        todo!()
    }
    pub fn deadline(&self) -> Option<Micros> {
        todo!()
    }
    pub fn is_connected(&self) -> bool {
        todo!()
    }
    /// `DTLS 1.2` or `DTLS 1.3`, once known.
    pub fn version(&self) -> Option<&'static str> {
        todo!()
    }
    /// Datagrams that were not taken.
    pub fn refused(&self) -> u64 {
        todo!()
    }
    /// Says close_notify (poll it).
    pub fn close(&mut self) {
        todo!()
    }
}
