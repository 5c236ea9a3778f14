use std::net::SocketAddr;

use trunkline_base::limits::MEDIA_PER_SIDE;
use trunkline_base::{Address, Micros, Packet};
use trunkline_dtls::Association;
use trunkline_ice::{Credentials, Path, RecentChecks};
use trunkline_rtp::{Header, TransportFeedback, extension};
use trunkline_srtp::Suite;

use crate::bundle::Bundle;
use crate::crypto::{Crypto, Discard};
use crate::record::{KeysRecord, SideRecord};
use crate::stream::Streams;
use crate::{Forward, SocketId};

/// ICE-lite, DTLS and SRTP of one bundled WebRTC side on shared sockets. What of it has to survive is in the first
/// medium's record: the agent and the keys.
pub(crate) struct WebRtc {
    /// Where everything goes now.
    pub path: Option<Forward>,
    pub crypto: Option<Box<Crypto>>,
    /// Roll-over counter of each medium's line at which our key began.
    bases: [u32; MEDIA_PER_SIDE],
    bundle: Bundle,
    pub feedback: Option<Box<Feedback>>,
    pub credentials: Credentials,
    /// Those before an ICE restart, until the peer uses the new ones.
    pub before: Option<Credentials>,
    pub checks: Option<Box<RecentChecks>>,
    /// When a new path was last told.
    pub path_told_at: Option<Micros>,
    pub dtls: Dtls,
}

/// DTLS of a side. The association is given up a while after it did its work.
#[derive(Default)]
pub(crate) struct Dtls {
    pub association: Option<Box<Association>>,
    /// Tag of the peer's fingerprints; 0 while they are not known.
    pub terms: u64,
    /// It will never work with these terms.
    pub failed: bool,
    pub connected_at: Option<Micros>,
    /// What arrived before we knew whom to expect: a hello may overtake the answer on its way through SIP.
    pub early: Vec<Box<[u8]>>,
}

/// Transport-wide feedback toward a peer, and for which SSRC it is told.
pub(crate) struct Feedback {
    pub feedback: TransportFeedback,
    pub media_ssrc: u32,
}

impl WebRtc {
    pub fn new(credentials: Credentials, before: Option<Credentials>) -> Self {
        Self {
            path: None,
            crypto: None,
            bases: [0; MEDIA_PER_SIDE],
            bundle: Bundle::default(),
            feedback: None,
            credentials,
            before,
            checks: None,
            path_told_at: None,
            dtls: Dtls::default(),
        }
    }

    /// Where RTP of a medium leaves now, with its keys and the cycle in which they began.
    #[inline]
    pub fn way(&self, medium: u8) -> Option<(Forward, Option<&Crypto>, u32)> {
        let crypto = self.crypto.as_deref()?;
        Some((self.path?, Some(crypto), self.bases[usize::from(medium)]))
    }

    pub fn remote(&self) -> Option<SocketAddr> {
        self.path.map(|path| path.to)
    }

    /// Whether there is a way and a key.
    pub fn is_ready(&self) -> bool {
        self.path.is_some() && self.crypto.is_some()
    }

    pub fn suite(&self) -> Option<Suite> {
        self.crypto.as_ref().map(|crypto| crypto.suite())
    }

    /// The password that goes with a user fragment of ours.
    pub fn password(&self, ufrag: &str) -> Option<&str> {
        let known = std::iter::once(&self.credentials).chain(&self.before);
        known.into_iter().find(|known| known.ufrag == ufrag).map(|known| known.pwd.as_str())
    }

    pub fn install(&mut self, keys: Option<&KeysRecord>) {
        self.crypto = keys.and_then(|keys| Crypto::new(&keys.send, &keys.receive));
        self.bases = keys.map_or([0; MEDIA_PER_SIDE], |keys| keys.bases);
    }

    /// The negotiation changed: what was learnt of SSRCs may not hold any more.
    pub fn on_negotiated(&mut self, wants_feedback: bool) {
        self.bundle.forget();
        if !wants_feedback {
            self.feedback = None;
        } else if self.feedback.is_none() {
            let feedback = Feedback { feedback: TransportFeedback::new(), media_ssrc: 0 };
            self.feedback = Some(Box::new(feedback));
        }
    }

    /// Whether this is a path that an authentic check came over.
    #[inline]
    pub fn is_valid(&self, record: &SideRecord, socket: SocketId, from: SocketAddr) -> bool {
        if self.path == Some(Forward { socket, to: from }) {
            return true;
        }
        record.agent.agent.is_valid(&Path { remote: Address::from(from), socket, pad: 0 })
    }

    /// Authenticates and decrypts an RTP packet in place, and finds its medium.
    #[inline]
    pub fn open_rtp(
        &mut self,
        streams: &mut Streams,
        packet: &mut Packet,
        soon: &mut Micros,
        now: Micros,
    ) -> Result<(u8, Header), Discard> {
        let crypto = self.crypto.as_ref().ok_or(Discard::Other)?;
        crypto.opener.open_rtp(packet, &mut streams.first.slot.received)?;
        let header = Header::read(packet.bytes()).ok_or(Discard::Other)?;
        let medium = self.bundle.find(streams, packet.bytes(), &header).ok_or(Discard::Other)?;
        if let Some(feedback) = &mut self.feedback {
            feedback.note(&streams[medium], packet, header.ssrc, soon, now);
        }
        Ok((medium, header))
    }

    /// The same for RTCP, which is for all media.
    pub fn open_rtcp(&self, record: &mut SideRecord, packet: &mut Packet) -> Result<(), Discard> {
        let crypto = self.crypto.as_ref().ok_or(Discard::Other)?;
        Ok(crypto.opener.open_rtcp(packet, &mut record.received)?)
    }
}

impl Feedback {
    /// Notes the transport-wide number of a packet, if it has one.
    fn note(
        &mut self,
        stream: &crate::stream::Stream,
        packet: &Packet,
        ssrc: u32,
        soon: &mut Micros,
        now: Micros,
    ) {
        let id = stream.medium.as_ref().and_then(|medium| medium.transport_cc_id);
        let number = id.and_then(|id| extension(packet.bytes(), id)).and_then(|value| value.first_chunk());
        let Some(number) = number else { return };
        self.media_ssrc = ssrc;
        self.feedback.on_packet(u16::from_be_bytes(*number), now);
        *soon = self.feedback.deadline().map_or(*soon, |at| at.min(*soon));
    }
}
