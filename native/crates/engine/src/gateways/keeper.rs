use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;

use trunkline_control::{FrameReader, encode};

use crate::supervision::{FromRelay, ToRelay};

/// The relay's end of the socket pair to its keeper.
pub(crate) struct KeeperLink {
    stream: UnixStream,
    reader: FrameReader,
}

/// The keeper died.
pub(crate) struct KeeperGone;

impl KeeperLink {
    pub(crate) fn new(stream: UnixStream) -> Self {
        Self { stream, reader: FrameReader::new() }
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.stream.as_raw_fd()
    }

    pub(crate) fn set_nonblocking(&self) -> std::io::Result<()> {
        self.stream.set_nonblocking(true)
    }

    /// The next message, or `None` if there is none yet (in blocking mode: it waits).
    pub(crate) fn receive(&mut self) -> Result<Option<ToRelay>, KeeperGone> {
        loop {
            match self.reader.next_frame() {
                Some(Ok(message)) => return Ok(Some(message)),
                // A newer keeper may say more than we know.
                Some(Err(_)) => continue,
                None => {}
            }
            let mut buffer = [0; 4_096];
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(KeeperGone),
                Ok(count) => self.reader.push(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(_) => return Err(KeeperGone),
            }
        }
    }

    /// Messages are few and short: the socket has room for them.
    pub(crate) fn send(&mut self, message: &FromRelay) {
        let mut frame = Vec::new();
        if encode(message, &mut frame).is_ok() {
            let _ = self.stream.write_all(&frame);
        }
    }
}
