use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use trunkline_base::Packet;

use crate::header::{RTCP_CLEAR_BYTES, RtpHeader};
use crate::key_derivation::{Label, derive, derived};
use crate::transform::{Srtcp, append, cut, split_end};
use crate::{MasterKey, Suite};

/// Of SRTP and SRTCP (RFC 7714 §13.1).
pub const TAG_BYTES: usize = 16;

/// AES in Galois/counter mode (RFC 7714).
pub struct Gcm {
    rtp: Direction,
    /// RTCP is rare: its cipher is made per packet, so that it takes no memory.
    rtcp: SessionKey,
}

impl Gcm {
    /// `None`: the library refuses the key, which it does for no key of the right length.
    pub fn new(master: &MasterKey, suite: Suite) -> Option<Self> {
        let of = |encryption, salt| {
            let (mut key, len) = ([0; 32], suite.key_bytes());
            derive(master, suite, encryption, &mut key[..len]);
            SessionKey { key, len, salt: derived(master, suite, salt) }
        };
        let rtp = of(Label::RtpEncryption, Label::RtpSalt).direction()?;
        Some(Self { rtp, rtcp: of(Label::RtcpEncryption, Label::RtcpSalt) })
    }

    pub fn seal_rtp(&self, packet: &mut Packet, header: &RtpHeader, index: u64) {
        let (header_bytes, payload) = packet.bytes_mut().split_at_mut(header.bytes);
        match self.rtp.seal(header.ssrc, index, header_bytes, payload) {
            Some(tag) => append(packet, &tag),
            None => packet.fill(&[]),
        }
    }

    pub fn open_rtp(&self, packet: &mut Packet, header: &RtpHeader, index: u64) -> bool {
        let (sealed, tag) = split_end(packet, TAG_BYTES);
        let (header_bytes, payload) = sealed.split_at_mut(header.bytes);
        let authentic = self.rtp.open(header.ssrc, index, header_bytes, payload, tag);
        if authentic {
            cut(packet, TAG_BYTES);
        }
        authentic
    }

    /// The word with the index comes last (RFC 7714 §9.2), unlike in RFC 3711.
    pub fn seal_rtcp(&self, packet: &mut Packet, ssrc: u32, srtcp: Srtcp) {
        let (clear, rest) = packet.bytes_mut().split_at_mut(RTCP_CLEAR_BYTES);
        let rtcp = self.rtcp.direction();
        match rtcp.and_then(|rtcp| rtcp.seal(ssrc, srtcp.index.into(), &rtcp_aad(clear, srtcp), rest)) {
            Some(tag) => {
                append(packet, &tag);
                append(packet, &srtcp.to_bytes());
            }
            None => packet.fill(&[]),
        }
    }

    pub fn open_rtcp(&self, packet: &mut Packet, ssrc: u32, srtcp: Srtcp) -> bool {
        let Some(rtcp) = self.rtcp.direction() else { return false };
        let authentic = if srtcp.encrypted {
            let (sealed, end) = split_end(packet, TAG_BYTES + Srtcp::BYTES);
            let (clear, rest) = sealed.split_at_mut(RTCP_CLEAR_BYTES);
            rtcp.open(ssrc, srtcp.index.into(), &rtcp_aad(clear, srtcp), rest, &end[..TAG_BYTES])
        } else {
            is_clear_rtcp_authentic(&rtcp, packet, ssrc, srtcp)
        };
        if authentic {
            cut(packet, TAG_BYTES + Srtcp::BYTES);
        }
        authentic
    }
}

/// All of the packet and the word after it are associated data (RFC 7714 §9.3), so they are put side by side.
fn is_clear_rtcp_authentic(rtcp: &Direction, packet: &mut Packet, ssrc: u32, srtcp: Srtcp) -> bool {
    let tag_at = packet.len() - TAG_BYTES - Srtcp::BYTES;
    let bytes = packet.bytes_mut();
    let mut tag = [0; TAG_BYTES];
    tag.copy_from_slice(&bytes[tag_at..tag_at + TAG_BYTES]);
    bytes[tag_at..tag_at + Srtcp::BYTES].copy_from_slice(&srtcp.to_bytes());
    rtcp.open(ssrc, srtcp.index.into(), &bytes[..tag_at + Srtcp::BYTES], &mut [], &tag)
}

/// Key and salt of RTP or of RTCP, derived.
struct SessionKey {
    key: [u8; 32],
    len: usize,
    salt: [u8; 12],
}

impl SessionKey {
    fn direction(&self) -> Option<Direction> {
        Direction::new(&self.key[..self.len], self.salt)
    }
}

/// A cipher with its salt.
struct Direction {
    key: LessSafeKey,
    salt: [u8; 12],
}

impl Direction {
    fn new(key: &[u8], salt: [u8; 12]) -> Option<Self> {
        let algorithm = if key.len() == 32 { &AES_256_GCM } else { &AES_128_GCM };
        Some(Self { key: LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?), salt })
    }

    fn seal(&self, ssrc: u32, index: u64, clear: &[u8], text: &mut [u8]) -> Option<[u8; TAG_BYTES]> {
        let tag =
            self.key.seal_in_place_separate_tag(self.nonce(ssrc, index), Aad::from(clear), text).ok()?;
        tag.as_ref().try_into().ok()
    }

    fn open(&self, ssrc: u32, index: u64, clear: &[u8], text: &mut [u8], tag: &[u8]) -> bool {
        self.key.open_in_place_separate_tag(self.nonce(ssrc, index), Aad::from(clear), tag, text).is_ok()
    }

    /// 0, 0, SSRC, then an index of 48 bits; all that with the salt (RFC 7714 §8.1, §9.1).
    fn nonce(&self, ssrc: u32, index: u64) -> Nonce {
        let mut iv = self.salt;
        let of_packet = ssrc.to_be_bytes().into_iter().chain(index.to_be_bytes().into_iter().skip(2));
        for (byte, of_packet) in iv.iter_mut().skip(2).zip(of_packet) {
            *byte ^= of_packet;
        }
        Nonce::assume_unique_for_key(iv)
    }
}

/// Associated data of an encrypted packet (RFC 7714 §9.2).
fn rtcp_aad(clear: &[u8], srtcp: Srtcp) -> [u8; RTCP_CLEAR_BYTES + Srtcp::BYTES] {
    let mut aad = [0; RTCP_CLEAR_BYTES + Srtcp::BYTES];
    aad[..RTCP_CLEAR_BYTES].copy_from_slice(clear);
    aad[RTCP_CLEAR_BYTES..].copy_from_slice(&srtcp.to_bytes());
    aad
}

#[cfg(test)]
impl Gcm {
    /// With session keys, as the vectors of RFC 7714 have them.
    pub fn from_session_key(key: &[u8], salt: [u8; 12]) -> Self {
        let mut padded = [0; 32];
        padded[..key.len()].copy_from_slice(key);
        let rtcp = SessionKey { key: padded, len: key.len(), salt };
        Self { rtp: rtcp.direction().expect("a key of the right length"), rtcp }
    }
}
