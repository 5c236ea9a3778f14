/// The fixed part of an RTP header, in bytes (RFC 3550 §5.1).
const RTP_FIXED_BYTES: usize = 12;
/// What SRTCP never encrypts: the first header and its SSRC (RFC 3711 §3.4).
pub const RTCP_CLEAR_BYTES: usize = 8;

/// What SRTP needs to know of an RTP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpHeader {
    /// With CSRCs and extension: what is authenticated but not encrypted.
    pub bytes: usize,
    pub sequence: u16,
    pub ssrc: u32,
}

impl RtpHeader {
    /// `None`: not RTP (RFC 7983 §7, RFC 5761 §4), or a header that reaches past the end.
    pub fn read(packet: &[u8]) -> Option<Self> {
        let (&[first, second, high, low], ssrc) = (packet.first_chunk()?, packet.get(8..12)?);
        if first >> 6 != 2 || (192..=223).contains(&second) {
            return None;
        }
        let mut bytes = RTP_FIXED_BYTES + 4 * usize::from(first & 0x0f);
        if first & 0x10 != 0 {
            let words = packet.get(bytes + 2..bytes + 4)?;
            bytes += 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
        }
        let header = Self { bytes, sequence: u16::from_be_bytes([high, low]), ssrc: word(ssrc)? };
        (bytes <= packet.len()).then_some(header)
    }
}

/// The SSRC of the one who sent an RTCP packet. `None`: not RTCP of version 2.
pub fn rtcp_ssrc(packet: &[u8]) -> Option<u32> {
    if packet.first()? >> 6 != 2 {
        return None;
    }
    word(packet.get(4..RTCP_CLEAR_BYTES)?)
}

/// Four bytes in network order.
pub fn word(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::bytes;

    #[test]
    fn csrcs_and_extension_belong_to_the_header() {
        let plain = bytes("8000123400000000deadbeef");
        assert_eq!(
            RtpHeader::read(&plain),
            Some(RtpHeader { bytes: 12, sequence: 0x1234, ssrc: 0xdead_beef })
        );
        let long = bytes("9200123400000000deadbeef0000000100000002bede0001aabbccddff");
        assert_eq!(RtpHeader::read(&long).unwrap().bytes, 28);
        for length in 0..28 {
            assert_eq!(RtpHeader::read(&long[..length]), None, "cut at {length}");
        }
    }

    #[test]
    fn rtcp_and_other_versions_are_not_rtp() {
        assert_eq!(RtpHeader::read(&bytes("80c8000600000000deadbeef")), None);
        assert_eq!(RtpHeader::read(&bytes("4000123400000000deadbeef")), None);
        assert_eq!(rtcp_ssrc(&bytes("80c80006deadbeef")), Some(0xdead_beef));
        assert_eq!(
            (rtcp_ssrc(&bytes("00c80006deadbeef")), rtcp_ssrc(&bytes("80c80006deadbe"))),
            (None, None)
        );
    }
}
