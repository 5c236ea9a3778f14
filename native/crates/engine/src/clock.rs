use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use trunkline_base::Micros;

/// The time that sessions see: monotonic, and ahead of the machine's by what tests skipped. Clones share the skipped time.
#[derive(Clone, Default)]
pub(crate) struct Clock {
    ahead: Arc<AtomicU64>,
}

impl Clock {
    pub(crate) fn set_ahead(&self, ahead: Micros) {
        self.ahead.store(ahead, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> Micros {
        self.at(trunkline_io::now())
    }

    /// A time of the machine as sessions see it.
    pub(crate) fn at(&self, machine: Micros) -> Micros {
        machine.saturating_add(self.ahead.load(Ordering::Relaxed))
    }

    /// Returns by how much the clock is ahead now.
    pub(crate) fn skip(&self, by: Micros) -> Micros {
        self.ahead.fetch_add(by, Ordering::Relaxed).saturating_add(by)
    }
}
