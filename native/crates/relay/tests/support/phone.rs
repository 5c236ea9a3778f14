use std::net::{IpAddr, SocketAddr};

use trunkline_base::Packet;
use trunkline_control::{
    LocalRtpStream, LocalSide, MediumKind, PayloadCodec, PortPolicy, RemoteMedium, RemoteSide, SdesKey,
    SdesPair, SessionChange, SideSpec, SideStats,
};
use trunkline_relay::SocketId;
use trunkline_rtp::{Header, Outgoing, build, is_rtcp};
use trunkline_srtp::{MasterKey, Opener, Received, Sealer, Suite};

use super::{Rig, SHARED};

/// An RTP packet as it came to a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub marker: bool,
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    pub payload: Vec<u8>,
}

/// What a phone says.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    pub sequence: u16,
    pub timestamp: u32,
    pub payload_type: u8,
    pub marker: bool,
    pub ssrc: u32,
}

/// A SIP peer of side `side`.
pub struct Phone {
    pub side: String,
    pub address: SocketAddr,
    pub local: LocalRtpStream,
    pub socket: SocketId,
    pub ssrc: u32,
    pub remote: RemoteMedium,
    keys: Option<(Sealer, Opener, Received)>,
    roll_over: u64,
}

impl Phone {
    /// Negotiated with these codecs.
    pub fn new(rig: &mut Rig, side: &str, host: u8, codecs: &[PayloadCodec]) -> Self {
        let LocalSide::Rtp { media, .. } = rig.local(side) else { panic!("{side} is no RTP side") };
        let local = media.into_iter().next().expect("a medium");
        let address = SocketAddr::new(IpAddr::from([192, 0, 2, host]), 4_000);
        let shared = local.port == local.rtcp_port;
        let socket = if shared { SHARED } else { 1_000 + SocketId::from(local.port) };
        let remote = RemoteMedium {
            address: Some(address.ip().to_string()),
            port: Some(address.port()),
            rtcp_address: Some(address.ip().to_string()),
            rtcp_port: Some(address.port() + 1),
            rtcp_mux: shared,
            ..medium(codecs)
        };
        let ssrc = 0x5100 + u32::from(host);
        let phone =
            Self { side: side.into(), address, local, socket, ssrc, remote, keys: None, roll_over: 0 };
        phone.negotiate(rig);
        phone
    }

    /// Applies what is in `remote`.
    pub fn negotiate(&self, rig: &mut Rig) {
        rig.change(&self.remote_change());
    }

    pub fn remote_change(&self) -> SessionChange {
        let remote = RemoteSide::Rtp { media: vec![self.remote.clone()] };
        SessionChange::Remote { side: self.side.clone(), remote }
    }

    /// Agrees on SDES keys of a suite.
    pub fn secure(&mut self, rig: &mut Rig, suite: Suite) {
        use base64::Engine;
        let engine = base64::engine::general_purpose::STANDARD;
        let local = self
            .local
            .crypto
            .iter()
            .find(|key| key.suite == suite.name())
            .expect("a key of the suite")
            .clone();
        let ours = MasterKey::random(suite);
        let (bytes, len) = ours.to_bytes();
        let remote = SdesKey { key: engine.encode(&bytes[..len]), ..local.clone() };
        let theirs =
            MasterKey::from_bytes(suite, &engine.decode(&local.key).expect("base64")).expect("a key");
        self.remote.srtp = Some(SdesPair { local, remote });
        let opener = Opener::new(&theirs).expect("a key");
        self.keys = Some((Sealer::new(&ours).expect("a key"), opener, Received::default()));
        self.negotiate(rig);
    }

    /// Bytes of an RTP packet, protected if that was agreed.
    pub fn packet(&mut self, words: &Words, payload: &[u8]) -> Vec<u8> {
        let mut packet = Packet::from_bytes(&rtp_packet(words, payload));
        if let Some((sealer, ..)) = &self.keys {
            sealer.protect_rtp(&mut packet, self.roll_over << 16 | u64::from(words.sequence));
        }
        packet.bytes().to_vec()
    }

    /// Sends an RTP packet.
    pub fn send(&mut self, rig: &mut Rig, sequence: u16, timestamp: u32, payload: &[u8]) {
        let words = Words { sequence, timestamp, payload_type: 0, marker: false, ssrc: self.ssrc };
        self.send_as(rig, &words, payload);
    }

    pub fn send_as(&mut self, rig: &mut Rig, words: &Words, payload: &[u8]) {
        let datagram = self.packet(words, payload);
        rig.arrive(self.socket, self.address, &datagram);
    }

    /// Sends RTCP, to where it was agreed.
    pub fn send_rtcp(&mut self, rig: &mut Rig, compound: &[u8]) {
        let socket = if self.remote.rtcp_mux { self.socket } else { self.socket + 1 };
        rig.arrive(socket, self.address, compound);
    }

    /// Says 20 ms of something in `payload_type`, `number` packets after the first.
    pub fn say(&mut self, rig: &mut Rig, number: u16) {
        let timestamp = u32::from(number) * 160;
        self.send(rig, number, timestamp, &[number as u8; 160]);
    }

    /// RTP that came since it was last asked, opened.
    pub fn heard(&mut self, rig: &mut Rig) -> Vec<Heard> {
        let sent = rig.take_sent(self.address);
        let datagrams = sent.into_iter().map(|sent| sent.bytes).filter(|bytes| !is_rtcp(bytes));
        datagrams.map(|bytes| self.open(&bytes)).collect()
    }

    /// RTCP that came to its RTCP port.
    pub fn heard_rtcp(&mut self, rig: &mut Rig) -> Vec<Vec<u8>> {
        let port = if self.remote.rtcp_mux { self.address.port() } else { self.address.port() + 1 };
        let sent = rig.take_sent(SocketAddr::new(self.address.ip(), port));
        sent.into_iter().map(|sent| sent.bytes).filter(|bytes| is_rtcp(bytes)).collect()
    }

    pub fn stats(&self, rig: &Rig) -> SideStats {
        rig.stats(&self.side)
    }

    pub fn open(&mut self, bytes: &[u8]) -> Heard {
        let mut packet = Packet::from_bytes(bytes);
        if let Some((_, opener, received)) = &mut self.keys {
            opener.open_rtp(&mut packet, received).expect("an authentic packet");
        }
        heard(packet.bytes())
    }
}

pub fn heard(bytes: &[u8]) -> Heard {
    let header = Header::read(bytes).expect("RTP");
    Heard {
        marker: header.marker,
        payload_type: header.payload_type,
        sequence: header.sequence,
        timestamp: header.timestamp,
        ssrc: header.ssrc,
        payload: bytes[header.payload_start..header.payload_end].to_vec(),
    }
}

pub fn rtp_packet(words: &Words, payload: &[u8]) -> Vec<u8> {
    let mut packet = Packet::new();
    let out = Outgoing {
        marker: words.marker,
        payload_type: words.payload_type,
        sequence: words.sequence,
        timestamp: words.timestamp,
        ssrc: words.ssrc,
        mid: None,
        transport_sequence: None,
    };
    build(&mut packet, &out, payload);
    packet.bytes().to_vec()
}

pub fn rtp_spec(id: &str) -> SideSpec {
    let media = vec![MediumKind::Audio];
    SideSpec::Rtp { id: id.into(), media, towards: None, signalled_from: None, ports: None }
}

pub fn shared_spec(id: &str) -> SideSpec {
    let media = vec![MediumKind::Audio];
    let ports = Some(PortPolicy::Shared);
    SideSpec::Rtp { id: id.into(), media, towards: None, signalled_from: None, ports }
}

pub fn webrtc_spec(id: &str, media: &[MediumKind]) -> SideSpec {
    SideSpec::WebRtc { id: id.into(), media: media.to_vec() }
}

pub fn codec(payload_type: u8, name: &str, clock_rate_hz: u32) -> PayloadCodec {
    PayloadCodec { payload_type, name: name.into(), clock_rate_hz, channels: None, fmtp: None }
}

pub fn pcmu() -> PayloadCodec {
    codec(0, "PCMU", 8_000)
}

pub fn opus() -> PayloadCodec {
    PayloadCodec { channels: Some(2), ..codec(111, "opus", 48_000) }
}

pub fn vp8() -> PayloadCodec {
    codec(96, "VP8", 90_000)
}

pub fn dtmf_8() -> PayloadCodec {
    codec(101, "telephone-event", 8_000)
}

pub fn dtmf_48() -> PayloadCodec {
    codec(110, "telephone-event", 48_000)
}

pub fn medium(codecs: &[PayloadCodec]) -> RemoteMedium {
    RemoteMedium {
        kind: MediumKind::Audio,
        active: true,
        send: true,
        receive: true,
        send_codecs: codecs.to_vec(),
        receive_codecs: codecs.to_vec(),
        mid: None,
        mid_extension_id: None,
        transport_cc_extension_id: None,
        nack: false,
        ptime_ms: None,
        address: None,
        port: None,
        rtcp_address: None,
        rtcp_port: None,
        rtcp_mux: false,
        srtp: None,
    }
}

pub fn video_medium(codecs: &[PayloadCodec]) -> RemoteMedium {
    RemoteMedium { kind: MediumKind::Video, ..medium(codecs) }
}
