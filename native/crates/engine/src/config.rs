use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use trunkline_base::Micros;

/// What a relay needs to know besides its sockets. The keeper decides it once; every relay of its life gets the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Relay threads, at least 1.
    pub threads: u32,
    /// Tier of input and output that was asked for.
    pub io: IoMode,
    /// Addresses told to peers, in order of preference; at least one.
    pub advertise: Vec<IpAddr>,
    /// Sessions at once; a further one is refused.
    pub max_sessions: u32,
    /// Rest of a released port pair before it is used again; a tenth of it under pressure.
    pub quarantine: Micros,
    /// Time without an authentic check after which we stop sending (RFC 7675 §5.1).
    pub consent: Micros,
    /// Time without a valid packet after which a side is reported silent.
    pub silence: Micros,
    /// How often the quality of a session is reported.
    pub quality: Micros,
    /// Whether a new port of the signalled address is never followed.
    pub strict_source: bool,
    /// Time a gateway has after its hello to claim sessions; others are closed then.
    pub claim: Micros,
    /// Time without sessions and gateways after which the engine ends.
    pub idle_exit: Micros,
    /// Whether `skip` may move the clock.
    pub test_clock: bool,
    /// Whether thread `n` stays on core `n`.
    pub pin: bool,
}

/// Tier of input and output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IoMode {
    /// What is thought to be best on this machine.
    #[default]
    Auto,
    /// `recvmmsg` and `sendmmsg`.
    Batch,
    /// io_uring.
    Uring,
}
