use std::collections::VecDeque;

use trunkline_base::Micros;
use trunkline_dtls::{Association, Certificate, Fingerprint, Options, Output, Role};
use trunkline_srtp::MasterKey;

use crate::check::{Checker, Transaction, success_of};
use crate::plan::WebRtcPlan;

/// A check is repeated so often while none is answered.
const CHECK_EVERY: Micros = 100_000;
/// A client that has no keys by then has failed.
const PATIENCE: Micros = 10_000_000;

/// A WebRTC client without its sockets: a nominating check, then DTLS in the active role.
///
/// After `start`, `handle` and `wake`: `poll` until `None`, and `wake` again at `deadline`.
pub struct Client {
    checker: Checker,
    fingerprint: Fingerprint,
    certificate: Certificate,
    started_at: Micros,
    asked: Option<Transaction>,
    check_at: Micros,
    association: Option<Association>,
    is_connected: bool,
    waiting: VecDeque<Step>,
}

/// What a client wants.
pub enum Step {
    /// Bytes for the relay.
    Send(Vec<u8>),
    /// The handshake is done.
    Keys { send: MasterKey, receive: MasterKey },
    /// It will never connect.
    Failed(String),
}

impl Client {
    pub fn new(plan: &WebRtcPlan, certificate: &Certificate) -> Self {
        Self {
            checker: Checker::new(&plan.local_ufrag, &plan.remote_ufrag, &plan.remote_pwd),
            fingerprint: Fingerprint {
                algorithm: plan.fingerprint_algorithm.clone(),
                value: plan.fingerprint.clone(),
            },
            certificate: certificate.clone(),
            started_at: 0,
            asked: None,
            check_at: 0,
            association: None,
            is_connected: false,
            waiting: VecDeque::new(),
        }
    }

    pub fn start(&mut self, now: Micros) {
        self.started_at = now;
        self.check(now);
    }

    pub fn started_at(&self) -> Micros {
        self.started_at
    }

    /// Sends a check: the first, again, or as consent (RFC 7675 §5.1).
    pub fn check(&mut self, now: Micros) {
        let (bytes, transaction) = self.checker.check();
        self.asked = Some(transaction);
        self.check_at = now + CHECK_EVERY;
        self.waiting.push_back(Step::Send(bytes));
    }

    pub fn on_stun(&mut self, datagram: &[u8], now: Micros) {
        if self.asked.is_none() || success_of(datagram) != self.asked || self.association.is_some() {
            return;
        }
        let options = Options { role: Role::Client, peer_fingerprints: vec![self.fingerprint.clone()] };
        let mut association = Association::new(options, &self.certificate, now);
        association.start(now);
        self.association = Some(association);
    }

    pub fn on_dtls(&mut self, datagram: &[u8], now: Micros) {
        if let Some(association) = &mut self.association {
            association.handle(datagram, now);
        }
    }

    /// When to `wake`, if nothing comes before.
    pub fn deadline(&self) -> Option<Micros> {
        match &self.association {
            Some(association) => association.deadline(),
            None => Some(self.check_at),
        }
    }

    pub fn wake(&mut self, now: Micros) {
        if !self.is_connected && now >= self.started_at + PATIENCE {
            self.waiting.push_back(Step::Failed("no keys after 10 s".into()));
        }
        match &mut self.association {
            Some(association) => association.wake(now),
            None if now >= self.check_at => self.check(now),
            None => {}
        }
    }

    pub fn poll(&mut self) -> Option<Step> {
        if let Some(step) = self.waiting.pop_front() {
            return Some(step);
        }
        let mut datagram = [0; 2_048];
        Some(match self.association.as_mut()?.poll(&mut datagram)? {
            Output::Send(length) => Step::Send(datagram[..length].to_vec()),
            Output::Connected { send, receive } => {
                self.is_connected = true;
                Step::Keys { send, receive }
            }
            Output::Failed(reason) => Step::Failed(reason),
            Output::Closed => Step::Failed("the relay closed the association".into()),
        })
    }

    /// `DTLS 1.2` or `DTLS 1.3`.
    pub fn version(&self) -> Option<&'static str> {
        self.association.as_ref()?.version()
    }
}
