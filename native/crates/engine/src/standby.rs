use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::Duration;

use serde_json::json;
use trunkline_base::Micros;
use trunkline_control::{Event, LocalCandidate};
use trunkline_dtls::Certificate;
use trunkline_io::Waker;
use trunkline_relay::{SideRecord, WebRtcPlace};
use trunkline_slab::Slab;

use crate::certificates::Certificates;
use crate::clock::Clock;
use crate::gateways::{KeeperLink, Parts, Service, Threads};
use crate::ledger::Ledger;
use crate::manifest::Sockets;
use crate::media::{MediaThread, Order, Report, ThreadSetup};
use crate::places::Places;
use crate::shared::{Shared, Ufrags};
use crate::{FromRelay, IoMode, Manifest, ToRelay, VERSION, last_words, log};

/// Orders that wait for one thread.
const ORDERS: usize = 4_096;
/// Reports of all threads that wait for the main thread.
const REPORTS: usize = 65_536;
/// Time for the threads to take the sessions over.
const START: Duration = Duration::from_secs(10);
/// A relay that was busy this short a time before it was found dead is taken to have been busy until then.
const BUSY: Micros = 100_000;

/// A relay that has everything but the sessions: started, it waits for the one before it to end.
pub struct Standby {
    link: KeeperLink,
    manifest: Manifest,
    listener: UnixListener,
    tcp_listeners: Vec<OwnedFd>,
    shared: Arc<Shared>,
    threads: Threads,
    /// Each starts a thread.
    starts: Vec<Sender<Vec<Certificate>>>,
    io: String,
}

impl Standby {
    /// Takes over what the keeper opened, and starts the threads; they wait.
    ///
    /// # Errors
    /// For people: a descriptor is missing, the slab is of another build, too many files are open.
    pub fn prepare(manifest: Manifest, link: OwnedFd) -> Result<Self, String> {
        let (has_ring, io) = tier(manifest.config.io);
        let shared = Arc::new(share(&manifest, has_ring)?);
        last_words::write_to(&shared);
        let waker = Waker::new().map_err(|error| error.to_string())?;
        let (report, reports) = sync_channel(REPORTS);
        let (mut starts, mut orders) = (Vec::new(), Vec::new());
        for number in 0..manifest.config.threads {
            let (start, order) = start_thread(number, &manifest, &shared, report.clone(), &waker)?;
            starts.push(start);
            orders.push(order);
        }
        // The first certificate takes the library's own time to start.
        drop(Certificate::generate());
        let link = KeeperLink::new(UnixStream::from(link));
        let threads = Threads { orders, reports, waker };
        let listener = UnixListener::from(inherit(manifest.control)?);
        let tcp_listeners = manifest.tcp.iter().map(|&fd| inherit(fd)).collect::<Result<_, _>>()?;
        Ok(Self { link, manifest, listener, tcp_listeners, shared, threads, starts, io })
    }

    /// Tells the keeper, waits for its word, serves until it is told to end.
    ///
    /// # Errors
    /// For people: the sessions cannot be served. The process is to end then.
    pub fn run(mut self) -> Result<(), String> {
        self.link.send(&FromRelay::Ready { version: VERSION.into(), io: self.io.clone() });
        let (before_died_at, restarts) = loop {
            match self.link.receive() {
                Ok(Some(ToRelay::Go { before_died_at, restarts })) => break (before_died_at, restarts),
                Ok(Some(ToRelay::HandOver | ToRelay::Stop)) | Err(_) => return Ok(()),
                Ok(_) => {}
            }
        };
        self.serve(before_died_at, restarts)
    }

    fn serve(mut self, before_died_at: Option<Micros>, restarts: u64) -> Result<(), String> {
        let busy_until = self.busy_until();
        // What the relay before us wrote while we waited.
        if self.shared.config.test_clock {
            self.shared.clock.set_ahead(self.shared.ledger.ahead());
        }
        let now = self.shared.clock.now();
        let certificates = Certificates::load(&self.shared.slab, now);
        for start in self.starts.drain(..) {
            let _ = start.send(certificates.all());
        }
        let (sessions, mut events) = self.wait_for_threads()?;
        let count = sessions.len() as u32;
        self.link.send(&FromRelay::Running { sessions: count });
        self.shared.places.restore(&self.shared.ledger);
        if let Some(died_at) = before_died_at {
            let gap_ms = self.tell_gap(busy_until, died_at, count);
            events.insert(0, Event::Recovered { sessions: count, gap_ms });
        }
        let parts = Parts {
            shared: self.shared,
            threads: self.threads,
            certificates,
            listener: self.listener,
            tcp_listeners: self.tcp_listeners,
            link: self.link,
            keeper: self.manifest.keeper,
            io: self.io,
            restarts,
            sessions,
            events,
        };
        Service::new(parts).map_err(|error| error.to_string())?.run();
        Ok(())
    }

    /// How long nothing was served, in ms.
    fn tell_gap(&self, busy_until: Micros, died_at: Micros, sessions: u32) -> f64 {
        let now = trunkline_io::now();
        let since = if died_at.saturating_sub(busy_until) > BUSY { died_at } else { busy_until };
        let ms = |from: Micros, to: Micros| to.saturating_sub(from) as f64 / 1_000.0;
        let facts = json!({
            "sessions": sessions,
            "gapMs": ms(since, now),
            "untilFoundMs": ms(since, died_at),
            "untilServedMs": ms(died_at, now),
        });
        log::info("the relay was replaced", facts);
        ms(since, now)
    }

    /// When a thread of the relay before was last busy.
    fn busy_until(&self) -> Micros {
        let threads = 0..self.manifest.config.threads;
        threads.map(|thread| self.shared.ledger.progress(thread).at).max().unwrap_or(0)
    }

    /// The sessions with the thread of each, and events of threads that were ready before others.
    fn wait_for_threads(&self) -> Result<Found, String> {
        let (mut sessions, mut events) = (Vec::new(), Vec::new());
        let mut ready = 0;
        while ready < self.threads.len() {
            match self.threads.reports.recv_timeout(START) {
                Ok(Report::Ready { thread, sessions: found }) => {
                    ready += 1;
                    sessions.extend(found.into_iter().map(|id| (id, thread)));
                }
                Ok(Report::Failed { thread, why }) => return Err(format!("thread {thread}: {why}")),
                Ok(Report::Events(early)) => events.extend(early),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return Err("the threads take too long".into()),
                Err(RecvTimeoutError::Disconnected) => return Err("a thread died".into()),
            }
        }
        Ok((sessions, events))
    }
}

/// Sessions with the thread of each, and early events.
type Found = (Vec<(String, u32)>, Vec<Event>);
/// Starts a thread; then orders it.
type Started = (Sender<Vec<Certificate>>, (SyncSender<Order>, Waker));

/// What the threads share, from inherited descriptors.
pub(crate) fn share(manifest: &Manifest, has_ring: bool) -> Result<Shared, String> {
    let sockets = Sockets::inherit(manifest).map_err(|error| format!("a socket is missing: {error}"))?;
    let slab = Slab::open(inherit(manifest.slab)?).map_err(|error| format!("the slab: {error:?}"))?;
    // Known before anybody hands calls over to this build.
    slab.fits::<SideRecord>().map_err(|error| format!("the slab: {error:?}"))?;
    let ledger = Ledger::new(inherit(manifest.ledger)?);
    let clock = Clock::default();
    let places = Places::new(manifest);
    let ufrags = Ufrags::default();
    Ok(Shared { config: manifest.config.clone(), has_ring, sockets, slab, ledger, places, clock, ufrags })
}

fn start_thread(
    number: u32,
    manifest: &Manifest,
    shared: &Arc<Shared>,
    reports: SyncSender<Report>,
    main: &Waker,
) -> Result<Started, String> {
    let waker = Waker::new().map_err(|error| error.to_string())?;
    let (orders, received) = sync_channel(ORDERS);
    let place = webrtc_place(manifest, number, shared.places.addresses());
    let channels = (received, reports);
    let setup = ThreadSetup::new(number, shared.clone(), place, channels, (waker.clone(), main.clone()));
    let setup = setup.map_err(|error| format!("thread {number}: {error}"))?;
    let (start, started) = channel();
    let pin = manifest.config.pin;
    std::thread::Builder::new()
        .name(format!("media-{number}"))
        .spawn(move || run_thread(setup, &started, pin))
        .map_err(|error| error.to_string())?;
    Ok((start, (orders, waker)))
}

fn run_thread(setup: ThreadSetup, started: &Receiver<Vec<Certificate>>, pin: bool) {
    if pin && let Err(error) = trunkline_io::pin_to_core(setup.number as usize) {
        log::warn("a thread is not pinned", json!({ "thread": setup.number, "why": error.to_string() }));
    }
    let (thread, reports) = (setup.number, setup.reports.clone());
    let Ok(certificates) = started.recv() else { return };
    match MediaThread::new(setup, certificates) {
        Ok(media) => media.run(),
        Err(why) => drop(reports.send(Report::Failed { thread, why })),
    }
}

/// Our candidates on a thread's port (RFC 8445 §5.1.1): earlier addresses are preferred, UDP to TCP.
fn webrtc_place(manifest: &Manifest, thread: u32, addresses: &[IpAddr]) -> WebRtcPlace {
    let udp = manifest.webrtc.get(thread as usize).map(|group| group.port);
    let mut candidates = Vec::new();
    for (protocol, port) in [("udp", udp), ("tcp", manifest.tcp_port)] {
        let Some(port) = port else { continue };
        for (order, address) in addresses.iter().enumerate() {
            candidates.push(LocalCandidate {
                foundation: (candidates.len() + 1).to_string(),
                protocol: protocol.into(),
                priority: trunkline_ice::host_priority(order, protocol == "tcp"),
                address: address.to_string(),
                port,
            });
        }
    }
    WebRtcPlace { candidates }
}

/// Whether RTP ports are read through io_uring, and why, for the log.
fn tier(wanted: IoMode) -> (bool, String) {
    if wanted == IoMode::Batch {
        return (false, "batch (asked for)".into());
    }
    match (trunkline_io::probe_uring(), wanted) {
        (Ok(()), IoMode::Uring) => (true, "uring (asked for)".into()),
        (Ok(()), _) => (true, "uring (it works here, and ports of single calls cost less)".into()),
        (Err(why), _) => (false, format!("batch ({why})")),
    }
}

fn inherit(fd: i32) -> Result<OwnedFd, String> {
    trunkline_io::inherited(fd).map_err(|error| format!("descriptor {fd}: {error}"))
}
