use trunkline_base::Packet;

use crate::MasterKey;
use crate::header::{RtpHeader, rtcp_ssrc};
use crate::transform::{Srtcp, Transform, has_room};

/// Protects what leaves with one master key.
pub struct Sealer {
    transform: Transform,
}

impl Sealer {
    /// Derives the session keys. `None`: there is no key, or one of a suite we do not know.
    #[must_use]
    pub fn new(key: &MasterKey) -> Option<Sealer> {
        Some(Sealer { transform: Transform::new(key)? })
    }

    /// In place; `index` is the 48-bit packet index whose low 16 bits are the packet's sequence number.
    /// The caller never gives an index of one SSRC twice (`rtp::Line`).
    ///
    /// A packet that is not RTP, or leaves no room for the tag, comes out empty: nothing leaves in the clear.
    pub fn protect_rtp(&self, packet: &mut Packet, index: u64) {
        match RtpHeader::read(packet.bytes()) {
            Some(header) if has_room(packet, self.transform.rtp_overhead()) => {
                debug_assert_eq!(header.sequence, index as u16, "the index is that of another packet");
                self.transform.seal_rtp(packet, &header, index);
            }
            _ => packet.fill(&[]),
        }
    }

    /// In place, with E set; `index` is 31 bits, never given twice.
    ///
    /// A packet that is not RTCP, or leaves no room for index and tag, comes out empty, and so does one with an index of
    /// more bits: the key is used up (RFC 3711 §9.2).
    pub fn protect_rtcp(&self, packet: &mut Packet, index: u32) {
        match rtcp_ssrc(packet.bytes()) {
            Some(ssrc) if index <= Srtcp::LAST && has_room(packet, self.transform.rtcp_overhead()) => {
                self.transform.seal_rtcp(packet, ssrc, Srtcp { encrypted: true, index });
            }
            _ => packet.fill(&[]),
        }
    }
}
