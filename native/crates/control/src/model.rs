use std::fmt;

use serde::{Deserialize, Serialize};

/// One session: two or more sides. Nothing flows until `Connect`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionSpec {
    /// Chosen by the gateway.
    pub id: String,
    /// What has to exist on our side.
    pub sides: Vec<SideSpec>,
}

/// Kind of a medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MediumKind {
    /// `m=audio`.
    Audio,
    /// `m=video`.
    Video,
}

/// What has to exist on our side before the peer is told anything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum SideSpec {
    /// ICE-lite, DTLS-SRTP; all media on one port.
    #[serde(rename = "webrtc")]
    WebRtc {
        /// Chosen by the gateway, unique in the session.
        id: String,
        /// In the order of the media sections.
        media: Vec<MediumKind>,
    },
    /// RTP, or SRTP with SDES keys.
    Rtp {
        /// Chosen by the gateway, unique in the session.
        id: String,
        /// In the order of the media sections.
        media: Vec<MediumKind>,
        /// IP address of the peer as far as it is known: picks the local address told to it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        towards: Option<String>,
        /// IP address the peer's signalling comes from: media may come from there too, after the same proof as from
        /// another port.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signalled_from: Option<String>,
        /// `call` (default): a port pair of its own. `shared`: many calls on one port, told apart by the signalled
        /// source; RTCP is muxed. Only for peers that send from where they say they receive.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ports: Option<PortPolicy>,
    },
}

/// Which ports an RTP side gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortPolicy {
    /// Its own.
    Call,
    /// One that others have too.
    Shared,
}

/// Local facts of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenedSession {
    /// As in the spec.
    pub id: String,
    /// In the order of the spec.
    pub sides: Vec<LocalSide>,
}

/// What we tell the peer of a side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum LocalSide {
    /// Of a WebRTC side.
    #[serde(rename = "webrtc")]
    WebRtc {
        /// As in the spec.
        id: String,
        /// Our credentials.
        ice: LocalIce,
        /// Host candidates, most wanted first.
        candidates: Vec<LocalCandidate>,
        /// Of our certificate.
        fingerprint: Fingerprint,
        /// RTCP feedback that is answered besides requests for pictures: `nack`, `transport-cc`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        feedback: Vec<String>,
        /// In the order of the spec.
        media: Vec<LocalStream>,
    },
    /// Of an RTP side.
    Rtp {
        /// As in the spec.
        id: String,
        /// In the order of the spec.
        media: Vec<LocalRtpStream>,
    },
}

/// Our ICE credentials (RFC 8839 §5.4).
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct LocalIce {
    /// User fragment.
    pub ufrag: String,
    /// Password. Not shown by `Debug`.
    pub pwd: String,
    /// Always true: we answer checks and make none (RFC 8445 §2.5).
    pub lite: bool,
}

/// A host candidate (RFC 8839 §5.1), component 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LocalCandidate {
    /// Equal for candidates of one base.
    pub foundation: String,
    /// `udp` or `tcp` (passive, RFC 6544).
    pub protocol: String,
    /// RFC 8445 §5.1.2.
    pub priority: u32,
    /// IP address.
    pub address: String,
    /// Port.
    pub port: u16,
}

/// Fingerprint of a certificate (RFC 8122 §5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// `sha-256`, `sha-384` or `sha-512`.
    pub algorithm: String,
    /// Upper-case hex with colons.
    pub value: String,
}

/// The one SSRC that leaves toward this peer for the whole call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LocalStream {
    /// Kind of the medium.
    pub kind: MediumKind,
    /// Synchronisation source.
    pub ssrc: u32,
    /// Canonical name in our source descriptions (RFC 7022).
    pub cname: String,
}

/// The same with its address and ports, for `c=`, `m=` and `a=rtcp`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LocalRtpStream {
    /// Kind of the medium.
    pub kind: MediumKind,
    /// Synchronisation source.
    pub ssrc: u32,
    /// Canonical name in our source descriptions (RFC 7022).
    pub cname: String,
    /// IP address told to the peer.
    pub address: String,
    /// RTP port.
    pub port: u16,
    /// RTCP port; equal to `port` where RTCP is muxed.
    pub rtcp_port: u16,
    /// Our SDES keys, one for each suite, in order of preference; used only if negotiated (RFC 4568).
    pub crypto: Vec<SdesKey>,
}

/// One `a=crypto` line (RFC 4568).
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct SdesKey {
    /// Number of the line.
    pub tag: u32,
    /// Name of the suite as in RFC 4568 and RFC 7714.
    pub suite: String,
    /// base64 of key and salt. Not shown by `Debug`.
    pub key: String,
}

/// A codec with the number it has toward one peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PayloadCodec {
    /// 0–127.
    pub payload_type: u8,
    /// As registered, any case.
    pub name: String,
    /// RTP clock in Hz (8000 for G.722, RFC 3551 §4.5.2).
    pub clock_rate_hz: u32,
    /// Absent: one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<u8>,
    /// `a=fmtp` without its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fmtp: Option<String>,
}

/// What was negotiated with the peer of a side; given again in full at each renegotiation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum RemoteSide {
    /// Of a WebRTC side.
    #[serde(rename = "webrtc")]
    WebRtc {
        /// The peer's credentials.
        ice: RemoteIce,
        /// The peer's role and certificates.
        dtls: RemoteDtls,
        /// In the order of the spec.
        media: Vec<RemoteMedium>,
    },
    /// Of an RTP side.
    Rtp {
        /// In the order of the spec.
        media: Vec<RemoteMedium>,
    },
}

/// The peer's ICE credentials.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteIce {
    /// User fragment.
    pub ufrag: String,
    /// Password. Not shown by `Debug`.
    pub pwd: String,
}

/// The peer's DTLS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteDtls {
    /// `active` or `passive`: the peer's role; with `active` we are the server.
    pub role: String,
    /// Any of them may be that of its certificate.
    pub fingerprints: Vec<Fingerprint>,
}

/// `RemoteMedium` and `RemoteRtpMedium` of the model in one: the transport fields are there on RTP sides only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemoteMedium {
    /// Kind of the medium.
    pub kind: MediumKind,
    /// `false`: the section was refused or is not bundled; nothing flows.
    pub active: bool,
    /// Whether we may send to the peer.
    pub send: bool,
    /// Whether the peer may send to us.
    pub receive: bool,
    /// What the peer wants to get, with its numbers, most wanted first.
    pub send_codecs: Vec<PayloadCodec>,
    /// What we said we take, with our numbers.
    pub receive_codecs: Vec<PayloadCodec>,
    /// `a=mid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mid: Option<String>,
    /// `a=extmap` id of sdes:mid, if agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mid_extension_id: Option<u8>,
    /// `a=extmap` id of the transport-wide sequence number, if agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport_cc_extension_id: Option<u8>,
    /// Generic NACK was agreed (`a=rtcp-fb:… nack`).
    #[serde(default, skip_serializing_if = "is_false")]
    pub nack: bool,
    /// `a=ptime`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ptime_ms: Option<u32>,
    /// Where the peer takes RTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Port there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Where the peer takes RTCP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtcp_address: Option<String>,
    /// Port there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtcp_port: Option<u16>,
    /// RTCP goes with RTP (RFC 5761).
    #[serde(default, skip_serializing_if = "is_false")]
    pub rtcp_mux: bool,
    /// Absent: plain RTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub srtp: Option<SdesPair>,
}

/// The keys of both directions (RFC 4568).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SdesPair {
    /// Of what we send.
    pub local: SdesKey,
    /// Of what the peer sends.
    pub remote: SdesKey,
}

fn is_false(value: &bool) -> bool {
    !*value
}

impl fmt::Debug for LocalIce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalIce({})", self.ufrag)
    }
}

impl fmt::Debug for RemoteIce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteIce({})", self.ufrag)
    }
}

impl fmt::Debug for SdesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SdesKey({} {})", self.tag, self.suite)
    }
}
