use dimpl::{Dtls, Error, Output as Said, ProtocolVersion, SecurityError};
use trunkline_base::Micros;
use trunkline_srtp::MasterKey;

use crate::certificate::Certificate;
use crate::clock::Clock;
use crate::config::Library;
use crate::sieve::Version;
use crate::{Fingerprint, Output, Role, keys};

/// Nothing of a handshake is due sooner: should the library say so again and again, the thread still gets on.
const SHORTEST_TIMER: Micros = 1_000;
/// A longer one never gets through the library's receive queue.
const LONGEST_CERTIFICATE: usize = 65_536;

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

/// Why the library gave up.
pub enum GaveUp {
    /// The peer says so, under the keys of this handshake: with this alert.
    Peer(u8),
    /// For another reason; another attempt may go better.
    Us(String),
}

impl From<Error> for GaveUp {
    fn from(error: Error) -> Self {
        match error {
            Error::SecurityError(SecurityError::FatalAlert { description }) => Self::Peer(description),
            error => Self::Us(error.to_string()),
        }
    }
}

/// What the library said.
enum Heard {
    Output(Output),
    Nothing,
    /// It has no more to say.
    End,
}

impl Attempt {
    /// A client's hello is ready to be polled.
    pub fn new(role: Role, certificate: &Certificate, library: &Library, clock: Clock, now: Micros) -> Self {
        let mut dtls = library.instance(role, certificate.pair(), clock.instant(now));
        // Makes the hello of a client that knows one version. Nothing is due yet that could fail.
        let _ = dtls.handle_timeout(clock.instant(now));
        Self {
            dtls,
            role,
            clock,
            now,
            wake: None,
            is_peer_wanted: false,
            is_complete: false,
            keys: None,
            is_told: false,
        }
    }

    pub fn wake(&mut self, now: Micros) -> Result<(), GaveUp> {
        self.now = now;
        Ok(self.dtls.handle_timeout(self.clock.instant(now))?)
    }

    /// Whether all of it was of use, as far as the library tells.
    pub fn handle(&mut self, datagram: &[u8], now: Micros) -> Result<bool, GaveUp> {
        self.wake(now)?;
        let discarded = self.dtls.discarded();
        self.dtls.handle_packet(datagram)?;
        Ok(self.dtls.discarded() <= discarded)
    }

    /// What comes next; the deadline is right once this was `None`.
    pub fn poll(&mut self, wanted: &[Fingerprint], out: &mut [u8]) -> Option<Output> {
        loop {
            let heard = match self.dtls.poll_output(out) {
                Said::BufferTooSmall { needed } => self.hear_longer(needed, wanted)?,
                said => self.hear(said, wanted),
            };
            match heard {
                Heard::Output(output) => return Some(output),
                Heard::Nothing => {}
                Heard::End => return self.tell(),
            }
        }
    }

    /// What does not fit into a datagram's buffer is the peer's certificate.
    fn hear_longer(&mut self, needed: usize, wanted: &[Fingerprint]) -> Option<Heard> {
        let mut room = vec![0; needed.min(LONGEST_CERTIFICATE)];
        match self.dtls.poll_output(&mut room) {
            said @ Said::PeerCert(_) => Some(self.hear(said, wanted)),
            _ => None,
        }
    }

    fn hear(&mut self, said: Said<'_>, wanted: &[Fingerprint]) -> Heard {
        match said {
            Said::Packet(datagram) => return Heard::Output(Output::Send(datagram.len())),
            Said::CloseNotify => return Heard::Output(Output::Closed),
            Said::PeerCert(der) => self.is_peer_wanted = wanted.iter().any(|one| one.is_of(der)),
            Said::Connected => self.is_complete = true,
            Said::KeyingMaterial(exported, profile) => {
                self.keys = keys::split(self.role, profile, &exported);
            }
            Said::Timeout(at) => {
                self.wake = self.clock.micros(at, self.now).map(|at| at.max(self.now + SHORTEST_TIMER));
                return Heard::End;
            }
            _ => {}
        }
        Heard::Nothing
    }

    /// Once everything that belongs to the end of the handshake was said. The peer's certificate is looked at here and not when
    /// it comes: only the end proves that the peer owns it.
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

    pub fn version(&self) -> Option<Version> {
        match self.dtls.protocol_version()? {
            ProtocolVersion::DTLS1_2 => Some(Version::Dtls12),
            ProtocolVersion::DTLS1_3 => Some(Version::Dtls13),
            _ => None,
        }
    }

    /// Says close_notify to a peer that can read it.
    pub fn close(&mut self) {
        // An error means that there is nobody to say it to.
        let _ = self.dtls.close();
    }
}
