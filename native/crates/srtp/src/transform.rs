use trunkline_base::{PACKET_BYTES, Packet};

use crate::aead::{self, Gcm};
use crate::aes_cm::{self, AesCm};
use crate::header::{RTCP_CLEAR_BYTES, RtpHeader, word};
use crate::{MasterKey, Suite};

/// The cryptographic transform of a suite with its session keys. Lengths are checked before, by `Sealer` and `Opener`.
pub enum Transform {
    /// Boxed, as round keys would make every GCM session larger too.
    AesCm(Box<AesCm>),
    Gcm(Gcm),
}

impl Transform {
    /// `None`: there is no key.
    pub fn new(master: &MasterKey) -> Option<Self> {
        let suite = Suite::from_code(master.suite)?;
        Some(match suite {
            Suite::Aes128CmSha1_80 | Suite::Aes128CmSha1_32 => {
                Self::AesCm(Box::new(AesCm::new(master, suite)))
            }
            Suite::AeadAes128Gcm | Suite::AeadAes256Gcm => Self::Gcm(Gcm::new(master, suite)?),
        })
    }

    /// By how many bytes a packet grows.
    pub fn rtp_overhead(&self) -> usize {
        match self {
            Self::AesCm(cm) => cm.rtp_tag_bytes,
            Self::Gcm(_) => aead::TAG_BYTES,
        }
    }

    /// By how many bytes a packet grows.
    pub fn rtcp_overhead(&self) -> usize {
        let tag = match self {
            Self::AesCm(_) => aes_cm::RTCP_TAG_BYTES,
            Self::Gcm(_) => aead::TAG_BYTES,
        };
        Srtcp::BYTES + tag
    }

    pub fn seal_rtp(&self, packet: &mut Packet, header: &RtpHeader, index: u64) {
        match self {
            Self::AesCm(cm) => cm.seal_rtp(packet, header, index),
            Self::Gcm(gcm) => gcm.seal_rtp(packet, header, index),
        }
    }

    /// `false`: not authentic; what the packet then holds is not defined.
    pub fn open_rtp(&self, packet: &mut Packet, header: &RtpHeader, index: u64) -> bool {
        match self {
            Self::AesCm(cm) => cm.open_rtp(packet, header, index),
            Self::Gcm(gcm) => gcm.open_rtp(packet, header, index),
        }
    }

    pub fn seal_rtcp(&self, packet: &mut Packet, ssrc: u32, srtcp: Srtcp) {
        match self {
            Self::AesCm(cm) => cm.seal_rtcp(packet, ssrc, srtcp),
            Self::Gcm(gcm) => gcm.seal_rtcp(packet, ssrc, srtcp),
        }
    }

    /// `false`: not authentic; what the packet then holds is not defined.
    pub fn open_rtcp(&self, packet: &mut Packet, ssrc: u32, srtcp: Srtcp) -> bool {
        match self {
            Self::AesCm(cm) => cm.open_rtcp(packet, ssrc, srtcp),
            Self::Gcm(gcm) => gcm.open_rtcp(packet, ssrc, srtcp),
        }
    }

    /// The E flag and index of an SRTCP packet. `None`: too short to have them.
    pub fn srtcp_of(&self, packet: &[u8]) -> Option<Srtcp> {
        let end = match self {
            Self::AesCm(_) => packet.len().checked_sub(aes_cm::RTCP_TAG_BYTES)?,
            Self::Gcm(_) => packet.len(),
        };
        let at = end.checked_sub(Srtcp::BYTES)?;
        let is_whole = packet.len() >= RTCP_CLEAR_BYTES + self.rtcp_overhead();
        is_whole.then(|| word(&packet[at..end]).map(Srtcp::from_word))?
    }
}

/// The word that SRTCP adds to a packet (RFC 3711 §3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Srtcp {
    pub encrypted: bool,
    /// 31 bits.
    pub index: u32,
}

impl Srtcp {
    pub const BYTES: usize = 4;
    /// The highest index.
    pub const LAST: u32 = 0x7fff_ffff;

    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        (u32::from(self.encrypted) << 31 | self.index & Self::LAST).to_be_bytes()
    }

    fn from_word(word: u32) -> Self {
        Self { encrypted: word > Self::LAST, index: word & Self::LAST }
    }
}

/// Whether the buffer has room for so many bytes after the packet.
pub fn has_room(packet: &Packet, bytes: usize) -> bool {
    packet.start() + packet.len() + bytes <= PACKET_BYTES
}

/// Adds bytes for which there is room.
pub fn append(packet: &mut Packet, bytes: &[u8]) {
    let (start, end) = (packet.start(), packet.start() + packet.len());
    packet.buffer()[end..end + bytes.len()].copy_from_slice(bytes);
    packet.set_range(start, end + bytes.len());
}

/// Cuts off as many bytes of the end.
pub fn cut(packet: &mut Packet, bytes: usize) {
    let (start, end) = (packet.start(), packet.start() + packet.len());
    packet.set_range(start, end - bytes);
}

/// The packet without its last bytes, and these.
pub fn split_end(packet: &mut Packet, bytes: usize) -> (&mut [u8], &mut [u8]) {
    let at = packet.len() - bytes;
    packet.bytes_mut().split_at_mut(at)
}
