use trunkline_base::Micros;
use trunkline_rtp as rtp;

use crate::codec::Medium;
use crate::cx::Cx;
use crate::made::{FRAME_BYTES, event_of, law_of};
use crate::side::{MadePacket, Side};
use crate::stream::Stream;
use crate::{Settings, Shell};

impl Side {
    /// Does everything that is due, and nothing else.
    pub fn wake<S: Shell>(&mut self, settings: &Settings, cx: &mut Cx<'_, S>) {
        self.wake_dtls(cx);
        self.check_consent(settings, cx);
        self.watch(settings, cx);
        self.feed_back(cx);
        for medium in self.streams.media() {
            self.end_digit(medium, cx);
            self.report(medium, cx);
            self.play(medium, cx);
            self.dial(medium, cx);
        }
    }

    /// Earliest time at which `wake` has something to do.
    pub fn deadline(&self, settings: &Settings) -> Micros {
        let outlook = self.outlook(settings.consent);
        let monitor = self.monitor.deadline(&outlook, settings.silence);
        let webrtc = self.webrtc.as_ref();
        let dtls = webrtc.and_then(|webrtc| webrtc.dtls.deadline());
        let feedback = webrtc.and_then(|webrtc| webrtc.feedback.as_ref()?.feedback.deadline());
        let streams = self.streams.media().flat_map(|medium| self.stream_deadlines(medium));
        [monitor, dtls, feedback, self.consent_deadline(settings)]
            .into_iter()
            .chain(streams)
            .flatten()
            .min()
            .unwrap_or(Micros::MAX)
    }

    /// Notices silence and the end.
    pub fn watch<S: Shell>(&mut self, settings: &Settings, cx: &mut Cx<'_, S>) {
        let outlook = self.outlook(settings.consent);
        self.monitor.wake(&self.id, &outlook, settings.silence, cx);
        self.note_told();
    }

    fn stream_deadlines(&self, medium: u8) -> [Option<Micros>; 4] {
        let stream = &self.streams[medium];
        let can_send = self.can_send(medium);
        let made = stream.made.as_ref().filter(|_| can_send);
        [
            stream.slot.detector.deadline(),
            stream.is_active().then_some(stream.slot.reports.due_at),
            made.and_then(|made| made.tone.as_ref())
                .filter(|_| stream.law().is_some())
                .map(|tone| tone.deadline()),
            made.and_then(|made| made.digits.as_ref()?.deadline()).filter(|_| stream.event().is_some()),
        ]
    }

    /// Ends an event whose end packets were lost.
    fn end_digit<S: Shell>(&mut self, medium: u8, cx: &mut Cx<'_, S>) {
        let detector = &mut self.streams[medium].slot.detector;
        if detector.deadline().is_some_and(|at| cx.now >= at)
            && let Some(digit) = detector.on_wakeup(cx.now)
        {
            self.tell_digit(digit, cx);
        }
    }

    /// Sends the frames of a tone that are due; a late call makes up for what is missing.
    fn play<S: Shell>(&mut self, medium: u8, cx: &mut Cx<'_, S>) {
        let mut payload = [0; FRAME_BYTES];
        while self.can_send(medium) {
            let stream = &mut self.streams[medium];
            let Some((law, payload_type, clock_hz)) = stream.law() else { return };
            let Some(made) = stream.made.as_mut() else { return };
            let dialling = made.is_dialling();
            let Some(tone) = made.tone.as_mut() else { return };
            if !tone.poll(law, &mut payload, cx.now) {
                return;
            }
            if dialling {
                continue;
            }
            let place = stream.slot.line.next(FRAME_BYTES as u32, clock_hz, cx.now);
            let frame = MadePacket { place, payload_type, marker: place.begins, payload: &payload };
            self.send_made(medium, &frame, cx);
        }
    }

    /// Sends the packets of digits that are due.
    fn dial<S: Shell>(&mut self, medium: u8, cx: &mut Cx<'_, S>) {
        while self.can_send(medium) {
            let stream = &mut self.streams[medium];
            let Some((payload_type, clock_hz)) = stream.event() else { return };
            let Some(digits) = stream.made.as_mut().and_then(|made| made.digits.as_mut()) else { return };
            if digits.deadline().is_none_or(|at| cx.now < at) {
                return;
            }
            let line = &mut stream.slot.line;
            // A line that was never used has no clock: its first number is given to nobody.
            let timestamp_now =
                line.timestamp_at(cx.now).unwrap_or_else(|| line.next(0, clock_hz, cx.now).timestamp);
            let Some(event) = digits.poll(timestamp_now, clock_hz, cx.now) else { return };
            let place = line.next_at(event.timestamp, cx.now);
            let packet = MadePacket { place, payload_type, marker: event.marker, payload: &event.payload };
            if digits.deadline().is_none() {
                // Whatever comes next was not lost while the digits were sent.
                line.cut();
            }
            self.send_made(medium, &packet, cx);
        }
    }
}

impl Stream {
    /// Whether it was negotiated and not refused.
    pub fn is_active(&self) -> bool {
        self.medium.as_ref().is_some_and(|medium| medium.active)
    }

    fn law(&self) -> Option<(rtp::G711, u8, u32)> {
        let (law, codec) = law_of(self.medium.as_deref()?)?;
        Some((law, codec.payload_type, codec.clock_hz))
    }

    fn event(&self) -> Option<(u8, u32)> {
        self.medium.as_deref().and_then(|medium: &Medium| event_of(medium))
    }
}
