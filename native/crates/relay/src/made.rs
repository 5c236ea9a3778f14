use trunkline_base::Micros;
use trunkline_control::MediumKind;
use trunkline_rtp::{DtmfSender, G711, Tone};

use crate::codec::{Codec, CodecRole, Medium};

/// What is made here for a peer: a tone or silence, and digits.
pub(crate) struct Made {
    pub tone: Option<ToneLine>,
    pub digits: Option<DtmfSender>,
}

/// Frames of a tone in real time: as many as 20 ms fit into the time that passed, so it neither drifts nor bursts.
pub(crate) struct ToneLine {
    tone: Tone,
    /// `None`: at once.
    next_at: Option<Micros>,
}

impl Made {
    pub fn nothing() -> Box<Self> {
        Box::new(Self { tone: None, digits: None })
    }

    /// Whether digits are being sent or wait: the partner's audio is withheld.
    pub fn is_dialling(&self) -> bool {
        self.digits.as_ref().is_some_and(|digits| digits.deadline().is_some())
    }
}

impl ToneLine {
    /// 0 Hz is silence.
    pub fn new(frequency_hz: u32) -> Self {
        Self { tone: Tone::new(frequency_hz), next_at: None }
    }

    pub fn deadline(&self) -> Micros {
        self.next_at.unwrap_or(0)
    }

    /// The next frame, if it is due.
    pub fn poll(&mut self, law: G711, out: &mut [u8; FRAME_BYTES], now: Micros) -> bool {
        let at = self.next_at.filter(|at| now.saturating_sub(*at) <= MAX_LATE_US).unwrap_or(now);
        if now < at {
            return false;
        }
        self.next_at = Some(at + FRAME_US);
        self.tone.fill(law, out);
        true
    }
}

/// The codec in which tones are heard. None if the peer takes no G.711: calls to a tone are steered to it.
pub(crate) fn law_of(medium: &Medium) -> Option<(G711, &Codec)> {
    medium.send_codecs.iter().find_map(|codec| {
        let law = match () {
            () if codec.is_named("PCMU") => G711::Pcmu,
            () if codec.is_named("PCMA") => G711::Pcma,
            () => return None,
        };
        Some((law, codec))
    })
}

/// The telephone-event of a peer: that with the clock of its first codec (RFC 4733 §2.1), and that clock.
pub(crate) fn event_of(medium: &Medium) -> Option<(u8, u32)> {
    if medium.kind != MediumKind::Audio {
        return None;
    }
    let codecs = &medium.send_codecs;
    let audio_hz = codecs.iter().find(|codec| codec.role == CodecRole::Media).map(|codec| codec.clock_hz);
    let mut events = codecs.iter().filter(|codec| codec.role == CodecRole::Event);
    let fitting = events.clone().find(|codec| Some(codec.clock_hz) == audio_hz);
    fitting.or_else(|| events.next()).map(|codec| (codec.payload_type, codec.clock_hz))
}

pub(crate) const FRAME_BYTES: usize = 160;
const FRAME_US: Micros = 20_000;
/// After a longer stall the listener's jitter buffer has given up anyway.
const MAX_LATE_US: Micros = 200_000;
