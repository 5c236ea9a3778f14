use trunkline_base::{Packet, random_u32};
use trunkline_control::MediumKind;
use trunkline_rtp::News;

use crate::cx::Cx;
use crate::record::PeerReport;
use crate::side::Side;
use crate::sides::Sides;
use crate::stream::Place;
use crate::{Shell, SideIndex};

impl Sides {
    /// A decrypted compound RTCP packet of a side: it ends here. `medium`: the only one it can be for.
    pub(crate) fn on_rtcp<S: Shell>(
        &mut self,
        side: SideIndex,
        medium: Option<u8>,
        compound: &[u8],
        cx: &mut Cx<'_, S>,
    ) {
        let Some(source) = self.get(side) else { return };
        let media = medium.map_or_else(|| source.streams.media(), |medium| medium..medium + 1);
        for medium in media {
            let Some(source) = self.get_mut(side) else { return };
            let (news, partner) = source.on_rtcp(medium, compound, cx);
            self.tell_partner(partner, &news, cx);
        }
    }

    /// The partner's line follows the clock of this source; a picture is asked of who sends it.
    fn tell_partner<S: Shell>(&mut self, partner: Option<Place>, news: &News, cx: &mut Cx<'_, S>) {
        let Some(Place { side, medium }) = partner else { return };
        let Some(partner) = self.get_mut(side) else { return };
        if let Some(clock) = &news.sender_clock {
            partner.streams[medium].slot.reports.on_source_clock(clock);
        }
        if news.key_frame_wanted {
            partner.request_key_frame(medium, cx);
        }
    }
}

impl Side {
    /// What a compound packet says of one medium, and who that medium talks to.
    fn on_rtcp<S: Shell>(
        &mut self,
        medium: u8,
        compound: &[u8],
        cx: &mut Cx<'_, S>,
    ) -> (News, Option<Place>) {
        let stream = &mut self.streams[medium];
        let record = &mut *stream.slot;
        let news = record.reports.on_packet(compound, stream.ssrc, &record.reception, cx.now);
        record.heard.note(&news);
        let partner = stream.partner;
        for sequence in &news.missing {
            self.repeat(medium, *sequence, cx);
        }
        if news.goodbye {
            self.monitor.on_goodbye(cx.now);
            self.note_told();
        }
        (news, partner)
    }

    /// Sends a packet once more, as it left.
    fn repeat<S: Shell>(&mut self, medium: u8, sequence: u16, cx: &mut Cx<'_, S>) {
        let stream = &mut self.streams[medium];
        let way = match &stream.end {
            Some(end) => end.way(),
            None => self.webrtc.as_ref().and_then(|webrtc| webrtc.way(medium)),
        };
        let kept = stream.ring.as_mut().and_then(|ring| ring.repeat(sequence));
        if let (Some((forward, ..)), Some(datagram)) = (way, kept) {
            cx.shell.send(forward.socket, forward.to, datagram);
        }
    }

    /// Asks the peer for a picture that needs no other.
    pub fn request_key_frame<S: Shell>(&mut self, medium: u8, cx: &mut Cx<'_, S>) {
        let stream = &mut self.streams[medium];
        if stream.kind != MediumKind::Video || !stream.receives {
            return;
        }
        let mut packet = Packet::new();
        let record = &mut *stream.slot;
        if record.reports.key_frame_request(&mut packet, stream.ssrc, &record.reception, cx.now) {
            self.send_rtcp(medium, &mut packet, cx);
        }
    }

    /// Sends the report that is due, if one is.
    pub fn report<S: Shell>(&mut self, medium: u8, cx: &mut Cx<'_, S>) {
        let stream = &mut self.streams[medium];
        if cx.now < stream.slot.reports.due_at || !stream.is_active() {
            return;
        }
        let sent = stream.sent();
        let record = &mut *stream.slot;
        let mut packet = Packet::new();
        let is_due = record.reports.poll(
            &mut packet,
            &sent,
            &record.line,
            &self.cname,
            &record.reception,
            cx.now,
            random_u32(),
        );
        if is_due {
            self.send_rtcp(medium, &mut packet, cx);
        }
    }

    /// Sends transport-wide feedback if it is due.
    pub fn feed_back<S: Shell>(&mut self, cx: &mut Cx<'_, S>) {
        let own_ssrc = self.streams.first.ssrc;
        let Some(feedback) = self.webrtc.as_mut().and_then(|webrtc| webrtc.feedback.as_mut()) else { return };
        let mut packet = Packet::new();
        if feedback.feedback.poll(&mut packet, own_ssrc, feedback.media_ssrc, cx.now) {
            self.send_rtcp(0, &mut packet, cx);
        }
    }

    /// Tells the peer that our streams are over.
    pub fn say_goodbye<S: Shell>(&mut self, cx: &mut Cx<'_, S>) {
        for medium in self.streams.media() {
            let stream = &mut self.streams[medium];
            if stream.slot.packets_sent == 0 {
                continue;
            }
            let sent = stream.sent();
            let record = &mut *stream.slot;
            let mut packet = Packet::new();
            record.reports.goodbye(&mut packet, &sent, &self.cname, &record.reception, cx.now);
            self.send_rtcp(medium, &mut packet, cx);
        }
    }
}

impl PeerReport {
    fn note(&mut self, news: &News) {
        if let Some(fraction) = news.loss_fraction {
            self.loss_fraction = fraction;
            self.known |= Self::LOSS;
        }
        if let Some(jitter_us) = news.jitter_us {
            self.jitter_us = jitter_us;
            self.known |= Self::JITTER;
        }
        if let Some(round_trip_us) = news.round_trip_us {
            self.round_trip_us = round_trip_us;
            self.known |= Self::ROUND_TRIP;
        }
    }
}
