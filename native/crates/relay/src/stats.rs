use trunkline_base::Micros;
use trunkline_control::{MediumKind, SideStats, StreamStats};
use trunkline_rtp::estimate;

use crate::Session;
use crate::record::{PeerReport, SideRecord};
use crate::side::Side;
use crate::stream::Stream;

impl Session {
    /// Counters of every side, in the order in which they were made.
    #[must_use]
    pub fn stats(&self, now: Micros) -> Vec<SideStats> {
        self.sides.in_order().into_iter().map(|(_, side)| side.stats(now)).collect()
    }
}

impl Side {
    fn stats(&self, now: Micros) -> SideStats {
        let webrtc = self.webrtc.as_deref();
        let suite = match webrtc {
            Some(webrtc) => webrtc.suite(),
            None => self.streams.first.end.as_ref().and_then(|end| end.suite()),
        };
        SideStats {
            side: self.id.to_string(),
            media: self.streams.iter().map(|stream| stream.stats(now)).collect(),
            ice: webrtc.map(|_| self.streams.first.slot.agent.agent.state().to_owned()),
            dtls: webrtc.map(|webrtc| {
                let state = match () {
                    () if webrtc.crypto.is_some() => "connected",
                    () if webrtc.dtls.failed => "failed",
                    () if webrtc.dtls.is_shaking_hands() => "connecting",
                    () => "new",
                };
                state.to_owned()
            }),
            srtp_suite: suite.map(|suite| suite.name().to_owned()),
            remote: self.remote_text(),
        }
    }
}

impl Stream {
    fn stats(&self, now: Micros) -> StreamStats {
        let record: &SideRecord = &self.slot;
        let reception = &record.reception;
        let heard = |bit, value: f64| (record.heard.known & bit != 0).then_some(value);
        let quality = self.quality();
        StreamStats {
            kind: self.kind,
            packets_received: reception.packets,
            bytes_received: reception.bytes,
            packets_lost: reception.lost(),
            jitter_ms: f64::from(reception.jitter_us()) / 1_000.0,
            packets_sent: record.packets_sent,
            bytes_sent: record.bytes_sent,
            remote_loss_fraction: heard(PeerReport::LOSS, f64::from(record.heard.loss_fraction)),
            remote_jitter_ms: heard(PeerReport::JITTER, f64::from(record.heard.jitter_us) / 1_000.0),
            round_trip_ms: heard(PeerReport::ROUND_TRIP, f64::from(record.heard.round_trip_us) / 1_000.0),
            packets_discarded: record.discarded,
            codec: self.codec_name().map(str::to_owned),
            packets_duplicated: Some(reception.duplicates),
            packets_reordered: Some(reception.reordered),
            r_factor: quality.map(|(r, _)| r),
            mos: quality.map(|(_, mos)| mos),
            silent_for_ms: (reception.last_at > 0).then(|| now.saturating_sub(reception.last_at) / 1_000),
        }
    }

    /// R and MOS of what was heard since the beginning; of audio only.
    fn quality(&self) -> Option<(f64, f64)> {
        let reception = &self.slot.reception;
        let codec = self.codec_name().filter(|_| self.kind == MediumKind::Audio && reception.packets > 0)?;
        let lost = reception.lost().max(0) as f32;
        let loss_fraction = lost / (lost + reception.packets as f32);
        let has_round_trip = self.slot.heard.known & PeerReport::ROUND_TRIP != 0;
        let round_trip_us = if has_round_trip { self.slot.heard.round_trip_us } else { 0 };
        let jitter_ms = reception.jitter_us() as f32 / 1_000.0;
        let one_way_ms = round_trip_us as f32 / 2_000.0 + 2.0 * jitter_ms + PACKET_MS;
        let quality = estimate(codec, loss_fraction, one_way_ms);
        Some((f64::from(quality.r), f64::from(quality.mos)))
    }
}

/// Time that a packet of audio takes to be filled.
const PACKET_MS: f32 = 20.0;
