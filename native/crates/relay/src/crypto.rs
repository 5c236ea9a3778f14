use trunkline_base::Packet;
use trunkline_srtp::{MasterKey, Opener, Refused, Sealer, Suite};

/// Both directions of SRTP toward one peer.
pub(crate) struct Crypto {
    sealer: Sealer,
    pub opener: Opener,
    suite: Suite,
}

impl Crypto {
    /// `None`: there is no key.
    pub fn new(send: &MasterKey, receive: &MasterKey) -> Option<Box<Self>> {
        let suite = Suite::from_code(send.suite)?;
        Some(Box::new(Self { sealer: Sealer::new(send)?, opener: Opener::new(receive)?, suite }))
    }

    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// In place. `index` is that of the line; the peer counts from the cycle in which the key began (`base`).
    /// `false`: it may not leave.
    #[inline]
    pub fn protect_rtp(&self, packet: &mut Packet, index: u64, base: u32) -> bool {
        let Some(index) = index.checked_sub(u64::from(base) << 16) else { return false };
        self.sealer.protect_rtp(packet, index);
        !packet.is_empty()
    }

    /// In place. `false`: it may not leave.
    pub fn protect_rtcp(&self, packet: &mut Packet, index: u32) -> bool {
        self.sealer.protect_rtcp(packet, index);
        !packet.is_empty()
    }
}

/// Why a packet of a peer was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Discard {
    WrongSource,
    NotAuthentic,
    /// Replayed, no RTP, of an unknown kind, before there are keys.
    Other,
}

impl From<Refused> for Discard {
    fn from(refused: Refused) -> Self {
        match refused {
            // Too short for a tag: sent in the clear, mostly.
            Refused::Forged | Refused::Malformed => Self::NotAuthentic,
            Refused::Replayed => Self::Other,
        }
    }
}
