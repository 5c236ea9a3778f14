use std::collections::HashMap;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use trunkline_base::Micros;
use trunkline_ice::{Framer, read_check};
use trunkline_io::Poller;

/// Connections that have not said whose they are.
const MOST: usize = 1_024;
/// Time they have to say it.
const TIME: Micros = 5_000_000;
/// Bytes in which they have to say it: one frame of a check.
const BYTES: usize = 2_048;
/// Connections accepted in one round.
const AT_ONCE: usize = 64;

/// A connection and what was read from it.
pub(crate) struct Arrival {
    pub(crate) stream: OwnedFd,
    pub(crate) peer: SocketAddr,
    pub(crate) read: Vec<u8>,
    accepted_at: Micros,
}

/// Accepts ICE-TCP connections (RFC 6544) and reads from each the user fragment of its first check.
#[derive(Default)]
pub(crate) struct TcpDoor {
    arrivals: HashMap<u64, Arrival>,
    last: u64,
}

impl TcpDoor {
    /// Takes what waits at a listener; `token` makes one for the poller from a number.
    pub(crate) fn accept(&mut self, poller: &Poller, listener: RawFd, token: fn(u64) -> u64, now: Micros) {
        for _ in 0..AT_ONCE {
            // On too many open files the listener stays ready, and the loop goes round: slow, but alive.
            let Ok(Some((stream, peer))) = trunkline_io::accept_tcp(listener) else { return };
            if self.arrivals.len() >= MOST {
                continue;
            }
            self.last += 1;
            if poller.add(stream.as_raw_fd(), token(self.last)).is_ok() {
                self.arrivals.insert(self.last, Arrival { stream, peer, read: Vec::new(), accepted_at: now });
            }
        }
    }

    /// Reads from a connection. Once its first check is there: the connection and the check's user fragment of ours.
    pub(crate) fn read(&mut self, poller: &Poller, number: u64) -> Option<(Arrival, String)> {
        let arrival = self.arrivals.get_mut(&number)?;
        let mut buffer = [0; BYTES];
        let room = BYTES - arrival.read.len();
        match trunkline_io::read_tcp(arrival.stream.as_raw_fd(), &mut buffer[..room]) {
            Ok(None) => return None,
            Ok(Some(count)) if count > 0 => arrival.read.extend_from_slice(&buffer[..count]),
            _ => {
                self.drop_arrival(poller, number);
                return None;
            }
        }
        match first_ufrag(&arrival.read) {
            First::Ufrag(ufrag) => {
                let arrival = self.drop_arrival(poller, number)?;
                Some((arrival, ufrag))
            }
            First::Incomplete if arrival.read.len() < BYTES => None,
            _ => {
                self.drop_arrival(poller, number);
                None
            }
        }
    }

    pub(crate) fn deadline(&self) -> Option<Micros> {
        self.arrivals.values().map(|arrival| arrival.accepted_at + TIME).min()
    }

    /// Closes those that took too long.
    pub(crate) fn expire(&mut self, poller: &Poller, now: Micros) {
        let late = self.arrivals.iter().filter(|(_, arrival)| now >= arrival.accepted_at + TIME);
        for number in late.map(|(number, _)| *number).collect::<Vec<_>>() {
            self.drop_arrival(poller, number);
        }
    }

    fn drop_arrival(&mut self, poller: &Poller, number: u64) -> Option<Arrival> {
        let arrival = self.arrivals.remove(&number)?;
        poller.remove(arrival.stream.as_raw_fd());
        Some(arrival)
    }
}

enum First {
    Ufrag(String),
    Incomplete,
    /// Not a check.
    Wrong,
}

fn first_ufrag(bytes: &[u8]) -> First {
    let mut first = None;
    let pushed = Framer::new().push(bytes, |frame| {
        first.get_or_insert_with(|| read_check(frame).ok().map(|check| check.local_ufrag.to_owned()));
    });
    match (pushed, first) {
        (_, Some(Some(ufrag))) => First::Ufrag(ufrag),
        (Ok(()), None) => First::Incomplete,
        _ => First::Wrong,
    }
}
