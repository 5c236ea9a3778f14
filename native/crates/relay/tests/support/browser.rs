use std::net::SocketAddr;

use trunkline_base::{Micros, Packet, random_array};
use trunkline_control::{
    LocalSide, PayloadCodec, RemoteDtls, RemoteIce, RemoteMedium, RemoteSide, SessionChange,
};
use trunkline_dtls::{Association, Certificate, Fingerprint, Options, Output, Role};
use trunkline_ice::{Kind, REQUEST_BYTES, Request, kind_of, request};
use trunkline_rtp::is_rtcp;
use trunkline_srtp::{MasterKey, Opener, Received, Sealer};

use super::phone::{Heard, Words, heard, medium, rtp_packet};
use super::{Rig, WEBRTC};

/// How a browser's association ended up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Connected,
    Failed,
    Closed,
}

/// A browser's transport, driven by hand: checks, DTLS of either role, SRTP.
pub struct Browser {
    pub side: String,
    pub address: SocketAddr,
    pub role: &'static str,
    pub certificate: Certificate,
    pub media: Vec<RemoteMedium>,
    pub ends: Vec<End>,
    /// Status of each answer to a check: 0 for success.
    pub answers: Vec<u16>,
    pub ssrc: u32,
    /// Datagrams that came, DTLS and STUN left out.
    pub rtp: Vec<Heard>,
    pub raw: Vec<Vec<u8>>,
    pub rtcp: Vec<Vec<u8>>,
    pub association: Option<Association>,
    /// Whether the next datagram of DTLS is lost.
    pub loss: Option<Box<dyn FnMut() -> bool>>,
    srtp: Option<(Sealer, Opener, Received)>,
    rtcp_index: u32,
}

impl Browser {
    pub fn new(side: &str, host: u8, role: &'static str, codecs: &[PayloadCodec]) -> Self {
        Self {
            side: side.into(),
            address: SocketAddr::from(([198, 51, 100, host], 50_000)),
            role,
            certificate: Certificate::generate(),
            media: vec![medium(codecs)],
            ends: Vec::new(),
            answers: Vec::new(),
            ssrc: 0xb000 + u32::from(host),
            rtp: Vec::new(),
            raw: Vec::new(),
            rtcp: Vec::new(),
            association: None,
            loss: None,
            srtp: None,
            rtcp_index: 0,
        }
    }

    pub fn remote(&self) -> SessionChange {
        let fingerprint = trunkline_control::Fingerprint {
            algorithm: "SHA-256".into(),
            value: self.certificate.fingerprint(),
        };
        let remote = RemoteSide::WebRtc {
            ice: RemoteIce { ufrag: "theirs".into(), pwd: "their password of 22 cs".into() },
            dtls: RemoteDtls { role: self.role.into(), fingerprints: vec![fingerprint] },
            media: self.media.clone(),
        };
        SessionChange::Remote { side: self.side.clone(), remote }
    }

    /// Negotiates, checks and shakes hands.
    pub fn connect(&mut self, rig: &mut Rig) {
        rig.change(&self.remote());
        self.begin(rig);
        self.settle(rig);
        for _ in 0..30 {
            if !self.ends.is_empty() {
                break;
            }
            // A hello of ours went where the browser was before.
            self.advance(rig, 100_000);
        }
        assert_eq!(self.ends.last(), Some(&End::Connected), "the handshake is not done");
    }

    /// Checks and is ready to shake hands: a server before our hello comes, a client as soon as it may say its own.
    pub fn begin(&mut self, rig: &mut Rig) {
        if self.role == "passive" {
            self.start_dtls(rig);
            self.check(rig, true);
        } else {
            self.check(rig, true);
            self.start_dtls(rig);
        }
    }

    pub fn credentials(&self, rig: &Rig) -> (String, String) {
        let LocalSide::WebRtc { ice, .. } = rig.local(&self.side) else { panic!("no WebRTC side") };
        (ice.ufrag, ice.pwd)
    }

    /// A check with the credentials of now.
    pub fn check(&mut self, rig: &mut Rig, nominate: bool) {
        let (ufrag, pwd) = self.credentials(rig);
        let datagram = check_datagram(&ufrag, &pwd, nominate);
        rig.arrive(WEBRTC, self.address, &datagram);
        self.pump(rig);
    }

    pub fn start_dtls(&mut self, rig: &mut Rig) {
        let LocalSide::WebRtc { fingerprint, .. } = rig.local(&self.side) else { panic!("no WebRTC side") };
        let wanted = Fingerprint { algorithm: fingerprint.algorithm, value: fingerprint.value };
        let role = if self.role == "active" { Role::Client } else { Role::Server };
        let options = Options { role, peer_fingerprints: vec![wanted] };
        let mut association = Association::new(options, &self.certificate, rig.now);
        association.start(rig.now);
        self.association = Some(association);
        self.flush(rig);
    }

    /// Takes what came and answers, until nobody has anything to say.
    pub fn settle(&mut self, rig: &mut Rig) {
        for _ in 0..50 {
            if !self.pump(rig) {
                return;
            }
        }
    }

    /// Time passes on both ends.
    pub fn advance(&mut self, rig: &mut Rig, by: Micros) {
        let until = rig.now + by;
        while rig.now < until {
            rig.advance((until - rig.now).min(10_000));
            if let Some(association) = &mut self.association {
                association.wake(rig.now);
            }
            self.flush(rig);
            self.settle(rig);
        }
    }

    /// Takes what came. `true`: there was something.
    pub fn pump(&mut self, rig: &mut Rig) -> bool {
        let arrived = rig.take_sent(self.address);
        let any = !arrived.is_empty();
        for sent in arrived {
            assert_eq!(sent.socket, WEBRTC);
            match kind_of(&sent.bytes) {
                Kind::Stun => self.answers.push(status_of(&sent.bytes)),
                Kind::Dtls => {
                    let lost = self.is_lost();
                    if let Some(association) = self.association.as_mut().filter(|_| !lost) {
                        association.handle(&sent.bytes, rig.now);
                    }
                }
                Kind::Media => self.take_media(&sent.bytes),
                Kind::Unknown => panic!("what is this?"),
            }
        }
        self.flush(rig);
        any
    }

    pub fn send(&mut self, rig: &mut Rig, sequence: u16, timestamp: u32, payload: &[u8]) {
        let words = Words { sequence, timestamp, payload_type: 0, marker: false, ssrc: self.ssrc };
        let datagram = rtp_packet(&words, payload);
        self.send_rtp(rig, &datagram);
    }

    /// Sends an RTP packet, protected.
    pub fn send_rtp(&mut self, rig: &mut Rig, rtp: &[u8]) {
        let sealed = self.seal(rtp);
        rig.arrive(WEBRTC, self.address, &sealed);
    }

    pub fn seal(&self, rtp: &[u8]) -> Vec<u8> {
        let mut packet = Packet::from_bytes(rtp);
        let index = u64::from(u16::from_be_bytes([rtp[2], rtp[3]]));
        let (sealer, ..) = self.srtp.as_ref().expect("keys");
        sealer.protect_rtp(&mut packet, index);
        packet.bytes().to_vec()
    }

    pub fn send_rtcp(&mut self, rig: &mut Rig, compound: &[u8]) {
        let mut packet = Packet::from_bytes(compound);
        self.rtcp_index += 1;
        let (sealer, ..) = self.srtp.as_ref().expect("keys");
        sealer.protect_rtcp(&mut packet, self.rtcp_index);
        let datagram = packet.bytes().to_vec();
        rig.arrive(WEBRTC, self.address, &datagram);
    }

    pub fn say(&mut self, rig: &mut Rig, number: u16) {
        self.send(rig, number, u32::from(number) * 160, &[number as u8; 160]);
    }

    /// RTP that came since it was last asked.
    pub fn heard(&mut self, rig: &mut Rig) -> Vec<Heard> {
        self.pump(rig);
        std::mem::take(&mut self.rtp)
    }

    pub fn goodbye(&mut self, rig: &mut Rig) {
        self.association.as_mut().expect("an association").close();
        self.flush(rig);
    }

    pub fn has_keys(&self) -> bool {
        self.srtp.is_some()
    }

    pub fn flush(&mut self, rig: &mut Rig) {
        let mut out = [0; 2_048];
        while let Some(association) = &mut self.association
            && let Some(output) = association.poll(&mut out)
        {
            match output {
                Output::Send(len) => {
                    if !self.is_lost() {
                        rig.arrive(WEBRTC, self.address, &out[..len]);
                    }
                }
                Output::Connected { send, receive } => self.install(&send, &receive),
                Output::Failed(_) => self.ends.push(End::Failed),
                Output::Closed => self.ends.push(End::Closed),
            }
        }
    }

    fn is_lost(&mut self) -> bool {
        self.loss.as_mut().is_some_and(|loss| loss())
    }

    fn install(&mut self, send: &MasterKey, receive: &MasterKey) {
        let sealer = Sealer::new(send).expect("a key");
        self.srtp = Some((sealer, Opener::new(receive).expect("a key"), Received::default()));
        self.ends.push(End::Connected);
    }

    fn take_media(&mut self, bytes: &[u8]) {
        self.raw.push(bytes.to_vec());
        let (_, opener, received) = self.srtp.as_mut().expect("keys");
        let mut packet = Packet::from_bytes(bytes);
        if is_rtcp(bytes) {
            opener.open_rtcp(&mut packet, received).expect("authentic RTCP");
            self.rtcp.push(packet.bytes().to_vec());
        } else {
            opener.open_rtp(&mut packet, received).expect("authentic RTP");
            self.rtp.push(heard(packet.bytes()));
        }
    }
}

pub fn check_datagram(ufrag: &str, pwd: &str, use_candidate: bool) -> Vec<u8> {
    let mut out = [0; REQUEST_BYTES];
    let request_of = Request {
        transaction: random_array(),
        ufrags: (ufrag, "theirs"),
        password: pwd,
        priority: 1,
        tie_breaker: 7,
        use_candidate,
    };
    let len = request(&mut out, &request_of);
    out[..len].to_vec()
}

/// 0 for a success response, else its error code.
fn status_of(reply: &[u8]) -> u16 {
    if reply[..2] == [0x01, 0x01] {
        return 0;
    }
    let at = reply.windows(4).position(|window| window == [0, 9, 0, 4]).expect("ERROR-CODE");
    u16::from(reply[at + 6]) * 100 + u16::from(reply[at + 7])
}
