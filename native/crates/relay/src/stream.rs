use std::ops::{Index, IndexMut};

use trunkline_base::Micros;
use trunkline_control::MediumKind;
use trunkline_rtp::{EventClocks, Header, Sent};
use trunkline_slab::Slot;

use crate::SideIndex;
use crate::codec::{CodecRole, Medium, Mid, Name, text_of};
use crate::made::Made;
use crate::record::SideRecord;
use crate::retransmission::Ring;
use crate::routes::{Entry, NO_PAYLOAD_TYPE, Routes};
use crate::rtp_end::RtpEnd;

/// One medium of one side: what arrives from its peer goes to a partner, what the partner gives goes to its peer.
pub(crate) struct Stream {
    pub slot: Slot<SideRecord>,
    pub kind: MediumKind,
    /// Whether we may send to the peer.
    pub sends: bool,
    /// Whether the peer may send to us.
    pub receives: bool,
    /// Position of the codec last received in the negotiated ones, or `NO_CODEC`.
    codec: u8,
    /// Of `medium`, here because every packet that leaves says it.
    pub mid: Option<Mid>,
    /// Where packets of this stream go; itself for an echo.
    pub partner: Option<Place>,
    pub ssrc: u32,
    /// The transport, on an RTP side.
    pub end: Option<RtpEnd>,
    pub routes: Routes,
    /// What is sent from here, if anything.
    pub made: Option<Box<Made>>,
    /// What the peer may ask for again.
    pub ring: Option<Box<Ring>>,
    pub medium: Option<Box<Medium>>,
}

/// A stream in its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub side: SideIndex,
    pub medium: u8,
}

/// What is to be done with a packet of a source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Onward {
    pub to: Place,
    /// The target's number.
    pub payload_type: u8,
    /// Clock of the line, in Hz.
    pub clock_hz: u32,
    /// For a telephone-event.
    pub event: Option<EventClocks>,
}

impl Stream {
    /// One that was not negotiated yet.
    pub fn new(kind: MediumKind, ssrc: u32, end: Option<RtpEnd>, slot: Slot<SideRecord>) -> Self {
        Self {
            slot,
            kind,
            sends: false,
            receives: false,
            codec: NO_CODEC,
            mid: None,
            partner: None,
            ssrc,
            end,
            routes: Routes::none(),
            made: None,
            ring: None,
            medium: None,
        }
    }

    /// Applies a negotiation. Routes have to be made again.
    pub fn apply(&mut self, medium: Medium) {
        let changed = self.sends != medium.send;
        (self.sends, self.receives) = (medium.send, medium.receive);
        if changed {
            // What the source said meanwhile was never meant for this line: it is no loss.
            self.slot.line.cut();
        }
        if medium.nack && medium.send {
            self.ring.get_or_insert_with(|| Box::new(Ring::new()));
        } else {
            self.ring = None;
        }
        let name = self.slot.codec;
        let known = medium.receive_codecs.iter().position(|codec| name[0] != 0 && codec.name == name);
        self.codec = known.map_or(NO_CODEC, |at| at as u8);
        self.mid = medium.mid;
        self.medium = Some(Box::new(medium));
    }

    pub fn route_to(&mut self, target: Option<&Medium>) {
        self.routes = match &self.medium {
            Some(medium) => Routes::new(medium, target),
            None => Routes::none(),
        };
    }

    /// Whether the peer may use this payload type.
    pub fn takes(&self, payload_type: u8) -> bool {
        self.routes.entry(payload_type).is_some()
    }

    /// What becomes of a packet by its payload type. Counts and notes it.
    ///
    /// `None`: it is not taken.
    #[inline]
    pub fn receive(&mut self, header: &Header, now: Micros) -> Option<Entry> {
        let record = &mut *self.slot;
        let Some(entry) = self.routes.entry(header.payload_type).filter(|_| self.receives) else {
            record.discarded += 1;
            return None;
        };
        let duplicates = record.reception.duplicates;
        let bytes = header.payload_end - header.payload_start;
        if !record.reception.on_packet(header, bytes, entry.clock_hz, now) {
            record.discarded += u64::from(record.reception.duplicates == duplicates);
            return None;
        }
        if entry.codec != self.codec && entry.role == CodecRole::Media {
            self.switch_codec(entry.codec);
        }
        Some(entry)
    }

    /// Where a packet goes that was received; `None`: nowhere.
    #[inline]
    pub fn onward(&mut self, entry: &Entry) -> Option<Onward> {
        let to = self.partner?;
        if entry.role == CodecRole::Event {
            let active_hz = self.active_codec().map(|(clock_hz, _)| clock_hz);
            let Some(route) = self.routes.event(active_hz) else {
                self.slot.discarded += 1;
                return None;
            };
            let clocks =
                EventClocks { source_hz: entry.clock_hz, peer_hz: route.peer_hz, line_hz: route.line_hz };
            let payload_type = route.payload_type;
            return Some(Onward { to, payload_type, clock_hz: route.line_hz, event: Some(clocks) });
        }
        if entry.payload_type == NO_PAYLOAD_TYPE {
            self.slot.discarded += 1;
            return None;
        }
        Some(Onward { to, payload_type: entry.payload_type, clock_hz: entry.clock_hz, event: None })
    }

    /// The source of what leaves here is another one, or none.
    pub fn switch_source(&mut self) {
        let record = &mut *self.slot;
        record.line.cut();
        record.relay.cut();
        record.reports.switch_source();
    }

    /// What a report says of what left here.
    pub fn sent(&self) -> Sent {
        let codecs = self.medium.as_ref().map_or(&[][..], |medium| &medium.send_codecs);
        let codec = codecs.iter().find(|codec| codec.role == CodecRole::Media);
        let default_hz = if self.kind == MediumKind::Audio { 8_000 } else { 90_000 };
        Sent {
            ssrc: self.ssrc,
            packets: self.slot.packets_sent,
            bytes: self.slot.bytes_sent,
            clock_hz: codec.map_or(default_hz, |codec| codec.clock_hz),
        }
    }

    /// Name of the codec last received.
    pub fn codec_name(&self) -> Option<&str> {
        Some(text_of(&self.slot.codec)).filter(|name| !name.is_empty())
    }

    #[cold]
    fn switch_codec(&mut self, codec: u8) {
        self.codec = codec;
        if let Some((_, name)) = self.active_codec() {
            self.slot.codec = name;
        }
    }

    fn active_codec(&self) -> Option<(u32, Name)> {
        let codec = self.medium.as_ref()?.receive_codecs.get(usize::from(self.codec))?;
        Some((codec.clock_hz, codec.name))
    }
}

/// The media of a side. There is at least one; the first lies in place, as most sides have no other.
pub(crate) struct Streams {
    pub first: Stream,
    more: Vec<Stream>,
}

impl Streams {
    /// `None`: there is none.
    pub fn new(streams: impl IntoIterator<Item = Stream>) -> Option<Self> {
        let mut streams = streams.into_iter();
        let first = streams.next()?;
        Some(Self { first, more: streams.collect() })
    }

    pub fn len(&self) -> usize {
        1 + self.more.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Stream> {
        std::iter::once(&self.first).chain(&self.more)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        std::iter::once(&mut self.first).chain(&mut self.more)
    }

    pub fn into_iter(self) -> impl Iterator<Item = Stream> {
        std::iter::once(self.first).chain(self.more)
    }

    /// Numbers of the media.
    pub fn media(&self) -> std::ops::Range<u8> {
        0..self.len() as u8
    }
}

impl Index<u8> for Streams {
    type Output = Stream;

    fn index(&self, medium: u8) -> &Stream {
        if medium == 0 { &self.first } else { &self.more[usize::from(medium) - 1] }
    }
}

impl IndexMut<u8> for Streams {
    fn index_mut(&mut self, medium: u8) -> &mut Stream {
        if medium == 0 { &mut self.first } else { &mut self.more[usize::from(medium) - 1] }
    }
}

const NO_CODEC: u8 = 0xff;
