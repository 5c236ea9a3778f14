use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError};

use trunkline_base::{Micros, Packet};
use trunkline_dtls::Certificate;
use trunkline_io::{Batch, Poller, Ring, Waker};
use trunkline_relay::{Settings, SocketId, TCP_FROM, WebRtcPlace};

use super::connections::{Connections, Frames};
use super::counters::Counters;
use super::histogram::Histogram;
use super::orders::{Order, Report};
use super::pace::Pace;
use super::routes::Routes;
use super::sessions::Sessions;
use super::shell::Core;
use super::waiting::Waiting;
use crate::last_words::Name;
use crate::shared::Shared;

/// Buffers of a batch: 256 KiB, so that a batch stays in the core's own cache.
const BATCH: usize = 128;
/// Time for orders, and time for connection establishment, in one round: as long media waits at most.
const ROUND_BUDGET: Micros = 250;
/// Sessions woken in one round.
const WAKE_AT_ONCE: usize = 512;
/// How often connections without owner are looked for.
const SWEEP_EVERY: Micros = 1_000_000;

const WAKER: u64 = u64::MAX;
const RING: u64 = u64::MAX - 1;

/// What a thread is made of before it has the sessions: a standby relay holds it ready.
pub(crate) struct ThreadSetup {
    pub(crate) number: u32,
    pub(crate) shared: Arc<Shared>,
    pub(crate) place: WebRtcPlace,
    pub(crate) orders: Receiver<Order>,
    pub(crate) reports: SyncSender<Report>,
    /// Wakes this thread.
    pub(crate) waker: Waker,
    /// Wakes the main thread.
    pub(crate) main: Waker,
    poller: Poller,
    inbox: Batch,
    outbox: Batch,
}

impl ThreadSetup {
    /// # Errors
    /// A socket cannot be waited for, or too many files are open.
    pub(crate) fn new(
        number: u32,
        shared: Arc<Shared>,
        place: WebRtcPlace,
        (orders, reports): (Receiver<Order>, SyncSender<Report>),
        (waker, main): (Waker, Waker),
    ) -> std::io::Result<Self> {
        let poller = Poller::new()?;
        poller.add(waker.fd(), WAKER)?;
        let (inbox, outbox) = (Batch::new(BATCH), Batch::new(BATCH));
        Ok(Self { number, shared, place, orders, reports, waker, main, poller, inbox, outbox })
    }
}

/// `None`: the poller does it.
fn new_ring(poller: &Poller) -> Option<Ring> {
    let made = Ring::new().and_then(|ring| poller.add(ring.fd(), RING).map(|()| ring));
    if let Err(error) = &made {
        crate::log::warn("no io_uring after all", serde_json::json!({ "why": error.to_string() }));
    }
    made.ok()
}

/// The sockets that a thread always serves.
fn common_sockets(shared: &Shared, thread: u32) -> Vec<(RawFd, SocketId)> {
    let own = shared.sockets.of_group(thread).chain(shared.sockets.shared_of(thread, shared.config.threads));
    own.filter_map(|socket| shared.sockets.fd(socket).map(|fd| (fd, socket))).collect()
}

/// A running media thread.
pub(crate) struct MediaThread {
    pub(super) core: Core,
    pub(super) sessions: Sessions,
    pub(super) settings: Settings,
    pub(super) inbox: Batch,
    /// Socket of each datagram in `inbox`.
    pub(super) sockets: Vec<SocketId>,
    pub(super) waiting: Waiting,
    pub(super) frames: Frames,
    pub(super) scratch: Packet,
    pub(super) latency: Histogram,
    pub(super) pace: Pace,
    /// Sessions that relays died of.
    pub(super) guilty: Vec<Name>,
    orders: Receiver<Order>,
    reports: SyncSender<Report>,
    waker: Waker,
    main: Waker,
    ready: Vec<u64>,
    has_orders: bool,
    swept_at: Micros,
    end: Option<bool>,
}

impl MediaThread {
    /// Takes the thread's partition of the slab over.
    ///
    /// # Errors
    /// The slab is not what it should be, or a socket cannot be waited for.
    pub(crate) fn new(setup: ThreadSetup, certificates: Vec<Certificate>) -> Result<Self, String> {
        let ThreadSetup { number, shared, place, orders, reports, waker, main, poller, inbox, outbox } =
            setup;
        let partition = shared.slab.partition(number).map_err(|error| format!("{error:?}"))?;
        // Not earlier: every poller that knows a socket is told of each of its datagrams.
        for (fd, socket) in common_sockets(&shared, number) {
            poller.add(fd, socket.into()).map_err(|error| error.to_string())?;
        }
        let ring = shared.has_ring.then(|| new_ring(&poller)).flatten();
        let config = &shared.config;
        let settings = Settings {
            certificates,
            consent: config.consent,
            silence: config.silence,
            quality: config.quality,
            strict_source: config.strict_source,
        };
        let guilty = shared.ledger.guilty();
        let counters = Counters::after(shared.ledger.progress(number));
        let core = Core {
            thread: number,
            routes: Routes::new(shared.sockets.len()),
            shared,
            poller,
            ring,
            outbox,
            connections: Connections::new(),
            partition,
            place,
            events: Vec::new(),
            counters,
            turn: 0,
        };
        Ok(Self {
            core,
            sessions: Sessions::default(),
            settings,
            inbox,
            sockets: Vec::with_capacity(BATCH),
            waiting: Waiting::default(),
            frames: Frames::default(),
            scratch: Packet::new(),
            latency: Histogram::new(),
            pace: Pace::default(),
            guilty,
            orders,
            reports,
            waker,
            main,
            ready: Vec::with_capacity(512),
            has_orders: true,
            swept_at: 0,
            end: None,
        })
    }

    /// Serves until the last order; then touches nothing any more.
    pub(crate) fn run(mut self) {
        let sessions = self.recover();
        self.report(Report::Ready { thread: self.core.thread, sessions });
        while self.end.is_none() {
            self.round();
        }
        if self.end == Some(true) {
            self.close_all();
        }
        // What the ring fetched already would be lost with it.
        self.fetch_ring();
        self.serve_inbox();
        self.core.counters.note_now(&self.core.shared.ledger, self.core.thread, trunkline_io::now());
        self.report(Report::Ended);
        // Dropping would free the records that the next relay is to find.
        self.sessions.abandon();
    }

    fn round(&mut self) {
        self.wait();
        self.serve_ready();
        if self.has_orders {
            self.serve_orders();
        }
        self.serve_waiting();
        self.wake_sessions();
        self.close_ended_connections();
        self.core.flush();
        self.tell_events();
        let now = trunkline_io::now();
        self.core.counters.note(&self.core.shared.ledger, self.core.thread, now);
    }

    fn wait(&mut self) {
        let mut timeout = self.sessions.deadline().map(|at| at.saturating_sub(self.core.now()));
        if self.has_orders || !self.waiting.is_empty() || !self.core.events.is_empty() {
            timeout = Some(0);
        }
        let pause = self.pace.pause().min(timeout.unwrap_or(Micros::MAX));
        if pause > 0 {
            trunkline_io::pause(pause);
            timeout = timeout.map(|timeout| timeout - pause);
        }
        self.ready.clear();
        if let Err(error) = self.core.poller.wait(&mut self.ready, timeout) {
            // Never seen; not to spin if it is.
            crate::log::warn("waiting failed", serde_json::json!({ "why": error.to_string() }));
            trunkline_io::pause(10_000);
        }
    }

    fn serve_ready(&mut self) {
        let ready = std::mem::take(&mut self.ready);
        let mut packets = 0;
        for &token in &ready {
            match token {
                WAKER => {
                    self.waker.drain();
                    self.has_orders = true;
                }
                RING => packets += self.fetch_ring(),
                token if token >= u64::from(TCP_FROM) => self.serve_connection(token as SocketId),
                token => packets += self.fetch(token as SocketId),
            }
        }
        self.serve_inbox();
        self.pace.on_round(packets, trunkline_io::now());
        self.ready = ready;
    }

    fn serve_orders(&mut self) {
        let until = trunkline_io::now() + ROUND_BUDGET;
        loop {
            match self.orders.try_recv() {
                Ok(order) => self.serve_order(order),
                Err(TryRecvError::Empty) => {
                    self.has_orders = false;
                    return;
                }
                // The main thread is gone, and the process with it.
                Err(TryRecvError::Disconnected) => self.end = Some(false),
            }
            if self.end.is_some() || trunkline_io::now() >= until {
                return;
            }
        }
    }

    fn serve_waiting(&mut self) {
        let until = trunkline_io::now() + ROUND_BUDGET;
        while let Some(held) = self.waiting.pop() {
            self.serve_held(&held);
            self.waiting.recycle(held);
            if trunkline_io::now() >= until {
                return;
            }
        }
    }

    fn wake_sessions(&mut self) {
        let now = self.core.now();
        for _ in 0..WAKE_AT_ONCE {
            let Some(key) = self.sessions.due(now) else { return };
            self.wake(key, now);
        }
    }

    fn close_ended_connections(&mut self) {
        let now = self.core.now();
        if now.saturating_sub(self.swept_at) >= SWEEP_EVERY {
            self.swept_at = now;
            let routes = &self.core.routes;
            self.core.connections.end_unowned(|id, peer| routes.of_source(id, peer).is_some(), now);
        }
        while let Some(id) = self.core.connections.next_ending() {
            self.close_connection(id);
        }
    }

    fn tell_events(&mut self) {
        if self.core.events.is_empty() {
            return;
        }
        let events = std::mem::take(&mut self.core.events);
        match self.reports.try_send(Report::Events(events)) {
            // The main thread is far behind: they wait here, and at most so many.
            Err(TrySendError::Full(Report::Events(events))) => self.core.events = events,
            _ => self.main.wake(),
        }
    }

    pub(super) fn report(&mut self, report: Report) {
        // Outcomes are as many as orders, which are bounded; a main thread that is gone needs none.
        let _ = self.reports.send(report);
        self.main.wake();
    }

    pub(super) fn end(&mut self, goodbye: bool) {
        self.end = Some(goodbye);
    }
}
