use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use trunkline_base::Micros;
use trunkline_base::limits::HANDSHAKES_PER_THREAD;
use trunkline_ice::{Kind, kind_of, read_check};
use trunkline_relay::{SocketId, TCP_FROM};

use super::routes::Owner;
use super::sessions::SessionKey;
use super::shell::Core;
use super::thread::MediaThread;
use super::waiting::{Held, Origin};
use crate::last_words::take_in_hand;
use crate::manifest::SocketKind;

/// A session that was just woken is not woken again sooner.
const WAKE_GAP: Micros = 500;

/// What is done with a datagram.
enum Verdict {
    /// Served at once.
    Media(Owner),
    /// Served when all media was: a STUN check or DTLS.
    Establishing { owner: Owner, is_check: bool },
    /// Nobody's.
    Stray,
}

/// Datagrams and time.
impl MediaThread {
    /// Fetches one batch at most from a socket, so that a busy one does not starve the others.
    pub(super) fn fetch(&mut self, socket: SocketId) -> usize {
        let Some(fd) = self.core.shared.sockets.fd(socket) else { return 0 };
        if self.inbox.is_full() {
            self.serve_inbox();
        }
        let count = self.inbox.receive(fd).unwrap_or(0);
        self.sockets.extend(std::iter::repeat_n(socket, count));
        count
    }

    /// The same for all ports of single calls, through the ring.
    pub(super) fn fetch_ring(&mut self) -> usize {
        if self.inbox.is_full() {
            self.serve_inbox();
        }
        let Some(ring) = self.core.ring.as_mut() else { return 0 };
        ring.receive(&mut self.inbox, &mut self.sockets).unwrap_or(0)
    }

    /// Serves what was fetched, and sends it.
    pub(super) fn serve_inbox(&mut self) {
        for index in 0..self.inbox.len() {
            self.serve_datagram(index);
        }
        self.sockets.clear();
        let latency = &mut self.latency;
        let flushed =
            self.inbox.flush(|arrived_at, sent_at| latency.record(sent_at.saturating_sub(arrived_at)));
        self.core.counters.packets_out += u64::from(flushed.sent);
        self.core.counters.refused += u64::from(flushed.refused);
        self.core.flush();
    }

    fn serve_datagram(&mut self, index: usize) {
        let socket = self.sockets[index];
        let received = self.inbox.get(index);
        let (from, arrived_at) = (received.from, received.arrived_at);
        let owner = match verdict(&self.core, socket, from, received.packet.bytes()) {
            Verdict::Media(owner) => owner,
            Verdict::Establishing { owner, is_check } => {
                let origin = Origin { socket, from, owner, arrived_at };
                return self.waiting.push(origin, is_check, received.packet.bytes());
            }
            Verdict::Stray => return self.core.counters.strays += 1,
        };
        let Some(entry) = self.sessions.get(owner.session) else {
            return self.core.counters.strays += 1;
        };
        self.core.counters.packets_in += 1;
        take_in_hand(self.core.thread, entry.name);
        let now = entry.advance(self.core.shared.clock.at(arrived_at));
        let shell = &mut self.core.shell(owner.session);
        let (session, packet) = (&mut entry.session, received.packet);
        let forward = session.on_datagram(owner.side, socket, from, packet, &self.settings, shell, now);
        self.sessions.schedule(owner.session);
        let Some(forward) = forward else { return };
        if let Some(fd) = self.core.shared.sockets.fd(forward.socket) {
            self.inbox.queue(index, fd, forward.to);
        } else {
            let packet = self.inbox.get(index).packet;
            self.core.connections.send(&self.core.poller, forward.socket, packet.bytes());
            self.core.counters.packets_out += 1;
            self.latency.record(trunkline_io::now().saturating_sub(arrived_at));
        }
    }

    /// A datagram that waited until media was served.
    pub(super) fn serve_held(&mut self, held: &Held) {
        let Origin { socket, from, owner, arrived_at } = held.origin;
        let is_full = self.sessions.handshakes() >= HANDSHAKES_PER_THREAD;
        let Some(entry) = self.sessions.get(owner.session) else { return };
        if is_full && !held.is_check && entry.session.handshakes() == 0 {
            return; // The peer repeats it.
        }
        take_in_hand(self.core.thread, entry.name);
        let now = entry.advance(self.core.shared.clock.at(arrived_at));
        let shell = &mut self.core.shell(owner.session);
        if held.is_check {
            entry.session.on_check(owner.side, socket, from, &held.bytes, &self.settings, shell, now);
        } else {
            self.scratch.fill(&held.bytes);
            let packet = &mut self.scratch;
            // Handshakes answer through the shell; nothing is forwarded.
            let _ = entry.session.on_datagram(owner.side, socket, from, packet, &self.settings, shell, now);
        }
        self.sessions.count_handshakes(owner.session);
        self.sessions.schedule(owner.session);
    }

    pub(super) fn wake(&mut self, key: SessionKey, now: Micros) {
        let Some(entry) = self.sessions.get(key) else { return };
        take_in_hand(self.core.thread, entry.name);
        let now = entry.advance(now);
        entry.session.wake(&self.settings, &mut self.core.shell(key), now);
        self.sessions.count_handshakes(key);
        self.sessions.schedule_after(key, now + WAKE_GAP);
    }
}

/// ICE-TCP.
impl MediaThread {
    /// A connection that brought a check for one of our sessions.
    pub(super) fn take_connection(&mut self, stream: OwnedFd, peer: SocketAddr, read: &[u8]) {
        self.frames.clear();
        let now = self.core.now();
        let Core { connections, poller, .. } = &mut self.core;
        if let Some(id) = connections.accept(poller, (stream, peer), read, &mut self.frames, now) {
            self.serve_frames(id, peer);
        }
    }

    pub(super) fn serve_connection(&mut self, id: SocketId) {
        self.frames.clear();
        let Some(peer) = self.core.connections.peer(id) else { return };
        let served = self.core.connections.serve(&self.core.poller, id, &mut self.frames);
        self.serve_frames(id, peer);
        if served.is_err() {
            self.core.connections.end(id);
        }
    }

    fn serve_frames(&mut self, socket: SocketId, from: SocketAddr) {
        let frames = std::mem::take(&mut self.frames);
        let mut index = 0;
        while let Some(frame) = frames.get(index) {
            self.serve_frame(socket, from, frame);
            index += 1;
        }
        self.frames = frames;
    }

    fn serve_frame(&mut self, socket: SocketId, from: SocketAddr, frame: &[u8]) {
        let arrived_at = trunkline_io::now();
        match verdict(&self.core, socket, from, frame) {
            Verdict::Stray => self.core.counters.strays += 1,
            Verdict::Establishing { owner, is_check } => {
                self.waiting.push(Origin { socket, from, owner, arrived_at }, is_check, frame);
            }
            Verdict::Media(owner) => self.serve_media_frame(socket, from, owner, frame),
        }
    }

    fn serve_media_frame(&mut self, socket: SocketId, from: SocketAddr, owner: Owner, frame: &[u8]) {
        let Some(entry) = self.sessions.get(owner.session) else { return };
        self.core.counters.packets_in += 1;
        let arrived_at = trunkline_io::now();
        take_in_hand(self.core.thread, entry.name);
        let now = entry.advance(self.core.shared.clock.at(arrived_at));
        self.scratch.fill(frame);
        let shell = &mut self.core.shell(owner.session);
        let (session, packet) = (&mut entry.session, &mut self.scratch);
        let forward = session.on_datagram(owner.side, socket, from, packet, &self.settings, shell, now);
        self.sessions.schedule(owner.session);
        if let Some(forward) = forward {
            self.core.send(forward.socket, forward.to, self.scratch.bytes());
            self.core.counters.packets_out += 1;
            self.latency.record(trunkline_io::now().saturating_sub(arrived_at));
        }
    }

    pub(super) fn close_connection(&mut self, id: SocketId) {
        let Core { connections, poller, .. } = &mut self.core;
        let Some(peer) = connections.close(poller, id) else { return };
        let Some(owner) = self.core.routes.of_source(id, peer) else { return };
        let now = self.core.now();
        if let Some(entry) = self.sessions.get(owner.session) {
            let now = entry.advance(now);
            let shell = &mut self.core.shell(owner.session);
            entry.session.on_disconnected(owner.side, id, shell, now);
            self.sessions.schedule(owner.session);
        }
        self.core.routes.unlearn(id, peer, owner.session);
    }
}

/// Whose a datagram is and when it is served. A check needs a user fragment of ours, everything else a source that is known:
/// a flood of strangers' datagrams ends here.
fn verdict(core: &Core, socket: SocketId, from: SocketAddr, datagram: &[u8]) -> Verdict {
    let kind = if socket >= TCP_FROM { SocketKind::WebRtc } else { core.shared.sockets.kind(socket) };
    match kind {
        SocketKind::OwnRtp => core.routes.of_socket(socket).map_or(Verdict::Stray, Verdict::Media),
        SocketKind::SharedRtp => core.routes.of_source(socket, from).map_or(Verdict::Stray, Verdict::Media),
        SocketKind::WebRtc => match kind_of(datagram) {
            Kind::Media => core.routes.of_source(socket, from).map_or(Verdict::Stray, Verdict::Media),
            Kind::Dtls => core
                .routes
                .of_source(socket, from)
                .map_or(Verdict::Stray, |owner| Verdict::Establishing { owner, is_check: false }),
            Kind::Stun => read_check(datagram)
                .ok()
                .and_then(|check| core.routes.of_ufrag(check.local_ufrag))
                .map_or(Verdict::Stray, |owner| Verdict::Establishing { owner, is_check: true }),
            Kind::Unknown => Verdict::Stray,
        },
    }
}
