use std::collections::VecDeque;
use std::net::SocketAddr;

use trunkline_base::Micros;
use trunkline_relay::SocketId;

use super::routes::Owner;

/// Most datagrams that wait; peers repeat what finds no room.
const MOST: usize = 1_024;

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
        if self.queue.len() >= MOST {
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
}
