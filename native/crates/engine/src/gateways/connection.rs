use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;

use trunkline_base::Micros;
use trunkline_control::{Command, FrameError, FrameReader, Message, encode};

/// Bytes that wait to be read by a gateway; one that lets more pile up is stuck.
const BACKLOG_BYTES: usize = 16_777_216;
/// With fewer bytes waiting, events may follow.
const EASY_BYTES: usize = 262_144;
/// Bytes fetched in one round.
const READ_BYTES: usize = 65_536;
/// Time a frame may take to come in full.
const FRAME_TIME: Micros = 10_000_000;

/// One gateway.
pub(crate) struct Connection {
    stream: UnixStream,
    reader: FrameReader,
    outgoing: Vec<u8>,
    pub(crate) said_hello: bool,
    /// When the first byte of a frame came that is not there in full yet.
    waits_since: Option<Micros>,
    /// Whether the poller is asked for room to write.
    waits_for_room: bool,
    is_ending: bool,
}

/// The connection is of no use any more.
pub(crate) struct Broken;

impl Connection {
    pub(crate) fn new(stream: UnixStream) -> std::io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            reader: FrameReader::new(),
            outgoing: Vec::new(),
            said_hello: false,
            waits_since: None,
            waits_for_room: false,
            is_ending: false,
        })
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.stream.as_raw_fd()
    }

    /// Reads what is there; the commands are then given by `next_command`.
    pub(crate) fn read(&mut self, now: Micros) -> Result<(), Broken> {
        let mut buffer = [0; READ_BYTES];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(Broken),
            Ok(count) => {
                self.reader.push(&buffer[..count]);
                self.waits_since.get_or_insert(now);
                Ok(())
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(()),
            Err(_) => Err(Broken),
        }
    }

    pub(crate) fn next_command(&mut self) -> Option<Result<Command, FrameError>> {
        if self.is_ending {
            return None;
        }
        let command = self.reader.next_frame();
        if command.is_some() || self.reader.is_empty() {
            self.waits_since = None;
        }
        command
    }

    /// Queues a message; `flush` sends it.
    pub(crate) fn send(&mut self, message: &Message) -> Result<(), FrameError> {
        encode(message, &mut self.outgoing)
    }

    /// Nothing more is taken from the gateway; what was sent to it goes out first.
    pub(crate) fn end(&mut self) {
        self.is_ending = true;
    }

    /// Writes what there is room for. `Some`: whether the poller is to ask for room has changed to this.
    pub(crate) fn flush(&mut self) -> Result<Option<bool>, Broken> {
        while !self.outgoing.is_empty() {
            match self.stream.write(&self.outgoing) {
                Ok(0) => return Err(Broken),
                Ok(count) => drop(self.outgoing.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(Broken),
            }
        }
        if self.outgoing.len() > BACKLOG_BYTES || (self.is_ending && self.outgoing.is_empty()) {
            return Err(Broken);
        }
        let waits = !self.outgoing.is_empty();
        let before = std::mem::replace(&mut self.waits_for_room, waits);
        Ok((waits != before).then_some(waits))
    }

    /// Whether more than what has to be said may be said.
    pub(crate) fn is_easy(&self) -> bool {
        self.outgoing.len() < EASY_BYTES && !self.is_ending
    }

    /// Whether a frame takes longer than it may.
    pub(crate) fn is_stuck(&self, now: Micros) -> bool {
        self.waits_since.is_some_and(|since| now.saturating_sub(since) > FRAME_TIME)
    }
}
