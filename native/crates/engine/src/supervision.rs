//! What keeper and relay say to each other, in control frames on a socket pair of their own.

use serde::{Deserialize, Serialize};
use trunkline_base::Micros;

/// Descriptor under which a relay finds its end of the socket pair: its standard input.
pub const LINK_FD: i32 = 0;

/// From the keeper to a relay. The end of the stream says that the keeper died.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum ToRelay {
    /// The sessions are yours.
    Go {
        /// When the relay before was found dead (`CLOCK_MONOTONIC`); absent for the first.
        before_died_at: Option<Micros>,
        /// Relays that had the sessions before.
        restarts: u64,
    },
    /// Finish what is in hand and end; the sessions stay for the next relay.
    HandOver,
    /// Say goodbye to all peers and end.
    Stop,
    /// The program to upgrade to is not fit.
    UpgradeFailed {
        /// For people.
        reason: String,
    },
}

/// From a relay to its keeper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum FromRelay {
    /// Started, and waits for `Go`.
    Ready {
        /// Version of its build.
        version: String,
        /// Tier of input and output, and why.
        io: String,
    },
    /// Media is served.
    Running {
        /// Sessions it took over.
        sessions: u32,
    },
    /// A gateway wants the relay to be replaced.
    Upgrade {
        /// Path of the program; absent: where the present one was started from.
        path: Option<String>,
    },
    /// A gateway wants everything to end, or nothing was asked of us for long.
    Stop {
        /// For people.
        reason: String,
    },
}
