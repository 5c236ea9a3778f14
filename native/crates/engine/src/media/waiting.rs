use std::collections::VecDeque;
use std::net::SocketAddr;

use trunkline_base::Micros;
use trunkline_relay::SocketId;

use super::routes::Owner;

/// Most datagrams that wait; peers repeat what finds no room.
const MOST: usize = 1_024;
/// Most of one session, so that none takes the room of the others: several flights of handshakes.
const MOST_OF_ONE: usize = 32;

/// What is known of a datagram besides its bytes.
#[derive(Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) socket: SocketId,
    pub(crate) from: SocketAddr,
    pub(crate) owner: Owner,
    pub(crate) arrived_at: Micros,
}

/// A datagram of connection establishment (STUN, DTLS) whose owner is known.
pub(crate) struct Held {
    pub(crate) origin: Origin,
    pub(crate) is_check: bool,
    pub(crate) bytes: Vec<u8>,
}

/// What waits until the media of a round was served, so that a storm of joins starves no call. In order, bounded, and its
/// buffers are used again.
#[derive(Default)]
pub(crate) struct Waiting {
    queue: VecDeque<Held>,
    spare: Vec<Vec<u8>>,
}

impl Waiting {
    pub(crate) fn push(&mut self, origin: Origin, is_check: bool, datagram: &[u8]) {
        if self.queue.len() >= MOST || self.is_greedy(&origin) {
            return;
        }
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.clear();
        bytes.extend_from_slice(datagram);
        self.queue.push_back(Held { origin, is_check, bytes });
    }

    /// Give it back with `recycle`.
    pub(crate) fn pop(&mut self) -> Option<Held> {
        self.queue.pop_front()
    }

    pub(crate) fn recycle(&mut self, held: Held) {
        self.spare.push(held.bytes);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    fn is_greedy(&self, Origin { owner, .. }: &Origin) -> bool {
        let of_one = || self.queue.iter().filter(|held| held.origin.owner.session == owner.session);
        self.queue.len() >= MOST_OF_ONE && of_one().count() >= MOST_OF_ONE
    }
}

#[cfg(test)]
mod tests {
    use super::super::sessions::SessionKey;
    use super::*;

    fn origin(index: u32) -> Origin {
        let owner = Owner { session: SessionKey { index, generation: 0 }, side: 0 };
        Origin { socket: 0, from: SocketAddr::from(([192, 0, 2, 1], 9)), owner, arrived_at: 0 }
    }

    #[test]
    fn a_session_that_floods_leaves_room_for_the_others_and_all_of_them_are_bounded() {
        let mut waiting = Waiting::default();
        (0..10_000).for_each(|_| waiting.push(origin(0), true, b"check"));
        (1..=100).for_each(|index| waiting.push(origin(index), true, b"check"));
        let served: Vec<u32> =
            std::iter::from_fn(|| waiting.pop()).map(|held| held.origin.owner.session.index).collect();
        assert!((1..=100).all(|index| served.contains(&index)));
        assert_eq!(served.len(), MOST_OF_ONE + 100);
        (0..2_000).for_each(|index| waiting.push(origin(index), false, b"hello"));
        assert_eq!(std::iter::from_fn(|| waiting.pop()).count(), MOST);
    }
}
