use std::net::{IpAddr, SocketAddr};

use crate::integrity::{SHA1_BYTES, message_integrity};
use crate::message::{
    ATTRIBUTE_HEADER_BYTES, BINDING_ERROR, BINDING_REQUEST, BINDING_SUCCESS, COOKIE, HEADER_BYTES, attribute,
    fingerprint,
};

/// Most bytes a reply has.
pub const REPLY_BYTES: usize = 128;
/// Most bytes a request of ours has.
pub const REQUEST_BYTES: usize = 640;
/// Types in UNKNOWN-ATTRIBUTES at most.
const UNKNOWN_LISTED: usize = 16;

/// A success response; returns its length in `out`.
pub fn success(
    out: &mut [u8; REPLY_BYTES],
    transaction: &[u8; 12],
    mapped: SocketAddr,
    password: &str,
) -> usize {
    let mut writer = Writer::new(out, BINDING_SUCCESS, transaction);
    writer.xor_mapped_address(mapped, transaction);
    writer.finish(Some(password))
}

/// An error response (400, 401, 420, 487); with integrity if a password is given. Returns its length in `out`.
///
/// Zeros in `unknown` are passed over. No reason phrase: answers to strangers stay small.
pub fn error(
    out: &mut [u8; REPLY_BYTES],
    transaction: &[u8; 12],
    code: u16,
    unknown: &[u16],
    password: Option<&str>,
) -> usize {
    let mut writer = Writer::new(out, BINDING_ERROR, transaction);
    writer.attribute(attribute::ERROR_CODE, &[0, 0, (code / 100) as u8, (code % 100) as u8]);
    let mut types = [0; 2 * UNKNOWN_LISTED];
    let listed = unknown.iter().filter(|kind| **kind != 0).zip(types.as_chunks_mut::<2>().0);
    let count = listed.map(|(kind, bytes)| *bytes = kind.to_be_bytes()).count();
    if count > 0 {
        writer.attribute(attribute::UNKNOWN_ATTRIBUTES, &types[..2 * count]);
    }
    writer.finish(password)
}

/// A check as a full agent in the controlling role sends it (RFC 8445 §7.1, §7.2.2): what a browser does, for tests and
/// load generators.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Transaction id: random, a new one for each check.
    pub transaction: [u8; 12],
    /// User fragment of the one who is asked, then that of the one who asks.
    pub ufrags: (&'a str, &'a str),
    /// Of the one who is asked.
    pub password: &'a str,
    /// Priority of a candidate that would be learned from this check.
    pub priority: u32,
    /// The same in all checks of an agent.
    pub tie_breaker: u64,
    /// Whether to nominate the pair.
    pub use_candidate: bool,
}

/// Writes a check; returns its length in `out`. Fragments are cut off after 256 bytes (RFC 8839 §5.4 allows no more).
pub fn request(out: &mut [u8; REQUEST_BYTES], request: &Request<'_>) -> usize {
    let mut username = [0; 513];
    let (local, remote) = request.ufrags;
    let bytes = local.bytes().take(256).chain(*b":").chain(remote.bytes().take(256));
    let length = bytes.zip(&mut username).map(|(byte, place)| *place = byte).count();
    let mut writer = Writer::new(out, BINDING_REQUEST, &request.transaction);
    writer.attribute(attribute::USERNAME, &username[..length]);
    writer.attribute(attribute::ICE_CONTROLLING, &request.tie_breaker.to_be_bytes());
    if request.use_candidate {
        writer.attribute(attribute::USE_CANDIDATE, &[]);
    }
    writer.attribute(attribute::PRIORITY, &request.priority.to_be_bytes());
    writer.finish(Some(request.password))
}

/// Writes a message whose parts have room: the sizes above see to it.
struct Writer<'a> {
    out: &'a mut [u8],
    length: usize,
}

impl<'a> Writer<'a> {
    fn new(out: &'a mut [u8], kind: u16, transaction: &[u8; 12]) -> Self {
        out[..2].copy_from_slice(&kind.to_be_bytes());
        out[4..8].copy_from_slice(&COOKIE);
        out[8..HEADER_BYTES].copy_from_slice(transaction);
        Self { out, length: HEADER_BYTES }
    }

    fn attribute(&mut self, kind: u16, value: &[u8]) {
        let value_at = self.length + ATTRIBUTE_HEADER_BYTES;
        let end = value_at + value.len();
        self.out[self.length..self.length + 2].copy_from_slice(&kind.to_be_bytes());
        self.out[self.length + 2..value_at].copy_from_slice(&(value.len() as u16).to_be_bytes());
        self.out[value_at..end].copy_from_slice(value);
        self.length = end.next_multiple_of(4);
        self.out[end..self.length].fill(0);
    }

    /// RFC 8489 §14.2. An IPv4 address is one, even if the socket says it in IPv6.
    fn xor_mapped_address(&mut self, mapped: SocketAddr, transaction: &[u8; 12]) {
        let mut value = [0; 20];
        let length = match mapped.ip().to_canonical() {
            IpAddr::V4(ip) => {
                value[1] = 1;
                value[4..8].copy_from_slice(&ip.octets());
                8
            }
            IpAddr::V6(ip) => {
                value[1] = 2;
                value[4..].copy_from_slice(&ip.octets());
                20
            }
        };
        value[2..4].copy_from_slice(&mapped.port().to_be_bytes());
        let (port, ip) = value[2..].split_at_mut(2);
        port.iter_mut().zip(COOKIE).for_each(|(byte, mask)| *byte ^= mask);
        ip.iter_mut().zip(COOKIE.iter().chain(transaction)).for_each(|(byte, mask)| *byte ^= mask);
        self.attribute(attribute::XOR_MAPPED_ADDRESS, &value[..length]);
    }

    /// Adds integrity if there is a password, and FINGERPRINT; returns the length of the whole.
    fn finish(mut self, password: Option<&str>) -> usize {
        if let Some(password) = password {
            let tag = message_integrity(&self.out[..self.length], password);
            debug_assert_eq!(tag.as_ref().len(), SHA1_BYTES);
            self.attribute(attribute::MESSAGE_INTEGRITY, tag.as_ref());
        }
        let length = (self.length + 8 - HEADER_BYTES) as u16;
        self.out[2..4].copy_from_slice(&length.to_be_bytes());
        let crc = fingerprint(&self.out[..self.length]);
        self.attribute(attribute::FINGERPRINT, &crc);
        self.length
    }
}
