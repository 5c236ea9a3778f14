use std::net::{IpAddr, SocketAddr};
use std::os::fd::RawFd;
use std::sync::Arc;

use trunkline_base::Micros;
use trunkline_base::limits::EVENTS_QUEUED;
use trunkline_control::{Event, Fault};
use trunkline_io::{Batch, Poller, Ring};
use trunkline_relay::{RtpPlace, Shell, SideIndex, SideRecord, SocketId, TCP_FROM, WebRtcPlace};
use trunkline_slab::{Partition, Slot};

use super::connections::Connections;
use super::counters::Counters;
use super::routes::{Owner, Routes};
use super::sessions::SessionKey;
use crate::faults;
use crate::shared::Shared;

/// What a thread has besides its sessions and the packets in hand: what sessions reach through their shell.
pub(crate) struct Core {
    pub(crate) thread: u32,
    pub(crate) shared: Arc<Shared>,
    pub(crate) poller: Poller,
    /// Reads ports of single calls, if io_uring can be had; else the poller and the inbox do.
    pub(crate) ring: Option<Ring>,
    pub(crate) routes: Routes,
    /// Datagrams made here.
    pub(crate) outbox: Batch,
    pub(crate) connections: Connections,
    pub(crate) partition: Partition<SideRecord>,
    pub(crate) place: WebRtcPlace,
    /// On their way to the gateway.
    pub(crate) events: Vec<Event>,
    pub(crate) counters: Counters,
    pub(crate) turn: usize,
}

impl Core {
    /// The shell of one session.
    pub(crate) fn shell(&mut self, session: SessionKey) -> ThreadShell<'_> {
        ThreadShell { core: self, session }
    }

    pub(crate) fn now(&self) -> Micros {
        self.shared.clock.now()
    }

    /// Sends a datagram made here, or one that came over a connection.
    pub(crate) fn send(&mut self, socket: SocketId, to: SocketAddr, bytes: &[u8]) {
        if socket >= TCP_FROM {
            return self.connections.send(&self.poller, socket, bytes);
        }
        let Some(fd) = self.shared.sockets.fd(socket) else { return };
        if !self.outbox.queue_bytes(fd, to, bytes) {
            self.flush();
            self.outbox.queue_bytes(fd, to, bytes);
        }
    }

    pub(crate) fn flush(&mut self) {
        let flushed = self.outbox.flush(|_, _| {});
        self.counters.refused += u64::from(flushed.refused);
    }

    /// What arrives at the place is the side's from now on.
    pub(crate) fn listen(&mut self, place: &RtpPlace, owner: Owner) {
        for socket in [place.rtp, place.rtcp] {
            let Some(fd) = self.shared.sockets.fd(socket) else { continue };
            self.routes.set_socket(socket, Some(owner));
            // Failing leaves a call without sound on one side, which is reported as silence.
            if let Err(error) = trunkline_io::hear(fd).and_then(|()| self.watch(fd, socket)) {
                let why = error.to_string();
                crate::log::warn("an RTP socket cannot be read", serde_json::json!({ "why": why }));
            }
        }
    }

    fn watch(&mut self, fd: RawFd, socket: SocketId) -> std::io::Result<()> {
        match &mut self.ring {
            Some(ring) => ring.watch(fd, socket),
            None => self.poller.add(fd, socket.into()),
        }
    }

    fn stop_listening(&mut self, place: &RtpPlace) {
        for socket in [place.rtp, place.rtcp] {
            let Some(fd) = self.shared.sockets.fd(socket) else { continue };
            self.routes.set_socket(socket, None);
            match &mut self.ring {
                Some(ring) => ring.unwatch(socket),
                None => self.poller.remove(fd),
            }
            // What cannot be filtered is thrown away by the next user's checks of its source.
            let _ = trunkline_io::deafen(fd);
        }
    }
}

/// What one session asks of its thread.
pub(crate) struct ThreadShell<'a> {
    core: &'a mut Core,
    session: SessionKey,
}

impl Shell for ThreadShell<'_> {
    fn send(&mut self, socket: SocketId, to: SocketAddr, bytes: &[u8]) {
        self.core.send(socket, to, bytes);
    }

    fn event(&mut self, event: Event) {
        if self.core.events.len() < EVENTS_QUEUED {
            self.core.events.push(event);
        }
    }

    fn learn(&mut self, socket: SocketId, from: SocketAddr, side: SideIndex, steal: bool) -> bool {
        let owner = Owner { session: self.session, side };
        self.core.routes.learn(socket, from, owner, steal)
    }

    fn unlearn(&mut self, socket: SocketId, from: SocketAddr) {
        self.core.routes.unlearn(socket, from, self.session);
        if socket >= TCP_FROM {
            self.core.connections.end(socket);
        }
    }

    fn accept_ufrag(&mut self, ufrag: &str, side: SideIndex) {
        self.core.routes.accept_ufrag(ufrag, Owner { session: self.session, side });
        self.core.shared.ufrags.tell(ufrag, self.core.thread);
    }

    fn retire_ufrag(&mut self, ufrag: &str) {
        self.core.routes.retire_ufrag(ufrag, self.session);
        self.core.shared.ufrags.forget(ufrag);
    }

    fn slot(&mut self) -> Result<Slot<SideRecord>, Fault> {
        let most = self.core.partition.capacity() as usize;
        self.core.partition.allocate().map_err(|_| faults::sessions_exhausted(most))
    }

    fn webrtc_place(&mut self) -> Result<WebRtcPlace, Fault> {
        Ok(self.core.place.clone())
    }

    fn rtp_place(
        &mut self,
        side: SideIndex,
        towards: Option<IpAddr>,
        shared: bool,
    ) -> Result<RtpPlace, Fault> {
        let core = &mut *self.core;
        let Shared { places, sockets, .. } = &*core.shared;
        if shared {
            core.turn = core.turn.wrapping_add(1);
            return places.shared(sockets, towards, core.thread, core.turn);
        }
        let place = places.take(sockets, towards, core.now())?;
        core.listen(&place, Owner { session: self.session, side });
        Ok(place)
    }

    fn release(&mut self, place: &RtpPlace, rest: bool) {
        if place.shared {
            return;
        }
        self.core.stop_listening(place);
        let Shared { places, sockets, ledger, .. } = &*self.core.shared;
        places.release(sockets, place.rtp, rest.then(|| (ledger, self.core.now())));
    }
}
