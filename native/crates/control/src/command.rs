use serde::{Deserialize, Serialize};

use crate::model::{RemoteSide, SessionSpec, SideSpec};

/// Version of the protocol: raised when an old peer would misunderstand.
pub const PROTOCOL: u32 = 1;

/// A frame from gateway to engine.
///
/// Every command but `Skip` and `SendDtmf` may be sent again with the same effect: a gateway that lost its connection
/// does so with what was not answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// Chosen by the gateway, rising; the reply carries it.
    pub id: u64,
    /// What is asked for.
    #[serde(flatten)]
    pub op: Op,
}

/// What the gateway asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Op {
    /// First on each connection. The last gateway to say it gets the events.
    Hello {
        /// [`PROTOCOL`] of the gateway.
        protocol: u32,
        /// Name of the gateway for the log; a new one for each of its processes.
        gateway: String,
    },
    /// Makes what the session needs on our side. The same id and spec again: the same answer.
    Open {
        /// Sides and media.
        spec: SessionSpec,
        /// Time allowed, in milliseconds from receipt.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deadline_ms: Option<u64>,
    },
    /// Changes a session, in the order given.
    Change {
        /// Which one.
        session: String,
        /// What becomes different.
        change: SessionChange,
    },
    /// Counters of a session now.
    Stats {
        /// Which one.
        session: String,
    },
    /// Ends a session. Again: the same summary, for as long as it is remembered.
    Close {
        /// Which one.
        session: String,
    },
    /// Ids of all sessions, also those of a gateway that died.
    List,
    /// Sessions the gateway knows; others without a claim within a minute of its hello are closed with that reason.
    Claim {
        /// Their ids.
        sessions: Vec<String>,
    },
    /// Counters of the engine: threads, sessions, strays, latency histogram.
    Engine,
    /// Replaces the relay by the program at `path` (default: the same), calls up.
    Upgrade {
        /// Absolute path of the program.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<String>,
    },
    /// Ends relay and keeper.
    Stop,
    /// Tests only (`--test-clock`): moves the engine's clock ahead.
    Skip {
        /// By how much, in milliseconds.
        ms: u64,
    },
}

/// What becomes different in a session (`SessionChange` of `src/media/model.ts`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum SessionChange {
    /// Makes local facts for a further side.
    AddSide {
        /// Its spec.
        side: SideSpec,
    },
    /// Forgets a side and frees its ports.
    DropSide {
        /// Its id.
        side: String,
    },
    /// Applies what was negotiated. Facts that did not change stay.
    Remote {
        /// Id of the side.
        side: String,
        /// All that was negotiated with its peer.
        remote: RemoteSide,
    },
    /// New ICE user fragment and password (RFC 8839 §4.4.1.1.1).
    RestartIce {
        /// Id of the side.
        side: String,
    },
    /// Connects both ways; older links of either are undone.
    Connect {
        /// Id of the side.
        side: String,
        /// Its partner.
        to: ConnectedTo,
    },
    /// What this side says goes nowhere (`muted`); what it hears is not touched.
    Mute {
        /// Id of the side.
        side: String,
        /// Whether it is muted from now on.
        muted: bool,
    },
    /// Digits are sent to the peer of this side as telephone-events, beside what it hears (RFC 4733).
    SendDtmf {
        /// Id of the side.
        side: String,
        /// Of `0`–`9`, `*`, `#`, `A`–`D`.
        digits: String,
        /// Of each tone, in milliseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        duration_ms: Option<u32>,
        /// Between two tones, in milliseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gap_ms: Option<u32>,
    },
}

/// To whom a side talks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum ConnectedTo {
    /// Another side of the session.
    Side {
        /// Its id.
        side: String,
    },
    /// Itself.
    Echo,
    /// A sine made by the engine.
    Tone {
        /// Its pitch.
        frequency_hz: u32,
    },
    /// Silence is sent (G.711), so that the peer's NAT and jitter buffer stay alive.
    Silence,
    /// Nobody: nothing is sent.
    Nothing,
}
