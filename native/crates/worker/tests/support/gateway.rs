use std::collections::VecDeque;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;

use trunkline_control::{
    Answer, Command, ConnectedTo, Event, Fault, FrameReader, MediumKind, Message, Op, OpenedSession, Outcome,
    PROTOCOL, Reply, SessionChange, SessionSpec, SideSpec, SideStats, encode,
};

use super::PATIENCE;

/// A gateway's end of the control socket.
pub struct Gateway {
    pub stream: UnixStream,
    pub relay: u32,
    /// Of the relay.
    pub version: String,
    reader: FrameReader,
    last: u64,
    events: VecDeque<Event>,
    replies: VecDeque<Reply>,
}

/// The other end is gone.
#[derive(Debug, PartialEq, Eq)]
pub struct Gone;

impl Gateway {
    /// Connects and says hello; tried again while relays are replaced.
    pub fn connect(path: &Path) -> Self {
        let until = Instant::now() + PATIENCE;
        loop {
            let mut gateway = Self::silent(path);
            match gateway.try_call(Op::Hello { protocol: PROTOCOL, gateway: "test".into() }) {
                Ok(Outcome::Ok(Answer::Hello { relay_pid, version, .. })) => {
                    gateway.relay = relay_pid;
                    gateway.version = version;
                    return gateway;
                }
                Err(Gone) if Instant::now() < until => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// A connection that has not said hello.
    pub fn silent(path: &Path) -> Self {
        let stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (version, events, replies) = Default::default();
        Self { stream, relay: 0, version, reader: FrameReader::new(), last: 0, events, replies }
    }

    /// Sends a command; its id.
    pub fn send(&mut self, op: Op) -> u64 {
        self.last += 1;
        let mut frame = Vec::new();
        encode(&Command { id: self.last, op }, &mut frame).unwrap();
        let _ = self.stream.write_all(&frame);
        self.last
    }

    /// Waits for the outcome of a command.
    pub fn outcome(&mut self, id: u64) -> Result<Outcome, Gone> {
        loop {
            if let Some(at) = self.replies.iter().position(|reply| reply.id == id) {
                return Ok(self.replies.remove(at).expect("it was found").outcome);
            }
            self.read()?;
        }
    }

    pub fn try_call(&mut self, op: Op) -> Result<Outcome, Gone> {
        let id = self.send(op);
        self.outcome(id)
    }

    pub fn call(&mut self, op: Op) -> Answer {
        match self.try_call(op.clone()) {
            Ok(Outcome::Ok(answer)) => answer,
            other => panic!("{op:?}: {other:?}"),
        }
    }

    pub fn refused(&mut self, op: Op) -> Fault {
        match self.try_call(op.clone()) {
            Ok(Outcome::Fault(fault)) => fault,
            other => panic!("{op:?}: {other:?}"),
        }
    }

    pub fn open(&mut self, id: &str, sides: Vec<SideSpec>) -> OpenedSession {
        let spec = SessionSpec { id: id.into(), sides };
        match self.call(Op::Open { spec, deadline_ms: None }) {
            Answer::Opened { session } => session,
            other => panic!("{other:?}"),
        }
    }

    pub fn change(&mut self, session: &str, change: SessionChange) {
        let answer = self.call(Op::Change { session: session.into(), change });
        assert!(matches!(answer, Answer::Changed { .. }), "{answer:?}");
    }

    pub fn close(&mut self, session: &str) -> Vec<SideStats> {
        match self.call(Op::Close { session: session.into() }) {
            Answer::Closed { id, sides } if id == session => sides,
            other => panic!("{other:?}"),
        }
    }

    pub fn sessions(&mut self) -> Vec<String> {
        match self.call(Op::List) {
            Answer::Sessions { mut sessions } => {
                sessions.sort();
                sessions
            }
            other => panic!("{other:?}"),
        }
    }

    pub fn stats(&mut self, session: &str) -> Vec<SideStats> {
        match self.call(Op::Stats { session: session.into() }) {
            Answer::Stats { sides } => sides,
            other => panic!("{other:?}"),
        }
    }

    /// The next event that is wanted; others before it are lost.
    pub fn event(&mut self, is_wanted: impl Fn(&Event) -> bool) -> Event {
        let until = Instant::now() + PATIENCE;
        loop {
            while let Some(event) = self.events.pop_front() {
                if is_wanted(&event) {
                    return event;
                }
            }
            assert!(Instant::now() < until, "the event does not come");
            self.read().expect("the relay goes on");
        }
    }

    /// Reads once.
    pub fn read(&mut self) -> Result<(), Gone> {
        let mut buffer = [0; 65_536];
        match self.stream.read(&mut buffer) {
            Ok(0) => return Err(Gone),
            Ok(count) => self.reader.push(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("no answer"),
            Err(_) => return Err(Gone),
        }
        while let Some(message) = self.reader.next_frame::<Message>() {
            match message.expect("a message") {
                Message::Reply(reply) => self.replies.push_back(reply),
                Message::Events { events } => self.events.extend(events),
            }
        }
        Ok(())
    }
}

pub fn audio_side(id: &str) -> SideSpec {
    SideSpec::Rtp {
        id: id.into(),
        media: vec![MediumKind::Audio],
        towards: Some("127.0.0.1".into()),
        signalled_from: None,
        ports: None,
    }
}

pub fn webrtc_side(id: &str) -> SideSpec {
    SideSpec::WebRtc { id: id.into(), media: vec![MediumKind::Audio] }
}

pub fn connect(side: &str, to: &str) -> SessionChange {
    SessionChange::Connect { side: side.into(), to: ConnectedTo::Side { side: to.into() } }
}
