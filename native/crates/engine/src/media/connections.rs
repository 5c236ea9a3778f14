use std::collections::HashMap;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};

use trunkline_base::Micros;
use trunkline_base::limits::{TCP_BACKLOG_BYTES, TCP_CONNECTIONS};
use trunkline_ice::Framer;
use trunkline_io::Poller;
use trunkline_relay::{SocketId, TCP_FROM};

/// Time in which a connection has to become a session's (its first authentic check).
const UNOWNED: Micros = 30_000_000;
/// Bytes read from one connection in one round.
const READ_BYTES: usize = 16_384;

/// Frames that were read, one behind the other.
#[derive(Default)]
pub(crate) struct Frames {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Frames {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn push(&mut self, frame: &[u8]) {
        self.bytes.extend_from_slice(frame);
        self.ends.push(self.bytes.len());
    }

    pub(crate) fn get(&self, index: usize) -> Option<&[u8]> {
        let start = if index == 0 { 0 } else { *self.ends.get(index - 1)? };
        self.bytes.get(start..*self.ends.get(index)?)
    }
}

/// A connection that its owner or its peer has done with.
pub(crate) struct Gone;

struct Connection {
    stream: OwnedFd,
    peer: SocketAddr,
    framer: Framer,
    /// What the kernel had no room for.
    backlog: Vec<u8>,
    accepted_at: Micros,
}

/// ICE-TCP connections of one thread (RFC 6544): datagrams in frames of RFC 4571. They do not outlive the process.
pub(crate) struct Connections {
    by_id: HashMap<SocketId, Connection>,
    next: SocketId,
    /// To be closed at the end of the round.
    ending: Vec<SocketId>,
    buffer: Box<[u8; READ_BYTES]>,
}

impl Connections {
    pub(crate) fn new() -> Self {
        let buffer = Box::new([0; READ_BYTES]);
        Self { by_id: HashMap::new(), next: TCP_FROM, ending: Vec::new(), buffer }
    }

    /// Takes a connection over with what was read from it; `None`: there are too many, or it cannot be waited for.
    pub(crate) fn accept(
        &mut self,
        poller: &Poller,
        (stream, peer): (OwnedFd, SocketAddr),
        read: &[u8],
        frames: &mut Frames,
        now: Micros,
    ) -> Option<SocketId> {
        if self.by_id.len() >= TCP_CONNECTIONS {
            return None;
        }
        let id = self.free_id();
        poller.add(stream.as_raw_fd(), id.into()).ok()?;
        let mut framer = Framer::new();
        let is_broken = framer.push(read, |frame| frames.push(frame)).is_err();
        self.by_id.insert(id, Connection { stream, peer, framer, backlog: Vec::new(), accepted_at: now });
        if is_broken {
            self.ending.push(id);
        }
        Some(id)
    }

    pub(crate) fn peer(&self, id: SocketId) -> Option<SocketAddr> {
        self.by_id.get(&id).map(|connection| connection.peer)
    }

    /// Reads what has come, and writes what waits.
    pub(crate) fn serve(&mut self, poller: &Poller, id: SocketId, frames: &mut Frames) -> Result<(), Gone> {
        let Some(connection) = self.by_id.get_mut(&id) else { return Ok(()) };
        connection.write(poller, id)?;
        match trunkline_io::read_tcp(connection.stream.as_raw_fd(), &mut self.buffer[..]) {
            Ok(Some(0)) | Err(_) => Err(Gone),
            Ok(Some(count)) => {
                let pushed = connection.framer.push(&self.buffer[..count], |frame| frames.push(frame));
                pushed.map_err(|_| Gone)
            }
            Ok(None) => Ok(()),
        }
    }

    /// Sends a datagram; one that finds no room is lost, as on any network.
    pub(crate) fn send(&mut self, poller: &Poller, id: SocketId, datagram: &[u8]) {
        let Some(connection) = self.by_id.get_mut(&id) else { return };
        let Ok(length) = u16::try_from(datagram.len()) else { return };
        if connection.backlog.len() + datagram.len() + 2 > TCP_BACKLOG_BYTES {
            return;
        }
        connection.backlog.extend_from_slice(&length.to_be_bytes());
        connection.backlog.extend_from_slice(datagram);
        if connection.write(poller, id).is_err() {
            self.ending.push(id);
        }
    }

    /// The connection is to be closed when the round is over.
    pub(crate) fn end(&mut self, id: SocketId) {
        self.ending.push(id);
    }

    /// One that is to be closed; `close` it.
    pub(crate) fn next_ending(&mut self) -> Option<SocketId> {
        self.ending.pop()
    }

    /// Returns where it led, if it was open.
    pub(crate) fn close(&mut self, poller: &Poller, id: SocketId) -> Option<SocketAddr> {
        let connection = self.by_id.remove(&id)?;
        poller.remove(connection.stream.as_raw_fd());
        Some(connection.peer)
    }

    /// Ends connections that did not become anybody's in time.
    pub(crate) fn end_unowned(&mut self, is_owned: impl Fn(SocketId, SocketAddr) -> bool, now: Micros) {
        for (&id, connection) in &self.by_id {
            let is_old = now.saturating_sub(connection.accepted_at) > UNOWNED;
            if is_old && !is_owned(id, connection.peer) {
                self.ending.push(id);
            }
        }
    }

    fn free_id(&mut self) -> SocketId {
        while self.by_id.contains_key(&self.next) {
            self.advance();
        }
        let id = self.next;
        self.advance();
        id
    }

    fn advance(&mut self) {
        self.next = self.next.wrapping_add(1).max(TCP_FROM);
    }
}

impl Connection {
    fn write(&mut self, poller: &Poller, id: SocketId) -> Result<(), Gone> {
        if self.backlog.is_empty() {
            return Ok(());
        }
        let fd = self.stream.as_raw_fd();
        if let Some(count) = trunkline_io::write_tcp(fd, &self.backlog).map_err(|_| Gone)? {
            self.backlog.drain(..count);
        }
        poller.modify(fd, id.into(), !self.backlog.is_empty()).map_err(|_| Gone)
    }
}
