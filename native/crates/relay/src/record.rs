use bytemuck::{Pod, Zeroable};
use trunkline_base::limits::MEDIA_PER_SIDE;
use trunkline_base::{Address, Micros};
use trunkline_ice::{Agent, Path};
use trunkline_rtp::{DtmfDetector, EventRelay, Line, Reception, Reports};
use trunkline_srtp::{MasterKey, Received};

/// What packets change of one medium, as plain data in a slot of the slab. Fields are only appended.
///
/// The first medium of a side is in the side's own slot, together with what the side has once (agent, keys); each
/// further one takes a slot more. A call without video pays for nothing else.
///
/// The process may die between any two stores. What may not be half new is sealed with a sum (see [`Sealed`]); the outgoing
/// numbers and the replay windows are safe because they only grow; counters may be off by one packet.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub struct SideRecord {
    /// Numbers of what leaves toward the peer.
    pub(crate) line: Line,
    /// What came from the peer.
    pub(crate) reception: Reception,
    pub(crate) packets_sent: u64,
    /// Payload bytes.
    pub(crate) bytes_sent: u64,
    /// Packets that were not taken.
    pub(crate) discarded: u64,
    /// Of SRTP; on a WebRTC side that of the first medium counts for all.
    pub(crate) received: Received,
    /// Which key `received` is of; 0 for none.
    pub(crate) received_of: u64,
    pub(crate) reports: Reports,
    pub(crate) keys: KeysRecord,
    /// Where an RTP peer turned out to be.
    pub(crate) latched: AddressRecord,
    pub(crate) agent: AgentRecord,
    /// The selected path, for when `agent` is torn.
    pub(crate) path: PathRecord,
    pub(crate) detector: DtmfDetector,
    /// Roll-over counter at which each SDES key of ours began (see `Suite`), plus one; 0: never used. Never changed again.
    pub(crate) sdes_bases: [u32; SUITES],
    pub(crate) heard: PeerReport,
    /// Index of the last SRTCP packet sent.
    pub(crate) rtcp_index: u32,
    /// Codec last received, as text; zeros after its end.
    pub(crate) codec: [u8; 16],
    /// What was told about the side: see `monitor`.
    pub(crate) told: u32,
    pub(crate) relay: EventRelay,
    padding: [u8; PADDING],
    /// What a later version appended: 0 in records of this one.
    #[cfg(feature = "grown-record")]
    appended: u64,
}

/// Number of SDES suites.
pub(crate) const SUITES: usize = 4;

/// SRTP keys of a DTLS association.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(crate) struct KeysRecord {
    pub send: MasterKey,
    pub receive: MasterKey,
    /// Roll-over counter of each medium's line at which `send` began: the peer counts from 0 there.
    pub bases: [u32; MEDIA_PER_SIDE],
    /// Of the peer's fingerprints: keys are not used under other terms.
    pub terms: u64,
    sum: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(crate) struct AddressRecord {
    pub address: Address,
    sum: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(crate) struct PathRecord {
    pub path: Path,
    sum: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(crate) struct AgentRecord {
    pub agent: Agent,
    sum: u64,
}

/// What the peer's reports said of what we send; counters of `known` bits.
#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
pub(crate) struct PeerReport {
    pub loss_fraction: f32,
    pub jitter_us: u32,
    pub round_trip_us: u32,
    /// `LOSS`, `JITTER`, `ROUND_TRIP`.
    pub known: u32,
}

impl PeerReport {
    pub const LOSS: u32 = 1;
    pub const JITTER: u32 = 2;
    pub const ROUND_TRIP: u32 = 4;
}

/// Plain data whose last eight bytes are a sum of the others: half-written, it is seen to be.
pub(crate) trait Sealed: Pod {
    /// To be called after every change.
    fn seal(&mut self) {
        let sum = sum_of(body(self));
        let bytes = bytemuck::bytes_of_mut(self);
        let at = bytes.len() - SUM_BYTES;
        bytes[at..].copy_from_slice(&sum.to_ne_bytes());
    }

    /// `None`: never written, or torn.
    fn whole(&self) -> Option<&Self> {
        let bytes = bytemuck::bytes_of(self);
        let sum = &bytes[bytes.len() - SUM_BYTES..];
        (sum == sum_of(body(self)).to_ne_bytes()).then_some(self)
    }
}

impl Sealed for KeysRecord {}
impl Sealed for AddressRecord {}
impl Sealed for PathRecord {}
impl Sealed for AgentRecord {}

impl KeysRecord {
    pub fn new(send: MasterKey, receive: MasterKey, bases: [u32; MEDIA_PER_SIDE], terms: u64) -> Self {
        let mut keys = Self { send, receive, bases, terms, sum: 0 };
        keys.seal();
        keys
    }
}

impl AddressRecord {
    pub fn new(address: Address) -> Self {
        let mut record = Self { address, sum: 0 };
        record.seal();
        record
    }
}

impl PathRecord {
    pub fn new(path: Path) -> Self {
        let mut record = Self { path, sum: 0 };
        record.seal();
        record
    }
}

impl AgentRecord {
    pub fn new(agent: Agent) -> Self {
        let mut record = Self { agent, sum: 0 };
        record.seal();
        record
    }
}

/// Tells keys apart in `received_of`.
pub(crate) fn tag_of(key: &MasterKey) -> u64 {
    tag(bytemuck::bytes_of(key))
}

/// Tells texts and keys apart; never 0.
pub(crate) fn tag(bytes: &[u8]) -> u64 {
    sum_of(bytes).max(1)
}

impl SideRecord {
    /// After the process died at any moment: what may be torn begins anew, safely.
    pub(crate) fn recover(&mut self, now: Micros, random: u32) {
        self.line.recover(now);
        self.relay.cut();
        self.detector = DtmfDetector::default();
        self.rtcp_index = self.rtcp_index.saturating_add(RTCP_INDICES_SKIPPED);
        if self.reports.due_at > now + LONGEST_REPORT_INTERVAL_US {
            self.reports = Reports::new(now, random);
        }
        if self.reception.last_at > now {
            self.reception.last_at = now;
        }
        self.path = self.path.whole().copied().unwrap_or(PathRecord::zeroed());
    }
}

fn body<T: Pod>(value: &T) -> &[u8] {
    let bytes = bytemuck::bytes_of(value);
    &bytes[..bytes.len() - SUM_BYTES]
}

/// FNV-1a over words: against torn stores, not against anybody.
fn sum_of(bytes: &[u8]) -> u64 {
    bytes.chunks(8).fold(0xcbf2_9ce4_8422_2325, |sum, chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        (sum ^ u64::from_ne_bytes(word)).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23)
    })
}

const SUM_BYTES: usize = 8;
/// More than can have been sent after the index that was stored.
const RTCP_INDICES_SKIPPED: u32 = 1_000;
const LONGEST_REPORT_INTERVAL_US: Micros = 20_000_000;
/// Up to the alignment of the whole.
const PADDING: usize = {
    let tail = size_of::<EventRelay>() + size_of::<PeerReport>() + 16 + 4 * SUITES + 8;
    (8 - tail % 8) % 8
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_sealed_is_taken_when_it_was_never_written_or_is_torn() {
        assert!(KeysRecord::zeroed().whole().is_none());
        let keys = KeysRecord::new(MasterKey::NONE, MasterKey::NONE, [7; MEDIA_PER_SIDE], 9);
        assert!(keys.whole().is_some());
        for at in 0..size_of::<KeysRecord>() {
            let mut torn = keys;
            bytemuck::bytes_of_mut(&mut torn)[at] ^= 1;
            assert!(torn.whole().is_none(), "byte {at}");
        }
    }

    #[test]
    fn an_audio_call_pays_for_no_more_than_it_needs() {
        assert!(size_of::<SideRecord>() <= 1_664, "{} bytes", size_of::<SideRecord>());
    }
}
