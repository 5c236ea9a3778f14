use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use trunkline_slab::Slab;

use crate::Config;
use crate::clock::Clock;
use crate::ledger::Ledger;
use crate::manifest::Sockets;
use crate::places::Places;

/// What the threads of a relay share. Nothing of it is touched per packet but the table of sockets, which never changes.
pub(crate) struct Shared {
    pub(crate) config: Config,
    /// Whether ports of single calls are read through io_uring.
    pub(crate) has_ring: bool,
    pub(crate) sockets: Sockets,
    pub(crate) slab: Slab,
    pub(crate) ledger: Ledger,
    pub(crate) places: Places,
    pub(crate) clock: Clock,
    pub(crate) ufrags: Ufrags,
}

/// Which thread a user fragment's session is on: only for connections, which arrive at no thread in particular.
#[derive(Default)]
pub(crate) struct Ufrags {
    threads: Mutex<HashMap<String, u32>>,
}

impl Ufrags {
    pub(crate) fn tell(&self, ufrag: &str, thread: u32) {
        self.threads().insert(ufrag.to_owned(), thread);
    }

    pub(crate) fn forget(&self, ufrag: &str) {
        self.threads().remove(ufrag);
    }

    pub(crate) fn thread_of(&self, ufrag: &str) -> Option<u32> {
        self.threads().get(ufrag).copied()
    }

    fn threads(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
