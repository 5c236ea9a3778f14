//! SRTP and SRTCP of RFC 3711 and RFC 7714.
//!
//! Keys are derived once per process (`Sealer`, `Opener`); what must outlive the process is plain data beside them.
//! Nothing allocates per packet. HMAC states are precomputed.
#![forbid(unsafe_code)]
#![allow(missing_docs, unused_variables)]

use bytemuck::{Pod, Zeroable};
use trunkline_base::Packet;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Suite {
    Aes128CmSha1_80 = 1,
    Aes128CmSha1_32 = 2,
    AeadAes128Gcm = 3,
    AeadAes256Gcm = 4,
}

impl Suite {
    /// `AES_CM_128_HMAC_SHA1_80`, …: the name in SDES and in our interfaces.
    pub fn name(self) -> &'static str {
        todo!()
    }
    pub fn from_name(name: &str) -> Option<Suite> {
        todo!()
    }
    pub fn from_code(code: u8) -> Option<Suite> {
        todo!()
    }
    pub fn key_bytes(self) -> usize {
        todo!()
    }
    pub fn salt_bytes(self) -> usize {
        todo!()
    }
}

/// Master key and salt; plain data for the slab. `Debug` shows no key. A suite of 0 is none.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub struct MasterKey {
    pub suite: u8,
    pub key: [u8; 32],
    pub salt: [u8; 14],
    pub pad: u8,
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MasterKey(suite {})", self.suite)
    }
}

impl MasterKey {
    pub const NONE: Self = Self { suite: 0, key: [0; 32], salt: [0; 14], pad: 0 };
    /// Key and salt one after the other, as in `inline:` of SDES once decoded (RFC 4568 §6.1).
    pub fn from_bytes(suite: Suite, key_and_salt: &[u8]) -> Option<MasterKey> {
        todo!()
    }
    /// A new random one.
    pub fn random(suite: Suite) -> MasterKey {
        todo!()
    }
    pub fn to_bytes(&self) -> ([u8; 46], usize) {
        todo!()
    }
}

/// Why a packet was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Too short or not RTP.
    Malformed,
    /// Seen before, or older than the window.
    Replayed,
    /// The tag is wrong.
    Forged,
}

/// Protects what leaves with one master key.
pub struct Sealer {}
impl Sealer {
    pub fn new(key: &MasterKey) -> Option<Sealer> {
        todo!()
    }
    /// In place; `index` is the 48-bit packet index whose low 16 bits are the packet's sequence number.
    /// The caller never gives an index of one SSRC twice (`rtp::Line`).
    pub fn protect_rtp(&self, packet: &mut Packet, index: u64) {
        todo!()
    }
    /// In place, with E set; `index` is 31 bits, never given twice.
    pub fn protect_rtcp(&self, packet: &mut Packet, index: u32) {
        todo!()
    }
}

/// What was received under a master key: roll-over counters and replay windows per SSRC, for RTP and RTCP.
/// Forgets the SSRC heard longest ago when there are too many — and then never takes an index of it again below what it knew
/// where that can be told; see RFC 3711 §3.2.1.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct Received {
    todo: [u64; 4],
}
impl Default for Received {
    fn default() -> Self {
        Self::zeroed()
    }
}

/// Opens what comes in under one master key.
pub struct Opener {}
impl Opener {
    pub fn new(key: &MasterKey) -> Option<Opener> {
        todo!()
    }
    /// In place: authenticates, decrypts, cuts the tag off; only then `received` changes. Window of at least 128.
    pub fn open_rtp(&self, packet: &mut Packet, received: &mut Received) -> Result<(), Refused> {
        todo!()
    }
    /// In place: cuts index and tag off. An unencrypted (E = 0) but authentic packet is taken.
    pub fn open_rtcp(&self, packet: &mut Packet, received: &mut Received) -> Result<(), Refused> {
        todo!()
    }
}
