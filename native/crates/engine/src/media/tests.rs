//! One thread with real sockets, driven by hand.

use std::os::fd::IntoRawFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use trunkline_control::{Answer, Event, Fault, MediumKind, SessionSpec, SideSpec};
use trunkline_dtls::Certificate;
use trunkline_io::{UdpOptions, Waker};
use trunkline_relay::WebRtcPlace;
use trunkline_slab::Slab;

use super::thread::MediaThread;
use super::{Order, Report, ThreadSetup};
use crate::last_words::Name;
use crate::shared::Shared;
use crate::{Config, IoMode, Manifest, PortPair, standby};

struct Rig {
    shared: Arc<Shared>,
    reports: (SyncSender<Report>, Receiver<Report>),
}

impl Rig {
    fn new(pairs: u32) -> Self {
        let config = Config {
            threads: 1,
            io: IoMode::Batch,
            advertise: vec!["127.0.0.1".parse().unwrap()],
            max_sessions: 10,
            quarantine: 30_000_000,
            consent: 30_000_000,
            silence: 5_000_000,
            quality: 2_000_000,
            strict_source: false,
            claim: 60_000_000,
            idle_exit: 60_000_000,
            test_clock: false,
            pin: false,
        };
        let socket = || {
            let address = "127.0.0.1:0".parse().unwrap();
            trunkline_io::bind_udp(address, UdpOptions::default(), false).unwrap().into_raw_fd()
        };
        let pairs = (0..pairs)
            .map(|n| PortPair { port: 20_000 + n as u16 * 2, fds: [Some((socket(), socket())), None] });
        let (_, slab) = Slab::create(Manifest::slab_shape(&config)).unwrap();
        let manifest = Manifest {
            keeper: 0,
            config,
            slab: slab.into_raw_fd(),
            ledger: trunkline_io::memory_file("ledger", false).unwrap().into_raw_fd(),
            control: -1,
            tcp: Vec::new(),
            tcp_port: None,
            webrtc: Vec::new(),
            shared: Vec::new(),
            pairs: pairs.collect(),
        };
        let shared = Arc::new(standby::share(&manifest, false).unwrap());
        Self { shared, reports: sync_channel(100) }
    }

    /// A thread as a new relay has it, and the sessions it took over.
    fn thread(&self) -> (MediaThread, Vec<String>) {
        let place = WebRtcPlace { candidates: Vec::new() };
        let channels = (sync_channel(1).1, self.reports.0.clone());
        let wakers = (Waker::new().unwrap(), Waker::new().unwrap());
        let setup = ThreadSetup::new(0, self.shared.clone(), place, channels, wakers).unwrap();
        let mut thread = MediaThread::new(setup, vec![Certificate::generate()]).unwrap();
        let sessions = thread.recover();
        self.shared.places.restore(&self.shared.ledger);
        (thread, sessions)
    }

    fn open(&self, thread: &mut MediaThread, id: &str) -> Result<Answer, Fault> {
        let side = SideSpec::Rtp {
            id: "a".into(),
            media: vec![MediumKind::Audio],
            towards: None,
            signalled_from: None,
            ports: None,
        };
        let spec = Box::new(SessionSpec { id: id.into(), sides: vec![side] });
        thread.serve_order(Order::Open { ticket: 1, spec, deadline: u64::MAX });
        match self.reports.1.try_recv() {
            Ok(Report::Outcome { outcome, .. }) => outcome,
            _ => panic!("no outcome"),
        }
    }
}

#[test]
fn a_session_that_a_relay_died_of_is_given_up_and_the_others_go_on() {
    let rig = Rig::new(3);
    let (mut thread, none) = rig.thread();
    assert!(none.is_empty());
    for id in ["good", "bad"] {
        rig.open(&mut thread, id).unwrap();
    }
    thread.sessions.abandon();
    drop(thread.core);
    rig.shared.ledger.set_guilty(0, Name::of("bad"));
    let (mut thread, sessions) = rig.thread();
    assert_eq!(sessions, ["good"]);
    let [Event::Closed { session, .. }] = &thread.core.events[..] else { panic!("it is not told") };
    assert_eq!(session, "bad");
    assert_eq!(rig.open(&mut thread, "bad").unwrap_err().code, "MEDIA_ENGINE_LOST");
    // Its ports are free again.
    rig.open(&mut thread, "third").unwrap();
    rig.open(&mut thread, "fourth").unwrap();
    assert_eq!(rig.open(&mut thread, "fifth").unwrap_err().code, "MEDIA_PORTS_EXHAUSTED");
}

#[test]
fn a_command_that_comes_too_late_binds_nothing() {
    let rig = Rig::new(1);
    let (mut thread, _) = rig.thread();
    let spec = Box::new(SessionSpec { id: "late".into(), sides: Vec::new() });
    thread.serve_order(Order::Open { ticket: 1, spec, deadline: 0 });
    let Ok(Report::Outcome { outcome: Err(fault), .. }) = rig.reports.1.try_recv() else {
        panic!("it was taken")
    };
    assert_eq!(fault.code, "MEDIA_DEADLINE_MISSED");
    rig.open(&mut thread, "in time").unwrap();
}
