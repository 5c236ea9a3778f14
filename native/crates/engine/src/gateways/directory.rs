use std::collections::HashMap;

use crate::media::Ticket;

/// Where a session is and whose.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    pub(crate) thread: u32,
    /// The newest `open` for it: an outcome of an older order does not remove it.
    opened_by: Ticket,
    /// Connection of the gateway that opened or claimed it; `None`: that one is gone.
    owner: Option<u64>,
}

/// All sessions, those being opened and closed included.
pub(crate) struct Directory {
    homes: HashMap<String, Home>,
    /// Sessions on each thread.
    loads: Vec<usize>,
}

impl Directory {
    pub(crate) fn new(threads: usize) -> Self {
        Self { homes: HashMap::new(), loads: vec![0; threads] }
    }

    pub(crate) fn len(&self) -> usize {
        self.homes.len()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.homes.keys().cloned().collect()
    }

    pub(crate) fn thread_of(&self, id: &str) -> Option<u32> {
        self.homes.get(id).map(|home| home.thread)
    }

    /// The thread with the fewest sessions.
    pub(crate) fn emptiest(&self) -> u32 {
        let emptiest = self.loads.iter().enumerate().min_by_key(|(_, load)| **load);
        emptiest.map_or(0, |(thread, _)| thread as u32)
    }

    /// An `open` was ordered.
    pub(crate) fn on_open(&mut self, id: &str, thread: u32, ticket: Ticket, owner: Option<u64>) {
        let home = self.homes.entry(id.to_owned()).or_insert_with(|| {
            self.loads[thread as usize] += 1;
            Home { thread, opened_by: ticket, owner }
        });
        home.opened_by = ticket;
        home.owner = owner;
    }

    /// An order told that the session is not there (any more). A newer `open` stands.
    pub(crate) fn on_gone(&mut self, id: &str, ticket: Ticket) {
        if self.homes.get(id).is_some_and(|home| home.opened_by <= ticket)
            && let Some(home) = self.homes.remove(id)
        {
            self.loads[home.thread as usize] -= 1;
        }
    }

    /// Whether no newer `open` was ordered.
    pub(crate) fn is_newest(&self, id: &str, ticket: Ticket) -> bool {
        self.homes.get(id).is_some_and(|home| home.opened_by == ticket)
    }

    pub(crate) fn claim(&mut self, id: &str, owner: u64) {
        if let Some(home) = self.homes.get_mut(id) {
            home.owner = Some(owner);
        }
    }

    /// The connection is gone.
    pub(crate) fn disown(&mut self, owner: u64) {
        for home in self.homes.values_mut().filter(|home| home.owner == Some(owner)) {
            home.owner = None;
        }
    }

    /// Sessions that are no connected gateway's.
    pub(crate) fn unclaimed(&self) -> Vec<String> {
        let unclaimed = self.homes.iter().filter(|(_, home)| home.owner.is_none());
        unclaimed.map(|(id, _)| id.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_outcome_does_not_remove_what_was_opened_again() {
        let mut directory = Directory::new(2);
        directory.on_open("x", 1, 5, Some(1));
        assert_eq!(directory.emptiest(), 0);
        directory.on_open("x", 1, 8, Some(1));
        directory.on_gone("x", 7);
        assert_eq!(directory.thread_of("x"), Some(1));
        directory.on_gone("x", 8);
        assert_eq!((directory.thread_of("x"), directory.loads.as_slice()), (None, &[0, 0][..]));
    }

    #[test]
    fn sessions_of_a_gateway_that_is_gone_are_unclaimed_until_another_claims_them() {
        let mut directory = Directory::new(1);
        directory.on_open("x", 0, 1, Some(1));
        directory.on_open("y", 0, 2, Some(2));
        assert!(directory.unclaimed().is_empty());
        directory.disown(1);
        assert_eq!(directory.unclaimed(), ["x"]);
        directory.claim("x", 2);
        directory.claim("z", 2);
        assert!(directory.unclaimed().is_empty());
        assert_eq!(directory.len(), 2);
    }
}
