use std::collections::{BTreeSet, HashMap};

use trunkline_base::Micros;

use crate::media::Ticket;

/// Orders without an outcome; more are refused as overload.
const MOST: usize = 16_384;

/// Who waits for an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// Connection and id of the command; `None`: the engine itself, or somebody who was told that it takes too long.
    pub(crate) asker: Option<(u64, u64)>,
    pub(crate) what: What,
    deadline: Micros,
}

/// What was ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Open { session: String },
    Close { session: String, reason: Option<String> },
    Other,
}

/// Orders that media threads have not answered yet.
#[derive(Default)]
pub(crate) struct Pending {
    by_ticket: HashMap<Ticket, Waiting>,
    deadlines: BTreeSet<(Micros, Ticket)>,
    last: Ticket,
}

impl Pending {
    /// `None`: too many are waiting.
    pub(crate) fn add(&mut self, asker: Option<(u64, u64)>, what: What, deadline: Micros) -> Option<Ticket> {
        if self.by_ticket.len() >= MOST {
            return None;
        }
        self.last += 1;
        self.by_ticket.insert(self.last, Waiting { asker, what, deadline });
        self.deadlines.insert((deadline, self.last));
        Some(self.last)
    }

    pub(crate) fn take(&mut self, ticket: Ticket) -> Option<Waiting> {
        let waiting = self.by_ticket.remove(&ticket)?;
        self.deadlines.remove(&(waiting.deadline, ticket));
        Some(waiting)
    }

    pub(crate) fn deadline(&self) -> Option<Micros> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Somebody whose time is over: the order goes on, nobody waits for it any more.
    pub(crate) fn overdue(&mut self, now: Micros) -> Option<(u64, u64)> {
        while let Some(&(at, ticket)) = self.deadlines.first().filter(|(at, _)| *at <= now) {
            self.deadlines.remove(&(at, ticket));
            let asker = self.by_ticket.get_mut(&ticket).and_then(|waiting| waiting.asker.take());
            if asker.is_some() {
                return asker;
            }
        }
        None
    }

    /// The newest ticket.
    pub(crate) fn last(&self) -> Ticket {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_too_long_is_told_once_and_the_order_goes_on() {
        let mut pending = Pending::default();
        let first = pending.add(Some((1, 7)), What::Other, 100).unwrap();
        let second = pending.add(Some((1, 8)), What::Other, 50).unwrap();
        let own = pending.add(None, What::Other, 10).unwrap();
        assert_eq!(pending.deadline(), Some(10));
        assert_eq!(pending.overdue(99), Some((1, 8)));
        assert_eq!(pending.overdue(99), None);
        assert_eq!(pending.take(second).unwrap().asker, None);
        assert_eq!(pending.take(first).unwrap().asker, Some((1, 7)));
        assert!(pending.take(own).is_some());
        assert_eq!(pending.deadline(), None);
    }
}
