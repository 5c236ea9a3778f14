//! Relays packets of one call in process, to be counted: `valgrind --tool=callgrind --toggle-collect='*relay_round*'
//! instructions WAY PACKETS` counts what `relay_round` executes and nothing else.
#![forbid(unsafe_code)]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use trunkline_base::{Micros, Packet};
use trunkline_control::{Event, Fault, LocalSide};
use trunkline_dtls::Certificate;
use trunkline_relay::{
    Forward, RtpPlace, Session, Settings, Shell, SideIndex, SideRecord, SocketId, WebRtcPlace,
};
use trunkline_rtp::{Outgoing, build};
use trunkline_slab::{Partition, Slot};
use trunkline_srtp::{MasterKey, Sealer, Suite};

/// The first leg's suite; the second leg is plain RTP.
const WAYS: [(&str, Option<Suite>); 4] = [
    ("rtp-rtp", None),
    ("cm80-rtp", Some(Suite::Aes128CmSha1_80)),
    ("gcm128-rtp", Some(Suite::AeadAes128Gcm)),
    ("gcm256-rtp", Some(Suite::AeadAes256Gcm)),
];
const ROUND: usize = 64;
const FRAME: Micros = 20_000;
const PAYLOAD: [u8; 160] = [0x55; 160];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let way = arguments.first().and_then(|name| WAYS.into_iter().find(|(way, _)| way == name));
    let packets = arguments.get(1).and_then(|number| number.parse::<usize>().ok());
    let (Some((_, suite)), Some(packets)) = (way, packets) else {
        eprintln!("usage: instructions {} PACKETS", WAYS.map(|(way, _)| way).join("|"));
        return ExitCode::from(2);
    };
    let relayed = run(suite, packets);
    println!("{relayed}");
    if relayed == packets { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Returns how many packets came out.
fn run(suite: Option<Suite>, packets: usize) -> usize {
    let mut call = Call::open(suite);
    let mut peers = [Peer::new(0, suite.map(|_| call.peer_key)), Peer::new(1, None)];
    let mut round: Vec<Packet> = (0..ROUND).map(|_| Packet::new()).collect();
    let mut relayed = 0;
    let mut left = packets;
    while left > 0 {
        let count = left.min(ROUND);
        for (index, packet) in round[..count].iter_mut().enumerate() {
            peers[index % 2].write(packet);
        }
        relayed += relay_round(&mut call, &mut round[..count]);
        call.wake();
        left -= count;
    }
    relayed
}

/// What is counted: each packet from its datagram to the datagram that leaves. The two peers take turns.
#[inline(never)]
fn relay_round(call: &mut Call, round: &mut [Packet]) -> usize {
    let mut relayed = 0;
    for (index, packet) in round.iter_mut().enumerate() {
        let side = index % 2;
        call.now += FRAME / 2;
        let Call { session, shell, settings, now, .. } = call;
        let (socket, from) = (SOCKETS[side], address(side));
        let forward = session.on_datagram(side as SideIndex, socket, from, packet, settings, shell, *now);
        let expected = Forward { socket: SOCKETS[1 - side], to: address(1 - side) };
        relayed += usize::from(forward == Some(expected));
    }
    relayed
}

const SOCKETS: [SocketId; 2] = [10, 20];

/// Of a peer.
fn address(side: usize) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, side as u8 + 1)), 4_000)
}

struct Call {
    session: Session,
    shell: Ports,
    settings: Settings,
    now: Micros,
    /// What the first peer sends under.
    peer_key: MasterKey,
}

impl Call {
    fn open(suite: Option<Suite>) -> Self {
        let mut shell = Ports { slots: Partition::in_heap(8, 256), given: 0 };
        let settings = Settings {
            certificates: vec![Certificate::generate()],
            consent: 30_000_000,
            silence: 5_000_000,
            quality: 2_000_000,
            strict_source: false,
        };
        let side = |id| json!({ "kind": "rtp", "id": id, "media": ["audio"] });
        let spec = read(json!({ "id": "call", "sides": [side("a"), side("b")] }));
        let now = 1_000_000;
        let session = Session::open(&spec, &settings, &mut shell, now).expect("a session");
        let peer_key = suite.map_or(MasterKey::NONE, MasterKey::random);
        let mut call = Self { session, shell, settings, now, peer_key };
        let keys = suite.map(|suite| call.keys(suite));
        call.change(json!({ "kind": "remote", "side": "a", "remote": remote(0, keys) }));
        call.change(json!({ "kind": "remote", "side": "b", "remote": remote(1, None) }));
        call.change(json!({ "kind": "connect", "side": "a", "to": { "kind": "side", "side": "b" } }));
        call
    }

    fn keys(&self, suite: Suite) -> Value {
        let (bytes, length) = self.peer_key.to_bytes();
        let theirs =
            json!({ "tag": 1, "suite": suite.name(), "key": BASE64_STANDARD.encode(&bytes[..length]) });
        let local = self.session.local();
        let LocalSide::Rtp { media, .. } = &local.sides[0] else { panic!("not an RTP side") };
        let ours = media[0].crypto.iter().find(|key| key.suite == suite.name()).expect("a key of the suite");
        json!({ "local": ours, "remote": theirs })
    }

    fn change(&mut self, change: Value) {
        let Self { session, shell, settings, now, .. } = self;
        session.change(&read(change), settings, shell, *now).expect("a change");
    }

    fn wake(&mut self) {
        if self.session.deadline() <= self.now {
            self.session.wake(&self.settings, &mut self.shell, self.now);
        }
    }
}

fn remote(side: usize, keys: Option<Value>) -> Value {
    let codec = json!({ "payloadType": 0, "name": "PCMU", "clockRateHz": 8_000 });
    let (ip, port) = (address(side).ip(), address(side).port());
    let mut medium = json!({
        "kind": "audio", "active": true, "send": true, "receive": true,
        "sendCodecs": [codec], "receiveCodecs": [codec],
        "address": ip, "port": port, "rtcpAddress": ip, "rtcpPort": port, "rtcpMux": true,
    });
    if let Some(keys) = keys {
        medium["srtp"] = keys;
    }
    json!({ "kind": "rtp", "media": [medium] })
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("what the contract says")
}

/// The stream a peer sends.
struct Peer {
    sealer: Option<Sealer>,
    ssrc: u32,
    index: u64,
}

impl Peer {
    fn new(side: u32, key: Option<MasterKey>) -> Self {
        Self { sealer: key.and_then(|key| Sealer::new(&key)), ssrc: 0x1000 + side, index: 1_000 }
    }

    fn write(&mut self, packet: &mut Packet) {
        let header = Outgoing {
            marker: false,
            payload_type: 0,
            sequence: self.index as u16,
            timestamp: (self.index as u32).wrapping_mul(160),
            ssrc: self.ssrc,
            mid: None,
            transport_sequence: None,
        };
        build(packet, &header, &PAYLOAD);
        if let Some(sealer) = &self.sealer {
            sealer.protect_rtp(packet, self.index);
        }
        self.index += 1;
    }
}

/// A shell with two port pairs and memory for the session.
struct Ports {
    slots: Partition<SideRecord>,
    given: usize,
}

impl Shell for Ports {
    fn send(&mut self, _: SocketId, _: SocketAddr, _: &[u8]) {}
    fn event(&mut self, _: Event) {}
    fn learn(&mut self, _: SocketId, _: SocketAddr, _: SideIndex, _: bool) -> bool {
        true
    }
    fn unlearn(&mut self, _: SocketId, _: SocketAddr) {}
    fn accept_ufrag(&mut self, _: &str, _: SideIndex) {}
    fn retire_ufrag(&mut self, _: &str) {}
    fn slot(&mut self) -> Result<Slot<SideRecord>, Fault> {
        self.slots.allocate().map_err(|error| fault("MEDIA_SESSIONS_EXHAUSTED", &error.to_string()))
    }
    fn webrtc_place(&mut self) -> Result<WebRtcPlace, Fault> {
        Err(fault("MEDIA_PORTS_EXHAUSTED", "no WebRTC here"))
    }
    fn rtp_place(&mut self, _: SideIndex, _: Option<IpAddr>, _: bool) -> Result<RtpPlace, Fault> {
        let rtp = SOCKETS[self.given];
        self.given += 1;
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let port = 20_000 + rtp as u16;
        Ok(RtpPlace { address, port, rtcp_port: port + 1, rtp, rtcp: rtp + 1, shared: false })
    }
    fn release(&mut self, _: &RtpPlace, _: bool) {}
}

fn fault(code: &str, message: &str) -> Fault {
    Fault { code: code.into(), message: message.into() }
}
