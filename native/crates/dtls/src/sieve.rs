use crate::Role;
use crate::client_hello::{ClientHello, Reassembly};
use crate::handshake::{Fragment, fragments, message};
use crate::record::{Kind, Record, content, records};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Dtls12,
    Dtls13,
}

/// What may come next depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Stage {
    pub role: Role,
    /// Once the library settled it.
    pub version: Option<Version>,
}

/// What is left of a datagram.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sieved {
    /// Records for the library.
    pub records: Vec<u8>,
    /// Hellos that became whole with it.
    pub hellos: Vec<ClientHello>,
    /// The peer gives up, or somebody says so: an alert in the clear proves nothing.
    pub fatal_alert: Option<u8>,
    /// Something of it cannot belong to this handshake.
    pub has_refused: bool,
}

/// The library ends a handshake for some of what an attacker or a broken network can send in the clear, and keeps the first of
/// two that contradict. So it only gets what may come at this stage.
pub fn sieve(datagram: &[u8], stage: Stage, reassembly: &mut Reassembly) -> Sieved {
    let mut sieve = Sieve { stage, reassembly, sieved: Sieved::default(), bytes: 0 };
    for record in records(datagram) {
        sieve.add(&record);
    }
    sieve.sieved.has_refused |= sieve.bytes < datagram.len();
    sieve.sieved
}

struct Sieve<'a> {
    stage: Stage,
    reassembly: &'a mut Reassembly,
    sieved: Sieved,
    /// Of the records that were looked at.
    bytes: usize,
}

impl Sieve<'_> {
    fn add(&mut self, record: &Record<'_>) {
        self.bytes += record.bytes.len();
        let is_wanted = match record.kind {
            Kind::Unified => self.stage.version == Some(Version::Dtls13) || self.is_answer(),
            Kind::Plain { content, epoch: 0, fragment } => match content {
                content::HANDSHAKE => return self.add_handshake(record, fragment),
                content::ALERT => return self.add_alert(fragment),
                content::CHANGE_CIPHER_SPEC => self.stage.version == Some(Version::Dtls12),
                _ => false,
            },
            Kind::Plain { content, epoch: 1, .. } => {
                self.stage.version == Some(Version::Dtls12)
                    && matches!(content, content::HANDSHAKE | content::ALERT | content::APPLICATION_DATA)
            }
            Kind::Plain { .. } => false,
        };
        self.settle(record, is_wanted);
    }

    fn settle(&mut self, record: &Record<'_>, is_wanted: bool) {
        if is_wanted {
            self.sieved.records.extend_from_slice(record.bytes);
        } else {
            self.sieved.has_refused = true;
        }
    }

    /// Whether a server's hello stands before this in the same datagram, of whichever version it is.
    fn is_answer(&self) -> bool {
        self.stage.role == Role::Client && self.stage.version.is_none() && !self.sieved.records.is_empty()
    }

    fn add_handshake(&mut self, record: &Record<'_>, fragment: &[u8]) {
        let Some(fragments) = fragments(fragment) else {
            self.sieved.has_refused = true;
            return;
        };
        if self.stage.role == Role::Server && fragments[0].message == message::CLIENT_HELLO {
            self.add_hello(&fragments[0]);
        } else {
            let is_wanted = fragments.iter().all(|fragment| self.is_wanted(fragment));
            self.settle(record, is_wanted);
        }
    }

    fn add_hello(&mut self, fragment: &Fragment<'_>) {
        match self.reassembly.add(fragment) {
            Ok(hello) => self.sieved.hellos.extend(hello),
            Err(_) => self.sieved.has_refused = true,
        }
    }

    /// A handshake message in the clear, other than a ClientHello.
    fn is_wanted(&self, fragment: &Fragment<'_>) -> bool {
        let message = fragment.message;
        match (self.stage.role, self.stage.version) {
            (Role::Client, Some(Version::Dtls13)) => message == message::SERVER_HELLO,
            (Role::Client, None) if !self.is_answer() => is_server_hello(message),
            (Role::Client, _) => {
                is_server_hello(message)
                    || matches!(
                        message,
                        message::CERTIFICATE
                            | message::SERVER_KEY_EXCHANGE
                            | message::CERTIFICATE_REQUEST
                            | message::SERVER_HELLO_DONE
                    )
            }
            (Role::Server, Some(Version::Dtls12)) => {
                // Nothing comes between them, so the number says which message it is (RFC 5246 §7.3).
                matches!(
                    (message, fragment.message_seq),
                    (message::CERTIFICATE, 1)
                        | (message::CLIENT_KEY_EXCHANGE, 2)
                        | (message::CERTIFICATE_VERIFY, 3)
                )
            }
            (Role::Server, _) => false,
        }
    }

    fn add_alert(&mut self, fragment: &[u8]) {
        const FATAL: u8 = 2;
        match fragment {
            [FATAL, description] => self.sieved.fatal_alert = Some(*description),
            _ => self.sieved.has_refused = true,
        }
    }
}

fn is_server_hello(message: u8) -> bool {
    matches!(message, message::SERVER_HELLO | message::HELLO_VERIFY_REQUEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(content: u8, epoch: u16, fragment: &[u8]) -> Vec<u8> {
        let length = fragment.len() as u16;
        [
            &[content, 0xfe, 0xfd][..],
            &epoch.to_be_bytes(),
            &[0, 0, 0, 0, 0, 9],
            &length.to_be_bytes(),
            fragment,
        ]
        .concat()
    }

    fn message(message: u8, seq: u8) -> Vec<u8> {
        plain(22, 0, &[message, 0, 0, 1, 0, seq, 0, 0, 0, 0, 0, 1, 0xaa])
    }

    fn is_kept(datagram: &[u8], role: Role, version: Option<Version>) -> bool {
        let sieved = sieve(datagram, Stage { role, version }, &mut Reassembly::default());
        assert_eq!(sieved.has_refused, sieved.records != datagram, "all or nothing of one record");
        !sieved.has_refused
    }

    const UNIFIED: [u8; 8] = [0x2e, 0, 1, 0, 3, 1, 2, 3];

    #[test]
    fn each_version_has_records_of_its_own() {
        for role in [Role::Client, Role::Server] {
            for (version, is_12) in [(Some(Version::Dtls12), true), (Some(Version::Dtls13), false)] {
                assert_eq!(is_kept(&UNIFIED, role, version), !is_12);
                assert_eq!(is_kept(&plain(22, 1, &[9; 40]), role, version), is_12);
                assert_eq!(is_kept(&plain(20, 0, &[1]), role, version), is_12);
                assert!(!is_kept(&plain(22, 2, &[9; 40]), role, version));
                assert!(!is_kept(&plain(23, 0, b"hello"), role, version));
                assert!(!is_kept(&plain(26, 0, &[0, 0]), role, version));
            }
            assert!(!is_kept(&UNIFIED, role, None));
            assert!(!is_kept(&plain(22, 1, &[9; 40]), role, None));
        }
    }

    #[test]
    fn in_the_clear_only_the_peers_messages_of_the_version_pass() {
        let server = |kind, seq, version| is_kept(&message(kind, seq), Role::Server, version);
        assert!(server(message::CERTIFICATE, 1, Some(Version::Dtls12)));
        assert!(!server(message::CERTIFICATE, 2, Some(Version::Dtls12)));
        assert!(!server(message::CERTIFICATE, 1, Some(Version::Dtls13)));
        assert!(!server(message::SERVER_HELLO, 1, Some(Version::Dtls12)));
        assert!(!server(message::CERTIFICATE, 1, None));
        let client = |kind, version| is_kept(&message(kind, 0), Role::Client, version);
        assert!(client(message::SERVER_HELLO, None));
        assert!(client(message::HELLO_VERIFY_REQUEST, None));
        assert!(!client(message::CERTIFICATE, None));
        assert!(client(message::CERTIFICATE, Some(Version::Dtls12)));
        assert!(!client(message::CERTIFICATE, Some(Version::Dtls13)));
        assert!(!client(message::CLIENT_HELLO, Some(Version::Dtls12)));
    }

    #[test]
    fn what_follows_a_server_hello_in_its_datagram_is_kept() {
        let flight = [message(message::SERVER_HELLO, 0), message(message::CERTIFICATE, 1)].concat();
        assert!(is_kept(&flight, Role::Client, None));
        let flight = [&message(message::SERVER_HELLO, 0)[..], &UNIFIED].concat();
        assert!(is_kept(&flight, Role::Client, None));
    }

    #[test]
    fn good_records_are_kept_beside_bad_ones() {
        let good = message(message::SERVER_HELLO, 0);
        let datagram = [&plain(23, 0, b"noise")[..], &good, b"\x00"].concat();
        let stage = Stage { role: Role::Client, version: None };
        let sieved = sieve(&datagram, stage, &mut Reassembly::default());
        assert_eq!((sieved.records, sieved.has_refused), (good, true));
    }

    #[test]
    fn an_alert_in_the_clear_is_kept_from_the_library() {
        let stage = Stage { role: Role::Client, version: Some(Version::Dtls12) };
        let sieved = sieve(&plain(21, 0, &[2, 40]), stage, &mut Reassembly::default());
        assert_eq!((sieved.fatal_alert, sieved.records.len()), (Some(40), 0));
        let sieved = sieve(&plain(21, 0, &[1, 0]), stage, &mut Reassembly::default());
        assert_eq!((sieved.fatal_alert, sieved.records.len()), (None, 0));
    }
}
