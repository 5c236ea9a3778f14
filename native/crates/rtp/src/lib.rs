//! RTP and RTCP: packets, the outgoing line of numbers, reports, telephone-event, tones, quality.
//!
//! Everything here is a function of bytes or plain data without sockets and clock. What has to outlive the process
//! (`Line`, `Reception`, `Reports`, `DtmfDetector`, `EventRelay`) is `Pod` and lies in shared memory: whatever bytes are
//! found there, nothing panics. Nothing is allocated per packet, save for `News::missing` when a NACK came.
#![forbid(unsafe_code)]

mod clock;
mod dtmf_detector;
mod dtmf_sender;
mod event_relay;
mod extension;
mod g711;
mod header;
mod line;
mod news;
mod ntp;
mod outgoing;
mod quality;
mod reception;
mod reports;
mod rtcp;
mod telephone_event;
mod tone;
mod transport_feedback;
mod window;

pub use dtmf_detector::{Digit, DtmfDetector};
pub use dtmf_sender::{DtmfSender, EventPacket};
pub use event_relay::{EventClocks, EventRelay};
pub use extension::extension;
pub use g711::G711;
pub use header::{Header, is_rtcp, rtcp_ssrc};
pub use line::{Line, Place};
pub use news::{News, SenderClock};
pub use outgoing::{Outgoing, build, rewrite};
pub use quality::{Quality, estimate};
pub use reception::Reception;
pub use reports::{Reports, Sent};
pub use rtcp::nack::build_nack;
pub use tone::Tone;
pub use transport_feedback::TransportFeedback;
