use dimpl::{Dtls, Error, Output as Said, ProtocolVersion};
use trunkline_base::Micros;
use trunkline_srtp::MasterKey;

use crate::certificate::Certificate;
use crate::clock::Clock;
use crate::{Fingerprint, Options, Output, Role, config, keys};

/// One handshake of the library, which is of no use any more after an error of its own.
pub struct Attempt {
    dtls: Dtls,
    role: Role,
    clock: Clock,
    now: Micros,
    wake: Option<Micros>,
    is_peer_wanted: bool,
    is_complete: bool,
    keys: Option<(MasterKey, MasterKey)>,
    is_told: bool,
}

impl Attempt {
    /// A client's hello is ready to be polled.
    pub fn new(options: &Options, certificate: &Certificate, clock: Clock, now: Micros) -> Self {
        let mut dtls = Dtls::new_auto(config::shared(), certificate.pair(), clock.instant(now));
        dtls.set_active(options.role == Role::Client);
        Self {
            dtls,
            role: options.role,
            clock,
            now,
            wake: None,
            is_peer_wanted: false,
            is_complete: false,
            keys: None,
            is_told: false,
        }
    }

    pub fn wake(&mut self, now: Micros) -> Result<(), Error> {
        self.now = now;
        self.dtls.handle_timeout(self.clock.instant(now))
    }

    /// After `wake` with the same time.
    pub fn handle(&mut self, datagram: &[u8]) -> Result<(), Error> {
        self.dtls.handle_packet(datagram)
    }

    /// What comes next; the deadline is right once this was `None`.
    pub fn poll(&mut self, wanted: &[Fingerprint], out: &mut [u8]) -> Option<Output> {
        loop {
            match self.dtls.poll_output(out) {
                Said::Packet(datagram) => return Some(Output::Send(datagram.len())),
                Said::PeerCert(der) => self.is_peer_wanted = wanted.iter().any(|one| one.is_of(der)),
                Said::Connected => self.is_complete = true,
                Said::KeyingMaterial(exported, profile) => {
                    self.keys = keys::split(self.role, profile, &exported);
                }
                Said::CloseNotify => return Some(Output::Closed),
                Said::Timeout(at) => {
                    self.wake = self.clock.micros(at, self.now);
                    return self.tell();
                }
                Said::BufferTooSmall { .. } => return None,
                _ => {}
            }
        }
    }

    /// Once everything that belongs to the end of the handshake was said.
    fn tell(&mut self) -> Option<Output> {
        if !self.is_complete || self.is_told {
            return None;
        }
        self.is_told = true;
        Some(match self.keys.take() {
            _ if !self.is_peer_wanted => {
                Output::Failed("the peer's certificate has none of the announced fingerprints".into())
            }
            Some((send, receive)) => Output::Connected { send, receive },
            None => Output::Failed("no SRTP protection profile in common".into()),
        })
    }

    pub fn deadline(&self) -> Option<Micros> {
        self.wake
    }

    pub fn version(&self) -> Option<&'static str> {
        match self.dtls.protocol_version()? {
            ProtocolVersion::DTLS1_2 => Some("DTLS 1.2"),
            ProtocolVersion::DTLS1_3 => Some("DTLS 1.3"),
            _ => None,
        }
    }

    pub fn close(&mut self) {
        // Fails where there is nobody to say it to.
        let _ = self.dtls.close();
    }
}
