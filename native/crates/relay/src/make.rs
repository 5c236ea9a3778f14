use std::net::IpAddr;

use trunkline_base::{Micros, random_array, random_u32};
use trunkline_control::{ConnectedTo, PortPolicy, SideSpec};
use trunkline_ice::Credentials;
use trunkline_rtp::{Line, Reports};
use trunkline_slab::Slot;

use crate::fault::sessions_exhausted;
use crate::monitor::Monitor;
use crate::record::SideRecord;
use crate::rtp_end::RtpEnd;
use crate::side::{Link, Side};
use crate::stream::{Stream, Streams};
use crate::text::{RtpText, SideText, SlotText, WebRtcText, id_of, media_of};
use crate::webrtc::WebRtc;
use crate::{Fault, RtpPlace, Settings, Shell, SideIndex};

/// Makes a side with everything its peer has to be told. Its text is written last: before that nobody recovers it.
/// `complete`: with it the session is whole.
///
/// # Errors
/// `MEDIA_PORTS_EXHAUSTED`, `MEDIA_SESSIONS_EXHAUSTED`; then nothing is left.
#[expect(clippy::too_many_arguments, reason = "what a side is made of")]
pub(crate) fn side(
    spec: &SideSpec,
    session: &str,
    born: u32,
    index: SideIndex,
    complete: bool,
    settings: &Settings,
    shell: &mut impl Shell,
    now: Micros,
) -> Result<Side, Fault> {
    let media = media_of(spec);
    let slots: Vec<_> = media.iter().map(|_| shell.slot()).collect::<Result<_, _>>()?;
    let places = take_places(spec, index, shell)?;
    let text = text_of(spec, session, born, places.clone(), settings, shell);
    let made = text.and_then(|mut text| {
        text.complete = complete;
        assemble(text, slots, settings, now)
    });
    match made {
        Ok(side) => {
            if let Some(webrtc) = &side.webrtc {
                shell.accept_ufrag(&webrtc.credentials.ufrag, index);
            }
            Ok(side)
        }
        Err(fault) => {
            places.iter().for_each(|place| shell.release(place, false));
            Err(fault)
        }
    }
}

/// Gives back what a side has. `told`: the peer may still send there.
pub(crate) fn release(side: Side, told: bool, shell: &mut impl Shell) {
    side.places().for_each(|place| shell.release(place, told));
    // The side's own slot goes first: what is left without it is nobody's.
    side.streams.into_iter().for_each(|stream| drop(stream.slot));
}

/// The side that a text tells of, as far as it does not lie in its records.
pub(crate) fn side_of(text: &SideText, slots: Vec<Slot<SideRecord>>, settings: &Settings) -> Option<Side> {
    let signalled_from = match &text.spec {
        SideSpec::Rtp { signalled_from, .. } => signalled_from.as_deref().and_then(|ip| ip.parse().ok()),
        SideSpec::WebRtc { .. } => None,
    };
    let mut ends = text.rtp.iter().map(|rtp| RtpEnd::new(rtp.place, settings.strict_source, signalled_from));
    let streams = text
        .media()
        .iter()
        .zip(&text.ssrcs)
        .zip(slots)
        .map(|((kind, ssrc), slot)| Stream::new(*kind, *ssrc, ends.next(), slot));
    let webrtc = text.webrtc.as_ref();
    Some(Side {
        streams: Streams::new(streams)?,
        webrtc: webrtc.map(|webrtc| Box::new(WebRtc::new(webrtc.credentials(), webrtc.before()))),
        monitor: Monitor::default(),
        muted: text.muted,
        link: Link::Nothing,
        id: text.id().into(),
        cname: text.cname.as_str().into(),
        born: text.born,
        digits_until: 0,
    })
}

impl Side {
    /// Places of its media, on an RTP side.
    pub fn places(&self) -> impl Iterator<Item = &RtpPlace> {
        self.streams.iter().filter_map(|stream| stream.end.as_ref()).map(|end| &end.place)
    }
}

/// A place for each medium of an RTP side, or none at all.
fn take_places(spec: &SideSpec, index: SideIndex, shell: &mut impl Shell) -> Result<Vec<RtpPlace>, Fault> {
    let SideSpec::Rtp { media, towards, ports, .. } = spec else { return Ok(Vec::new()) };
    let towards: Option<IpAddr> = towards.as_deref().and_then(|ip| ip.parse().ok());
    let mut places = Vec::with_capacity(media.len());
    for _ in media {
        match shell.rtp_place(index, towards, *ports == Some(PortPolicy::Shared)) {
            Ok(place) => places.push(place),
            Err(fault) => {
                places.iter().for_each(|place| shell.release(place, false));
                return Err(fault);
            }
        }
    }
    Ok(places)
}

fn text_of(
    spec: &SideSpec,
    session: &str,
    born: u32,
    places: Vec<RtpPlace>,
    settings: &Settings,
    shell: &mut impl Shell,
) -> Result<Box<SideText>, Fault> {
    let webrtc = match spec {
        SideSpec::WebRtc { .. } => Some(webrtc_text(settings, shell)?),
        SideSpec::Rtp { .. } => None,
    };
    Ok(Box::new(SideText {
        session: session.to_owned(),
        born,
        complete: false,
        spec: spec.clone(),
        cname: random_array::<12>().iter().map(|byte| format!("{byte:02x}")).collect(),
        ssrcs: media_of(spec).iter().map(|_| random_u32()).collect(),
        webrtc,
        rtp: places.into_iter().map(RtpText::new).collect(),
        remote: None,
        to: ConnectedTo::Nothing,
        linked: 0,
        muted: false,
    }))
}

fn webrtc_text(settings: &Settings, shell: &mut impl Shell) -> Result<WebRtcText, Fault> {
    let certificate =
        settings.certificates.last().ok_or_else(|| sessions_exhausted("there is no certificate"))?;
    let Credentials { ufrag, pwd } = Credentials::random();
    Ok(WebRtcText {
        ufrag,
        pwd,
        before: None,
        candidates: shell.webrtc_place()?.candidates,
        fingerprint: certificate.fingerprint(),
    })
}

/// Fills the records and commits the texts, that of the side last.
fn assemble(
    text: Box<SideText>,
    mut slots: Vec<Slot<SideRecord>>,
    settings: &Settings,
    now: Micros,
) -> Result<Side, Fault> {
    for slot in &mut slots {
        slot.line = Line::new(random_u32() as u16, random_u32());
        slot.reports = Reports::new(now, random_u32());
    }
    for (medium, slot) in slots.iter_mut().enumerate().skip(1) {
        let (session, born) = (text.session.clone(), text.born);
        SlotText::Medium { session, born, medium }.store(slot)?;
    }
    let mut side = side_of(&text, slots, settings)
        .ok_or_else(|| crate::fault::spec_invalid(format!("side {} has no media", id_of(&text.spec))))?;
    text.store(&mut side.streams.first.slot)?;
    Ok(side)
}
