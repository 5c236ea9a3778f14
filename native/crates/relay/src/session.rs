use std::net::SocketAddr;

use trunkline_base::{Micros, Packet};
use trunkline_control::{Event, OpenedSession, SessionSpec, SideSpec, SideStats};
use trunkline_ice::{Kind, kind_of};
use trunkline_rtp::{Header, is_rtcp};
use trunkline_slab::Slot;

use crate::crypto::Discard;
use crate::cx::Cx;
use crate::fault::spec_invalid;
use crate::make;
use crate::side::Side;
use crate::sides::Sides;
use crate::spec_check::check_spec;
use crate::text::{SideText, SlotText, id_of};
use crate::{Fault, Forward, RtpPlace, Settings, Shell, SideIndex, SideRecord, SocketId};

/// One session: sides and who is connected to whom, without sockets and clock.
///
/// Every method takes `now`, which never goes back; `deadline` says when to call `wake`. The order of the shell's calls is
/// that of what happened.
pub struct Session {
    pub(crate) id: Box<str>,
    pub(crate) sides: Sides,
    pub(crate) deadline: Micros,
    pub(crate) quality_at: Micros,
    /// Sides that were ever made, and connections.
    pub(crate) born: u32,
    pub(crate) linked: u64,
}

/// What a datagram turned out to be.
enum Taken {
    Rtp(u8, Header),
    /// For one medium, or for all.
    Rtcp(Option<u8>),
    Dtls,
    Nothing,
}

impl Session {
    /// Makes what the sides need. Nothing flows until they are connected.
    ///
    /// # Errors
    /// `MEDIA_SPEC_INVALID`, `MEDIA_PORTS_EXHAUSTED`, `MEDIA_SESSIONS_EXHAUSTED`; then nothing is left.
    pub fn open(
        spec: &SessionSpec,
        settings: &Settings,
        shell: &mut impl Shell,
        now: Micros,
    ) -> Result<Session, Fault> {
        check_spec(spec)?;
        let mut session = Self::empty(&spec.id, spec.sides.len(), settings, now);
        let opened = spec.sides.iter().zip(1..).try_for_each(|(side, number)| {
            session.add(side, number == spec.sides.len(), settings, shell, now)
        });
        if let Err(fault) = opened.and_then(|()| session.complete()) {
            session.abort(shell);
            return Err(fault);
        }
        session.refresh(settings, shell, now);
        Ok(session)
    }

    /// Room for this many sides.
    pub(crate) fn empty(id: &str, sides: usize, settings: &Settings, now: Micros) -> Self {
        Self {
            id: id.into(),
            sides: Sides::with_room_for(sides),
            deadline: 0,
            quality_at: now + settings.quality,
            born: 0,
            linked: 0,
        }
    }

    /// Session id named in the text of a slot.
    #[must_use]
    pub fn id_of(slot: &Slot<SideRecord>) -> Option<String> {
        SlotText::session_of(slot)
    }

    /// Places of the sides of a recovered session, so that the engine marks them used and knows whose they are.
    #[must_use]
    pub fn places(&self) -> Vec<(SideIndex, RtpPlace)> {
        let sides = self.sides.iter();
        sides.flat_map(|(index, side)| side.places().map(move |place| (index, *place))).collect()
    }

    /// As in its spec.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the peers have to be told, in the order in which the sides were made.
    #[must_use]
    pub fn local(&self) -> OpenedSession {
        let sides = self.sides.in_order();
        let sides =
            sides.into_iter().filter_map(|(_, side)| Some(SideText::load(&side.streams.first.slot)?.local()));
        OpenedSession { id: self.id.to_string(), sides: sides.collect() }
    }

    /// A STUN check for a user fragment of this side, not yet authenticated.
    #[expect(clippy::too_many_arguments, reason = "a datagram and what it may touch")]
    pub fn on_check(
        &mut self,
        side: SideIndex,
        socket: SocketId,
        from: SocketAddr,
        datagram: &[u8],
        settings: &Settings,
        shell: &mut impl Shell,
        now: Micros,
    ) {
        let Self { id, sides, .. } = self;
        let mut cx = Cx { session: id, shell, now };
        if let Some(checked) = sides.get_mut(side) {
            checked.on_check(side, socket, from, datagram, settings, &mut cx);
            self.refresh(settings, shell, now);
        }
    }

    /// Any other datagram for this side: DTLS, SRTP, RTP, RTCP. `Some`: `packet` now holds what is to be sent there.
    /// The hot path: no allocation.
    #[expect(clippy::too_many_arguments, reason = "a datagram and what it may touch")]
    #[inline]
    pub fn on_datagram(
        &mut self,
        side: SideIndex,
        socket: SocketId,
        from: SocketAddr,
        packet: &mut Packet,
        settings: &Settings,
        shell: &mut impl Shell,
        now: Micros,
    ) -> Option<Forward> {
        let Self { id, sides, deadline, .. } = self;
        let mut cx = Cx { session: id, shell, now };
        let source = sides.get_mut(side)?;
        match source.take(socket, from, packet, deadline, now) {
            Taken::Rtp(medium, header) => {
                let onward = source.on_rtp(medium, packet, &header, deadline, &mut cx)?;
                return sides.get_mut(onward.to.side)?.forward(&onward, packet, &header, now);
            }
            Taken::Rtcp(medium) => sides.on_rtcp(side, medium, packet.bytes(), &mut cx),
            Taken::Dtls => source.on_dtls(socket, from, packet.bytes(), settings, &mut cx),
            Taken::Nothing => return None,
        }
        self.refresh(settings, shell, now);
        None
    }

    /// A TCP connection is gone.
    pub fn on_disconnected(
        &mut self,
        side: SideIndex,
        socket: SocketId,
        shell: &mut impl Shell,
        now: Micros,
    ) {
        let Self { id, sides, .. } = self;
        let mut cx = Cx { session: id, shell, now };
        if let Some(side) = sides.get_mut(side) {
            side.on_disconnected(socket, &mut cx);
            self.deadline = now;
        }
    }

    /// Earliest time at which `wake` has something to do: handshakes, reports, consent, silence, tones, digits, quality.
    #[must_use]
    pub fn deadline(&self) -> Micros {
        self.deadline
    }

    /// Does what is due. Early calls are harmless.
    pub fn wake(&mut self, settings: &Settings, shell: &mut impl Shell, now: Micros) {
        let Self { id, sides, .. } = self;
        let mut cx = Cx { session: id, shell, now };
        for (_, side) in sides.iter_mut() {
            side.wake(settings, &mut cx);
        }
        if now >= self.quality_at {
            self.quality_at = now + settings.quality;
            shell.event(Event::Quality { session: self.id.to_string(), sides: self.stats(now) });
        }
        self.refresh(settings, shell, now);
    }

    /// DTLS handshakes in progress, for the engine's budget.
    #[must_use]
    pub fn handshakes(&self) -> u32 {
        let webrtc = self.sides.iter().filter_map(|(_, side)| side.webrtc.as_ref());
        webrtc.map(|webrtc| u32::from(webrtc.dtls.is_shaking_hands())).sum()
    }

    /// Says goodbye (RTCP BYE, close_notify), releases everything.
    pub fn close(mut self, shell: &mut impl Shell, now: Micros) -> Vec<SideStats> {
        let stats = self.stats(now);
        let indices: Vec<SideIndex> = self.sides.iter().map(|(index, _)| index).collect();
        for index in indices {
            self.drop_side(index, shell, now);
        }
        stats
    }

    /// Leaves everything to the process that follows, as death would.
    pub fn abandon(self) {
        for (_, side) in self.sides.into_iter() {
            side.streams.into_iter().for_each(|stream| stream.slot.abandon());
        }
    }

    /// Ends a side, which is connected to nobody from then on.
    pub(crate) fn drop_side(&mut self, index: SideIndex, shell: &mut impl Shell, now: Micros) {
        self.sides.disconnect(index);
        let Some(mut side) = self.sides.remove(index) else { return };
        let mut cx = Cx { session: &self.id, shell, now };
        side.say_goodbye(&mut cx);
        side.close_dtls(&mut cx);
        side.forget_sources(&mut cx);
        make::release(side, true, shell);
    }

    /// Makes one side more; all of it or nothing.
    pub(crate) fn add(
        &mut self,
        spec: &SideSpec,
        complete: bool,
        settings: &Settings,
        shell: &mut impl Shell,
        now: Micros,
    ) -> Result<(), Fault> {
        let index = self.sides.free_index().ok_or_else(|| spec_invalid("a further side is one too many"))?;
        let side = make::side(spec, &self.id, self.born, index, complete, settings, shell, now)?;
        self.born += 1;
        self.sides.insert(index, side);
        debug_assert_eq!(self.sides.find(id_of(spec)), Some(index));
        Ok(())
    }

    /// Notes on every side that all of them were made: any may be dropped later. Before that nobody was told of the
    /// session, and nobody recovers it.
    fn complete(&mut self) -> Result<(), Fault> {
        for (_, side) in self.sides.iter_mut() {
            let slot = &mut side.streams.first.slot;
            if let Some(mut text) = SideText::load(slot).filter(|text| !text.complete) {
                text.complete = true;
                text.store(slot)?;
            }
        }
        Ok(())
    }

    /// After anything but a media packet: notices what follows from it, and when to wake.
    pub(crate) fn refresh(&mut self, settings: &Settings, shell: &mut impl Shell, now: Micros) {
        let Self { id, sides, .. } = self;
        let mut cx = Cx { session: id, shell, now };
        let mut deadline = self.quality_at;
        for (_, side) in sides.iter_mut() {
            side.watch(settings, &mut cx);
            deadline = deadline.min(side.deadline(settings));
        }
        self.deadline = deadline;
    }

    /// Undoes an opening: nobody was told of it, so its ports need no rest.
    fn abort(self, shell: &mut impl Shell) {
        for (_, side) in self.sides.into_iter() {
            if let Some(webrtc) = &side.webrtc {
                shell.retire_ufrag(&webrtc.credentials.ufrag);
            }
            make::release(side, false, shell);
        }
    }
}

impl Side {
    /// Finds out what a datagram is, authenticates it and opens it in place.
    #[inline]
    fn take(
        &mut self,
        socket: SocketId,
        from: SocketAddr,
        packet: &mut Packet,
        soon: &mut Micros,
        now: Micros,
    ) -> Taken {
        let (medium, taken) = if self.webrtc.is_some() {
            (0, self.take_bundled(socket, from, packet, soon, now))
        } else {
            let alone = self.streams.len() == 1;
            let is_for = |medium: &u8| {
                self.streams[*medium].end.as_ref().is_some_and(|end| end.is_for(socket, from, alone))
            };
            let medium = self.streams.media().find(is_for).unwrap_or(0);
            (medium, self.take_alone(medium, socket, from, packet, now))
        };
        taken.unwrap_or_else(|discard| {
            self.discard(medium, discard, now);
            Taken::Nothing
        })
    }

    #[inline]
    fn take_alone(
        &mut self,
        medium: u8,
        socket: SocketId,
        from: SocketAddr,
        packet: &mut Packet,
        now: Micros,
    ) -> Result<Taken, Discard> {
        let stream = &mut self.streams[medium];
        let end = stream.end.as_mut().ok_or(Discard::Other)?;
        if is_rtcp(packet.bytes()) {
            end.open_rtcp(&mut stream.slot, from, packet)?;
            return Ok(Taken::Rtcp(Some(medium)));
        }
        if socket != end.place.rtp {
            return Err(Discard::Other);
        }
        Ok(Taken::Rtp(medium, end.open_rtp(&mut stream.slot, from, packet, now)?))
    }

    #[inline]
    fn take_bundled(
        &mut self,
        socket: SocketId,
        from: SocketAddr,
        packet: &mut Packet,
        soon: &mut Micros,
        now: Micros,
    ) -> Result<Taken, Discard> {
        let webrtc = self.webrtc.as_mut().ok_or(Discard::Other)?;
        match kind_of(packet.bytes()) {
            Kind::Media => {}
            Kind::Dtls => return Ok(Taken::Dtls),
            Kind::Stun | Kind::Unknown => return Err(Discard::Other),
        }
        if !webrtc.is_valid(&self.streams.first.slot, socket, from) {
            return Err(Discard::WrongSource);
        }
        if is_rtcp(packet.bytes()) {
            webrtc.open_rtcp(&mut self.streams.first.slot, packet)?;
            return Ok(Taken::Rtcp(None));
        }
        let (medium, header) = webrtc.open_rtp(&mut self.streams, packet, soon, now)?;
        Ok(Taken::Rtp(medium, header))
    }

    #[cold]
    fn discard(&mut self, medium: u8, discard: Discard, now: Micros) {
        self.streams[medium].slot.discarded += 1;
        match discard {
            Discard::WrongSource => self.monitor.on_wrong_source(now),
            Discard::NotAuthentic => self.monitor.on_not_authentic(now),
            Discard::Other => {}
        }
    }
}
