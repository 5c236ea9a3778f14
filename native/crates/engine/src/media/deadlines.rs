use std::cmp::Reverse;
use std::collections::BinaryHeap;

use trunkline_base::Micros;

use super::sessions::SessionKey;

/// When sessions want to be woken. Entries are never taken out early: what is no longer true is passed over when it is due.
#[derive(Default)]
pub(crate) struct Deadlines {
    heap: BinaryHeap<Reverse<(Micros, u32, u32)>>,
}

impl Deadlines {
    pub(crate) fn push(&mut self, at: Micros, key: SessionKey) {
        self.heap.push(Reverse((at, key.index, key.generation)));
    }

    pub(crate) fn next(&self) -> Option<Micros> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// One that is due.
    pub(crate) fn pop(&mut self, now: Micros) -> Option<(Micros, SessionKey)> {
        self.next().filter(|&at| at <= now)?;
        let Reverse((at, index, generation)) = self.heap.pop()?;
        Some((at, SessionKey { index, generation }))
    }
}
