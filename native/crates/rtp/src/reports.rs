use bytemuck::{Pod, Zeroable};
use trunkline_base::{Micros, Packet};

use crate::clock::{SECOND_US, micros, ticks};
use crate::ntp::{delay_of, later, micros_of, middle_of, ntp_of};
use crate::rtcp::compound::{RtcpPacket, begin, packets};
use crate::rtcp::report_block::{self, ReportBlock};
use crate::rtcp::{
    GOODBYE, PAYLOAD_FEEDBACK, RECEIVER_REPORT, SENDER_REPORT, TRANSPORT_FEEDBACK, bye, fir, nack, pli,
    receiver_report, sdes, sender_report,
};
use crate::{Line, News, Reception, SenderClock};

/// RTCP of one stream toward one peer: it ends here (`docs/adr/0005`). Reports about every 5 s, randomised
/// (RFC 3550 §6.3), the first after half of it. We report what we received ourselves and what we send, in the clock of
/// the source so that audio and video stay in step.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct Reports {
    /// When the next report is due.
    pub due_at: Micros,
    /// Packets sent at the last report: no news, no sender report.
    sent_at_report: u64,
    /// When our last sender reports left, and the middle of their NTP time.
    reported_at: [Micros; REPORTS_KEPT],
    reported_middle: [u32; REPORTS_KEPT],
    /// Clock of what we send, as the last report had it.
    clock_hz: u32,
    /// The last sender report of the SSRC we receive.
    peer_at: Micros,
    peer_ssrc: u32,
    peer_middle: u32,
    source: SenderClock,
    /// When a key frame was asked for.
    requested_at: Micros,
    /// What `Reception` had counted for this SSRC at the last report block.
    block_ssrc: u32,
    block_expected: u32,
    block_received: u32,
    /// `SOURCE`, `PEER`, `REQUESTED` and `BLOCK`: which of these there are.
    known: u8,
    /// Where the next of our reports is noted.
    next_report: u8,
    fir_sequence: u8,
    padding: u8,
}

/// What a report says of what we send.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// Ours toward this peer.
    pub ssrc: u32,
    /// Packets since the stream began.
    pub packets: u64,
    /// Payload bytes.
    pub bytes: u64,
    /// Clock of the line, in Hz.
    pub clock_hz: u32,
}

impl Reports {
    /// A stream that begins now. `random`: any 32 bits, so that streams do not report all at once.
    #[must_use]
    pub fn new(now: Micros, random: u32) -> Self {
        Self { due_at: now.saturating_add(interval(random) / 2), ..Self::zeroed() }
    }

    /// A compound packet, decrypted; malformed rests are ignored.
    pub fn on_packet(&mut self, compound: &[u8], own_ssrc: u32, reception: &Reception, now: Micros) -> News {
        let mut news = News::default();
        for packet in packets(compound) {
            match packet.kind {
                SENDER_REPORT => {
                    self.take_blocks(&packet, sender_report::BLOCKS_START, own_ssrc, &mut news, now);
                    self.take_clock(&packet, reception, &mut news, now);
                }
                RECEIVER_REPORT => {
                    self.take_blocks(&packet, receiver_report::BLOCKS_START, own_ssrc, &mut news, now);
                }
                GOODBYE => {
                    news.goodbye |=
                        bye::ssrcs(packet.bytes, packet.count).any(|ssrc| reception.heard() == Some(ssrc))
                }
                TRANSPORT_FEEDBACK | PAYLOAD_FEEDBACK => take_feedback(&packet, own_ssrc, &mut news),
                _ => {}
            }
        }
        news
    }

    /// The source connected to us sent this: our sender reports follow its clock.
    pub fn on_source_clock(&mut self, clock: &SenderClock) {
        self.source = *clock;
        self.known |= SOURCE;
    }

    /// The connected source is another one: the clock of the one before is not valid any more.
    pub fn switch_source(&mut self) {
        self.known &= !SOURCE;
    }

    /// The compound packet (SR or RR, SDES) that is due, in `packet`; `false`: nothing is due, `packet` is untouched.
    #[expect(clippy::too_many_arguments, reason = "a report tells of everything there is")]
    pub fn poll(
        &mut self,
        packet: &mut Packet,
        sent: &Sent,
        line: &Line,
        cname: &str,
        reception: &Reception,
        now: Micros,
        random: u32,
    ) -> bool {
        if now < self.due_at {
            return false;
        }
        self.due_at = now.saturating_add(interval(random));
        let block = self.block(reception, now);
        let report = self.sender_report(sent, line, now);
        begin(packet);
        match report {
            Some(report) => sender_report::write(packet, &report, block.as_ref()),
            None => receiver_report::write(packet, sent.ssrc, block.as_ref()),
        }
        sdes::write(packet, sent.ssrc, cname);
        self.sent_at_report = sent.packets;
        self.clock_hz = sent.clock_hz;
        true
    }

    /// RR and PLI for the SSRC we receive, and FIR if it was asked for within 3 s before: the peer may only know that.
    /// `false`: nothing was received yet, or a request left less than 500 ms ago.
    pub fn key_frame_request(
        &mut self,
        packet: &mut Packet,
        own_ssrc: u32,
        reception: &Reception,
        now: Micros,
    ) -> bool {
        let Some(media_ssrc) = reception.heard() else { return false };
        let since = (self.known & REQUESTED != 0).then(|| now.saturating_sub(self.requested_at));
        if since.is_some_and(|us| us < REQUEST_US) {
            return false;
        }
        self.requested_at = now;
        self.known |= REQUESTED;
        let block = self.block(reception, now);
        begin(packet);
        receiver_report::write(packet, own_ssrc, block.as_ref());
        pli::write(packet, own_ssrc, media_ssrc);
        if since.is_some_and(|us| us < REQUEST_AGAIN_US) {
            fir::write(packet, own_ssrc, media_ssrc, self.fir_sequence);
            self.fir_sequence = self.fir_sequence.wrapping_add(1);
        }
        true
    }

    /// RR, SDES and BYE for our SSRC.
    pub fn goodbye(
        &mut self,
        packet: &mut Packet,
        sent: &Sent,
        cname: &str,
        reception: &Reception,
        now: Micros,
    ) {
        let block = self.block(reception, now);
        begin(packet);
        receiver_report::write(packet, sent.ssrc, block.as_ref());
        sdes::write(packet, sent.ssrc, cname);
        bye::write(packet, sent.ssrc);
    }

    fn take_blocks(
        &self,
        packet: &RtcpPacket<'_>,
        start: usize,
        own_ssrc: u32,
        news: &mut News,
        now: Micros,
    ) {
        let mut blocks = report_block::read(packet.bytes, start, packet.count);
        let Some(block) = blocks.find(|block| block.ssrc == own_ssrc) else { return };
        news.loss_fraction = Some(f32::from(block.fraction) / 256.0);
        if self.clock_hz != 0 {
            let jitter_us = micros(u64::from(block.jitter_ticks), self.clock_hz);
            news.jitter_us = Some(u32::try_from(jitter_us).unwrap_or(u32::MAX));
        }
        news.round_trip_us = self.round_trip(&block, now).or(news.round_trip_us);
    }

    /// RFC 3550 §6.4.1, with our own record of when the report left instead of its NTP time.
    fn round_trip(&self, block: &ReportBlock, now: Micros) -> Option<u32> {
        let known = self.reported_middle.iter().position(|middle| *middle == block.last_sender_report);
        let left_at = self.reported_at[known.filter(|_| block.last_sender_report != 0)?];
        let us = now.saturating_sub(left_at).saturating_sub(micros_of(block.delay));
        Some(u32::try_from(us).unwrap_or(u32::MAX))
    }

    fn take_clock(&mut self, packet: &RtcpPacket<'_>, reception: &Reception, news: &mut News, now: Micros) {
        let Some(report) = sender_report::read(packet.bytes) else { return };
        if reception.heard() != Some(report.ssrc) {
            return;
        }
        (self.peer_ssrc, self.peer_middle, self.peer_at) = (report.ssrc, middle_of(report.ntp), now);
        self.known |= PEER;
        let sender_report::SenderReport { ssrc, timestamp, ntp, .. } = report;
        news.sender_clock = Some(SenderClock { ssrc, timestamp, ntp, received_at: now });
    }

    /// `None`: nothing was sent since the last report.
    fn sender_report(
        &mut self,
        sent: &Sent,
        line: &Line,
        now: Micros,
    ) -> Option<sender_report::SenderReport> {
        if sent.packets == self.sent_at_report {
            return None;
        }
        let (ntp, timestamp) = self.clock_at(sent, line, now)?;
        let slot = usize::from(self.next_report) % REPORTS_KEPT;
        (self.reported_at[slot], self.reported_middle[slot]) = (now, middle_of(ntp));
        self.next_report = ((slot + 1) % REPORTS_KEPT) as u8;
        Some(sender_report::SenderReport {
            ssrc: sent.ssrc,
            ntp,
            timestamp,
            packets: sent.packets as u32,
            bytes: sent.bytes as u32,
        })
    }

    /// The source's own pair of clocks if it told one, so that its audio and video stay in step; else ours.
    fn clock_at(&self, sent: &Sent, line: &Line, now: Micros) -> Option<(u64, u32)> {
        let source = (self.known & SOURCE != 0).then_some(self.source);
        let mapped = source.and_then(|source| {
            let timestamp = line.map_timestamp(source.ssrc, source.timestamp)?;
            let since = now.saturating_sub(source.received_at);
            let elapsed = ticks(since, sent.clock_hz) as u32;
            Some((later(source.ntp, since), timestamp.wrapping_add(elapsed)))
        });
        mapped.or_else(|| Some((ntp_of(now), line.timestamp_at(now)?)))
    }

    /// What we received of the current SSRC; the fraction counts from the block before.
    fn block(&mut self, reception: &Reception, now: Micros) -> Option<ReportBlock> {
        let ssrc = reception.heard()?;
        let (expected, received) = (reception.expected(), reception.received());
        let fraction = self.fraction(ssrc, expected, received);
        (self.block_ssrc, self.block_expected, self.block_received) = (ssrc, expected, received);
        self.known |= BLOCK;
        let peer = self.known & PEER != 0 && self.peer_ssrc == ssrc;
        Some(ReportBlock {
            ssrc,
            fraction,
            lost: reception.lost_of_ssrc(),
            highest: reception.highest(),
            jitter_ticks: reception.jitter_ticks(),
            last_sender_report: if peer { self.peer_middle } else { 0 },
            delay: if peer { delay_of(now.saturating_sub(self.peer_at)) } else { 0 },
        })
    }

    /// RFC 3550 A.3: lost of expected since the block before, in 1/256.
    fn fraction(&self, ssrc: u32, expected: u32, received: u32) -> u8 {
        let same = self.known & BLOCK != 0 && self.block_ssrc == ssrc && self.block_expected <= expected;
        let (expected, received) = if same {
            (expected - self.block_expected, received.wrapping_sub(self.block_received))
        } else {
            (expected, received)
        };
        let lost = expected.saturating_sub(received);
        (u64::from(lost) * 256).checked_div(u64::from(expected)).unwrap_or(0).min(255) as u8
    }
}

fn take_feedback(packet: &RtcpPacket<'_>, own_ssrc: u32, news: &mut News) {
    match (packet.kind, packet.count) {
        (TRANSPORT_FEEDBACK, nack::FORMAT) if nack::media_ssrc(packet.bytes) == Some(own_ssrc) => {
            let room = MISSING_MOST - news.missing.len();
            news.missing.extend(nack::missing(packet.bytes).take(room));
        }
        (PAYLOAD_FEEDBACK, pli::FORMAT) => {
            news.key_frame_wanted |= pli::media_ssrc(packet.bytes) == Some(own_ssrc);
        }
        (PAYLOAD_FEEDBACK, fir::FORMAT) => {
            news.key_frame_wanted |= fir::media_ssrcs(packet.bytes).any(|ssrc| ssrc == own_ssrc);
        }
        _ => {}
    }
}

/// RFC 3550 §6.3.1: the interval times 0.5 to 1.5.
fn interval(random: u32) -> Micros {
    REPORT_US / 2 + ((u64::from(random) * REPORT_US) >> 32)
}

const SOURCE: u8 = 1;
const PEER: u8 = 2;
const REQUESTED: u8 = 4;
const BLOCK: u8 = 8;

const REPORT_US: Micros = 5 * SECOND_US;
/// Peers tell of the newest of our reports that they have; RTCP may be late or lost.
const REPORTS_KEPT: usize = 3;
const REQUEST_US: Micros = SECOND_US / 2;
const REQUEST_AGAIN_US: Micros = 3 * SECOND_US;
const MISSING_MOST: usize = 64;

const _: () = assert!(size_of::<Reports>() <= 128);
