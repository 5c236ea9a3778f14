//! What is to be generated and measured: the JSON a bench writes.

use std::net::SocketAddr;

use serde::Deserialize;

/// One run.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// Names this run in every packet, so that what an earlier one sent is a stray.
    pub run: u64,
    /// Core the generator binds itself to; absent: any.
    pub core: Option<usize>,
    /// Time before the measurement in which packets flow already.
    pub warm_up_ms: u64,
    /// Length of the measurement.
    pub measure_ms: u64,
    /// Time after the last packet in which late ones still count.
    #[serde(default = "one_second")]
    pub drain_ms: u64,
    /// Every end sends one packet each so many µs.
    #[serde(default = "twenty_milliseconds")]
    pub interval_us: u64,
    /// Payload of an RTP packet, the stamp included.
    #[serde(default = "g711_frame")]
    pub payload_bytes: usize,
    /// Bytes that the kernel may queue for each socket; 0: its default.
    #[serde(default)]
    pub socket_buffer_bytes: usize,
    /// File made by `trunkline-load certificate`; needed if an end is a WebRTC client.
    pub certificate: Option<String>,
    /// What is looked at while it is measured.
    pub watch: Option<Watch>,
    /// All ends; others name them by their index.
    pub ends: Vec<EndPlan>,
}

/// A core and processes whose time is read at the begin and at the end of the measurement.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Watch {
    /// Core of the relay under test.
    pub core: usize,
    /// Its processes.
    pub pids: Vec<u32>,
}

/// A phone, or a browser: sends one stream and receives one.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EndPlan {
    /// Local address; several ends may share one. Absent: the end belongs to another process with the same plan.
    pub bind: Option<SocketAddr>,
    /// Where it sends to, and is sent from. Absent: it only receives.
    pub remote: Option<SocketAddr>,
    /// Name under which what it sends is counted.
    pub group: String,
    /// Index of the end that is to get what this one sends; another that gets it counts it as misrouted.
    pub peer: usize,
    /// Of its RTP packets.
    #[serde(default)]
    pub payload_type: u8,
    /// Keys of SDES; absent: plain RTP, or keys of DTLS.
    pub srtp: Option<SrtpPlan>,
    /// It is a WebRTC client: a check and a handshake come before media.
    pub webrtc: Option<WebRtcPlan>,
    /// It joins so long after the measurement began, and falls silent once its first packet was seen by its peer.
    pub join_at_us: Option<u64>,
    /// It sends nothing.
    #[serde(default)]
    pub silent: bool,
}

/// Master keys as in SDES (RFC 4568 §6.1).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SrtpPlan {
    /// Protects what the end sends.
    pub send: KeyPlan,
    /// Opens what it receives.
    pub receive: KeyPlan,
}

/// One master key.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyPlan {
    /// `AES_CM_128_HMAC_SHA1_80`, …
    pub suite: String,
    /// base64 of key and salt.
    pub key: String,
}

impl std::fmt::Debug for KeyPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyPlan({})", self.suite)
    }
}

/// What a WebRTC client knows of the relay from its answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebRtcPlan {
    /// The client's own user fragment.
    pub local_ufrag: String,
    /// The relay's user fragment.
    pub remote_ufrag: String,
    /// The relay's password: key of the checks.
    pub remote_pwd: String,
    /// Hash function of the relay's fingerprint.
    pub fingerprint_algorithm: String,
    /// The relay's fingerprint.
    pub fingerprint: String,
}

fn one_second() -> u64 {
    1_000
}

fn twenty_milliseconds() -> u64 {
    20_000
}

fn g711_frame() -> usize {
    160
}
