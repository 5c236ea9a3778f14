//! Bounds of everything that the network feeds. Each is a row of `docs/limits.md`.

/// Sides of one session.
pub const SIDES_PER_SESSION: usize = 24;
/// Media of one side.
pub const MEDIA_PER_SIDE: usize = 4;
/// Codecs of one medium toward one peer.
pub const CODECS_PER_MEDIUM: usize = 64;
/// Bytes of one control frame.
pub const CONTROL_FRAME_BYTES: usize = 1_048_576;
/// DTLS datagrams that wait for the peer's fingerprint.
pub const EARLY_DTLS_DATAGRAMS: usize = 8;
/// Bytes of a DTLS handshake message in the clear; a ClientHello with several post-quantum key shares has less.
pub const DTLS_MESSAGE_BYTES: usize = 8_192;
/// DTLS handshake messages of one association that are put together at once. A flight has five; the others are noise.
pub const DTLS_PARTIAL_MESSAGES: usize = 8;
/// Pieces of one DTLS handshake message that do not touch each other yet.
pub const DTLS_MESSAGE_PIECES: usize = 64;
/// Attempts at one DTLS handshake, and hellos of one peer that replace each other.
pub const DTLS_ATTEMPTS: usize = 8;
/// Handshakes in progress on one thread; more have to wait for the peer's next retransmission.
pub const HANDSHAKES_PER_THREAD: usize = 2_000;
/// Events that wait for a gateway.
pub const EVENTS_QUEUED: usize = 65_536;
/// ICE-TCP connections of one thread.
pub const TCP_CONNECTIONS: usize = 4_096;
/// Bytes that wait to be written to one ICE-TCP connection.
pub const TCP_BACKLOG_BYTES: usize = 65_536;
/// SSRCs remembered per stream for the replay check of SRTP (RFC 3711 §3.2.1).
pub const SSRCS_PER_STREAM: usize = 4;
