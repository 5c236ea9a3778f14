use trunkline_base::Micros;

use crate::attempt::Attempt;
use crate::clock::Clock;
use crate::{Certificate, Options, Output, Role};

/// One association. `start` (client: sends the hello), then `handle` and `wake`; `poll` until `None` after each.
pub struct Association {
    options: Options,
    certificate: Certificate,
    clock: Clock,
    attempt: Option<Box<Attempt>>,
    is_connected: bool,
    version: Option<&'static str>,
    refused: u64,
    failed: Option<String>,
}

impl Association {
    /// Nothing is sent yet.
    #[must_use]
    pub fn new(options: Options, certificate: &Certificate, now: Micros) -> Association {
        let mut association = Self {
            options,
            certificate: certificate.clone(),
            clock: Clock::new(now),
            attempt: None,
            is_connected: false,
            version: None,
            refused: 0,
            failed: None,
        };
        if association.options.role == Role::Server {
            association.begin(now);
        }
        association
    }

    /// The client's hello; a server waits for the peer's anyway.
    pub fn start(&mut self, now: Micros) {
        if self.attempt.is_none() {
            self.begin(now);
        }
    }

    fn begin(&mut self, now: Micros) {
        if self.options.peer_fingerprints.iter().any(|one| one.is_usable()) {
            self.attempt = Some(Box::new(Attempt::new(&self.options, &self.certificate, self.clock, now)));
        } else {
            self.failed = Some("the peer announced no fingerprint of a known hash function".into());
        }
    }

    /// A datagram of the peer: counted if it is of no use.
    pub fn handle(&mut self, datagram: &[u8], now: Micros) {
        let Some(attempt) = &mut self.attempt else {
            self.refused += 1;
            return;
        };
        if attempt.wake(now).and_then(|()| attempt.handle(datagram)).is_err() {
            self.refused += 1;
        }
    }

    /// The deadline is there.
    pub fn wake(&mut self, now: Micros) {
        let Some(attempt) = &mut self.attempt else { return };
        if let Err(error) = attempt.wake(now)
            && !self.is_connected
        {
            self.failed = Some(error.to_string());
            self.attempt = None;
        }
    }

    /// What comes next. `out` has room for a datagram: 1,200 bytes.
    pub fn poll(&mut self, out: &mut [u8]) -> Option<Output> {
        if let Some(reason) = self.failed.take() {
            return Some(Output::Failed(reason));
        }
        let attempt = self.attempt.as_mut()?;
        let output = attempt.poll(&self.options.peer_fingerprints, out);
        self.version = attempt.version();
        match &output {
            Some(Output::Connected { .. }) => self.is_connected = true,
            Some(Output::Failed(_)) => self.attempt = None,
            _ => {}
        }
        output
    }

    /// When to call `wake`, if nothing comes before.
    #[must_use]
    pub fn deadline(&self) -> Option<Micros> {
        self.attempt.as_ref()?.deadline()
    }

    /// Whether keys were told.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.is_connected
    }

    /// `DTLS 1.2` or `DTLS 1.3`, once known.
    #[must_use]
    pub fn version(&self) -> Option<&'static str> {
        self.version
    }

    /// Datagrams that were not taken.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Says close_notify (poll it).
    pub fn close(&mut self) {
        if let Some(attempt) = &mut self.attempt {
            attempt.close();
        }
    }
}
