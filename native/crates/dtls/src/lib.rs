//! DTLS 1.2 and 1.3 with SRTP keys (RFC 5764), around a library that can be replaced: nothing of it shows here.
//!
//! Datagrams come only from an ICE-validated address. A bad datagram is counted, never fatal; a handshake that the library
//! gives up starts anew within its time. Both roles verify the peer's fingerprint before keys are told.
//!
//! As a server we take DTLS 1.3 where the client offers it, and of its SRTP profiles GCM with 128 bits, then 256, then CM with HMAC-SHA1.
//! A key share that we do not know (X25519MLKEM768) is passed over. Peers need an ECDSA certificate, P-256 or P-384: the library knows
//! no RSA. The library is a copy with few changes, listed in `vendor/dimpl/PATCHES.md`.
#![forbid(unsafe_code)]

mod alert;
mod association;
mod attempt;
mod certificate;
mod clock;
mod config;
mod fingerprint;
mod handshake;
mod handshaking;
mod hellos;
mod keys;
mod reassembly;
mod record;
mod sieve;
#[cfg(test)]
mod tests;
mod well_formed;

pub use association::Association;
pub use certificate::Certificate;
pub use fingerprint::Fingerprint;

use trunkline_srtp::MasterKey;

/// Which side of the handshake we are: `a=setup:active` is the client (RFC 5763 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sends the first hello.
    Client,
    /// Waits for it, and takes the version that the client wants.
    Server,
}

/// What an association needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// Ours.
    pub role: Role,
    /// As signalled. One match is enough; those of unknown hash functions are passed over.
    pub peer_fingerprints: Vec<Fingerprint>,
}

/// What an association has to say; datagrams are in `out`.
#[derive(Debug)]
pub enum Output {
    /// The first `usize` bytes of the buffer are a datagram for the peer.
    Send(usize),
    /// The peer proved to own a certificate with a wanted fingerprint. Keys as seen from us.
    Connected {
        /// Protects what we send.
        send: MasterKey,
        /// Opens what the peer sends.
        receive: MasterKey,
    },
    /// It will never work: wrong fingerprint, no common suite, time-out. The reason is for people.
    Failed(String),
    /// close_notify.
    Closed,
}
