use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};
use std::time::Instant;

use trunkline_control::{FrameReader, encode};
use trunkline_engine::{FromRelay, ToRelay};
use trunkline_io::Poller;

use crate::program::Program;

/// SIGKILL.
const KILL: i32 = 9;

/// A relay as its keeper sees it.
pub(crate) struct RelayProcess {
    child: Child,
    /// Readable when the process has ended.
    end: OwnedFd,
    link: UnixStream,
    reader: FrameReader,
    /// When it was started, or got the sessions.
    pub(crate) since: Instant,
    pub(crate) io: Option<String>,
}

impl RelayProcess {
    /// Starts one; `link_token` and `end_token` are told when it has something to say and when it has ended.
    pub(crate) fn start(
        program: &Program,
        manifest: i32,
        poller: &Poller,
        (link_token, end_token): (u64, u64),
    ) -> std::io::Result<Self> {
        let (link, theirs) = UnixStream::pair()?;
        link.set_nonblocking(true)?;
        let mut child = program.start(manifest, Stdio::from(OwnedFd::from(theirs)))?;
        let watched = trunkline_io::pidfd(child.id()).and_then(|end| {
            poller.add(end.as_raw_fd(), end_token)?;
            poller.add(link.as_raw_fd(), link_token)?;
            Ok(end)
        });
        match watched {
            Ok(end) => {
                let reader = FrameReader::new();
                Ok(Self { child, end, link, reader, since: Instant::now(), io: None })
            }
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Short messages to a process that reads them; one that does not is about to be found dead.
    pub(crate) fn say(&mut self, message: &ToRelay) {
        let mut frame = Vec::new();
        if encode(message, &mut frame).is_ok() {
            let _ = self.link.write_all(&frame);
        }
    }

    /// What it said.
    pub(crate) fn listen(&mut self, poller: &Poller) -> Vec<FromRelay> {
        let mut buffer = [0; 4_096];
        match self.link.read(&mut buffer) {
            // It ends: the process itself is waited for.
            Ok(0) => poller.remove(self.link.as_raw_fd()),
            Ok(count) => self.reader.push(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => poller.remove(self.link.as_raw_fd()),
        }
        std::iter::from_fn(|| self.reader.next_frame()).filter_map(Result::ok).collect()
    }

    pub(crate) fn kill(&self) {
        let _ = trunkline_io::send_signal(self.end.as_fd(), KILL);
    }

    /// After its end: how it came.
    pub(crate) fn reap(mut self, poller: &Poller) -> String {
        poller.remove(self.end.as_raw_fd());
        poller.remove(self.link.as_raw_fd());
        self.child.wait().map_or_else(|error| error.to_string(), |status| status.to_string())
    }
}
