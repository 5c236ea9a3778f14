use trunkline_base::limits::HANDSHAKES_PER_THREAD;
use trunkline_relay::SideIndex;

use super::routes::Owner;
use super::sessions::SessionKey;

/// Counts DTLS handshakes in progress, so that more than a thread can carry have to wait for their peers' repetitions.
#[derive(Default)]
pub(crate) struct Handshakes {
    by_session: Vec<Started>,
    in_progress: usize,
}

/// Handshakes of one session.
#[derive(Clone, Copy, Default)]
struct Started {
    generation: u32,
    /// Sides that were let in, as bits.
    sides: u32,
    in_progress: u32,
}

impl Handshakes {
    pub(crate) fn in_progress(&self) -> usize {
        self.in_progress
    }

    /// Whether a DTLS datagram for this side may be served now.
    pub(crate) fn admit(&mut self, Owner { session, side }: Owner) -> bool {
        let is_full = self.in_progress >= HANDSHAKES_PER_THREAD;
        let started = self.of(session);
        let bit = bit_of(side);
        if started.sides & bit != 0 {
            return true;
        }
        if is_full {
            return false;
        }
        started.sides |= bit;
        started.in_progress += 1;
        self.in_progress += 1;
        true
    }

    /// One of the session's handshakes came to an end, good or bad.
    pub(crate) fn finish(&mut self, session: SessionKey) {
        let started = self.of(session);
        if started.in_progress > 0 {
            started.in_progress -= 1;
            self.in_progress -= 1;
        }
    }

    /// The session is gone.
    pub(crate) fn forget(&mut self, session: SessionKey) {
        let started = self.of(session);
        let left = std::mem::take(started).in_progress as usize;
        self.in_progress -= left;
    }

    fn of(&mut self, session: SessionKey) -> &mut Started {
        let index = session.index as usize;
        if self.by_session.len() <= index {
            self.by_session.resize(index + 1, Started::default());
        }
        let started = &mut self.by_session[index];
        if started.generation != session.generation {
            debug_assert_eq!(started.in_progress, 0, "the session before was forgotten");
            *started = Started { generation: session.generation, ..Started::default() };
        }
        started
    }
}

fn bit_of(side: SideIndex) -> u32 {
    1 << (side % 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(index: u32, side: SideIndex) -> Owner {
        Owner { session: SessionKey { index, generation: 0 }, side }
    }

    #[test]
    fn more_handshakes_than_a_thread_carries_have_to_wait() {
        let mut handshakes = Handshakes::default();
        let most = HANDSHAKES_PER_THREAD as u32;
        assert!((0..most).all(|index| handshakes.admit(owner(index, 0))));
        assert!(!handshakes.admit(owner(most, 0)));
        assert!(handshakes.admit(owner(0, 0)), "one that is in progress goes on");
        handshakes.finish(owner(1, 0).session);
        handshakes.finish(owner(1, 0).session);
        assert!(handshakes.admit(owner(most, 0)));
        assert!(!handshakes.admit(owner(most, 1)));
        handshakes.forget(owner(most, 0).session);
        assert_eq!(handshakes.in_progress(), HANDSHAKES_PER_THREAD - 1);
    }
}
