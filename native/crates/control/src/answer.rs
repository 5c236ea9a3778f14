use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::model::{LocalSide, OpenedSession};
use crate::stats::SideStats;

/// A frame from engine to gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Message {
    /// The answer to one command.
    Reply(Reply),
    /// What happened since the last batch, in order.
    Events {
        /// At least one.
        events: Vec<Event>,
    },
}

/// The answer to one command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// Id of the command.
    pub id: u64,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Done.
    Ok(Answer),
    /// Refused; nothing changed.
    Fault(Fault),
}

/// Why a command was refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// One of the table in `src/base/errors`: `MEDIA_SPEC_INVALID`, `MEDIA_PORTS_EXHAUSTED`, …
    pub code: String,
    /// For people.
    pub message: String,
}

/// What a command gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Answer {
    /// To `Hello`.
    Hello {
        /// [`PROTOCOL`](crate::PROTOCOL) of the engine.
        protocol: u32,
        /// Version of the relay's build.
        version: String,
        /// Process id of the relay.
        relay_pid: u32,
        /// Process id of the keeper.
        keeper_pid: u32,
        /// Relay threads.
        threads: u32,
        /// Tier of input and output with the reason, for the log: `batch (recvmmsg)`.
        io: String,
    },
    /// To `Open`.
    Opened {
        /// Local facts.
        session: OpenedSession,
    },
    /// To `Change`.
    Changed {
        /// Local facts that are new or changed; mostly none.
        sides: Vec<LocalSide>,
    },
    /// To `Stats`.
    Stats {
        /// All sides.
        sides: Vec<SideStats>,
    },
    /// To `Close`.
    Closed {
        /// Of the session.
        id: String,
        /// Final counters.
        sides: Vec<SideStats>,
    },
    /// To `List`.
    Sessions {
        /// Their ids.
        sessions: Vec<String>,
    },
    /// To `Engine`.
    Engine {
        /// All counters.
        engine: EngineStats,
    },
    /// To everything else.
    Done,
}

/// Counters of the engine since its keeper started.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EngineStats {
    /// Version of the relay's build.
    pub version: String,
    /// Sessions now.
    pub sessions: u64,
    /// Datagrams on shared ports that belonged to nobody.
    pub strays: u64,
    /// Datagrams of media that came.
    pub packets_in: u64,
    /// Datagrams of media that left.
    pub packets_out: u64,
    /// Times the relay was replaced.
    pub restarts: u64,
    /// One for each relay thread.
    pub threads: Vec<ThreadStats>,
}

/// Counters of one relay thread since it started.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadStats {
    /// Sessions now.
    pub sessions: u64,
    /// Datagrams of media that came.
    pub packets_in: u64,
    /// Datagrams of media that left.
    pub packets_out: u64,
    /// Datagrams on shared ports that belonged to nobody.
    pub strays: u64,
    /// DTLS handshakes that are in progress.
    pub handshakes: u64,
    /// Packet in → packet out since the start, microseconds.
    pub latency_us: LatencyStats,
}

/// A histogram with its most wanted quantiles, in microseconds.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LatencyStats {
    /// Packets.
    pub count: u64,
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
    /// 99.9th percentile.
    pub p999: f64,
    /// Largest.
    pub max: f64,
    /// (upper bound in µs, packets) of every bucket that is not empty, rising.
    pub buckets: Vec<(u64, u64)>,
}
