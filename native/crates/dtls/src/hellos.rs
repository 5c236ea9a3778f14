use trunkline_base::Micros;
use trunkline_base::limits::DTLS_ATTEMPTS;

use crate::reassembly::Message;

type ClientRandom = [u8; 32];

/// A hello that comes again sooner was doubled by the network; a peer waits longer before it repeats one.
const REPEATS_AFTER: Micros = 30_000;

/// What a server does with a hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A new handshake.
    Begin,
    /// It belongs to the one under way: the peer may have lost our answer.
    Answer,
    /// It was answered just now.
    Repeated,
    /// It is old, or nobody says it twice.
    Refuse,
}

/// The hellos that a server heard.
#[derive(Debug, Default)]
pub struct Hellos {
    current: Option<Answered>,
    /// Heard once while another handshake was under way.
    candidate: Option<ClientRandom>,
    /// Of handshakes that were given up for a later one of the peer.
    retired: Vec<ClientRandom>,
}

#[derive(Debug)]
struct Answered {
    random: ClientRandom,
    message_seq: u16,
    at: Micros,
}

impl Hellos {
    /// The first begins. Another begins once it was heard twice, so that one stray or forged datagram does not end a handshake
    /// that goes well; a peer that really begins anew repeats its hello.
    pub fn decide(&mut self, hello: &Message, now: Micros) -> Decision {
        let random = hello.random();
        if self.current.as_ref().is_some_and(|current| current.random == random) {
            return self.again(hello.message_seq, now);
        }
        if hello.message_seq != 0 || self.retired.contains(&random) {
            return Decision::Refuse;
        }
        if self.current.is_some() && self.candidate != Some(random) {
            self.candidate = Some(random);
            return Decision::Refuse;
        }
        self.begin(random, now)
    }

    fn again(&mut self, message_seq: u16, now: Micros) -> Decision {
        let Some(current) = &mut self.current else { return Decision::Refuse };
        let is_next = message_seq > current.message_seq;
        if message_seq < current.message_seq || (!is_next && now < current.at + REPEATS_AFTER) {
            return Decision::Repeated;
        }
        current.message_seq = message_seq;
        current.at = now;
        Decision::Answer
    }

    fn begin(&mut self, random: ClientRandom, now: Micros) -> Decision {
        if let Some(old) = self.current.take() {
            if self.retired.len() == DTLS_ATTEMPTS {
                return Decision::Refuse;
            }
            self.retired.push(old.random);
        }
        self.candidate = None;
        self.current = Some(Answered { random, message_seq: 0, at: now });
        Decision::Begin
    }

    /// The handshake came to nothing: the next hello begins another, the same one too.
    pub fn forget(&mut self) {
        self.current = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake::{Fragment, message};
    use crate::reassembly::Reassembly;

    fn hello(random: u8, message_seq: u16) -> Message {
        let body = [&[0xfe, 0xfd][..], &[random; 32], &[0, 0, 0, 2, 0x13, 0x01, 1, 0]].concat();
        let message = message::CLIENT_HELLO;
        let fragment = Fragment { message, message_seq, length: body.len(), offset: 0, body: &body };
        Reassembly::default().add(&fragment).unwrap().unwrap()
    }

    #[test]
    fn the_first_begins_and_a_repeated_one_is_answered_again() {
        let mut hellos = Hellos::default();
        assert_eq!(hellos.decide(&hello(1, 0), 0), Decision::Begin);
        assert_eq!(hellos.decide(&hello(1, 0), 29_999), Decision::Repeated);
        assert_eq!(hellos.decide(&hello(1, 0), 30_000), Decision::Answer);
        assert_eq!(hellos.decide(&hello(1, 0), 59_999), Decision::Repeated);
    }

    #[test]
    fn a_second_hello_that_was_asked_for_is_answered_at_once() {
        let mut hellos = Hellos::default();
        assert_eq!(hellos.decide(&hello(1, 1), 0), Decision::Refuse);
        assert_eq!(hellos.decide(&hello(1, 0), 0), Decision::Begin);
        assert_eq!(hellos.decide(&hello(1, 1), 1), Decision::Answer);
        assert_eq!(hellos.decide(&hello(1, 0), 100_000), Decision::Repeated);
    }

    #[test]
    fn another_handshake_begins_when_its_hello_comes_twice() {
        let mut hellos = Hellos::default();
        assert_eq!(hellos.decide(&hello(1, 0), 0), Decision::Begin);
        assert_eq!(hellos.decide(&hello(2, 0), 1), Decision::Refuse);
        assert_eq!(hellos.decide(&hello(3, 0), 2), Decision::Refuse);
        assert_eq!(hellos.decide(&hello(3, 0), 3), Decision::Begin);
        assert_eq!(hellos.decide(&hello(1, 0), 4), Decision::Refuse, "a late one of the old handshake");
        assert_eq!(hellos.decide(&hello(1, 0), 5), Decision::Refuse);
    }

    #[test]
    fn after_a_failure_the_same_hello_begins_again() {
        let mut hellos = Hellos::default();
        assert_eq!(hellos.decide(&hello(1, 0), 0), Decision::Begin);
        hellos.forget();
        assert_eq!(hellos.decide(&hello(1, 0), 1), Decision::Begin);
    }

    #[test]
    fn handshakes_are_not_begun_without_end() {
        let mut hellos = Hellos::default();
        let begun = (0..100).filter(|random| {
            hellos.decide(&hello(*random, 0), 0);
            hellos.decide(&hello(*random, 0), 1) == Decision::Begin
        });
        assert!(begun.count() <= DTLS_ATTEMPTS + 1);
    }
}
