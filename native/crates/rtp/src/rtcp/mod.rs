//! RTCP packets, one file each: how they are read and written.

pub(crate) mod bye;
pub(crate) mod compound;
pub(crate) mod fir;
pub(crate) mod nack;
pub(crate) mod pli;
pub(crate) mod receiver_report;
pub(crate) mod report_block;
pub(crate) mod sdes;
pub(crate) mod sender_report;
pub(crate) mod twcc;

/// Packet types (RFC 3550 §12.1, RFC 4585 §6.1).
pub(crate) const SENDER_REPORT: u8 = 200;
pub(crate) const RECEIVER_REPORT: u8 = 201;
pub(crate) const SOURCE_DESCRIPTION: u8 = 202;
pub(crate) const GOODBYE: u8 = 203;
pub(crate) const TRANSPORT_FEEDBACK: u8 = 205;
pub(crate) const PAYLOAD_FEEDBACK: u8 = 206;
