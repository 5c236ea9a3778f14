use std::collections::VecDeque;
use std::io;

use serde::Serialize;
use trunkline_base::{Micros, Packet};
use trunkline_io::{Batch, Poller};
use trunkline_rtp::{Header, is_rtcp};

use crate::client::Step;
use crate::end::End;
use crate::sockets::Sockets;
use crate::stamp::Stamp;
use crate::tally::Tally;

/// Datagrams of one system call, and of one turn of the loop: larger ones would make packets late.
const BATCH: usize = 64;

/// All ends with their sockets: sends, receives and counts.
pub struct Traffic {
    pub ends: Vec<End>,
    pub tally: Tally,
    pub counters: Counters,
    /// What clients and joining ends have to tell, in order.
    pub news: VecDeque<News>,
    sockets: Sockets,
    poller: Poller,
    run: u64,
    joining: Vec<bool>,
    incoming: Batch,
    outgoing: Batch,
    /// DTLS waits here, as each datagram may cost a signature.
    handshakes: VecDeque<(usize, Vec<u8>)>,
    packet: Packet,
    payload: Vec<u8>,
    ready: Vec<u64>,
}

/// Datagrams that are no media of this run.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counters {
    /// RTCP of the relay.
    pub rtcp: u64,
    /// From an address that no end talks to, or nothing of ours.
    pub strays: u64,
    /// Media that did not authenticate.
    pub refused: u64,
    /// Packets that the kernel did not take.
    pub unsent: u64,
}

/// Something an end waited for.
pub enum News {
    Connected(usize),
    Failed(usize, String),
    /// The first packet of a joining end arrived at its peer.
    Seen(usize, Micros),
}

/// What a `Traffic` is made of.
pub struct Parts {
    pub ends: Vec<End>,
    pub joining: Vec<bool>,
    pub tally: Tally,
    pub sockets: Sockets,
    pub poller: Poller,
    pub run: u64,
    pub payload_bytes: usize,
}

impl Traffic {
    pub fn new(parts: Parts) -> Self {
        Self {
            ends: parts.ends,
            tally: parts.tally,
            counters: Counters::default(),
            news: VecDeque::new(),
            sockets: parts.sockets,
            poller: parts.poller,
            run: parts.run,
            joining: parts.joining,
            incoming: Batch::new(BATCH),
            outgoing: Batch::new(BATCH),
            handshakes: VecDeque::new(),
            packet: Packet::new(),
            payload: vec![0xff; parts.payload_bytes.max(Stamp::BYTES)],
            ready: Vec::new(),
        }
    }

    /// Queues the end's next packet.
    pub fn send_media(&mut self, index: usize, now: Micros, measured: bool) {
        let end = &mut self.ends[index];
        let stamp = Stamp { run: self.run, end: index as u32, number: 0, sent_at: now, measured };
        end.next_packet(&mut self.packet, &mut self.payload, stamp);
        if measured {
            self.tally.on_sent(end.group);
        }
        let (Some(socket), Some(remote)) = (end.socket, end.remote) else { return };
        if !self.outgoing.queue_bytes(self.sockets.fd(socket), remote, self.packet.bytes()) {
            self.counters.unsent += 1;
        }
    }

    /// How many packets may be queued before the next `flush`.
    pub const ROOM: usize = BATCH / 2;

    pub fn flush(&mut self) {
        self.counters.unsent += u64::from(self.outgoing.flush(|_, _| {}).refused);
    }

    /// Takes in what is there, waiting for it at most so long.
    pub fn receive(&mut self, timeout: Micros) -> io::Result<()> {
        let mut ready = std::mem::take(&mut self.ready);
        self.poller.wait(&mut ready, Some(timeout))?;
        for socket in &ready {
            let socket = *socket as usize;
            self.incoming.receive(self.sockets.fd(socket))?;
            for index in 0..self.incoming.len() {
                self.on_datagram(socket, index);
            }
            self.incoming.flush(|_, _| {});
        }
        self.ready = ready;
        Ok(())
    }

    /// Handles one datagram of those that wait.
    pub fn shake_hands(&mut self, now: Micros) {
        let Some((index, datagram)) = self.handshakes.pop_front() else { return };
        if let Some(client) = &mut self.ends[index].client {
            client.on_dtls(&datagram, now);
            self.follow(index);
        }
    }

    /// Does what the client of an end wants.
    pub fn follow(&mut self, index: usize) {
        let end = &mut self.ends[index];
        let (Some(client), Some(socket), Some(remote)) = (&mut end.client, end.socket, end.remote) else {
            return;
        };
        let mut keys = None;
        while let Some(step) = client.poll() {
            match step {
                Step::Send(bytes) => {
                    let fd = self.sockets.fd(socket);
                    if !self.outgoing.queue_bytes(fd, remote, &bytes) {
                        self.outgoing.flush(|_, _| {});
                        self.outgoing.queue_bytes(fd, remote, &bytes);
                    }
                }
                Step::Keys { send, receive } => keys = Some((send, receive)),
                Step::Failed(reason) => self.news.push_back(News::Failed(index, reason)),
            }
        }
        if let Some((send, receive)) = keys {
            end.set_keys(&send, &receive);
            self.news.push_back(News::Connected(index));
        }
    }

    fn on_datagram(&mut self, socket: usize, index: usize) {
        let received = self.incoming.get(index);
        let Some(owner) = self.sockets.owner(socket, &received.from) else {
            self.counters.strays += 1;
            return;
        };
        match received.packet.bytes().first() {
            Some(0..=3) => {
                if let Some(client) = &mut self.ends[owner].client {
                    client.on_stun(received.packet.bytes(), received.arrived_at);
                    self.follow(owner);
                }
            }
            Some(20..=63) => self.handshakes.push_back((owner, received.packet.bytes().to_vec())),
            Some(128..=191) if is_rtcp(received.packet.bytes()) => self.counters.rtcp += 1,
            Some(128..=191) => self.on_media(owner, index),
            _ => self.counters.strays += 1,
        }
    }

    fn on_media(&mut self, owner: usize, index: usize) {
        let received = self.incoming.get(index);
        if self.ends[owner].open(received.packet).is_err() {
            self.counters.refused += 1;
            return;
        }
        let bytes = received.packet.bytes();
        let stamp = Header::read(bytes)
            .and_then(|header| Stamp::read(&bytes[header.payload_start..header.payload_end], self.run));
        let Some((stamp, sender)) = stamp.and_then(|stamp| Some((stamp, self.ends.get(stamp.end as usize)?)))
        else {
            self.counters.strays += 1;
            return;
        };
        let from = stamp.end as usize;
        if self.joining[from] && sender.peer == owner {
            self.news.push_back(News::Seen(from, received.arrived_at));
        }
        self.tally.on_arrival(&stamp, sender.group, sender.peer != owner, received.arrived_at);
    }
}
