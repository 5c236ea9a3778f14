use crate::codec::{Codec, CodecRole, Medium};

/// What becomes of each payload type of a source; looked up once per packet.
#[derive(Debug)]
pub(crate) struct Routes {
    /// By payload type: position in `entries`, or `NO_ENTRY`.
    index: [u8; 128],
    entries: Box<[Entry]>,
    /// Clock and payload type of each telephone-event the target takes.
    events: Box<[(u32, u8)]>,
    /// Clock of the first codec that both sides have.
    common_hz: Option<u32>,
}

/// One payload type of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub clock_hz: u32,
    /// Position in the source's `receive_codecs`.
    pub codec: u8,
    pub role: CodecRole,
    /// The target's number; `NO_PAYLOAD_TYPE`: it does not want it. Events are asked of `Routes::event`.
    pub payload_type: u8,
}

/// How a telephone-event goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventRoute {
    pub payload_type: u8,
    pub peer_hz: u32,
    /// Of the audio around it.
    pub line_hz: u32,
}

pub(crate) const NO_PAYLOAD_TYPE: u8 = 0xff;
const NO_ENTRY: u8 = 0xff;

impl Routes {
    /// Nothing is taken.
    pub fn none() -> Self {
        Self { index: [NO_ENTRY; 128], entries: Box::new([]), events: Box::new([]), common_hz: None }
    }

    /// How each codec of a source goes out to a target: the same codec, under the target's number.
    pub fn new(source: &Medium, target: Option<&Medium>) -> Self {
        let wanted = target.map_or(&[][..], |target| &target.send_codecs);
        let mut index = [NO_ENTRY; 128];
        let entries = source.receive_codecs.iter().enumerate().map(|(at, codec)| {
            if let Some(slot) = index.get_mut(usize::from(codec.payload_type)) {
                *slot = at as u8;
            }
            Entry {
                clock_hz: codec.clock_hz,
                codec: at as u8,
                role: codec.role,
                payload_type: same_codec(codec, wanted).map_or(NO_PAYLOAD_TYPE, |same| same.payload_type),
            }
        });
        let entries = entries.collect();
        let events = wanted
            .iter()
            .filter(|codec| codec.role == CodecRole::Event)
            .map(|codec| (codec.clock_hz, codec.payload_type))
            .collect();
        let common_hz = source
            .receive_codecs
            .iter()
            .find(|codec| codec.role == CodecRole::Media && same_codec(codec, wanted).is_some())
            .map(|codec| codec.clock_hz);
        Self { index, entries, events, common_hz }
    }

    #[inline]
    pub fn entry(&self, payload_type: u8) -> Option<Entry> {
        let at = *self.index.get(usize::from(payload_type))?;
        self.entries.get(usize::from(at)).copied()
    }

    /// `active_hz` is the clock of the codec that the source uses now: an event shares the clock of the audio around it
    /// (RFC 4733 §2.1), so it decides which telephone-event of the target is meant.
    pub fn event(&self, active_hz: Option<u32>) -> Option<EventRoute> {
        let line_hz = active_hz.or(self.common_hz);
        let fitting = self.events.iter().find(|(clock_hz, _)| Some(*clock_hz) == line_hz);
        let (peer_hz, payload_type) = *fitting.or(self.events.first())?;
        Some(EventRoute { payload_type, peer_hz, line_hz: line_hz.unwrap_or(peer_hz) })
    }
}

fn same_codec<'a>(codec: &Codec, wanted: &'a [Codec]) -> Option<&'a Codec> {
    match codec.role {
        CodecRole::Media | CodecRole::Noise => wanted.iter().find(|candidate| codec.is_same(candidate)),
        CodecRole::Event | CodecRole::Repair => None,
    }
}

#[cfg(test)]
mod tests {
    use trunkline_control::{MediumKind, PayloadCodec, RemoteMedium};

    use super::*;

    fn codec(payload_type: u8, name: &str, clock_rate_hz: u32, channels: u8, fmtp: &str) -> PayloadCodec {
        let fmtp = (!fmtp.is_empty()).then(|| fmtp.to_owned());
        PayloadCodec { payload_type, name: name.into(), clock_rate_hz, channels: Some(channels), fmtp }
    }

    fn opus(payload_type: u8) -> PayloadCodec {
        codec(payload_type, "opus", 48_000, 2, "")
    }

    fn pcmu() -> PayloadCodec {
        PayloadCodec { channels: None, ..codec(0, "PCMU", 8_000, 1, "") }
    }

    fn event(payload_type: u8, clock_rate_hz: u32) -> PayloadCodec {
        codec(payload_type, "telephone-event", clock_rate_hz, 1, "")
    }

    fn medium(codecs: &[PayloadCodec]) -> Medium {
        Medium::new(&RemoteMedium {
            kind: MediumKind::Audio,
            active: true,
            send: true,
            receive: true,
            send_codecs: codecs.to_vec(),
            receive_codecs: codecs.to_vec(),
            mid: None,
            mid_extension_id: None,
            transport_cc_extension_id: None,
            nack: false,
            ptime_ms: None,
            address: None,
            port: None,
            rtcp_address: None,
            rtcp_port: None,
            rtcp_mux: false,
            srtp: None,
        })
    }

    fn number(source: &[PayloadCodec], target: &[PayloadCodec], payload_type: u8) -> Option<u8> {
        let routes = Routes::new(&medium(source), Some(&medium(target)));
        routes.entry(payload_type).map(|entry| entry.payload_type).filter(|number| *number != NO_PAYLOAD_TYPE)
    }

    #[test]
    fn a_codec_goes_out_under_the_number_of_the_other_side() {
        let renamed = PayloadCodec { name: "OPUS".into(), ..opus(96) };
        let routes = Routes::new(&medium(&[opus(111), pcmu()]), Some(&medium(&[renamed])));
        assert_eq!(
            routes.entry(111),
            Some(Entry { clock_hz: 48_000, codec: 0, role: CodecRole::Media, payload_type: 96 })
        );
        assert_eq!(routes.entry(0).map(|entry| entry.payload_type), Some(NO_PAYLOAD_TYPE), "not wanted");
        assert_eq!(routes.entry(9), None, "never negotiated");
    }

    #[test]
    fn equal_clocks_do_not_make_one_codec_nor_do_equal_names() {
        assert_eq!(number(&[codec(9, "G722", 8_000, 1, "")], &[pcmu()], 9), None);
        assert_eq!(number(&[codec(96, "opus", 48_000, 1, "")], &[opus(111)], 96), None);
        assert_eq!(number(&[codec(0, "pcmu", 8_000, 1, "")], &[pcmu()], 0), Some(0), "no channels are one");
    }

    #[test]
    fn an_event_is_counted_in_the_clock_that_the_other_side_agreed_to() {
        let browser = medium(&[pcmu(), event(110, 48_000), event(126, 8_000)]);
        let phone = medium(&[pcmu(), event(101, 8_000)]);
        let there = Routes::new(&browser, Some(&phone));
        let expected = EventRoute { payload_type: 101, peer_hz: 8_000, line_hz: 8_000 };
        assert_eq!(there.event(None), Some(expected));
        assert_eq!(there.entry(110).map(|entry| entry.clock_hz), Some(48_000));
        let back = Routes::new(&phone, Some(&browser));
        assert_eq!(back.event(None), Some(EventRoute { payload_type: 126, ..expected }));
    }

    #[test]
    fn among_two_event_clocks_of_the_target_that_of_the_codec_in_use_is_taken() {
        let both = medium(&[opus(111), pcmu(), event(110, 48_000), event(126, 8_000)]);
        let phone = medium(&[pcmu(), opus(96), event(101, 8_000)]);
        let routes = Routes::new(&phone, Some(&both));
        assert_eq!(routes.event(Some(48_000)).map(|route| route.payload_type), Some(110));
        assert_eq!(routes.event(Some(8_000)).map(|route| route.payload_type), Some(126));
    }

    #[test]
    fn an_event_goes_on_the_clock_of_the_audio_even_where_the_peer_counts_in_another() {
        let routes = Routes::new(
            &medium(&[opus(111), event(110, 48_000)]),
            Some(&medium(&[opus(111), event(101, 8_000)])),
        );
        assert_eq!(
            routes.event(Some(48_000)),
            Some(EventRoute { payload_type: 101, peer_hz: 8_000, line_hz: 48_000 })
        );
    }

    #[test]
    fn h264_goes_only_to_the_same_profile_and_packetization_mode() {
        let h264 = |payload_type, fmtp| codec(payload_type, "H264", 90_000, 1, fmtp);
        let source = [h264(102, "packetization-mode=1;profile-level-id=42e01f")];
        let target = [
            h264(97, "packetization-mode=0;profile-level-id=42e01f"),
            h264(98, "profile-level-id=42E028; packetization-mode=1"),
        ];
        assert_eq!(number(&source, &target, 102), Some(98));
    }

    #[test]
    fn repair_of_our_packets_is_ours() {
        let rtx = codec(97, "rtx", 90_000, 1, "apt=96");
        assert_eq!(number(std::slice::from_ref(&rtx), std::slice::from_ref(&rtx), 97), None);
    }
}
