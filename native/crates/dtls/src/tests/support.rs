use std::sync::LazyLock;

use dimpl::ConfigBuilder;
use trunkline_base::{Address, Micros};
use trunkline_sim::{Conditions, Event, Network, address};
use trunkline_srtp::MasterKey;

use crate::config::Library;
use crate::sieve::Version;
use crate::{Association, Certificate, Fingerprint, Options, Output, Role};

pub const VERSIONS: [Version; 2] = [Version::Dtls12, Version::Dtls13];

static CERTIFICATES: LazyLock<[Certificate; 2]> =
    LazyLock::new(|| [Certificate::generate(), Certificate::generate()]);

pub fn client_certificate() -> &'static Certificate {
    &CERTIFICATES[0]
}

pub fn server_certificate() -> &'static Certificate {
    &CERTIFICATES[1]
}

pub fn fingerprint_of(certificate: &Certificate) -> Fingerprint {
    Fingerprint { algorithm: "sha-256".into(), value: certificate.fingerprint() }
}

/// The library with the same random numbers for the same seed, except for keys and signatures.
pub fn seeded(only: Option<Version>, seed: u64) -> Library {
    changed(only, seed, |builder| builder)
}

pub fn changed(only: Option<Version>, seed: u64, change: impl Fn(ConfigBuilder) -> ConfigBuilder) -> Library {
    Library::changed(only, |builder| change(builder).dangerously_set_rng_seed(seed))
}

pub struct Peer {
    pub at: Address,
    pub association: Association,
    pub keys: Option<(MasterKey, MasterKey)>,
    pub connected_at: Option<Micros>,
    pub failed: Option<String>,
    pub closed: bool,
    /// Everything it sent.
    pub sent: Vec<Vec<u8>>,
}

impl Peer {
    pub fn new(role: Role, library: Library, wanted: Vec<Fingerprint>, now: Micros) -> Self {
        let certificate = match role {
            Role::Client => client_certificate(),
            Role::Server => server_certificate(),
        };
        Self::showing(certificate, role, library, wanted, now)
    }

    pub fn showing(
        certificate: &Certificate,
        role: Role,
        library: Library,
        wanted: Vec<Fingerprint>,
        now: Micros,
    ) -> Self {
        let host = if role == Role::Client { 1 } else { 2 };
        let options = Options { role, peer_fingerprints: wanted };
        Self {
            at: address(host),
            association: Association::with_library(options, certificate, library, now),
            keys: None,
            connected_at: None,
            failed: None,
            closed: false,
            sent: Vec::new(),
        }
    }

    /// What it sends now.
    pub fn drain(&mut self, now: Micros) -> Vec<Vec<u8>> {
        let mut out = [0; 1_500];
        let mut datagrams = Vec::new();
        while let Some(output) = self.association.poll(&mut out) {
            match output {
                Output::Send(length) => datagrams.push(out[..length].to_vec()),
                Output::Connected { send, receive } => {
                    assert!(self.keys.replace((send, receive)).is_none(), "connected once");
                    self.connected_at = Some(now);
                }
                Output::Failed(reason) => {
                    assert!(self.failed.replace(reason).is_none(), "failed once");
                }
                Output::Closed => self.closed = true,
            }
        }
        self.sent.extend(datagrams.iter().cloned());
        datagrams
    }
}

/// Who sent which of all datagrams, and what goes into the network instead.
pub type Tamper = Box<dyn FnMut(Role, usize, &[u8]) -> Vec<Vec<u8>>>;

/// A client and a server with a network between them.
pub struct Pair {
    pub client: Peer,
    pub server: Peer,
    pub network: Network,
    pub began: Micros,
    pub tamper: Tamper,
    pub senders: Vec<Role>,
    steps: u32,
}

impl Pair {
    /// The client knows only this version; the server takes either.
    pub fn new(version: Version, seed: u64, conditions: Conditions) -> Self {
        Self::with(seeded(Some(version), seed), seeded(None, seed + 1), seed, conditions)
    }

    pub fn with(client: Library, server: Library, seed: u64, conditions: Conditions) -> Self {
        let network = Network::new(seed, conditions);
        let now = network.now();
        let client = Peer::new(Role::Client, client, vec![fingerprint_of(server_certificate())], now);
        let server = Peer::new(Role::Server, server, vec![fingerprint_of(client_certificate())], now);
        let tamper: Tamper = Box::new(|_, _, datagram| vec![datagram.to_vec()]);
        Self { client, server, network, began: now, tamper, senders: Vec::new(), steps: 0 }
    }

    pub fn start(&mut self) {
        self.client.association.start(self.network.now());
        self.server.association.start(self.network.now());
        self.drain();
    }

    pub fn drain(&mut self) {
        let now = self.network.now();
        let (client, server) = (self.client.at, self.server.at);
        for datagram in self.client.drain(now) {
            self.send(Role::Client, (client, server), &datagram);
        }
        for datagram in self.server.drain(now) {
            self.send(Role::Server, (server, client), &datagram);
        }
    }

    fn send(&mut self, by: Role, (from, to): (Address, Address), datagram: &[u8]) {
        for datagram in (self.tamper)(by, self.senders.len(), datagram) {
            self.network.send(from, to, &datagram);
        }
        self.senders.push(by);
    }

    /// One event; `false` when nothing is left to happen.
    pub fn step(&mut self) -> bool {
        let deadlines = [self.client.association.deadline(), self.server.association.deadline()];
        let now = match self.network.next(deadlines.into_iter().flatten().min()) {
            Event::Datagram { to, bytes, .. } if to == self.client.at => {
                self.client.association.handle(&bytes, self.network.now());
                self.network.now()
            }
            Event::Datagram { bytes, .. } => {
                self.server.association.handle(&bytes, self.network.now());
                self.network.now()
            }
            Event::Timer => {
                let now = self.network.now();
                for association in [&mut self.client.association, &mut self.server.association] {
                    if association.deadline().is_some_and(|at| at <= now) {
                        association.wake(now);
                    }
                }
                now
            }
            Event::Quiet => return false,
        };
        self.drain();
        self.steps += 1;
        let is_endless = self.steps > 10_000 || now > self.began + 120_000_000;
        assert!(
            !is_endless,
            "it goes on for ever: {:?} {:?}",
            self.client.association, self.server.association
        );
        true
    }

    pub fn is_done(&self) -> bool {
        let done = |peer: &Peer| peer.keys.is_some() || peer.failed.is_some();
        done(&self.client) && done(&self.server)
    }

    /// Until both are done.
    pub fn run(&mut self) {
        while !self.is_done() && self.step() {}
    }

    /// Until nothing is under way and no timer runs.
    pub fn settle(&mut self) {
        while self.step() {}
    }

    /// Both have the same keys.
    #[track_caller]
    pub fn assert_connected(&self) {
        assert_eq!((&self.client.failed, &self.server.failed), (&None, &None));
        let (send, receive) = self.client.keys.expect("the client has keys");
        assert_eq!(self.server.keys, Some((receive, send)));
        assert_ne!(send, receive);
    }
}
