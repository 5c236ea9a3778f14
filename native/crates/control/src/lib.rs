//! Commands, replies and events between gateway and media engine: length-prefixed JSON on a unix socket.
//!
//! A frame is a big-endian `u32` length and that many bytes of UTF-8 JSON, at most `limits::CONTROL_FRAME_BYTES`.
//! Fields are those of `src/media/model.ts`, in camelCase; unknown fields are ignored, missing optional ones are absent.
//! Golden files of every frame lie in `native/crates/control/golden/` and are tested here and in
//! `src/media/engines/native/`.
#![forbid(unsafe_code)]

mod answer;
mod command;
mod event;
mod frame;
mod model;
mod stats;

pub use answer::{Answer, EngineStats, Fault, LatencyStats, Message, Outcome, Reply, ThreadStats};
pub use command::{Command, ConnectedTo, Op, PROTOCOL, SessionChange};
pub use event::Event;
pub use frame::{FrameError, FrameReader, encode};
pub use model::{
    Fingerprint, LocalCandidate, LocalIce, LocalRtpStream, LocalSide, LocalStream, MediumKind, OpenedSession,
    PayloadCodec, PortPolicy, RemoteDtls, RemoteIce, RemoteMedium, RemoteSide, SdesKey, SdesPair,
    SessionSpec, SideSpec,
};
pub use stats::{SideStats, StreamStats};
