use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use trunkline_base::Packet;
use trunkline_control::{
    LocalRtpStream, LocalSide, MediumKind, OpenedSession, PayloadCodec, RemoteMedium, RemoteSide, SdesKey,
    SdesPair, SessionChange,
};
use trunkline_srtp::{MasterKey, Opener, Received, Refused, Sealer, Suite};

use super::PATIENCE;

const SUITE: Suite = Suite::Aes128CmSha1_80;

/// A SIP peer's media: PCMU.
pub struct Phone {
    pub side: String,
    socket: UdpSocket,
    relay: SocketAddr,
    ssrc: u32,
    index: u64,
    local: LocalRtpStream,
    keys: Option<(Sealer, Opener, Received)>,
}

impl Phone {
    /// At a port of its own, for a side of a session.
    pub fn new(opened: &OpenedSession, side: &str) -> Self {
        let found = opened.sides.iter().find_map(|local| match local {
            LocalSide::Rtp { id, media } if id == side => media.first(),
            _ => None,
        });
        let local = found.expect("an RTP side").clone();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let relay = SocketAddr::new(local.address.parse().unwrap(), local.port);
        let ssrc = trunkline_base::random_u32();
        // Near the end of the sequence numbers, so that they roll over soon.
        Self { side: side.into(), socket, relay, ssrc, index: 65_000, local, keys: None }
    }

    /// What was negotiated.
    pub fn remote(&mut self, secure: bool) -> SessionChange {
        let address = self.socket.local_addr().unwrap();
        let codec = PayloadCodec {
            payload_type: 0,
            name: "PCMU".into(),
            clock_rate_hz: 8_000,
            channels: None,
            fmtp: None,
        };
        let medium = RemoteMedium {
            kind: MediumKind::Audio,
            active: true,
            send: true,
            receive: true,
            send_codecs: vec![codec.clone()],
            receive_codecs: vec![codec],
            mid: None,
            mid_extension_id: None,
            transport_cc_extension_id: None,
            nack: false,
            ptime_ms: None,
            address: Some(address.ip().to_string()),
            port: Some(address.port()),
            rtcp_address: Some(address.ip().to_string()),
            rtcp_port: Some(address.port()),
            rtcp_mux: true,
            srtp: secure.then(|| self.agree()),
        };
        SessionChange::Remote { side: self.side.clone(), remote: RemoteSide::Rtp { media: vec![medium] } }
    }

    fn agree(&mut self) -> SdesPair {
        let theirs =
            self.local.crypto.iter().find(|key| key.suite == SUITE.name()).expect("the suite").clone();
        let opening = MasterKey::from_bytes(SUITE, &STANDARD.decode(&theirs.key).unwrap()).unwrap();
        let ours = MasterKey::random(SUITE);
        let (bytes, len) = ours.to_bytes();
        let key = STANDARD.encode(&bytes[..len]);
        let (sealer, opener) = (Sealer::new(&ours).unwrap(), Opener::new(&opening).unwrap());
        self.keys = Some((sealer, opener, Received::default()));
        SdesPair { local: theirs, remote: SdesKey { tag: 1, suite: SUITE.name().into(), key } }
    }

    /// Says 20 ms of something; `word` is found in it again.
    pub fn say(&mut self, word: u64) {
        let mut bytes = [0_u8; 172];
        bytes[0] = 0x80;
        bytes[2..4].copy_from_slice(&(self.index as u16).to_be_bytes());
        bytes[4..8].copy_from_slice(&(self.index as u32).wrapping_mul(160).to_be_bytes());
        bytes[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        bytes[12..20].copy_from_slice(&word.to_be_bytes());
        let mut packet = Packet::from_bytes(&bytes);
        if let Some((sealer, ..)) = &self.keys {
            sealer.protect_rtp(&mut packet, self.index);
        }
        self.index += 1;
        self.socket.send_to(packet.bytes(), self.relay).unwrap();
    }

    /// The next RTP packet: SSRC, sequence number and the word in it. What was protected twice under one index is refused
    /// as a replay.
    pub fn hear(&mut self) -> Heard {
        let heard = self.hear_within(PATIENCE);
        heard.expect("a packet").expect("an authentic packet that did not come before")
    }

    /// To wait for packets of several phones.
    pub fn fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// The same; `None`: nothing came.
    pub fn hear_within(&mut self, time: Duration) -> Option<Result<Heard, Refused>> {
        let until = Instant::now() + time;
        let mut buffer = [0; 2_048];
        loop {
            let left = until.saturating_duration_since(Instant::now()).max(Duration::from_micros(1));
            self.socket.set_read_timeout(Some(left)).unwrap();
            let (count, from) = self.socket.recv_from(&mut buffer).ok()?;
            assert_eq!(from, self.relay);
            if (192..=223).contains(&buffer[1]) {
                continue; // RTCP.
            }
            let mut packet = Packet::from_bytes(&buffer[..count]);
            if let Some((_, opener, received)) = &mut self.keys
                && let Err(refused) = opener.open_rtp(&mut packet, received)
            {
                return Some(Err(refused));
            }
            let bytes = packet.bytes();
            return Some(Ok(Heard {
                ssrc: u32::from_be_bytes(bytes[8..12].try_into().unwrap()),
                sequence: u16::from_be_bytes(bytes[2..4].try_into().unwrap()),
                word: u64::from_be_bytes(bytes[12..20].try_into().unwrap()),
            }));
        }
    }
}

/// A packet that a phone heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    pub ssrc: u32,
    pub sequence: u16,
    pub word: u64,
}
