use std::net::IpAddr;

use trunkline_base::limits::{CODECS_PER_MEDIUM, MEDIA_PER_SIDE, SIDES_PER_SESSION};
use trunkline_control::{
    ConnectedTo, Fault, MediumKind, RemoteMedium, RemoteSide, SessionChange, SessionSpec, SideSpec,
};

use crate::fault::spec_invalid;
use crate::text::{id_of, media_of};

/// A side there is now.
pub(crate) struct Known<'a> {
    pub id: &'a str,
    pub is_webrtc: bool,
    pub media: Vec<MediumKind>,
}

/// Refuses a session that cannot exist, before anything is taken (`src/media/spec-check.ts`).
pub(crate) fn check_spec(spec: &SessionSpec) -> Result<(), Fault> {
    ensure(!spec.id.is_empty(), || "a session needs an id".to_owned())?;
    ensure(!spec.sides.is_empty(), || "a session needs a side".to_owned())?;
    ensure(spec.sides.len() <= SIDES_PER_SESSION, || format!("{} sides are too many", spec.sides.len()))?;
    spec.sides.iter().try_for_each(check_side)?;
    let is_twin = |at: usize| spec.sides[..at].iter().any(|side| id_of(side) == id_of(&spec.sides[at]));
    ensure(!(0..spec.sides.len()).any(is_twin), || "two sides have the same id".to_owned())
}

/// Refuses a change that makes no sense for the sides there are. Changes may be repeated: adding a side that is there
/// and dropping one that is not are fine.
pub(crate) fn check_change(sides: &[Known<'_>], change: &SessionChange) -> Result<(), Fault> {
    let known = |id: &str| sides.iter().find(|side| side.id == id);
    let named = |id: &str| known(id).ok_or_else(|| spec_invalid(format!("there is no side {id}")));
    match change {
        SessionChange::AddSide { side } => {
            check_side(side)?;
            match known(id_of(side)) {
                Some(before) => check_again(before, side),
                None => {
                    ensure(sides.len() < SIDES_PER_SESSION, || "a further side is one too many".to_owned())
                }
            }
        }
        // Dropped before: nothing is left to do.
        SessionChange::DropSide { .. } => Ok(()),
        SessionChange::Remote { side, remote } => check_remote(named(side)?, remote),
        SessionChange::RestartIce { side } => {
            ensure(named(side)?.is_webrtc, || format!("side {side} has no ICE"))
        }
        SessionChange::Connect { side, to } => {
            named(side)?;
            match to {
                ConnectedTo::Side { side: partner } => {
                    ensure(side != partner, || format!("side {side} cannot be connected to itself"))?;
                    named(partner).map(drop)
                }
                ConnectedTo::Tone { frequency_hz } => ensure((1..4_000).contains(frequency_hz), || {
                    format!("a tone of {frequency_hz} Hz is not audible in G.711")
                }),
                ConnectedTo::Echo | ConnectedTo::Silence | ConnectedTo::Nothing => Ok(()),
            }
        }
        SessionChange::Mute { side, .. } | SessionChange::SendDtmf { side, .. } => named(side).map(drop),
    }
}

/// An IP address as it is written in SDP.
pub(crate) fn address(text: &str) -> Result<IpAddr, Fault> {
    text.parse().map_err(|_| spec_invalid(format!("{text} is not an IP address")))
}

fn check_side(side: &SideSpec) -> Result<(), Fault> {
    let (id, media) = (id_of(side), media_of(side));
    ensure(!id.is_empty(), || "a side needs an id".to_owned())?;
    ensure(!media.is_empty(), || format!("side {id} has no media"))?;
    ensure(media.len() <= MEDIA_PER_SIDE, || format!("side {id} has {} media: too many", media.len()))
}

/// Adding a side again is a retry only if it is the same side.
fn check_again(known: &Known<'_>, side: &SideSpec) -> Result<(), Fault> {
    let is_webrtc = matches!(side, SideSpec::WebRtc { .. });
    ensure(known.is_webrtc == is_webrtc && known.media == media_of(side), || {
        format!("there is another side {} already", known.id)
    })
}

fn check_remote(side: &Known<'_>, remote: &RemoteSide) -> Result<(), Fault> {
    let (is_webrtc, media) = match remote {
        RemoteSide::WebRtc { media, .. } => (true, media),
        RemoteSide::Rtp { media } => (false, media),
    };
    ensure(side.is_webrtc == is_webrtc, || {
        let name = |is_webrtc| if is_webrtc { "webrtc" } else { "rtp" };
        format!("side {} is {}, not {}", side.id, name(side.is_webrtc), name(is_webrtc))
    })?;
    let kinds: Vec<MediumKind> = media.iter().map(|medium| medium.kind).collect();
    ensure(kinds == side.media, || format!("side {} has {:?}, not {kinds:?}", side.id, side.media))?;
    media.iter().try_for_each(|medium| check_codecs(side.id, medium))
}

fn check_codecs(side: &str, medium: &RemoteMedium) -> Result<(), Fault> {
    let most = medium.send_codecs.len().max(medium.receive_codecs.len());
    ensure(most <= CODECS_PER_MEDIUM, || format!("side {side} has {most} codecs in a medium: too many"))?;
    let mut codecs = medium.send_codecs.iter().chain(&medium.receive_codecs);
    ensure(codecs.all(|codec| codec.payload_type < 128), || {
        format!("side {side} has a payload type over 127")
    })
}

fn ensure(holds: bool, message: impl FnOnce() -> String) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(spec_invalid(message())) }
}
