use trunkline_base::{Micros, Packet};
use trunkline_control::{Event, MediumKind};
use trunkline_rtp as rtp;
use trunkline_rtp::{Digit, Header, Outgoing};

use crate::codec::CodecRole;
use crate::cx::Cx;
use crate::monitor::{Monitor, Outlook};
use crate::stream::{Onward, Stream, Streams};
use crate::webrtc::WebRtc;
use crate::{Forward, Shell, SideIndex};

/// One side of a session, whatever its transport is.
pub(crate) struct Side {
    pub streams: Streams,
    /// The transport of a WebRTC side; that of an RTP side is with each medium.
    pub webrtc: Option<Box<WebRtc>>,
    pub monitor: Monitor,
    /// What the side says goes nowhere.
    pub muted: bool,
    pub link: Link,
    pub id: Box<str>,
    /// RFC 7022.
    pub cname: Box<str>,
    /// Number of the side in its session, in the order they were made.
    pub born: u32,
    /// Up to when fingers would have been busy with the digits that were told.
    pub digits_until: Micros,
}

/// To whom a side talks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    Nothing,
    Side(SideIndex),
    Echo,
    /// 0 Hz: silence.
    Tone(u32),
}

/// A packet made here, before it has a header.
pub(crate) struct MadePacket<'a> {
    pub place: rtp::Place,
    pub payload_type: u8,
    pub marker: bool,
    pub payload: &'a [u8],
}

impl Side {
    /// An RTP packet that is authentic where that can be known. What is to be done with it, if anything.
    ///
    /// `soon` is the session's deadline, which a digit may bring nearer.
    #[inline]
    pub fn on_rtp<S: Shell>(
        &mut self,
        medium: u8,
        packet: &Packet,
        header: &Header,
        soon: &mut Micros,
        cx: &mut Cx<'_, S>,
    ) -> Option<Onward> {
        let entry = self.streams[medium].receive(header, cx.now)?;
        if !self.monitor.is_settled() {
            self.on_first_media(cx);
        }
        if entry.role == CodecRole::Event {
            self.on_event(medium, packet, header, entry.clock_hz, soon, cx);
        }
        if self.muted {
            return None;
        }
        self.streams[medium].onward(&entry)
    }

    /// Puts a packet of a source on the line toward this side's peer. `Some`: it may leave.
    #[inline]
    pub fn forward(
        &mut self,
        onward: &Onward,
        packet: &mut Packet,
        header: &Header,
        now: Micros,
    ) -> Option<Forward> {
        let Self { streams, webrtc, .. } = self;
        let medium = onward.to.medium;
        let stream = &mut streams[medium];
        if !stream.sends || stream.made.as_ref().is_some_and(|made| made.is_dialling()) {
            return None;
        }
        let (forward, crypto, base) = match &stream.end {
            Some(end) => end.way()?,
            None => webrtc.as_ref()?.way(medium)?,
        };
        let record = &mut *stream.slot;
        let place = match onward.event {
            None => record.line.place(header, onward.clock_hz, now)?,
            Some(clocks) => {
                let payload = packet.bytes_mut().get_mut(header.payload_start..header.payload_end)?;
                record.relay.place(&mut record.line, header, payload, clocks, now)?
            }
        };
        let outgoing = Outgoing {
            // The marker starts a talkspurt in audio, but ends a frame in video.
            marker: header.marker || (place.begins && stream.kind == MediumKind::Audio),
            payload_type: onward.payload_type,
            sequence: place.index as u16,
            timestamp: place.timestamp,
            ssrc: stream.ssrc,
            mid: stream.mid.as_ref().map(|mid| (mid.id(), mid.text())),
            transport_sequence: None,
        };
        rtp::rewrite(packet, header, &outgoing);
        if crypto.is_some_and(|crypto| !crypto.protect_rtp(packet, place.index, base)) {
            return None;
        }
        record.packets_sent += 1;
        record.bytes_sent += (header.payload_end - header.payload_start) as u64;
        if let Some(ring) = &mut stream.ring {
            ring.push(place.index as u16, packet.bytes());
        }
        // The index is used: a process after us has to know.
        stream.slot.settle();
        Some(forward)
    }

    /// Sends an RTP packet made here.
    pub fn send_made<S: Shell>(&mut self, medium: u8, made: &MadePacket<'_>, cx: &mut Cx<'_, S>) {
        let Self { streams, webrtc, .. } = self;
        let stream = &mut streams[medium];
        let way = match &stream.end {
            Some(end) => end.way(),
            None => webrtc.as_ref().and_then(|webrtc| webrtc.way(medium)),
        };
        let Some((forward, crypto, base)) = way else { return };
        let outgoing = Outgoing {
            marker: made.marker,
            payload_type: made.payload_type,
            sequence: made.place.index as u16,
            timestamp: made.place.timestamp,
            ssrc: stream.ssrc,
            mid: stream.mid.as_ref().map(|mid| (mid.id(), mid.text())),
            transport_sequence: None,
        };
        let mut packet = Packet::new();
        rtp::build(&mut packet, &outgoing, made.payload);
        if crypto.is_some_and(|crypto| !crypto.protect_rtp(&mut packet, made.place.index, base)) {
            return;
        }
        let record = &mut *stream.slot;
        record.packets_sent += 1;
        record.bytes_sent += made.payload.len() as u64;
        if let Some(ring) = &mut stream.ring {
            ring.push(made.place.index as u16, packet.bytes());
        }
        stream.slot.settle();
        cx.shell.send(forward.socket, forward.to, packet.bytes());
    }

    /// Sends a compound RTCP packet made here, if there is a way.
    pub fn send_rtcp<S: Shell>(&mut self, medium: u8, packet: &mut Packet, cx: &mut Cx<'_, S>) {
        let Self { streams, webrtc, .. } = self;
        let stream = &mut streams[medium];
        let way = match &stream.end {
            Some(end) => end.rtcp_way(),
            None => webrtc
                .as_ref()
                .and_then(|webrtc| webrtc.way(medium))
                .map(|(forward, crypto, _)| (forward, crypto)),
        };
        let Some((forward, crypto)) = way else { return };
        if let Some(crypto) = crypto {
            stream.slot.rtcp_index += 1;
            if !crypto.protect_rtcp(packet, stream.slot.rtcp_index) {
                return;
            }
            stream.slot.settle();
        }
        cx.shell.send(forward.socket, forward.to, packet.bytes());
    }

    /// Whether RTP of this medium can leave now.
    pub fn can_send(&self, medium: u8) -> bool {
        let stream = &self.streams[medium];
        let way = match &stream.end {
            Some(end) => end.way(),
            None => self.webrtc.as_ref().and_then(|webrtc| webrtc.way(medium)),
        };
        stream.sends && way.is_some()
    }

    /// `address:port` media comes from.
    pub fn remote_text(&self) -> Option<String> {
        let remote = match &self.webrtc {
            Some(webrtc) => webrtc.remote(),
            None => self.streams.first.end.as_ref().and_then(|end| end.remote()),
        };
        remote.map(|remote| remote.to_string())
    }

    /// What silence is judged by.
    pub fn outlook(&self, consent: Micros) -> Outlook {
        let mut audio = self.streams.iter().filter(|stream| stream.kind == MediumKind::Audio);
        let ready = self.webrtc.as_ref().is_none_or(|webrtc| webrtc.is_ready());
        Outlook {
            expected: ready && audio.any(|stream| stream.receives),
            heard_at: self.streams.iter().map(|stream| stream.slot.reception.last_at).max().unwrap_or(0),
            checked_at: self.checked_at(consent),
        }
    }

    /// Digits faster than anybody presses them are passed on but not told: events of all sessions take one way.
    pub fn tell_digit<S: Shell>(&mut self, digit: Digit, cx: &mut Cx<'_, S>) {
        let busy_until = self.digits_until.max(cx.now);
        if busy_until - cx.now > DIGITS_AHEAD_US {
            return;
        }
        self.digits_until = busy_until + DIGIT_US;
        cx.shell.event(Event::Dtmf {
            session: cx.session.to_owned(),
            side: self.id.to_string(),
            digit: digit.digit.to_string(),
            duration_ms: digit.duration_ms,
        });
    }

    /// After the monitor told something.
    pub fn note_told(&mut self) {
        self.streams.first.slot.told = self.monitor.told();
    }

    #[cold]
    fn on_first_media<S: Shell>(&mut self, cx: &mut Cx<'_, S>) {
        let remote = self.remote_text().unwrap_or_default();
        self.monitor.on_media(&self.id, || remote, cx);
        self.note_told();
    }

    #[cold]
    fn on_event<S: Shell>(
        &mut self,
        medium: u8,
        packet: &Packet,
        header: &Header,
        clock_hz: u32,
        soon: &mut Micros,
        cx: &mut Cx<'_, S>,
    ) {
        let detector = &mut self.streams[medium].slot.detector;
        let payload = packet.bytes().get(header.payload_start..header.payload_end).unwrap_or(&[]);
        let digits = detector.on_packet(header, payload, clock_hz, cx.now);
        *soon = detector.deadline().map_or(*soon, |at| at.min(*soon));
        for digit in digits.into_iter().flatten() {
            self.tell_digit(digit, cx);
        }
    }
}

impl Stream {
    /// Whether this is the medium that tones and digits go to.
    pub fn is_audio(&self) -> bool {
        self.kind == MediumKind::Audio
    }
}

/// Shorter than any digit with its pause (ITU-T Q.24: 40 ms each).
const DIGIT_US: Micros = 50_000;
/// As many as 64 digits at once: a network that held packets back gives them all together.
const DIGITS_AHEAD_US: Micros = 64 * DIGIT_US;
