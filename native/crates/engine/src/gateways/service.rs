use std::collections::{BTreeMap, HashMap};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::sync::Arc;

use serde_json::json;
use trunkline_base::Micros;
use trunkline_control::Event;
use trunkline_io::Poller;

use super::claims::Claims;
use super::connection::Connection;
use super::directory::Directory;
use super::ended::Ended;
use super::events::EventQueue;
use super::keeper::KeeperLink;
use super::pending::Pending;
use super::reports::Counting;
use super::tcp_door::TcpDoor;
use super::threads::Threads;
use crate::certificates::Certificates;
use crate::log;
use crate::media::{Order, Ticket};
use crate::shared::Shared;

/// Gateways at once.
const CONNECTIONS: usize = 64;
/// Longest sleep: certificates and stuck connections are looked at this often.
const LONGEST_SLEEP: Micros = 1_000_000;

const LISTENER: u64 = 0;
const LINK: u64 = 1;
const WAKER: u64 = 2;
const TCP_LISTENERS: u64 = 16;
const CONNECTION: u64 = 1 << 32;
const ARRIVAL: u64 = 1 << 48;

/// What the main thread is made of.
pub(crate) struct Parts {
    pub(crate) shared: Arc<Shared>,
    pub(crate) threads: Threads,
    pub(crate) certificates: Certificates,
    pub(crate) listener: UnixListener,
    pub(crate) tcp_listeners: Vec<OwnedFd>,
    pub(crate) link: KeeperLink,
    pub(crate) keeper: u32,
    pub(crate) io: String,
    pub(crate) restarts: u64,
    /// Sessions that the threads found, with the thread of each.
    pub(crate) sessions: Vec<(String, u32)>,
    /// What the gateway is to hear first.
    pub(crate) events: Vec<Event>,
}

/// Why the relay ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Another relay goes on.
    HandOver,
    /// Everything ends: peers are told.
    Stop,
}

/// The main thread.
pub(crate) struct Service {
    pub(super) shared: Arc<Shared>,
    pub(super) threads: Threads,
    pub(super) certificates: Certificates,
    pub(super) link: Option<KeeperLink>,
    pub(super) keeper: u32,
    pub(super) io: String,
    pub(super) restarts: u64,
    pub(super) poller: Poller,
    pub(super) connections: BTreeMap<u64, Connection>,
    pub(super) directory: Directory,
    pub(super) pending: Pending,
    pub(super) counts: HashMap<Ticket, Counting>,
    pub(super) events: EventQueue,
    pub(super) ended: Ended,
    pub(super) claims: Claims,
    /// Connection and id of the command that wants the upgrade under way.
    pub(super) upgrade: Option<(u64, u64)>,
    pub(super) ending: Option<Ending>,
    listener: UnixListener,
    tcp_listeners: Vec<OwnedFd>,
    tcp_door: TcpDoor,
    last_connection: u64,
}

impl Service {
    /// # Errors
    /// A file cannot be waited for.
    pub(crate) fn new(parts: Parts) -> std::io::Result<Self> {
        let poller = Poller::new()?;
        parts.listener.set_nonblocking(true)?;
        parts.link.set_nonblocking()?;
        poller.add(parts.listener.as_raw_fd(), LISTENER)?;
        poller.add(parts.link.fd(), LINK)?;
        poller.add(parts.threads.waker.fd(), WAKER)?;
        for (number, listener) in parts.tcp_listeners.iter().enumerate() {
            poller.add(listener.as_raw_fd(), TCP_LISTENERS + number as u64)?;
        }
        let config = &parts.shared.config;
        let claims = Claims::new(config.claim, config.idle_exit);
        let mut directory = Directory::new(parts.threads.len());
        for (session, thread) in &parts.sessions {
            directory.on_open(session, *thread, 0, None);
        }
        let mut events = EventQueue::default();
        parts.events.into_iter().for_each(|event| events.push(event));
        Ok(Self {
            shared: parts.shared,
            threads: parts.threads,
            certificates: parts.certificates,
            link: Some(parts.link),
            keeper: parts.keeper,
            io: parts.io,
            restarts: parts.restarts,
            poller,
            connections: BTreeMap::new(),
            directory,
            pending: Pending::default(),
            counts: HashMap::new(),
            events,
            ended: Ended::default(),
            claims,
            upgrade: None,
            ending: None,
            listener: parts.listener,
            tcp_listeners: parts.tcp_listeners,
            tcp_door: TcpDoor::default(),
            last_connection: 0,
        })
    }

    /// Serves until the relay is to end.
    pub(crate) fn run(mut self) {
        let mut ready = Vec::new();
        while self.ending.is_none() {
            ready.clear();
            let timeout = self.deadline().saturating_sub(trunkline_io::now());
            if let Err(error) = self.poller.wait(&mut ready, Some(timeout)) {
                log::warn("waiting failed", json!({ "why": error.to_string() }));
                trunkline_io::pause(10_000);
            }
            for &token in &ready {
                self.serve(token);
            }
            self.serve_reports();
            self.serve_time();
            self.send_events();
            self.flush();
        }
        self.finish();
    }

    fn serve(&mut self, token: u64) {
        let now = trunkline_io::now();
        match token {
            LISTENER => self.accept(),
            LINK => self.serve_link(),
            WAKER => self.threads.waker.drain(),
            token if token >= ARRIVAL => self.serve_arrival(token - ARRIVAL),
            token if token >= CONNECTION => self.serve_connection(token - CONNECTION, now),
            token => {
                if let Some(listener) = self.tcp_listeners.get((token - TCP_LISTENERS) as usize) {
                    self.tcp_door.accept(&self.poller, listener.as_raw_fd(), |number| ARRIVAL + number, now);
                }
            }
        }
    }

    fn accept(&mut self) {
        while let Ok((stream, _)) = self.listener.accept() {
            if self.connections.len() >= CONNECTIONS {
                log::warn("too many gateways", json!({ "most": CONNECTIONS }));
                continue;
            }
            let Ok(connection) = Connection::new(stream) else { continue };
            self.last_connection += 1;
            if self.poller.add(connection.fd(), CONNECTION + self.last_connection).is_ok() {
                self.connections.insert(self.last_connection, connection);
            }
        }
    }

    fn serve_connection(&mut self, id: u64, now: Micros) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if connection.read(now).is_err() {
            return self.drop_connection(id);
        }
        self.serve_commands(id);
    }

    /// Commands that were read: as many as fit into one read.
    fn serve_commands(&mut self, id: u64) {
        while let Some(command) = self.connections.get_mut(&id).and_then(Connection::next_command) {
            self.serve_command(id, command);
        }
    }

    fn serve_arrival(&mut self, number: u64) {
        let Some((arrival, ufrag)) = self.tcp_door.read(&self.poller, number) else { return };
        if let Some(thread) = self.shared.ufrags.thread_of(&ufrag) {
            let (stream, peer, read) = (arrival.stream, arrival.peer, arrival.read);
            self.threads.order(thread, Order::Connection { stream, peer, read });
        }
    }

    fn deadline(&self) -> Micros {
        let now = trunkline_io::now();
        let soon = [self.pending.deadline(), self.tcp_door.deadline()].into_iter().flatten().min();
        soon.unwrap_or(Micros::MAX).min(now + LONGEST_SLEEP)
    }

    fn serve_time(&mut self) {
        let (machine, now) = (trunkline_io::now(), self.shared.clock.now());
        self.tcp_door.expire(&self.poller, machine);
        while let Some((connection, id)) = self.pending.overdue(machine) {
            self.fault(
                connection,
                id,
                crate::faults::deadline_missed("the media thread did not answer in time"),
            );
        }
        let stuck = self.connections.iter().filter(|(_, connection)| connection.is_stuck(machine));
        for id in stuck.map(|(id, _)| *id).collect::<Vec<_>>() {
            log::warn("a gateway's frame takes too long", json!({ "connection": id }));
            self.drop_connection(id);
        }
        let gateways = self.connections.values().filter(|connection| connection.said_hello).count();
        self.claims.update(gateways, self.directory.len(), now, machine);
        if self.claims.is_due(now) {
            self.close_unclaimed();
        }
        if self.claims.is_idle(machine) {
            self.stop("nothing was to be done for long");
        }
        if self.certificates.rotate(&self.shared.slab, now) {
            let all = self.certificates.all();
            self.threads.order_all(|| Order::Certificates(all.clone()));
        }
    }

    /// Writes what waits, and drops connections that broke.
    fn flush(&mut self) {
        let mut broken = Vec::new();
        for (&id, connection) in &mut self.connections {
            match connection.flush() {
                Ok(None) => {}
                Ok(Some(waits)) => {
                    if self.poller.modify(connection.fd(), CONNECTION + id, waits).is_err() {
                        broken.push(id);
                    }
                }
                Err(_) => broken.push(id),
            }
        }
        for id in broken {
            self.drop_connection(id);
        }
    }

    pub(super) fn drop_connection(&mut self, id: u64) {
        if let Some(connection) = self.connections.remove(&id) {
            self.poller.remove(connection.fd());
            self.directory.disown(id);
        }
    }
}
