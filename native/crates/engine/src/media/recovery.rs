use std::collections::HashMap;

use serde_json::json;
use trunkline_control::Event;
use trunkline_relay::{Session, SideRecord};
use trunkline_slab::Slot;

use super::routes::Owner;
use super::thread::MediaThread;
use crate::last_words::{Name, take_in_hand};

/// What a relay before this one left.
impl MediaThread {
    /// Takes the sessions of the slab over; their ids.
    pub(super) fn recover(&mut self) -> Vec<String> {
        let mut by_session: HashMap<String, Vec<Slot<SideRecord>>> = HashMap::new();
        for slot in self.core.partition.recovered() {
            // A slot without a session belonged to an `open` that was never answered: dropping it frees it.
            if let Some(id) = Session::id_of(&slot) {
                by_session.entry(id).or_default().push(slot);
            }
        }
        by_session.into_iter().filter_map(|(id, slots)| self.recover_session(id, slots)).collect()
    }

    fn recover_session(&mut self, id: String, slots: Vec<Slot<SideRecord>>) -> Option<String> {
        let name = Name::of(&id);
        if self.guilty.contains(&name) {
            crate::log::warn("a session that a relay died of is given up", json!({ "session": id }));
            let reason = "a relay died of it".into();
            self.core.events.push(Event::Closed { session: id, reason, sides: Vec::new() });
            return None;
        }
        take_in_hand(self.core.thread, name);
        let now = self.core.now();
        let key = self.sessions.reserve();
        let Some(session) = Session::recover(slots, &self.settings, &mut self.core.shell(key), now) else {
            self.sessions.cancel(key);
            crate::log::warn("a session could not be recovered", json!({ "session": id }));
            return None;
        };
        for (side, place) in session.places() {
            if !place.shared {
                self.core.shared.places.keep(&self.core.shared.sockets, place.rtp);
                self.core.listen(&place, Owner { session: key, side });
            }
        }
        self.sessions.insert(key, session, now);
        Some(id)
    }
}
