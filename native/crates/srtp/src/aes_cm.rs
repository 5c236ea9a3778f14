use aes::Aes128Enc;
use aes::cipher::{InnerIvInit, KeyInit, StreamCipherCore};
use ctr::CtrCore;
use ctr::flavors::Ctr32BE;
use trunkline_base::Packet;

use crate::header::{RTCP_CLEAR_BYTES, RtpHeader};
use crate::hmac_sha1::HmacSha1;
use crate::key_derivation::{Label, derived};
use crate::transform::{Srtcp, append, cut, split_end};
use crate::{MasterKey, Suite};

/// Of SRTCP in both suites (RFC 3711 §5.2, RFC 4568 §6.2.2).
pub const RTCP_TAG_BYTES: usize = 10;

/// AES in counter mode with HMAC-SHA1 (RFC 3711 §4).
pub struct AesCm {
    rtp: Aes128Enc,
    rtp_salt: [u8; 14],
    rtp_hmac: HmacSha1,
    /// RTCP is rare: its round keys are made per packet, so that they take no memory.
    rtcp_key: [u8; 16],
    rtcp_salt: [u8; 14],
    rtcp_hmac: HmacSha1,
    pub rtp_tag_bytes: usize,
}

impl AesCm {
    pub fn new(master: &MasterKey, suite: Suite) -> Self {
        Self {
            rtp: Aes128Enc::new(&derived::<16>(master, suite, Label::RtpEncryption).into()),
            rtp_salt: derived(master, suite, Label::RtpSalt),
            rtp_hmac: HmacSha1::new(&derived(master, suite, Label::RtpAuthentication)),
            rtcp_key: derived(master, suite, Label::RtcpEncryption),
            rtcp_salt: derived(master, suite, Label::RtcpSalt),
            rtcp_hmac: HmacSha1::new(&derived(master, suite, Label::RtcpAuthentication)),
            rtp_tag_bytes: if suite == Suite::Aes128CmSha1_32 { 4 } else { 10 },
        }
    }

    pub fn seal_rtp(&self, packet: &mut Packet, header: &RtpHeader, index: u64) {
        let payload = &mut packet.bytes_mut()[header.bytes..];
        apply_key_stream(&self.rtp, &self.rtp_salt, header.ssrc, index, payload);
        let digest = self.rtp_hmac.digest(packet.bytes(), &roc(index));
        append(packet, &digest[..self.rtp_tag_bytes]);
    }

    pub fn open_rtp(&self, packet: &mut Packet, header: &RtpHeader, index: u64) -> bool {
        let (sealed, tag) = split_end(packet, self.rtp_tag_bytes);
        if !self.rtp_hmac.verify(sealed, &roc(index), tag) {
            return false;
        }
        apply_key_stream(&self.rtp, &self.rtp_salt, header.ssrc, index, &mut sealed[header.bytes..]);
        cut(packet, self.rtp_tag_bytes);
        true
    }

    pub fn seal_rtcp(&self, packet: &mut Packet, ssrc: u32, srtcp: Srtcp) {
        self.apply_rtcp(&mut packet.bytes_mut()[RTCP_CLEAR_BYTES..], ssrc, srtcp);
        append(packet, &srtcp.to_bytes());
        let digest = self.rtcp_hmac.digest(packet.bytes(), &[]);
        append(packet, &digest[..RTCP_TAG_BYTES]);
    }

    pub fn open_rtcp(&self, packet: &mut Packet, ssrc: u32, srtcp: Srtcp) -> bool {
        let (covered, tag) = split_end(packet, RTCP_TAG_BYTES);
        if !self.rtcp_hmac.verify(covered, &[], tag) {
            return false;
        }
        cut(packet, RTCP_TAG_BYTES + Srtcp::BYTES);
        if srtcp.encrypted {
            self.apply_rtcp(&mut packet.bytes_mut()[RTCP_CLEAR_BYTES..], ssrc, srtcp);
        }
        true
    }

    fn apply_rtcp(&self, bytes: &mut [u8], ssrc: u32, srtcp: Srtcp) {
        let aes = Aes128Enc::new(&self.rtcp_key.into());
        apply_key_stream(&aes, &self.rtcp_salt, ssrc, u64::from(srtcp.index), bytes);
    }
}

/// Encrypts or decrypts with the segment of this packet (RFC 3711 §4.1.1); `index` has 48 bits.
fn apply_key_stream(aes: &Aes128Enc, salt: &[u8; 14], ssrc: u32, index: u64, bytes: &mut [u8]) {
    let mut iv = [0; 16];
    iv[..14].copy_from_slice(salt);
    let (_, packet) = iv.split_at_mut(4);
    let of_packet = ssrc.to_be_bytes().into_iter().chain(index.to_be_bytes().into_iter().skip(2));
    for (byte, of_packet) in packet.iter_mut().zip(of_packet) {
        *byte ^= of_packet;
    }
    CtrCore::<&Aes128Enc, Ctr32BE>::inner_iv_init(aes, &iv.into()).apply_keystream_partial(bytes.into());
}

/// The roll-over counter, which is authenticated but not sent (RFC 3711 §4.2).
fn roc(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{bytes, hex};

    #[test]
    fn rfc_3711_b_2() {
        let aes = Aes128Enc::new_from_slice(&bytes("2b7e151628aed2a6abf7158809cf4f3c")).unwrap();
        let salt = bytes("f0f1f2f3f4f5f6f7f8f9fafbfcfd").try_into().unwrap();
        let mut stream = vec![0; 1_044_512];
        apply_key_stream(&aes, &salt, 0, 0, &mut stream);
        let block = |number: usize| hex(&stream[16 * number..][..16]);
        assert_eq!(block(0), "e03ead0935c95e80e166b16dd92b4eb4");
        assert_eq!(block(1), "d23513162b02d0f72a43a2fe4a5f97ab");
        assert_eq!(block(2), "41e95b3bb0a2e8dd477901e4fca894c0");
        assert_eq!(block(0xfeff), "ec8cdf7398607cb0f2d21675ea9ea1e4");
        assert_eq!(block(0xff00), "362b7c3c6773516318a077d7fc5073ae");
        assert_eq!(block(0xff01), "6a2cc3787889374fbeb4c81b17ba6c44");
    }

    /// Encryption of SRTCP is up to the sender (RFC 3711 §3.4, E); authentication is not.
    #[test]
    fn an_unencrypted_but_authentic_report_is_taken() {
        let suite = Suite::Aes128CmSha1_80;
        let cm = AesCm::new(&MasterKey::random(suite), suite);
        let report = bytes("80c9000100000007cafebabe");
        let srtcp = Srtcp { encrypted: false, index: 5 };
        let mut packet = Packet::from_bytes(&report);
        append(&mut packet, &srtcp.to_bytes());
        let digest = cm.rtcp_hmac.digest(packet.bytes(), &[]);
        append(&mut packet, &digest[..RTCP_TAG_BYTES]);
        let mut forged = packet.clone();
        forged.bytes_mut()[9] ^= 1;
        assert!(!cm.open_rtcp(&mut forged, 7, srtcp));
        assert!(cm.open_rtcp(&mut packet, 7, srtcp));
        assert_eq!(packet.bytes(), report);
    }
}
