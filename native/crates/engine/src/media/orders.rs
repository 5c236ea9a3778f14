use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use trunkline_base::Micros;
use trunkline_control::{Answer, Event, Fault, SessionChange, SessionSpec, ThreadStats};
use trunkline_dtls::Certificate;

/// Pairs an order with its outcome.
pub(crate) type Ticket = u64;

/// From the main thread to a media thread; served in order.
pub(crate) enum Order {
    /// Ignored after `deadline` (time of the machine): then nothing is bound.
    Open {
        ticket: Ticket,
        spec: Box<SessionSpec>,
        deadline: Micros,
    },
    Change {
        ticket: Ticket,
        session: String,
        change: Box<SessionChange>,
    },
    Stats {
        ticket: Ticket,
        session: String,
    },
    Close {
        ticket: Ticket,
        session: String,
    },
    /// Counters of the thread.
    Count {
        ticket: Ticket,
    },
    /// The newest last.
    Certificates(Vec<Certificate>),
    /// An ICE-TCP connection whose first check is for a session of this thread, and what was read from it.
    Connection {
        stream: OwnedFd,
        peer: SocketAddr,
        read: Vec<u8>,
    },
    /// The clock was moved.
    Skipped,
    /// The last order. `goodbye`: the sessions end; else they are left for the next relay.
    End {
        goodbye: bool,
    },
}

/// From a media thread to the main thread.
pub(crate) enum Report {
    /// Recovered the sessions, and serves them from now on.
    Ready {
        thread: u32,
        sessions: Vec<String>,
    },
    /// Cannot serve.
    Failed {
        thread: u32,
        why: String,
    },
    Outcome {
        ticket: Ticket,
        outcome: Result<Answer, Fault>,
    },
    Counted {
        ticket: Ticket,
        thread: u32,
        stats: Box<ThreadStats>,
    },
    Events(Vec<Event>),
    /// Touches nothing any more.
    Ended,
}
