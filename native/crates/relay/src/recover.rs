use std::collections::BTreeMap;

use trunkline_base::{Micros, random_u32};
use trunkline_control::RemoteSide;
use trunkline_slab::Slot;

use crate::change::{signalled_of, sources_of};
use crate::codec::Medium;
use crate::cx::Cx;
use crate::make::side_of;
use crate::monitor::Monitor;
use crate::rtp_end::latched_of;
use crate::side::{Link, Side};
use crate::text::{SideText, SlotText};
use crate::{Session, Settings, Shell, SideIndex, SideRecord};

/// The slots of a side while they are gathered.
#[derive(Default)]
struct Found {
    text: Option<Box<SideText>>,
    slots: BTreeMap<usize, Slot<SideRecord>>,
}

impl Session {
    /// A session that a process before this one had, from the slots whose text names it. Tells `learn` and `accept_ufrag`
    /// of everything again. The indices of its sides may be others than before.
    ///
    /// `None`: the process died while it opened the session, and nobody was told of it. What is not part of a whole session is
    /// freed.
    pub fn recover(
        slots: Vec<Slot<SideRecord>>,
        settings: &Settings,
        shell: &mut impl Shell,
        now: Micros,
    ) -> Option<Session> {
        let sides = gather(slots);
        let texts = || sides.values().filter_map(|found| found.text.as_ref());
        let id = texts().find(|text| text.complete)?.session.clone();
        let mut links: Vec<_> =
            texts().map(|text| (text.linked, text.id().to_owned(), text.to.clone())).collect();
        let mut session = Self::empty(&id, sides.len(), settings, now);
        session.linked = links.iter().map(|(linked, ..)| *linked).max().unwrap_or(0);
        for (born, found) in sides {
            session.born = session.born.max(born + 1);
            let index = session.sides.free_index()?;
            let mut cx = Cx { session: &id, shell, now };
            if let Some(side) = recover_side(found, index, settings, &mut cx) {
                session.sides.insert(index, side);
            }
        }
        // Where two sides disagree on who is connected to whom, the one that was asked later is right.
        links.sort_by_key(|(linked, ..)| *linked);
        for (_, side, to) in links {
            let Some(index) = session.sides.find(&side) else { continue };
            let link = session.sides.link_of(&to);
            if session.sides.get(index).is_some_and(|side| side.link != link) {
                session.sides.connect(index, link, &mut Cx { session: &id, shell, now });
            }
        }
        session.refresh(settings, shell, now);
        Some(session)
    }
}

/// By the number of their side. Slots without a text are nobody's.
fn gather(slots: Vec<Slot<SideRecord>>) -> BTreeMap<u32, Found> {
    let mut sides: BTreeMap<u32, Found> = BTreeMap::new();
    for slot in slots {
        match SlotText::load(&slot) {
            Some(SlotText::Side(text)) => {
                let found = sides.entry(text.born).or_default();
                found.text = Some(text);
                found.slots.insert(0, slot);
            }
            Some(SlotText::Medium { born, medium, .. }) => {
                sides.entry(born).or_default().slots.insert(medium, slot);
            }
            None => {}
        }
    }
    sides
}

/// `None`: it was being made or unmade.
fn recover_side<S: Shell>(
    found: Found,
    index: SideIndex,
    settings: &Settings,
    cx: &mut Cx<'_, S>,
) -> Option<Side> {
    let text = found.text?;
    if found.slots.len() != text.media().len() {
        return None;
    }
    let mut slots: Vec<_> = found.slots.into_values().collect();
    for slot in &mut slots {
        slot.recover(cx.now, random_u32());
    }
    let told = slots.first()?.told;
    let mut side = side_of(&text, slots, settings)?;
    side.monitor = Monitor::restored(told, cx.now);
    if let Some(webrtc) = &side.webrtc {
        for credentials in std::iter::once(&webrtc.credentials).chain(&webrtc.before) {
            cx.shell.accept_ufrag(&credentials.ufrag, index);
        }
    }
    side.restore(&text, index, settings, cx);
    debug_assert_eq!(side.link, Link::Nothing);
    Some(side)
}

impl Side {
    /// Applies again what was negotiated, beside what the records know.
    fn restore<S: Shell>(
        &mut self,
        text: &SideText,
        index: SideIndex,
        settings: &Settings,
        cx: &mut Cx<'_, S>,
    ) {
        let signalled =
            text.remote.as_ref().and_then(|remote| signalled_of(remote, text).ok()).unwrap_or_default();
        for (socket, from) in sources_of(&signalled, text) {
            cx.shell.learn(socket, from, index, false);
        }
        for (stream, signalled) in self.streams.iter_mut().zip(&signalled) {
            if let (Some(end), Some(signalled)) = (&mut stream.end, signalled) {
                let latched = latched_of(&stream.slot);
                end.apply(signalled, &mut stream.slot);
                end.restore(latched, &mut stream.slot, cx.now);
            }
        }
        let media = text.remote.as_ref().map_or(&[][..], crate::change::media_of);
        for (stream, medium) in self.streams.iter_mut().zip(media) {
            stream.apply(Medium::new(medium));
        }
        if self.webrtc.is_none() {
            return;
        }
        self.recover_paths(index, cx);
        let terms = match &text.remote {
            Some(RemoteSide::WebRtc { dtls, .. }) => Some(dtls),
            _ => None,
        };
        if let Some(webrtc) = &mut self.webrtc {
            webrtc.on_negotiated(media.iter().any(|medium| medium.transport_cc_extension_id.is_some()));
        }
        self.recover_dtls(terms, settings, cx);
    }
}
