use serde::{Deserialize, Serialize};

use crate::model::MediumKind;

/// Counters of one side since it was opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SideStats {
    /// Id of the side.
    pub side: String,
    /// In the order of the spec.
    pub media: Vec<StreamStats>,
    /// `new`, `checking`, `connected` or `disconnected`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ice: Option<String>,
    /// `new`, `connecting`, `connected` or `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dtls: Option<String>,
    /// Negotiated suite, if media is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub srtp_suite: Option<String>,
    /// `address:port` media comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
}

/// Counters of one medium of a side. All numbers are finite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamStats {
    /// Kind of the medium.
    pub kind: MediumKind,
    /// Valid RTP packets from the peer.
    pub packets_received: u64,
    /// Their payload.
    pub bytes_received: u64,
    /// Expected minus received (RFC 3550 A.3); may be negative with duplicates.
    pub packets_lost: i64,
    /// RFC 3550 §6.4.1, converted from ticks.
    pub jitter_ms: f64,
    /// RTP packets to the peer.
    pub packets_sent: u64,
    /// Their payload.
    pub bytes_sent: u64,
    /// What the peer's last receiver report said of what we send: 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_loss_fraction: Option<f64>,
    /// The same of jitter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_jitter_ms: Option<f64>,
    /// From the last receiver report (RFC 3550 §6.4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip_ms: Option<f64>,
    /// Packets from a wrong source, not authentic, replayed or with an unknown payload type.
    pub packets_discarded: u64,
    /// Payload codec last received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codec: Option<String>,
    /// Packets that came twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packets_duplicated: Option<u64>,
    /// Packets that came after a later one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packets_reordered: Option<u64>,
    /// E-model (ITU-T G.107) of what is received from this peer: 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r_factor: Option<f64>,
    /// The same as mean opinion score: 1 to 4.5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mos: Option<f64>,
    /// Time since the last valid packet; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_for_ms: Option<u64>,
}
