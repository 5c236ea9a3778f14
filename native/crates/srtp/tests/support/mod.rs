//! Packets and both ends of a stream, for the tests of this crate.
#![allow(dead_code, reason = "each test file uses another part")]

use trunkline_base::Packet;
use trunkline_srtp::{MasterKey, Opener, Received, Refused, Sealer, Suite};

/// An RTP packet with a payload that tells which it is.
pub fn rtp(ssrc: u32, index: u64) -> Packet {
    let mut bytes = vec![0x80, 0];
    bytes.extend((index as u16).to_be_bytes());
    bytes.extend([0; 4]);
    bytes.extend(ssrc.to_be_bytes());
    bytes.extend(index.to_be_bytes().repeat(20));
    Packet::from_bytes(&bytes)
}

/// A receiver report with a block.
pub fn rtcp(ssrc: u32) -> Packet {
    let mut bytes = vec![0x81, 201, 0, 7];
    bytes.extend(ssrc.to_be_bytes());
    bytes.extend([0x5a; 24]);
    Packet::from_bytes(&bytes)
}

/// One who sends and one who receives, under one key.
pub struct Ends {
    pub sealer: Sealer,
    pub opener: Opener,
    pub received: Received,
}

impl Ends {
    pub fn new(suite: Suite) -> Self {
        let mut bytes = [0; 46];
        (0..).zip(&mut bytes).for_each(|(n, byte)| *byte = n);
        let key = MasterKey::from_bytes(suite, &bytes[..suite.key_bytes() + suite.salt_bytes()]).unwrap();
        Self {
            sealer: Sealer::new(&key).unwrap(),
            opener: Opener::new(&key).unwrap(),
            received: Received::default(),
        }
    }

    pub fn sealed(&self, ssrc: u32, index: u64) -> Packet {
        let mut packet = rtp(ssrc, index);
        self.sealer.protect_rtp(&mut packet, index);
        packet
    }

    pub fn sealed_rtcp(&self, ssrc: u32, index: u32) -> Packet {
        let mut packet = rtcp(ssrc);
        self.sealer.protect_rtcp(&mut packet, index);
        packet
    }

    /// Opens a copy.
    pub fn open(&mut self, sealed: &Packet) -> Result<Vec<u8>, Refused> {
        let mut packet = sealed.clone();
        self.opener.open_rtp(&mut packet, &mut self.received)?;
        Ok(packet.bytes().to_vec())
    }

    /// Opens a copy.
    pub fn open_rtcp(&mut self, sealed: &Packet) -> Result<Vec<u8>, Refused> {
        let mut packet = sealed.clone();
        self.opener.open_rtcp(&mut packet, &mut self.received)?;
        Ok(packet.bytes().to_vec())
    }

    /// Seals and opens.
    pub fn pass(&mut self, ssrc: u32, index: u64) -> Result<(), Refused> {
        let sealed = self.sealed(ssrc, index);
        self.open(&sealed).map(|opened| assert_eq!(opened, rtp(ssrc, index).bytes()))
    }
}
