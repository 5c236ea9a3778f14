use serde::{Deserialize, Serialize};

use crate::stats::SideStats;

/// What happened to media (`src/media/events.ts`). A few per call, never one per packet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Event {
    /// A STUN check with the right credentials arrived: the address pair is validated.
    IceConnected {
        /// Session.
        session: String,
        /// Id of the side.
        side: String,
        /// `address:port` of the peer.
        remote: String,
    },
    /// No consent (RFC 7675) for 30 s. Media stops until a check arrives.
    IceDisconnected {
        /// Session.
        session: String,
        /// Id of the side.
        side: String,
    },
    /// The handshake is done and the fingerprint is right: media may flow.
    DtlsConnected {
        /// Session.
        session: String,
        /// Id of the side.
        side: String,
        /// Name of the SRTP suite as in RFC 4568 and RFC 7714.
        suite: String,
    },
    /// The handshake failed or the fingerprint is wrong: this side will never carry media.
    Failed {
        /// Session.
        session: String,
        /// Id of the side.
        side: String,
        /// A code of `src/base/errors`.
        code: String,
        /// For people.
        detail: String,
    },
    /// The first valid packet from this side.
    FirstPacket {
        /// Session.
        session: String,
        /// Id of the side.
        side: String,
        /// `address:port` it came from.
        remote: String,
    },
    /// Nothing valid arrived for `for_ms`, though the peer may send. Reported once; then `Resumed`.
    Silent {
        /// Session.
        session: String,
        /// Id of the side.
        side: String,
        /// Milliseconds since the last valid packet, or since the peer might send.
        for_ms: u64,
        /// What the engine knows: `never-heard`, `no-consent`, `wrong-source`, `not-authentic`, `stopped`.
        cause: String,
    },
    /// Valid packets arrive again.
    Resumed {
        /// Session.
        session: String,
        /// Id of the side.
        side: String,
    },
    /// The peer said goodbye (RTCP BYE, DTLS close_notify).
    Ended {
        /// Session.
        session: String,
        /// Id of the side.
        side: String,
    },
    /// A telephone-event finished (RFC 4733).
    Dtmf {
        /// Session.
        session: String,
        /// Id of the side that pressed it.
        side: String,
        /// One of `0`–`9`, `*`, `#`, `A`–`D`.
        digit: String,
        /// How long it was held, in milliseconds.
        duration_ms: u32,
    },
    /// Counters, every few seconds.
    Quality {
        /// Session.
        session: String,
        /// All of its sides.
        sides: Vec<SideStats>,
    },
    /// The engine closed a session by itself (nobody claimed it).
    Closed {
        /// Session.
        session: String,
        /// For people.
        reason: String,
        /// Final counters.
        sides: Vec<SideStats>,
    },
    /// The relay was replaced; sessions go on.
    Recovered {
        /// How many went on.
        sessions: u32,
        /// Milliseconds in which no packet was relayed.
        gap_ms: f64,
    },
}
