/// Bytes of an RTP header without CSRCs and extension.
pub(crate) const HEADER_BYTES: usize = 12;

/// Fixed header of an RTP packet (RFC 3550 §5.1) and where its payload is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// In audio the first packet of a talkspurt, in video the last one of a frame (RFC 3551 §4.1).
    pub marker: bool,
    /// 7 bits.
    pub payload_type: u8,
    /// One more with each packet, modulo 2^16.
    pub sequence: u16,
    /// Sampling instant, in ticks of the codec's clock, modulo 2^32.
    pub timestamp: u32,
    /// Source of the packet.
    pub ssrc: u32,
    /// Offset of the payload, CSRCs and header extension skipped.
    pub payload_start: usize,
    /// End of the payload, padding left out.
    pub payload_end: usize,
}

impl Header {
    /// `None`: not RTP version 2, or lengths that contradict each other.
    ///
    /// For decrypted packets: the padding of an encrypted one cannot be read.
    #[must_use]
    pub fn read(datagram: &[u8]) -> Option<Header> {
        if has_rtcp_type(datagram) {
            return None;
        }
        let payload_start = header_length(datagram)?;
        let padding = match datagram.last().filter(|_| datagram[0] & PADDING != 0) {
            // The count of padding counts itself.
            Some(0) => return None,
            Some(count) => usize::from(*count),
            None => 0,
        };
        let payload_end = datagram.len().checked_sub(padding).filter(|end| *end >= payload_start)?;
        Some(Header {
            marker: datagram[1] & MARKER != 0,
            payload_type: datagram[1] & !MARKER,
            sequence: u16_at(datagram, 2)?,
            timestamp: u32_at(datagram, 4)?,
            ssrc: u32_at(datagram, 8)?,
            payload_start,
            payload_end,
        })
    }
}

/// Whether a datagram that is RTP or RTCP is RTCP (RFC 5761 §4): packet types from 192 to 223.
#[must_use]
pub fn is_rtcp(datagram: &[u8]) -> bool {
    datagram.len() >= 8 && datagram[0] >> 6 == VERSION && has_rtcp_type(datagram)
}

/// SSRC of the sender of a (compound) RTCP packet: bytes 4 to 8. They are not encrypted in SRTCP either.
#[must_use]
pub fn rtcp_ssrc(datagram: &[u8]) -> Option<u32> {
    if is_rtcp(datagram) { u32_at(datagram, 4) } else { None }
}

/// Offset of the payload. `None`: not version 2, or CSRCs or extension reach past the end.
pub(crate) fn header_length(datagram: &[u8]) -> Option<usize> {
    if datagram.len() < HEADER_BYTES || datagram[0] >> 6 != VERSION {
        return None;
    }
    let mut length = csrcs_end(datagram);
    if datagram[0] & EXTENSION != 0 {
        length += 4 + 4 * usize::from(u16_at(datagram, length + 2)?);
    }
    (length <= datagram.len()).then_some(length)
}

/// Where the header extension begins, if there is one; `datagram` has a fixed header.
pub(crate) fn extension_start(datagram: &[u8]) -> Option<usize> {
    (datagram[0] & EXTENSION != 0).then(|| csrcs_end(datagram))
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_be_bytes)
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)
}

fn csrcs_end(datagram: &[u8]) -> usize {
    HEADER_BYTES + 4 * usize::from(datagram[0] & 0x0f)
}

fn has_rtcp_type(datagram: &[u8]) -> bool {
    matches!(datagram.get(1), Some(192..=223))
}

const VERSION: u8 = 2;
const PADDING: u8 = 0x20;
pub(crate) const EXTENSION: u8 = 0x10;
pub(crate) const MARKER: u8 = 0x80;
