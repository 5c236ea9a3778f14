use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::net::SocketAddr;

use trunkline_relay::{SideIndex, SocketId};

use super::hash::Keyed;
use super::sessions::SessionKey;

/// A side of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) session: SessionKey,
    pub(crate) side: SideIndex,
}

/// Whose a datagram is. A session may be gone: its owner's key is not found then.
pub(crate) struct Routes {
    /// On shared sockets, by where it came from.
    by_source: HashMap<Source, Owner, Keyed>,
    /// STUN checks, by our user fragment.
    by_ufrag: HashMap<String, Owner, Keyed>,
    /// On ports of one side, by socket.
    by_socket: Vec<Option<Owner>>,
}

impl Routes {
    pub(crate) fn new(sockets: usize) -> Self {
        Self {
            by_source: HashMap::with_hasher(Keyed::random()),
            by_ufrag: HashMap::with_hasher(Keyed::random()),
            by_socket: vec![None; sockets],
        }
    }

    pub(crate) fn of_source(&self, socket: SocketId, from: SocketAddr) -> Option<Owner> {
        self.by_source.get(&Source::new(socket, from)).copied()
    }

    pub(crate) fn of_ufrag(&self, ufrag: &str) -> Option<Owner> {
        self.by_ufrag.get(ufrag).copied()
    }

    pub(crate) fn of_socket(&self, socket: SocketId) -> Option<Owner> {
        self.by_socket.get(socket as usize).copied().flatten()
    }

    /// Whether the source is the owner's now: an older one keeps it unless it is stolen.
    pub(crate) fn learn(&mut self, socket: SocketId, from: SocketAddr, owner: Owner, steal: bool) -> bool {
        let route = self.by_source.entry(Source::new(socket, from)).or_insert(owner);
        if steal {
            *route = owner;
        }
        *route == owner
    }

    /// Only the owner's own: another may have taken it over.
    pub(crate) fn unlearn(&mut self, socket: SocketId, from: SocketAddr, session: SessionKey) {
        let source = Source::new(socket, from);
        if self.by_source.get(&source).is_some_and(|owner| owner.session == session) {
            self.by_source.remove(&source);
        }
    }

    pub(crate) fn accept_ufrag(&mut self, ufrag: &str, owner: Owner) {
        self.by_ufrag.insert(ufrag.to_owned(), owner);
    }

    pub(crate) fn retire_ufrag(&mut self, ufrag: &str, session: SessionKey) {
        if self.by_ufrag.get(ufrag).is_some_and(|owner| owner.session == session) {
            self.by_ufrag.remove(ufrag);
        }
    }

    pub(crate) fn set_socket(&mut self, socket: SocketId, owner: Option<Owner>) {
        if let Some(place) = self.by_socket.get_mut(socket as usize) {
            *place = owner;
        }
    }
}

/// Where a datagram came from, on which socket.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Source {
    ip: u128,
    socket: SocketId,
    scope: u32,
    port: u16,
}

impl Source {
    fn new(socket: SocketId, from: SocketAddr) -> Self {
        let (ip, scope) = match from {
            SocketAddr::V4(v4) => (v4.ip().to_ipv6_mapped(), 0),
            SocketAddr::V6(v6) => (*v6.ip(), v6.scope_id()),
        };
        Self { ip: u128::from(ip), socket, scope, port: from.port() }
    }
}

impl Hash for Source {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64((self.ip >> 64) as u64 ^ u64::from(self.scope) << 32);
        state.write_u64(self.ip as u64);
        state.write_u64(u64::from(self.socket) << 16 | u64::from(self.port));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(index: u32) -> Owner {
        Owner { session: SessionKey { index, generation: 0 }, side: 1 }
    }

    #[test]
    fn a_source_belongs_to_its_first_owner_until_another_proves_itself() {
        let mut routes = Routes::new(0);
        let from = "192.0.2.1:5004".parse().unwrap();
        assert!(routes.learn(3, from, owner(1), false));
        assert!(!routes.learn(3, from, owner(2), false));
        assert_eq!(routes.of_source(3, from), Some(owner(1)));
        assert_eq!(routes.of_source(4, from), None);
        assert!(routes.learn(3, from, owner(2), true));
        assert_eq!(routes.of_source(3, from), Some(owner(2)));
        routes.unlearn(3, from, owner(1).session);
        assert_eq!(routes.of_source(3, from), Some(owner(2)));
        routes.unlearn(3, from, owner(2).session);
        assert_eq!(routes.of_source(3, from), None);
    }

    #[test]
    fn an_ipv4_source_and_its_mapped_form_are_one() {
        let mut routes = Routes::new(0);
        routes.learn(0, "192.0.2.1:5004".parse().unwrap(), owner(1), false);
        assert_eq!(routes.of_source(0, "[::ffff:192.0.2.1]:5004".parse().unwrap()), Some(owner(1)));
    }
}
