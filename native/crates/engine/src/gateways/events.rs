use std::collections::{HashMap, VecDeque};

use trunkline_base::limits::EVENTS_QUEUED;
use trunkline_control::{Event, SideStats};

/// Events on their way to the gateway, in order and bounded, also while none is connected.
///
/// A session's newer `quality` replaces one that still waits, and `quality` comes after everything else. When the queue is
/// full, `quality` is dropped first: it comes again; then anything else is dropped and counted.
#[derive(Default)]
pub(crate) struct EventQueue {
    waiting: VecDeque<Event>,
    quality: HashMap<String, Vec<SideStats>>,
    dropped: u64,
}

impl EventQueue {
    pub(crate) fn push(&mut self, event: Event) {
        match event {
            Event::Quality { session, sides } => {
                if self.len() < EVENTS_QUEUED || self.quality.contains_key(&session) {
                    self.quality.insert(session, sides);
                } else {
                    self.dropped += 1;
                }
            }
            event => {
                if self.len() >= EVENTS_QUEUED && !self.drop_quality() {
                    self.dropped += 1;
                } else {
                    self.waiting.push_back(event);
                }
            }
        }
    }

    /// The session is closed: what was its quality no longer matters.
    pub(crate) fn forget(&mut self, session: &str) {
        self.quality.remove(session);
    }

    /// The oldest events, at most so many.
    pub(crate) fn take(&mut self, most: usize) -> Vec<Event> {
        let count = most.min(self.waiting.len());
        let mut taken: Vec<Event> = self.waiting.drain(..count).collect();
        let sessions: Vec<String> = self.quality.keys().take(most - count).cloned().collect();
        taken.extend(sessions.into_iter().filter_map(|session| {
            let sides = self.quality.remove(&session)?;
            Some(Event::Quality { session, sides })
        }));
        taken
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Events that found the queue full, since it was last asked.
    pub(crate) fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    fn len(&self) -> usize {
        self.waiting.len() + self.quality.len()
    }

    fn drop_quality(&mut self) -> bool {
        let victim = self.quality.keys().next().cloned();
        self.dropped += u64::from(victim.is_some());
        victim.and_then(|session| self.quality.remove(&session)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(n: usize) -> Event {
        Event::Ended { session: n.to_string(), side: "a".into() }
    }

    fn quality(n: usize) -> Event {
        Event::Quality { session: n.to_string(), sides: Vec::new() }
    }

    #[test]
    fn newer_quality_replaces_older_and_the_rest_stays_in_order() {
        let mut queue = EventQueue::default();
        for event in [quality(1), ended(1), quality(1), ended(2)] {
            queue.push(event);
        }
        assert_eq!(queue.take(1), [ended(1)]);
        assert_eq!(queue.take(9), [ended(2), quality(1)]);
        assert!(queue.is_empty());
        queue.push(quality(3));
        queue.forget("3");
        assert!(queue.is_empty());
    }

    #[test]
    fn a_full_queue_drops_quality_first_and_counts() {
        let mut queue = EventQueue::default();
        queue.push(quality(0));
        for n in 0..EVENTS_QUEUED {
            queue.push(ended(n));
        }
        assert_eq!((queue.len(), queue.take_dropped()), (EVENTS_QUEUED, 1));
        queue.push(quality(1));
        queue.push(ended(1));
        assert_eq!((queue.len(), queue.take_dropped()), (EVENTS_QUEUED, 2));
        assert_eq!(queue.take(1), [ended(0)]);
    }
}
