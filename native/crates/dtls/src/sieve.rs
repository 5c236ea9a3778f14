use crate::Role;
use crate::handshake::{Fragment, fragments, message};
use crate::reassembly::{Message, Reassembly, Refused};
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

/// What the library may get.
#[derive(Debug, PartialEq, Eq)]
pub enum Sound<'a> {
    /// A record as it came.
    Record(&'a [u8]),
    /// A message that became whole.
    Message(Message),
}

/// What is left of a datagram.
#[derive(Debug, Default)]
pub struct Sieved<'a> {
    /// In the order in which it came.
    pub sound: Vec<Sound<'a>>,
    /// The peer gives up, or somebody says so: an alert in the clear proves nothing.
    pub fatal_alert: Option<u8>,
    /// Something of it cannot belong to this handshake.
    pub has_refused: bool,
}

/// The library ends a handshake for some of what an attacker or a broken network can send in the clear, and keeps the first of
/// two that contradict. So it only gets what may come at this stage.
pub fn sieve<'a>(datagram: &'a [u8], stage: Stage, reassembly: &mut Reassembly) -> Sieved<'a> {
    let mut sieve = Sieve { stage, reassembly, sieved: Sieved::default(), bytes: 0 };
    for record in records(datagram) {
        sieve.add(&record);
    }
    sieve.sieved.has_refused |= sieve.bytes < datagram.len();
    sieve.sieved
}

struct Sieve<'a, 'b> {
    stage: Stage,
    reassembly: &'b mut Reassembly,
    sieved: Sieved<'a>,
    /// Of the records that were looked at.
    bytes: usize,
}

impl<'a> Sieve<'a, '_> {
    fn add(&mut self, record: &Record<'a>) {
        self.bytes += record.bytes.len();
        let is_12 = self.stage.version == Some(Version::Dtls12);
        let is_wanted = match record.kind {
            Kind::Unified => self.stage.version == Some(Version::Dtls13) || self.has_server_hello(),
            Kind::Plain { content: content::HANDSHAKE, epoch: 0, fragment } => {
                return self.add_handshake(fragment);
            }
            Kind::Plain { content: content::ALERT, epoch: 0, fragment } => return self.add_alert(fragment),
            Kind::Plain { content: content::CHANGE_CIPHER_SPEC, epoch: 0, fragment } => {
                is_12 && fragment == [1]
            }
            Kind::Plain { content, epoch: 1, .. } => {
                is_12 && matches!(content, content::HANDSHAKE | content::ALERT | content::APPLICATION_DATA)
            }
            Kind::Plain { .. } => false,
        };
        if is_wanted {
            self.sieved.sound.push(Sound::Record(record.bytes));
        } else {
            self.sieved.has_refused = true;
        }
    }

    /// Whether a server's hello stands before this in the same datagram, of whichever version it is.
    fn has_server_hello(&self) -> bool {
        self.stage.role == Role::Client && self.stage.version.is_none() && !self.sieved.sound.is_empty()
    }

    fn add_handshake(&mut self, record: &[u8]) {
        let fragments = fragments(record).unwrap_or_default();
        self.sieved.has_refused |= fragments.is_empty();
        for fragment in &fragments {
            let added = if self.is_wanted(fragment) { self.reassembly.add(fragment) } else { Err(Refused) };
            match added {
                Ok(message) => self.sieved.sound.extend(message.map(Sound::Message)),
                Err(Refused) => self.sieved.has_refused = true,
            }
        }
    }

    /// A fragment in the clear.
    fn is_wanted(&self, fragment: &Fragment<'_>) -> bool {
        let (message, seq) = (fragment.message, fragment.message_seq);
        match (self.stage.role, self.stage.version) {
            // The second hello is the one that a HelloRetryRequest or HelloVerifyRequest asked for.
            (Role::Server, _) if message == message::CLIENT_HELLO => seq <= 1,
            // Nothing comes between them, so the number says which message it is (RFC 5246 §7.3).
            (Role::Server, Some(Version::Dtls12)) => matches!(
                (message, seq),
                (message::CERTIFICATE, 1)
                    | (message::CLIENT_KEY_EXCHANGE, 2)
                    | (message::CERTIFICATE_VERIFY, 3)
            ),
            (Role::Server, _) => false,
            (Role::Client, _) if message == message::SERVER_HELLO => seq <= 1,
            (Role::Client, Some(Version::Dtls13)) => false,
            (Role::Client, None) if message == message::HELLO_VERIFY_REQUEST => seq == 0,
            (Role::Client, None) if !self.has_server_hello() => false,
            // One more each where a HelloVerifyRequest came first; a request may follow a certificate or its key exchange.
            (Role::Client, _) => match message {
                message::HELLO_VERIFY_REQUEST => seq == 0,
                message::CERTIFICATE => (1..=2).contains(&seq),
                message::SERVER_KEY_EXCHANGE => (2..=3).contains(&seq),
                message::CERTIFICATE_REQUEST => (3..=4).contains(&seq),
                message::SERVER_HELLO_DONE => (3..=5).contains(&seq),
                _ => false,
            },
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

    /// A short one of this kind.
    fn message(kind: u8, seq: u8) -> Vec<u8> {
        let body = match kind {
            message::SERVER_HELLO => [&[0xfe, 0xfd][..], &[7; 32], &[0, 0xc0, 0x2b, 0]].concat(),
            message::HELLO_VERIFY_REQUEST => vec![0xfe, 0xff, 0],
            message::CERTIFICATE => vec![0, 0, 0],
            _ => Vec::new(),
        };
        let length = body.len() as u8;
        let header = [kind, 0, 0, length, 0, seq, 0, 0, 0, 0, 0, length];
        plain(22, 0, &[&header[..], &body].concat())
    }

    fn sieved(datagram: &[u8], role: Role, version: Option<Version>) -> Sieved<'_> {
        sieve(datagram, Stage { role, version }, &mut Reassembly::default())
    }

    /// Of one record all is kept or nothing.
    fn is_kept(datagram: &[u8], role: Role, version: Option<Version>) -> bool {
        let sieved = sieved(datagram, role, version);
        assert_eq!(sieved.has_refused, sieved.sound.is_empty());
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
        let client = |kind, seq, version| is_kept(&message(kind, seq), Role::Client, version);
        assert!(client(message::SERVER_HELLO, 0, None));
        assert!(client(message::HELLO_VERIFY_REQUEST, 0, None));
        assert!(!client(message::CERTIFICATE, 1, None));
        assert!(client(message::CERTIFICATE, 1, Some(Version::Dtls12)));
        assert!(!client(message::CERTIFICATE, 1, Some(Version::Dtls13)));
        assert!(!client(message::CLIENT_HELLO, 0, Some(Version::Dtls12)));
    }

    #[test]
    fn what_follows_a_server_hello_in_its_datagram_is_kept() {
        let hello = message(message::SERVER_HELLO, 0);
        for more in [message(message::CERTIFICATE, 1), UNIFIED.to_vec()] {
            let flight = [&hello[..], &more].concat();
            let sieved = sieved(&flight, Role::Client, None);
            assert_eq!((sieved.sound.len(), sieved.has_refused), (2, false));
        }
    }

    #[test]
    fn good_records_are_kept_beside_bad_ones() {
        let datagram = [&plain(23, 0, b"noise")[..], &UNIFIED, b"\x00"].concat();
        let sieved = sieved(&datagram, Role::Client, Some(Version::Dtls13));
        assert_eq!((sieved.sound, sieved.has_refused), (vec![Sound::Record(&UNIFIED)], true));
    }

    #[test]
    fn messages_come_out_in_order_however_they_were_cut() {
        let certificate = plain(22, 0, &[11, 0, 0, 3, 0, 1, 0, 0, 0, 0, 0, 1, 0]);
        let rest = [
            plain(22, 0, &[11, 0, 0, 3, 0, 1, 0, 0, 1, 0, 0, 2, 0, 0]),
            message(message::SERVER_HELLO_DONE, 3),
        ]
        .concat();
        let mut reassembly = Reassembly::default();
        let stage = Stage { role: Role::Client, version: Some(Version::Dtls12) };
        assert_eq!(sieve(&certificate, stage, &mut reassembly).sound, []);
        let sieved = sieve(&rest, stage, &mut reassembly);
        let kind = |sound: &Sound<'_>| match sound {
            Sound::Message(message) => message.kind,
            Sound::Record(_) => 0,
        };
        let kinds: Vec<u8> = sieved.sound.iter().map(kind).collect();
        assert_eq!(kinds, [message::CERTIFICATE, message::SERVER_HELLO_DONE]);
    }

    #[test]
    fn an_alert_in_the_clear_is_kept_from_the_library() {
        let sieved_alert = |alert: [u8; 2]| {
            let datagram = plain(21, 0, &alert);
            let sieved = sieved(&datagram, Role::Client, Some(Version::Dtls12));
            assert!(sieved.sound.is_empty());
            sieved.fatal_alert
        };
        assert_eq!(sieved_alert([2, 40]), Some(40));
        assert_eq!(sieved_alert([1, 0]), None);
    }
}
