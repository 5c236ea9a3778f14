use std::net::SocketAddr;

use trunkline_base::Micros;
use trunkline_control::{ConnectedTo, LocalSide, RemoteMedium, RemoteSide, SessionChange};
use trunkline_ice::Credentials;
use trunkline_rtp::DtmfSender;

use crate::codec::Medium;
use crate::cx::Cx;
use crate::fault::spec_invalid;
use crate::made::{Made, event_of};
use crate::rtp_end::Signalled;
use crate::side::{Link, Side};
use crate::spec_check::{Known, check_change};
use crate::text::{SideText, id_of};
use crate::{Fault, Session, Settings, Shell, SideIndex, SocketId};

/// Where a source is heard on a shared port.
type Source = (SocketId, SocketAddr);

impl Session {
    /// Makes a change, all of it or nothing. What it needs to survive is written before it takes effect. The same again
    /// changes nothing, save for digits.
    ///
    /// # Errors
    /// `MEDIA_SPEC_INVALID`, `MEDIA_PORTS_EXHAUSTED`, `MEDIA_SESSIONS_EXHAUSTED` (no room for what was negotiated).
    pub fn change(
        &mut self,
        change: &SessionChange,
        settings: &Settings,
        shell: &mut impl Shell,
        now: Micros,
    ) -> Result<Vec<LocalSide>, Fault> {
        check_change(&self.known(), change)?;
        let index = match change {
            SessionChange::AddSide { side } => self.sides.find(id_of(side)),
            SessionChange::DropSide { side }
            | SessionChange::Remote { side, .. }
            | SessionChange::RestartIce { side }
            | SessionChange::Connect { side, .. }
            | SessionChange::Mute { side, .. }
            | SessionChange::SendDtmf { side, .. } => self.sides.find(side),
        };
        let told = match (change, index) {
            (SessionChange::AddSide { .. }, Some(known)) => Some(known),
            (SessionChange::AddSide { side }, None) => {
                self.add(side, true, settings, shell, now)?;
                self.sides.find(id_of(side))
            }
            (SessionChange::DropSide { .. }, Some(index)) => {
                self.connect(index, &ConnectedTo::Nothing, shell, now)?;
                self.drop_side(index, shell, now);
                None
            }
            (SessionChange::Remote { remote, .. }, Some(index)) => {
                self.negotiate(index, remote, settings, shell, now)?;
                None
            }
            (SessionChange::RestartIce { .. }, Some(index)) => {
                self.restart_ice(index, shell, now)?;
                Some(index)
            }
            (SessionChange::Connect { to, .. }, Some(index)) => {
                self.connect(index, to, shell, now)?;
                None
            }
            (SessionChange::Mute { muted, .. }, Some(index)) => {
                self.mute(index, *muted)?;
                None
            }
            (SessionChange::SendDtmf { digits, duration_ms, gap_ms, .. }, Some(index)) => {
                self.dial(index, digits, *duration_ms, *gap_ms)?;
                None
            }
            // A side that was dropped before; every other change was checked to have one.
            (_, None) => None,
        };
        self.refresh(settings, shell, now);
        Ok(told.and_then(|index| Some(self.text(index)?.local())).into_iter().collect())
    }

    fn known(&self) -> Vec<Known<'_>> {
        let sides = self.sides.iter();
        sides
            .map(|(_, side)| Known {
                id: &side.id,
                is_webrtc: side.webrtc.is_some(),
                media: side.streams.iter().map(|stream| stream.kind).collect(),
            })
            .collect()
    }

    fn text(&self, index: SideIndex) -> Option<Box<SideText>> {
        SideText::load(&self.sides.get(index)?.streams.first.slot)
    }

    /// The side and what was negotiated of it.
    fn side_and_text(&mut self, index: SideIndex) -> Result<(&mut Side, Box<SideText>), Fault> {
        let text = self.text(index);
        self.sides.get_mut(index).zip(text).ok_or_else(|| spec_invalid("there is no such side"))
    }

    /// Applies what was negotiated with a peer.
    fn negotiate(
        &mut self,
        index: SideIndex,
        remote: &RemoteSide,
        settings: &Settings,
        shell: &mut impl Shell,
        now: Micros,
    ) -> Result<(), Fault> {
        let (_, mut text) = self.side_and_text(index)?;
        if text.remote.as_ref() == Some(remote) {
            return Ok(());
        }
        let signalled = signalled_of(remote, &text)?;
        let before = text.remote.replace(remote.clone());
        let was_signalled = before.as_ref().and_then(|before| signalled_of(before, &text).ok());
        let old = sources_of(&was_signalled.unwrap_or_default(), &text);
        let new = sources_of(&signalled, &text);
        learn(&new, &old, index, shell)?;
        let (side, _) = self.side_and_text(index)?;
        if let Err(fault) = text.store(&mut side.streams.first.slot) {
            new.iter()
                .filter(|source| !old.contains(source))
                .for_each(|source| shell.unlearn(source.0, source.1));
            return Err(fault);
        }
        old.iter()
            .filter(|source| !new.contains(source))
            .for_each(|source| shell.unlearn(source.0, source.1));
        let mut cx = Cx { session: &self.id, shell, now };
        if let Some(side) = self.sides.get_mut(index) {
            side.apply(before.as_ref(), remote, &signalled, settings, &mut cx);
        }
        self.sides.reroute(index);
        Ok(())
    }

    fn restart_ice(&mut self, index: SideIndex, shell: &mut impl Shell, now: Micros) -> Result<(), Fault> {
        let (side, mut text) = self.side_and_text(index)?;
        let credentials = Credentials::random();
        if let Some(webrtc) = &mut text.webrtc {
            let before = (
                std::mem::replace(&mut webrtc.ufrag, credentials.ufrag.clone()),
                std::mem::replace(&mut webrtc.pwd, credentials.pwd.clone()),
            );
            webrtc.before = Some(before);
        }
        text.store(&mut side.streams.first.slot)?;
        let mut cx = Cx { session: &self.id, shell, now };
        if let Some(side) = self.sides.get_mut(index) {
            side.restart_ice(index, credentials, &mut cx);
        }
        Ok(())
    }

    fn connect(
        &mut self,
        index: SideIndex,
        to: &ConnectedTo,
        shell: &mut impl Shell,
        now: Micros,
    ) -> Result<(), Fault> {
        let link = self.sides.link_of(to);
        if self.sides.get(index).is_none_or(|side| side.link == link) {
            return Ok(());
        }
        self.linked += 1;
        self.note_link(index, to)?;
        let before: Vec<(SideIndex, Link)> = self.sides.iter().map(|(at, side)| (at, side.link)).collect();
        let Self { id, sides, .. } = self;
        sides.connect(index, link, &mut Cx { session: id, shell, now });
        for (at, link) in before {
            let Some(side) = self.sides.get(at).filter(|side| at != index && side.link != link) else {
                continue;
            };
            let to = match side.link {
                Link::Side(partner) => self.sides.get(partner).map(|partner| partner.id.to_string()),
                _ => None,
            };
            let to = to.map_or(ConnectedTo::Nothing, |side| ConnectedTo::Side { side });
            // The side that asked has the newer count: without this text it is right all the same.
            let _ = self.note_link(at, &to);
        }
        Ok(())
    }

    fn note_link(&mut self, index: SideIndex, to: &ConnectedTo) -> Result<(), Fault> {
        let linked = self.linked;
        let (side, mut text) = self.side_and_text(index)?;
        (text.to, text.linked) = (to.clone(), linked);
        text.store(&mut side.streams.first.slot)
    }

    fn mute(&mut self, index: SideIndex, muted: bool) -> Result<(), Fault> {
        let (side, mut text) = self.side_and_text(index)?;
        if side.muted == muted {
            return Ok(());
        }
        text.muted = muted;
        text.store(&mut side.streams.first.slot)?;
        side.muted = muted;
        // What is said meanwhile is no loss to those who listened.
        let partners: Vec<_> = side.streams.iter().filter_map(|stream| stream.partner).collect();
        for partner in partners {
            if let Some(side) = self.sides.get_mut(partner.side) {
                side.streams[partner.medium].slot.line.cut();
            }
        }
        Ok(())
    }

    fn dial(
        &mut self,
        index: SideIndex,
        digits: &str,
        duration_ms: Option<u32>,
        gap_ms: Option<u32>,
    ) -> Result<(), Fault> {
        let (side, _) = self.side_and_text(index)?;
        let takes = |medium: &u8| side.streams[*medium].medium.as_deref().and_then(event_of).is_some();
        let medium =
            side.streams.media().find(takes).ok_or_else(|| {
                spec_invalid(format!("the peer of side {} takes no telephone-event", side.id))
            })?;
        let made = side.streams[medium].made.get_or_insert_with(Made::nothing);
        let sender = made.digits.get_or_insert_with(DtmfSender::new);
        if !sender.queue(digits, duration_ms.unwrap_or(DIGIT_MS), gap_ms.unwrap_or(GAP_MS)) {
            return Err(spec_invalid("digits are 0-9, *, #, A-D, and at most 64 wait"));
        }
        Ok(())
    }
}

impl Side {
    /// Applies a negotiation that was checked.
    pub(crate) fn apply<S: Shell>(
        &mut self,
        before: Option<&RemoteSide>,
        remote: &RemoteSide,
        signalled: &[Option<Signalled>],
        settings: &Settings,
        cx: &mut Cx<'_, S>,
    ) {
        let media = media_of(remote);
        for (stream, signalled) in self.streams.iter_mut().zip(signalled) {
            if let (Some(end), Some(signalled)) = (&mut stream.end, signalled) {
                end.apply(signalled, &mut stream.slot);
            }
        }
        for (stream, medium) in self.streams.iter_mut().zip(media) {
            stream.apply(Medium::new(medium));
        }
        if let (Some(webrtc), RemoteSide::WebRtc { dtls: terms, .. }) = (&mut self.webrtc, remote) {
            webrtc.on_negotiated(media.iter().any(|medium| medium.transport_cc_extension_id.is_some()));
            let before = match before {
                Some(RemoteSide::WebRtc { dtls, .. }) => Some(dtls),
                _ => None,
            };
            self.apply_dtls(before, terms, settings, cx);
        }
    }

    /// Nothing that arrives is for this side any more.
    pub(crate) fn forget_sources<S: Shell>(&mut self, cx: &mut Cx<'_, S>) {
        self.forget_paths(cx);
        let Some(text) = SideText::load(&self.streams.first.slot) else { return };
        let signalled = text.remote.as_ref().and_then(|remote| signalled_of(remote, &text).ok());
        for (socket, from) in sources_of(&signalled.unwrap_or_default(), &text) {
            cx.shell.unlearn(socket, from);
        }
    }
}

pub(crate) fn media_of(remote: &RemoteSide) -> &[RemoteMedium] {
    match remote {
        RemoteSide::WebRtc { media, .. } | RemoteSide::Rtp { media } => media,
    }
}

/// For each medium of an RTP side that was not refused: where the peer is, checked.
pub(crate) fn signalled_of(remote: &RemoteSide, text: &SideText) -> Result<Vec<Option<Signalled>>, Fault> {
    let media = media_of(remote).iter().zip(&text.rtp);
    media.map(|(medium, own)| medium.active.then(|| Signalled::new(medium, own)).transpose()).collect()
}

/// What belongs to the side on shared ports.
pub(crate) fn sources_of(signalled: &[Option<Signalled>], text: &SideText) -> Vec<Source> {
    let shared = signalled.iter().zip(&text.rtp).filter(|(_, rtp)| rtp.place.shared);
    shared
        .filter_map(|(signalled, rtp)| Some((signalled.as_ref()?, rtp.place.rtp)))
        .flat_map(|(signalled, socket)| signalled.sources().map(move |from| (socket, from)))
        .collect()
}

/// All or none. Two calls that signal the same source cannot be told apart.
fn learn(new: &[Source], old: &[Source], index: SideIndex, shell: &mut impl Shell) -> Result<(), Fault> {
    for (at, (socket, from)) in new.iter().enumerate() {
        if shell.learn(*socket, *from, index, false) {
            continue;
        }
        new[..at]
            .iter()
            .filter(|source| !old.contains(source))
            .for_each(|source| shell.unlearn(source.0, source.1));
        let message =
            format!("another call has media from {from} on this shared port: give this one ports of its own");
        return Err(spec_invalid(message));
    }
    Ok(())
}

/// The defaults of `RTCDTMFSender.insertDTMF`.
const DIGIT_MS: u32 = 100;
const GAP_MS: u32 = 70;
