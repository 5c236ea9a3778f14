use trunkline_base::Micros;

use crate::ledger::{Ledger, Progress};

/// How often progress is noted: the gap after a death is known to this.
const NOTE_EVERY: Micros = 250;

/// What a thread counts.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) packets_in: u64,
    pub(crate) packets_out: u64,
    /// Datagrams that belonged to nobody.
    pub(crate) strays: u64,
    /// Datagrams that the kernel did not take.
    pub(crate) refused: u64,
    /// Counted by relays before this one.
    before: Progress,
    noted_at: Micros,
}

impl Counters {
    pub(crate) fn after(before: Progress) -> Self {
        Self { before, ..Self::default() }
    }

    /// Since the keeper started.
    pub(crate) fn total(&self, at: Micros) -> Progress {
        Progress {
            at,
            packets_in: self.before.packets_in + self.packets_in,
            packets_out: self.before.packets_out + self.packets_out,
            strays: self.before.strays + self.strays,
        }
    }

    /// Notes how far the thread came, from time to time; `now` of the machine.
    pub(crate) fn note(&mut self, ledger: &Ledger, thread: u32, now: Micros) {
        if now.saturating_sub(self.noted_at) >= NOTE_EVERY {
            self.note_now(ledger, thread, now);
        }
    }

    pub(crate) fn note_now(&mut self, ledger: &Ledger, thread: u32, now: Micros) {
        self.noted_at = now;
        ledger.set_progress(thread, self.total(now));
    }
}
