use trunkline_base::Micros;

use crate::attempt::{Attempt, GaveUp};
use crate::clock::Clock;
use crate::config::Library;
use crate::handshake::message;
use crate::handshaking::Handshaking;
use crate::hellos::Decision;
use crate::reassembly::{Message, Reassembly};
use crate::sieve::{Sound, Stage, Version, sieve};
use crate::{Certificate, Options, Output, Role, alert};

/// One association. `start` (client: sends the hello), then `handle` and `wake`; `poll` until `None` after each.
///
/// Once `Connected`, it may be dropped: the keys stay good, and only close_notify is missed. A peer that did not get our last
/// flight asks for it again, so keep it for some seconds first.
pub struct Association {
    options: Options,
    certificate: Certificate,
    library: Library,
    clock: Clock,
    state: State,
    attempt: Option<Box<Attempt>>,
    /// Said by the next `poll`, after what the library has to say.
    report: Option<Output>,
    version: Option<Version>,
    refused: u64,
}

enum State {
    Handshaking(Box<Handshaking>),
    Connected,
    Over,
}

impl Association {
    /// Nothing is sent yet. Time begins with `now`.
    #[must_use]
    pub fn new(options: Options, certificate: &Certificate, now: Micros) -> Association {
        Self::with_library(options, certificate, Library::shared(), now)
    }

    pub(crate) fn with_library(
        options: Options,
        certificate: &Certificate,
        library: Library,
        now: Micros,
    ) -> Self {
        let is_usable = options.peer_fingerprints.iter().any(|one| one.is_usable());
        let reason = "the peer announced no fingerprint of a known hash function";
        Self {
            options,
            certificate: certificate.clone(),
            library,
            clock: Clock::new(now),
            state: if is_usable { State::Handshaking(Box::default()) } else { State::Over },
            attempt: None,
            report: (!is_usable).then(|| Output::Failed(reason.into())),
            version: None,
            refused: 0,
        }
    }

    /// A client begins. A server waits for the peer's hello, however long that takes.
    pub fn start(&mut self, now: Micros) {
        if self.options.role == Role::Client && self.attempt.is_none() {
            self.begin(now);
        }
    }

    fn begin(&mut self, now: Micros) {
        let State::Handshaking(handshaking) = &mut self.state else { return };
        handshaking.begin(now);
        let role = self.options.role;
        let attempt = Attempt::new(role, &self.certificate, &self.library, self.clock, now);
        self.version = None;
        self.attempt = Some(Box::new(attempt));
    }

    /// A datagram of the peer. One that is malformed, forged or of no use now is counted, and changes nothing else.
    pub fn handle(&mut self, datagram: &[u8], now: Micros) {
        if !self.take(datagram, now) {
            self.refused += 1;
        }
    }

    /// Whether all of it was of use.
    fn take(&mut self, datagram: &[u8], now: Micros) -> bool {
        let stage = Stage { role: self.options.role, version: self.version };
        let sieved = match &mut self.state {
            State::Handshaking(handshaking) => sieve(datagram, stage, &mut handshaking.reassembly),
            State::Connected => sieve(datagram, stage, &mut Reassembly::default()),
            State::Over => return false,
        };
        let mut is_taken = !sieved.has_refused;
        if let Some(alert) = sieved.fatal_alert {
            is_taken &= self.on_clear_alert(alert, now);
        }
        for sound in &sieved.sound {
            is_taken &= match sound {
                Sound::Message(hello) if hello.kind == message::CLIENT_HELLO => self.on_hello(hello, now),
                Sound::Message(message) => self.give(&message.datagram(), now),
                Sound::Record(record) => self.give(record, now),
            };
        }
        is_taken
    }

    fn on_hello(&mut self, hello: &Message, now: Micros) -> bool {
        let State::Handshaking(handshaking) = &mut self.state else { return false };
        if handshaking.is_paused() {
            return false;
        }
        match handshaking.hellos.decide(hello, now) {
            Decision::Refuse => return false,
            Decision::Repeated => return true,
            Decision::Begin => self.begin(now),
            Decision::Answer => {}
        }
        self.give(&hello.datagram(), now)
    }

    fn on_clear_alert(&mut self, alert: u8, now: Micros) -> bool {
        match &mut self.state {
            State::Handshaking(handshaking) if self.attempt.is_some() => {
                handshaking.on_clear_alert(alert, now);
                true
            }
            _ => false,
        }
    }

    fn give(&mut self, records: &[u8], now: Micros) -> bool {
        let Some(attempt) = &mut self.attempt else { return false };
        let is_useful = match attempt.handle(records, now) {
            Ok(is_useful) => is_useful,
            Err(why) => {
                self.on_gave_up(why, now);
                return false;
            }
        };
        self.version = attempt.version();
        is_useful
    }

    fn on_gave_up(&mut self, why: GaveUp, now: Micros) {
        match (&mut self.state, why) {
            (State::Handshaking(_), GaveUp::Peer(alert)) => {
                self.fail(format!("the peer ended the handshake: {}", alert::name(alert)));
            }
            (State::Handshaking(handshaking), GaveUp::Us(reason)) => {
                self.attempt = None;
                self.version = None;
                if let Err(reason) = handshaking.on_gave_up(reason, now) {
                    self.fail(reason);
                }
            }
            (State::Connected, GaveUp::Peer(_)) => {
                self.state = State::Over;
                self.report = Some(Output::Closed);
            }
            // Keys were told: whatever goes wrong now does not take them back.
            (State::Connected | State::Over, GaveUp::Us(_)) | (State::Over, GaveUp::Peer(_)) => {}
        }
    }

    fn fail(&mut self, reason: String) {
        self.state = State::Over;
        self.attempt = None;
        self.report = Some(Output::Failed(reason));
    }

    /// The deadline is there. Earlier and later does no harm.
    pub fn wake(&mut self, now: Micros) {
        if let State::Handshaking(handshaking) = &mut self.state {
            if let Some(reason) = handshaking.expired(now) {
                return self.fail(reason);
            }
            if handshaking.resumes(now) && self.options.role == Role::Client {
                self.begin(now);
            }
        }
        let Some(attempt) = &mut self.attempt else { return };
        if let Err(why) = attempt.wake(now) {
            self.on_gave_up(why, now);
            if !matches!(self.state, State::Handshaking(_)) {
                // Its timer would be due for ever.
                self.attempt = None;
            }
        }
    }

    /// What comes next. `out` has room for a datagram: 1,200 bytes.
    pub fn poll(&mut self, out: &mut [u8]) -> Option<Output> {
        let output =
            self.attempt.as_mut().and_then(|attempt| attempt.poll(&self.options.peer_fingerprints, out));
        match output {
            Some(Output::Connected { .. }) => self.state = State::Connected,
            Some(Output::Failed(_)) => self.close(),
            Some(Output::Closed) => self.state = State::Over,
            Some(Output::Send(_)) => {}
            None => {
                if matches!(self.state, State::Over) {
                    self.attempt = None;
                }
                return self.report.take();
            }
        }
        output
    }

    /// When to call `wake`, if nothing comes before. Right after `poll` said `None`.
    #[must_use]
    pub fn deadline(&self) -> Option<Micros> {
        let attempt = self.attempt.as_ref().and_then(|attempt| attempt.deadline());
        let ours = match &self.state {
            State::Handshaking(handshaking) => handshaking.deadline(),
            State::Connected | State::Over => None,
        };
        attempt.into_iter().chain(ours).min()
    }

    /// Whether keys were told, and nobody closed it since.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        matches!(self.state, State::Connected)
    }

    /// `DTLS 1.2` or `DTLS 1.3`, once known.
    #[must_use]
    pub fn version(&self) -> Option<&'static str> {
        Some(match self.version? {
            Version::Dtls12 => "DTLS 1.2",
            Version::Dtls13 => "DTLS 1.3",
        })
    }

    /// Datagrams of which something was not taken: malformed, forged, replayed or out of place.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Says close_notify (poll it). Nothing is taken after that.
    pub fn close(&mut self) {
        self.state = State::Over;
        if let Some(attempt) = &mut self.attempt {
            attempt.close();
        }
    }
}

impl std::fmt::Debug for Association {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = match self.state {
            State::Handshaking(_) => "handshaking",
            State::Connected => "connected",
            State::Over => "over",
        };
        write!(f, "Association({:?}, {:?}, {state})", self.options.role, self.version)
    }
}
