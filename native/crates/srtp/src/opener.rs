use trunkline_base::Packet;

use crate::header::{RtpHeader, rtcp_ssrc};
use crate::packet_index::packet_index;
use crate::transform::Transform;
use crate::{MasterKey, Received};

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

/// Opens what comes in under one master key.
pub struct Opener {
    transform: Transform,
}

impl Opener {
    /// Derives the session keys. `None`: there is no key, or one of a suite we do not know.
    #[must_use]
    pub fn new(key: &MasterKey) -> Option<Opener> {
        Some(Opener { transform: Transform::new(key)? })
    }

    /// In place: authenticates, decrypts, cuts the tag off; only then `received` changes.
    ///
    /// # Errors
    /// [`Refused`]: `received` is as before, and the packet's bytes are worth nothing.
    pub fn open_rtp(&self, packet: &mut Packet, received: &mut Received) -> Result<(), Refused> {
        let header = RtpHeader::read(packet.bytes()).ok_or(Refused::Malformed)?;
        if packet.len() < header.bytes + self.transform.rtp_overhead() {
            return Err(Refused::Malformed);
        }
        let sources = &mut received.rtp;
        // Before the key's first or past its last packet (RFC 3711 §9.2) there is none.
        let index = packet_index(sources.highest(header.ssrc), header.sequence).ok_or(Refused::Replayed)?;
        if !sources.is_new(header.ssrc, index) {
            return Err(Refused::Replayed);
        }
        if !self.transform.open_rtp(packet, &header, index) {
            return Err(Refused::Forged);
        }
        sources.add(header.ssrc, index);
        Ok(())
    }

    /// In place: authenticates, decrypts, cuts index and tag off; only then `received` changes.
    /// An unencrypted (E = 0) but authentic packet is taken.
    ///
    /// # Errors
    /// [`Refused`]: `received` is as before, and the packet's bytes are worth nothing.
    pub fn open_rtcp(&self, packet: &mut Packet, received: &mut Received) -> Result<(), Refused> {
        let ssrc = rtcp_ssrc(packet.bytes()).ok_or(Refused::Malformed)?;
        let srtcp = self.transform.srtcp_of(packet.bytes()).ok_or(Refused::Malformed)?;
        let sources = &mut received.rtcp;
        if !sources.is_new(ssrc, srtcp.index.into()) {
            return Err(Refused::Replayed);
        }
        if !self.transform.open_rtcp(packet, ssrc, srtcp) {
            return Err(Refused::Forged);
        }
        sources.add(ssrc, srtcp.index.into());
        Ok(())
    }
}
