//! Commands, replies and events between gateway and media engine: length-prefixed JSON on a unix socket.
//!
//! A frame is a big-endian `u32` length and that many bytes of UTF-8 JSON, at most `limits::CONTROL_FRAME_BYTES`.
//! Fields are those of `src/media/model.ts`, in camelCase; unknown fields are ignored, missing optional ones are absent.
//! Golden files of every frame lie in `native/crates/control/golden/` and are tested here and in
//! `src/media/engines/native/`.
#![forbid(unsafe_code)]
#![allow(missing_docs)]

use serde::{Deserialize, Serialize};

/// Version of the protocol: raised when an old peer would misunderstand.
pub const PROTOCOL: u32 = 1;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// Chosen by the gateway; the reply carries it.
    pub id: u64,
    #[serde(flatten)]
    pub op: Op,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Op {
    /// First on each connection. The last gateway to say it gets the events.
    Hello {
        protocol: u32,
        gateway: String,
    },
    Open {
        spec: SessionSpec,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deadline_ms: Option<u64>,
    },
    Change {
        session: String,
        change: SessionChange,
    },
    Stats {
        session: String,
    },
    Close {
        session: String,
    },
    /// Ids of all sessions, also those of a gateway that died.
    List,
    /// Sessions the gateway knows; others without a claim within a minute of its hello are closed with that reason.
    Claim {
        sessions: Vec<String>,
    },
    /// Counters of the engine: threads, sessions, strays, latency histogram.
    Engine,
    /// Replaces the relay by the program at `path` (default: the same), calls up.
    Upgrade {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<String>,
    },
    /// Ends relay and keeper.
    Stop,
    /// Tests only (`--test-clock`): moves the engine's clock ahead.
    Skip {
        ms: u64,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionSpec {
    pub id: String,
    pub sides: Vec<SideSpec>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MediumKind {
    Audio,
    Video,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum SideSpec {
    #[serde(rename = "webrtc")]
    WebRtc { id: String, media: Vec<MediumKind> },
    Rtp {
        id: String,
        media: Vec<MediumKind>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        towards: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signalled_from: Option<String>,
        /// `call` (default): a port pair of its own. `shared`: many calls on one port, told apart by the signalled
        /// source; RTCP is muxed. Only for peers that send from where they say they receive.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ports: Option<PortPolicy>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortPolicy {
    Call,
    Shared,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenedSession {
    pub id: String,
    pub sides: Vec<LocalSide>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum LocalSide {
    #[serde(rename = "webrtc")]
    WebRtc {
        id: String,
        ice: LocalIce,
        candidates: Vec<LocalCandidate>,
        fingerprint: Fingerprint,
        media: Vec<LocalStream>,
    },
    Rtp {
        id: String,
        media: Vec<LocalRtpStream>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LocalIce {
    pub ufrag: String,
    pub pwd: String,
    pub lite: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LocalCandidate {
    pub foundation: String,
    /// `udp` or `tcp`.
    pub protocol: String,
    pub priority: u32,
    pub address: String,
    pub port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    pub algorithm: String,
    pub value: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LocalStream {
    pub kind: MediumKind,
    pub ssrc: u32,
    pub cname: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LocalRtpStream {
    pub kind: MediumKind,
    pub ssrc: u32,
    pub cname: String,
    pub address: String,
    pub port: u16,
    pub rtcp_port: u16,
    pub crypto: Vec<SdesKey>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct SdesKey {
    pub tag: u32,
    pub suite: String,
    /// base64 of key and salt. Not shown by `Debug`.
    pub key: String,
}

impl std::fmt::Debug for SdesKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SdesKey({} {})", self.tag, self.suite)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PayloadCodec {
    pub payload_type: u8,
    pub name: String,
    pub clock_rate_hz: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fmtp: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum RemoteSide {
    #[serde(rename = "webrtc")]
    WebRtc {
        ice: RemoteIce,
        dtls: RemoteDtls,
        media: Vec<RemoteMedium>,
    },
    Rtp {
        media: Vec<RemoteMedium>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteIce {
    pub ufrag: String,
    pub pwd: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteDtls {
    /// `active` or `passive`: the peer's role.
    pub role: String,
    pub fingerprints: Vec<Fingerprint>,
}

/// `RemoteMedium` and `RemoteRtpMedium` of the model in one: the transport fields are there on RTP sides only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemoteMedium {
    pub kind: MediumKind,
    pub active: bool,
    pub send: bool,
    pub receive: bool,
    pub send_codecs: Vec<PayloadCodec>,
    pub receive_codecs: Vec<PayloadCodec>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mid_extension_id: Option<u8>,
    /// `a=extmap` id of the transport-wide sequence number, if agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport_cc_extension_id: Option<u8>,
    /// Generic NACK was agreed (`a=rtcp-fb:… nack`).
    #[serde(default, skip_serializing_if = "is_false")]
    pub nack: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ptime_ms: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtcp_address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtcp_port: Option<u16>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub rtcp_mux: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub srtp: Option<SdesPair>,
}

fn is_false(value: &bool) -> bool {
    !*value
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SdesPair {
    pub local: SdesKey,
    pub remote: SdesKey,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum ConnectedTo {
    Side {
        side: String,
    },
    Echo,
    Tone {
        frequency_hz: u32,
    },
    /// Silence is sent (G.711), so that the peer's NAT and jitter buffer stay alive.
    Silence,
    Nothing,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum SessionChange {
    AddSide {
        side: SideSpec,
    },
    DropSide {
        side: String,
    },
    Remote {
        side: String,
        remote: RemoteSide,
    },
    RestartIce {
        side: String,
    },
    Connect {
        side: String,
        to: ConnectedTo,
    },
    /// What this side says goes nowhere (`muted`); what it hears is not touched.
    Mute {
        side: String,
        muted: bool,
    },
    /// Digits are sent to the peer of this side as telephone-events, beside what it hears.
    SendDtmf {
        side: String,
        digits: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        duration_ms: Option<u32>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gap_ms: Option<u32>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SideStats {
    pub side: String,
    pub media: Vec<StreamStats>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ice: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dtls: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub srtp_suite: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamStats {
    pub kind: MediumKind,
    pub packets_received: u64,
    pub bytes_received: u64,
    pub packets_lost: i64,
    pub jitter_ms: f64,
    pub packets_sent: u64,
    pub bytes_sent: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_loss_fraction: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_jitter_ms: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip_ms: Option<f64>,
    pub packets_discarded: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codec: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packets_duplicated: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packets_reordered: Option<u64>,
    /// E-model (ITU-T G.107) of what is received from this peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r_factor: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mos: Option<f64>,
    /// Time since the last valid packet; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_for_ms: Option<u64>,
}

/// What happened to media (`src/media/events.ts`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Event {
    IceConnected {
        session: String,
        side: String,
        remote: String,
    },
    IceDisconnected {
        session: String,
        side: String,
    },
    DtlsConnected {
        session: String,
        side: String,
        suite: String,
    },
    Failed {
        session: String,
        side: String,
        code: String,
        detail: String,
    },
    FirstPacket {
        session: String,
        side: String,
        remote: String,
    },
    /// `cause`: what the engine knows: `never-heard`, `no-consent`, `wrong-source`, `not-authentic`, `stopped`.
    Silent {
        session: String,
        side: String,
        for_ms: u64,
        cause: String,
    },
    Resumed {
        session: String,
        side: String,
    },
    Ended {
        session: String,
        side: String,
    },
    Dtmf {
        session: String,
        side: String,
        digit: String,
        duration_ms: u32,
    },
    Quality {
        session: String,
        sides: Vec<SideStats>,
    },
    /// The engine closed a session by itself (nobody claimed it).
    Closed {
        session: String,
        reason: String,
        sides: Vec<SideStats>,
    },
    /// The relay was replaced; sessions go on.
    Recovered {
        sessions: u32,
        gap_ms: f64,
    },
}

/// A frame from engine to gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Message {
    Reply(Reply),
    Events { events: Vec<Event> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    pub id: u64,
    #[serde(flatten)]
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Ok(Answer),
    Fault(Fault),
}

/// `code` is one of the table in `src/base/errors`: `MEDIA_SPEC_INVALID`, `MEDIA_PORTS_EXHAUSTED`, …
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    pub code: String,
    pub message: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Answer {
    Hello { protocol: u32, version: String, relay_pid: u32, keeper_pid: u32, threads: u32, io: String },
    Opened { session: OpenedSession },
    Changed { sides: Vec<LocalSide> },
    Stats { sides: Vec<SideStats> },
    Closed { id: String, sides: Vec<SideStats> },
    Sessions { sessions: Vec<String> },
    Engine { engine: EngineStats },
    Done,
}

#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EngineStats {
    pub version: String,
    pub sessions: u64,
    /// Datagrams on shared ports that belonged to nobody.
    pub strays: u64,
    pub packets_in: u64,
    pub packets_out: u64,
    pub restarts: u64,
    pub threads: Vec<ThreadStats>,
}

#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadStats {
    pub sessions: u64,
    pub packets_in: u64,
    pub packets_out: u64,
    pub strays: u64,
    pub handshakes: u64,
    /// Packet in → packet out since the start, microseconds.
    pub latency_us: LatencyStats,
}

#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LatencyStats {
    pub count: u64,
    pub p50: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
    /// (upper bound in µs, packets) of every bucket that is not empty.
    pub buckets: Vec<(u64, u64)>,
}
