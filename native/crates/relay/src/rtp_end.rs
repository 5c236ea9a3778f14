use std::net::{IpAddr, SocketAddr};

use trunkline_base::{Address, Micros, Packet};
use trunkline_control::{Fault, RemoteMedium};
use trunkline_rtp::Header;
use trunkline_srtp::{MasterKey, Received, Suite};

use bytemuck::Zeroable;

use crate::crypto::{Crypto, Discard};
use crate::fault::spec_invalid;
use crate::latch::{Latch, Source};
use crate::record::{AddressRecord, Sealed, SideRecord, tag_of};
use crate::spec_check;
use crate::text::{RtpText, decode_key};
use crate::{Forward, RtpPlace, SocketId};

/// The transport of one medium of an RTP side: ports, where the peer is, SDES keys.
pub(crate) struct RtpEnd {
    pub place: RtpPlace,
    latch: Latch,
    /// The latch's place as the sockets want it.
    to: Option<SocketAddr>,
    rtcp: RtcpTo,
    crypto: Option<Box<Crypto>>,
    /// Tags of the keys in `crypto`.
    key_tags: (u64, u64),
    /// Roll-over counter of the line at which our key began.
    base: u32,
}

/// Where RTCP of ours goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RtcpTo {
    Nowhere,
    /// With RTP (RFC 5761).
    Muxed,
    /// To this port where RTP turned out to be.
    Port(u16),
    /// To a place of its own.
    Place(Address),
}

/// What a peer said of one medium, checked.
pub(crate) struct Signalled {
    /// None: nobody is there.
    pub rtp: Address,
    /// Where its RTCP comes from, if not from there.
    pub rtcp_from: Address,
    rtcp: RtcpTo,
    /// Send and receive.
    keys: Option<(MasterKey, MasterKey)>,
}

impl Signalled {
    /// # Errors
    /// `MEDIA_SPEC_INVALID`: not an IP address, or keys that do not fit.
    pub fn new(remote: &RemoteMedium, own: &RtpText) -> Result<Self, Fault> {
        let missing = |what| spec_invalid(format!("a medium of an RTP side without {what}"));
        let text = remote.address.as_deref().ok_or_else(|| missing("address"))?;
        let ip = spec_check::address(text)?;
        let port = remote.port.ok_or_else(|| missing("port"))?;
        let rtcp_text = remote.rtcp_address.as_deref().unwrap_or(text);
        let rtcp_ip = spec_check::address(rtcp_text)?;
        let rtcp_port = remote.rtcp_port.unwrap_or(0);
        let keys = remote.srtp.as_ref().map(|pair| {
            if pair.local.suite != pair.remote.suite {
                let message = format!("SDES suites differ: {} and {}", pair.local.suite, pair.remote.suite);
                return Err(spec_invalid(message));
            }
            let suite = Suite::from_name(&pair.local.suite)
                .ok_or_else(|| spec_invalid(format!("there is no SRTP suite {}", pair.local.suite)))?;
            // Only of our own keys is it known that no index was used before.
            if !own.has(suite, &pair.local.key) {
                return Err(spec_invalid(format!("the local SDES key of {} is none of ours", suite.name())));
            }
            let key = |text| {
                decode_key(suite, text).ok_or_else(|| {
                    spec_invalid(format!("an SDES key of {} has the wrong length", suite.name()))
                })
            };
            Ok((key(&pair.local.key)?, key(&pair.remote.key)?))
        });
        // Nobody is at the unspecified address: the old way of putting a call on hold (RFC 3264 §8.4).
        let at = |ip: IpAddr, port| {
            if ip.is_unspecified() || port == 0 { Address::NONE } else { SocketAddr::new(ip, port).into() }
        };
        let rtcp = match () {
            () if remote.rtcp_mux => RtcpTo::Muxed,
            () if rtcp_port == 0 => RtcpTo::Nowhere,
            () if rtcp_ip == ip => RtcpTo::Port(rtcp_port),
            () => RtcpTo::Place(at(rtcp_ip, rtcp_port)),
        };
        let rtcp_from = if remote.rtcp_mux { Address::NONE } else { at(rtcp_ip, rtcp_port) };
        Ok(Self { rtp: at(ip, port), rtcp_from, rtcp, keys: keys.transpose()? })
    }

    /// Sources that are the peer's on a shared port.
    pub fn sources(&self) -> impl Iterator<Item = SocketAddr> {
        [self.rtp, self.rtcp_from].into_iter().filter_map(|address| address.to_std())
    }
}

impl RtpEnd {
    pub fn new(place: RtpPlace, strict: bool, signalled_from: Option<IpAddr>) -> Self {
        let alternative = signalled_from.map_or(Address::NONE, |ip| SocketAddr::new(ip, 0).into());
        Self {
            place,
            // On a shared port a datagram from anywhere else belongs to nobody.
            latch: Latch::new(strict || place.shared, alternative),
            to: None,
            rtcp: RtcpTo::Nowhere,
            crypto: None,
            key_tags: (0, 0),
            base: 0,
        }
    }

    /// Applies a negotiation. What did not change stays.
    pub fn apply(&mut self, signalled: &Signalled, record: &mut SideRecord) {
        if self.latch.signal(signalled.rtp) {
            self.note_place(record);
        }
        self.rtcp = signalled.rtcp;
        self.install(signalled.keys.as_ref(), record);
    }

    /// Goes on where a process before us found the peer; `apply` came first.
    pub fn restore(&mut self, latched: Option<Address>, record: &mut SideRecord, now: Micros) {
        if let Some(latched) = latched {
            self.latch.restore(latched, now);
        }
        self.note_place(record);
    }

    /// Where media goes to, and comes from.
    pub fn remote(&self) -> Option<SocketAddr> {
        self.to
    }

    pub fn suite(&self) -> Option<Suite> {
        self.crypto.as_ref().map(|crypto| crypto.suite())
    }

    /// Where RTP leaves now, with its keys and the cycle in which they began.
    #[inline]
    pub fn way(&self) -> Option<(Forward, Option<&Crypto>, u32)> {
        Some((Forward { socket: self.place.rtp, to: self.to? }, self.crypto.as_deref(), self.base))
    }

    /// The same for RTCP.
    pub fn rtcp_way(&self) -> Option<(Forward, Option<&Crypto>)> {
        let rtp = self.to?;
        let (socket, to) = match self.rtcp {
            RtcpTo::Nowhere => return None,
            RtcpTo::Muxed => (self.place.rtp, rtp),
            RtcpTo::Port(port) => (self.place.rtcp, SocketAddr::new(rtp.ip(), port)),
            RtcpTo::Place(place) => (self.place.rtcp, place.to_std()?),
        };
        Some((Forward { socket, to }, self.crypto.as_deref()))
    }

    /// Whether a datagram on this socket is of this medium. `alone`: of the side's media only this one may have it.
    #[inline]
    pub fn is_for(&self, socket: SocketId, from: SocketAddr, alone: bool) -> bool {
        if socket != self.place.rtp && socket != self.place.rtcp {
            return false;
        }
        alone || !self.place.shared || self.to == Some(from) || self.rtcp_source() == Some(from)
    }

    /// Authenticates and decrypts an RTP packet in place.
    #[inline]
    pub fn open_rtp(
        &mut self,
        record: &mut SideRecord,
        from: SocketAddr,
        packet: &mut Packet,
        now: Micros,
    ) -> Result<Header, Discard> {
        if self.to != Some(from) {
            return self.open_elsewhere(record, from, packet, now);
        }
        let header = self.open(record, packet)?;
        self.latch.heard(now);
        Ok(header)
    }

    /// The same for a packet that comes from where the peer is not known to be.
    #[cold]
    fn open_elsewhere(
        &mut self,
        record: &mut SideRecord,
        from: SocketAddr,
        packet: &mut Packet,
        now: Micros,
    ) -> Result<Header, Discard> {
        let from = Address::from(from);
        if !self.latch.may_be(&from) {
            return Err(Discard::WrongSource);
        }
        let header = self.open(record, packet)?;
        match self.latch.accepts(from, header.ssrc, header.sequence, now) {
            Source::Refused => return Err(Discard::WrongSource),
            Source::Accepted => {}
            Source::Moved => self.note_place(record),
        }
        Ok(header)
    }

    #[inline]
    fn open(&self, record: &mut SideRecord, packet: &mut Packet) -> Result<Header, Discard> {
        if let Some(crypto) = &self.crypto {
            crypto.opener.open_rtp(packet, &mut record.received)?;
        }
        Header::read(packet.bytes()).ok_or(Discard::Other)
    }

    /// The same for RTCP. It changes no address, so any port of the peer will do: few senders say where theirs comes from.
    pub fn open_rtcp(
        &self,
        record: &mut SideRecord,
        from: SocketAddr,
        packet: &mut Packet,
    ) -> Result<(), Discard> {
        let from = Address::from(from);
        let place = self.latch.place();
        let own_place = matches!(self.rtcp, RtcpTo::Place(at) if from.same_ip(&at));
        if place.is_none() || !(from.same_ip(&place) || own_place) {
            return Err(Discard::WrongSource);
        }
        if let Some(crypto) = &self.crypto {
            crypto.opener.open_rtcp(packet, &mut record.received)?;
        }
        Ok(())
    }

    fn rtcp_source(&self) -> Option<SocketAddr> {
        match self.rtcp {
            RtcpTo::Nowhere | RtcpTo::Muxed => None,
            RtcpTo::Port(port) => self.to.map(|to| SocketAddr::new(to.ip(), port)),
            RtcpTo::Place(place) => place.to_std(),
        }
    }

    fn note_place(&mut self, record: &mut SideRecord) {
        self.to = self.latch.place().to_std();
        record.latched = AddressRecord::new(self.latch.place());
    }

    /// A key of ours keeps the cycle it began in however the peer's changes: begun anew, its first indices would come a
    /// second time, under the same key stream (RFC 3711 §9.1).
    fn install(&mut self, keys: Option<&(MasterKey, MasterKey)>, record: &mut SideRecord) {
        let Some((send, receive)) = keys else {
            (self.crypto, self.key_tags) = (None, (0, 0));
            return;
        };
        let tags = (tag_of(send), tag_of(receive));
        if self.crypto.is_some() && self.key_tags == tags {
            return;
        }
        let base = &mut record.sdes_bases[usize::from(send.suite - 1) % record.sdes_bases.len()];
        if *base == 0 {
            // What a source sent before the key is not to be placed before its beginning.
            record.line.cut();
            *base = ((record.line.highest + 1) >> 16) as u32 + 1;
        }
        self.base = *base - 1;
        if record.received_of != tags.1 {
            record.received = Received::zeroed();
            record.received_of = tags.1;
        }
        (self.crypto, self.key_tags) = (Crypto::new(send, receive), tags);
    }
}

/// Where a process before us found an RTP peer, unless the record is torn.
pub(crate) fn latched_of(record: &SideRecord) -> Option<Address> {
    record.latched.whole().map(|latched| latched.address).filter(|address| !address.is_none())
}
