use std::collections::HashMap;

use trunkline_base::Micros;
use trunkline_relay::Session;

use super::deadlines::Deadlines;
use crate::last_words::Name;

/// Names a session of this thread; never one that used the same index before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionKey {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// A session and what its thread knows of it.
pub(crate) struct Entry {
    pub(crate) session: Session,
    pub(crate) name: Name,
    /// When it is woken, at the latest.
    scheduled: Micros,
    /// DTLS handshakes in progress when it was last looked at.
    handshakes: u32,
    /// The latest time it was told: arrival times of packets may lie a little before it.
    now: Micros,
}

impl Entry {
    /// The session's time moves forward only.
    pub(crate) fn advance(&mut self, to: Micros) -> Micros {
        self.now = self.now.max(to);
        self.now
    }
}

#[derive(Default)]
struct Place {
    generation: u32,
    entry: Option<Box<Entry>>,
}

/// The sessions of one thread.
#[derive(Default)]
pub(crate) struct Sessions {
    places: Vec<Place>,
    free: Vec<u32>,
    by_id: HashMap<String, SessionKey>,
    deadlines: Deadlines,
    handshakes: usize,
}

impl Sessions {
    /// A key for a session that is about to be: `insert` or `cancel` it.
    pub(crate) fn reserve(&mut self) -> SessionKey {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place::default());
            self.places.len() as u32 - 1
        });
        SessionKey { index, generation: self.places[index as usize].generation }
    }

    pub(crate) fn cancel(&mut self, key: SessionKey) {
        let place = &mut self.places[key.index as usize];
        place.generation = place.generation.wrapping_add(1);
        self.free.push(key.index);
    }

    pub(crate) fn insert(&mut self, key: SessionKey, session: Session, now: Micros) {
        self.by_id.insert(session.id().to_owned(), key);
        let name = Name::of(session.id());
        let entry = Entry { session, name, scheduled: Micros::MAX, handshakes: 0, now };
        self.places[key.index as usize].entry = Some(Box::new(entry));
        self.schedule(key);
    }

    pub(crate) fn find(&self, id: &str) -> Option<SessionKey> {
        self.by_id.get(id).copied()
    }

    pub(crate) fn get(&mut self, key: SessionKey) -> Option<&mut Entry> {
        let place = self.places.get_mut(key.index as usize)?;
        if place.generation != key.generation {
            return None;
        }
        place.entry.as_deref_mut()
    }

    pub(crate) fn remove(&mut self, key: SessionKey) -> Option<Session> {
        self.get(key)?;
        let entry = self.places[key.index as usize].entry.take()?;
        self.handshakes -= entry.handshakes as usize;
        self.by_id.remove(entry.session.id());
        self.cancel(key);
        Some(entry.session)
    }

    /// Leaves them all to the process that follows.
    pub(crate) fn abandon(self) {
        self.places.into_iter().filter_map(|place| place.entry).for_each(|entry| entry.session.abandon());
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.by_id.keys().cloned().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// DTLS handshakes in progress.
    pub(crate) fn handshakes(&self) -> usize {
        self.handshakes
    }

    /// To be called after anything that may begin or end a handshake.
    pub(crate) fn count_handshakes(&mut self, key: SessionKey) {
        let Some(entry) = self.get(key) else { return };
        let before = std::mem::replace(&mut entry.handshakes, entry.session.handshakes());
        let after = entry.handshakes;
        self.handshakes = self.handshakes + after as usize - before as usize;
    }

    /// To be called after anything that may have brought the session's deadline forward.
    pub(crate) fn schedule(&mut self, key: SessionKey) {
        self.schedule_after(key, 0);
    }

    /// The same, but not before a time.
    pub(crate) fn schedule_after(&mut self, key: SessionKey, earliest: Micros) {
        let Some(entry) = self.places[key.index as usize].entry.as_deref_mut() else { return };
        let at = entry.session.deadline().max(earliest);
        if at < entry.scheduled {
            entry.scheduled = at;
            self.deadlines.push(at, key);
        }
    }

    /// When `due` has something.
    pub(crate) fn deadline(&self) -> Option<Micros> {
        self.deadlines.next()
    }

    /// A session to be woken now; `schedule` it afterwards.
    pub(crate) fn due(&mut self, now: Micros) -> Option<SessionKey> {
        while let Some((at, key)) = self.deadlines.pop(now) {
            let Some(entry) = self.get(key) else { continue };
            if entry.scheduled != at {
                continue;
            }
            entry.scheduled = Micros::MAX;
            if entry.session.deadline() <= now {
                return Some(key);
            }
            self.schedule(key); // It moved back in the meantime.
        }
        None
    }
}
