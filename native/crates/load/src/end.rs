use std::net::SocketAddr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use trunkline_base::{Packet, random_u32};
use trunkline_dtls::Certificate;
use trunkline_rtp::Outgoing;
use trunkline_srtp::{MasterKey, Opener, Received, Refused, Sealer, Suite};

use crate::client::Client;
use crate::plan::{EndPlan, KeyPlan};
use crate::stamp::Stamp;

/// A phone or a browser: its outgoing stream, its keys.
pub struct End {
    /// Index of its socket; `None`: another process has it.
    pub socket: Option<usize>,
    pub remote: Option<SocketAddr>,
    pub group: usize,
    pub peer: usize,
    pub client: Option<Box<Client>>,
    payload_type: u8,
    ssrc: u32,
    /// SRTP index of the next packet.
    index: u64,
    timestamp: u32,
    number: u32,
    keys: Keys,
}

enum Keys {
    /// Plain RTP.
    None,
    /// DTLS has yet to give them.
    Awaited,
    There {
        sealer: Box<Sealer>,
        opener: Box<Opener>,
        received: Box<Received>,
    },
}

impl End {
    /// # Errors
    /// A key that is none, in words.
    pub fn new(
        plan: &EndPlan,
        socket: Option<usize>,
        group: usize,
        certificate: Option<&Certificate>,
    ) -> Result<Self, String> {
        let client = match (&plan.webrtc, certificate) {
            (Some(webrtc), Some(certificate)) => Some(Box::new(Client::new(webrtc, certificate))),
            (Some(_), None) => return Err("a WebRTC client needs a certificate".into()),
            (None, _) => None,
        };
        let mut end = Self {
            socket,
            remote: plan.remote,
            group,
            peer: plan.peer,
            keys: if client.is_some() { Keys::Awaited } else { Keys::None },
            client,
            payload_type: plan.payload_type,
            ssrc: random_u32(),
            // In the lower half: the receiver's first guess of the roll-over counter is then right (RFC 3711 §3.3.1).
            index: u64::from(random_u32() & 0x7fff),
            timestamp: random_u32(),
            number: 0,
        };
        if let Some(srtp) = &plan.srtp {
            end.set_keys(&master_key(&srtp.send)?, &master_key(&srtp.receive)?);
        }
        Ok(end)
    }

    pub fn set_keys(&mut self, send: &MasterKey, receive: &MasterKey) {
        if let (Some(sealer), Some(opener)) = (Sealer::new(send), Opener::new(receive)) {
            let received = Box::new(Received::default());
            self.keys = Keys::There { sealer: Box::new(sealer), opener: Box::new(opener), received };
        }
    }

    /// The end's next packet; `stamp` gets its number. `payload` is used as room.
    pub fn next_packet(&mut self, packet: &mut Packet, payload: &mut [u8], mut stamp: Stamp) {
        stamp.number = self.number;
        stamp.write(payload);
        let header = Outgoing {
            marker: self.number == 0,
            payload_type: self.payload_type,
            sequence: self.index as u16,
            timestamp: self.timestamp,
            ssrc: self.ssrc,
            mid: None,
            transport_sequence: None,
        };
        trunkline_rtp::build(packet, &header, payload);
        match &self.keys {
            Keys::None => {}
            Keys::Awaited => packet.fill(&[]),
            Keys::There { sealer, .. } => sealer.protect_rtp(packet, self.index),
        }
        self.index += 1;
        self.number += 1;
        self.timestamp = self.timestamp.wrapping_add(payload.len() as u32);
    }

    /// Decrypts what was received, in place.
    pub fn open(&mut self, packet: &mut Packet) -> Result<(), Refused> {
        match &mut self.keys {
            Keys::None => Ok(()),
            Keys::Awaited => Err(Refused::Malformed),
            Keys::There { opener, received, .. } => opener.open_rtp(packet, received),
        }
    }
}

fn master_key(plan: &KeyPlan) -> Result<MasterKey, String> {
    let suite = Suite::from_name(&plan.suite).ok_or_else(|| format!("no suite {}", plan.suite))?;
    let bytes = BASE64_STANDARD.decode(&plan.key).map_err(|error| format!("a key is no base64: {error}"))?;
    MasterKey::from_bytes(suite, &bytes)
        .ok_or_else(|| format!("a key of {} with {} bytes", plan.suite, bytes.len()))
}
