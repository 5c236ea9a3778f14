//! SRTP and SRTCP of RFC 3711 and RFC 7714.
//!
//! A [`Sealer`] protects what leaves under one [`MasterKey`], an [`Opener`] takes what comes in. Both are derived once per
//! process and never change; what must outlive the process is plain data beside them: the key itself and [`Received`].
//! Packets are changed in place, and nothing allocates per packet.
//!
//! Not here: an MKI, a key derivation rate other than 0 and keys for `From, To` are never negotiated by us.
#![forbid(unsafe_code)]

mod aead;
mod aes_cm;
mod header;
mod hmac_sha1;
mod key_derivation;
mod master_key;
mod opener;
mod packet_index;
mod received;
mod replay_window;
mod sealer;
mod suite;
mod transform;

#[cfg(test)]
mod vectors;

pub use master_key::MasterKey;
pub use opener::{Opener, Refused};
pub use received::Received;
pub use sealer::Sealer;
pub use suite::Suite;
