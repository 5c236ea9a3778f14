//! A session in the hands of a test: a fake engine around it, phones and browsers beside it.
#![allow(dead_code, unused_imports, reason = "each test file uses a part of it")]

mod browser;
mod phone;
mod shell;

use std::net::SocketAddr;

use trunkline_base::{Micros, Packet};
use trunkline_control::{
    ConnectedTo, Event, Fault, LocalSide, MediumKind, SessionChange, SessionSpec, SideSpec, SideStats,
};
use trunkline_dtls::Certificate;
use trunkline_ice::{Kind, kind_of, read_check};
use trunkline_relay::{Session, Settings, SideRecord, SocketId};
use trunkline_slab::{Slab, Slot};

pub use browser::{Browser, End, check_datagram};
pub use phone::{
    Heard, Phone, Words, codec, dtmf_8, dtmf_48, medium, opus, pcmu, rtp_packet, rtp_spec, shared_spec,
    video_medium, vp8, webrtc_spec,
};
pub use shell::{FakeShell, SHARED, Sent, WEBRTC};

pub const MS: Micros = 1_000;
pub const SECOND: Micros = 1_000_000;

/// One session and its engine.
pub struct Rig {
    pub shell: FakeShell,
    pub settings: Settings,
    pub now: Micros,
    session: Option<Session>,
}

impl Rig {
    /// A session of these sides.
    pub fn open(sides: &[SideSpec]) -> Self {
        let mut rig = Self::empty();
        rig.try_open(sides).unwrap_or_else(|fault| panic!("{fault:?}"));
        rig
    }

    pub fn empty() -> Self {
        let settings = Settings {
            certificates: vec![certificate()],
            consent: 30 * SECOND,
            silence: 5 * SECOND,
            quality: 5 * SECOND,
            strict_source: false,
        };
        Self { shell: FakeShell::new(), settings, now: 1_000 * SECOND, session: None }
    }

    pub fn try_open(&mut self, sides: &[SideSpec]) -> Result<(), Fault> {
        let spec = SessionSpec { id: "call".into(), sides: sides.to_vec() };
        self.session = Some(Session::open(&spec, &self.settings, &mut self.shell, self.now)?);
        Ok(())
    }

    pub fn session(&self) -> &Session {
        self.session.as_ref().expect("an open session")
    }

    pub fn local(&self, side: &str) -> LocalSide {
        let find = |local: &&LocalSide| match local {
            LocalSide::WebRtc { id, .. } | LocalSide::Rtp { id, .. } => id == side,
        };
        self.session().local().sides.iter().find(find).cloned().expect("a side of this name")
    }

    pub fn try_change(&mut self, change: &SessionChange) -> Result<Vec<LocalSide>, Fault> {
        let session = self.session.as_mut().expect("an open session");
        session.change(change, &self.settings, &mut self.shell, self.now)
    }

    pub fn change(&mut self, change: &SessionChange) -> Vec<LocalSide> {
        self.try_change(change).unwrap_or_else(|fault| panic!("{fault:?}"))
    }

    pub fn connect(&mut self, side: &str, to: ConnectedTo) {
        self.change(&SessionChange::Connect { side: side.into(), to });
    }

    pub fn link(&mut self, side: &str, partner: &str) {
        self.connect(side, ConnectedTo::Side { side: partner.into() });
    }

    pub fn stats(&self, side: &str) -> SideStats {
        let stats = self.session().stats(self.now);
        stats.into_iter().find(|stats| stats.side == side).expect("a side of this name")
    }

    pub fn close(&mut self) -> Vec<SideStats> {
        self.session.take().expect("an open session").close(&mut self.shell, self.now)
    }

    /// A datagram arrives; as in the engine, whose it is depends on socket, source or user fragment.
    pub fn arrive(&mut self, socket: SocketId, from: SocketAddr, bytes: &[u8]) {
        let session = self.session.as_mut().expect("an open session");
        if socket < 1_000 && kind_of(bytes) == Kind::Stun {
            let ufrag = read_check(bytes).map(|check| check.local_ufrag.to_owned()).unwrap_or_default();
            if let Some(side) = self.shell.ufrags.get(&ufrag).copied() {
                session.on_check(side, socket, from, bytes, &self.settings, &mut self.shell, self.now);
            }
            return;
        }
        let owner = self.shell.owners.get(&socket).or_else(|| self.shell.sources.get(&(socket, from)));
        let Some(side) = owner.copied() else { return };
        let mut packet = Packet::from_bytes(bytes);
        let forward =
            session.on_datagram(side, socket, from, &mut packet, &self.settings, &mut self.shell, self.now);
        if let Some(forward) = forward {
            let bytes = packet.bytes().to_vec();
            self.shell.sent.push_back(Sent { socket: forward.socket, to: forward.to, bytes });
        }
    }

    /// As it is, without the fake engine's copies.
    pub fn on_datagram(
        &mut self,
        side: u8,
        socket: SocketId,
        from: SocketAddr,
        packet: &mut Packet,
    ) -> Option<trunkline_relay::Forward> {
        let session = self.session.as_mut().expect("an open session");
        session.on_datagram(side, socket, from, packet, &self.settings, &mut self.shell, self.now)
    }

    /// A STUN check over a socket of the test's choice.
    pub fn check(&mut self, side: u8, socket: SocketId, from: SocketAddr, check: &[u8]) {
        let session = self.session.as_mut().expect("an open session");
        session.on_check(side, socket, from, check, &self.settings, &mut self.shell, self.now);
    }

    /// A TCP connection is gone.
    pub fn disconnect(&mut self, side: u8, socket: SocketId) {
        self.session.as_mut().expect("an open session").on_disconnected(
            side,
            socket,
            &mut self.shell,
            self.now,
        );
    }

    /// Time passes; the session is woken whenever it asked for.
    pub fn advance(&mut self, by: Micros) {
        let until = self.now + by;
        let session = self.session.as_mut().expect("an open session");
        for spurious in 0.. {
            assert!(spurious < 1_000_000, "a deadline that stays in the past");
            let at = session.deadline().max(self.now);
            if at > until {
                break;
            }
            self.now = at;
            session.wake(&self.settings, &mut self.shell, self.now);
        }
        self.now = until;
    }

    /// What was sent to an address since it was last asked.
    pub fn take_sent(&mut self, to: SocketAddr) -> Vec<Sent> {
        let (taken, left): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.shell.sent).into_iter().partition(|sent| sent.to == to);
        self.shell.sent = left.into();
        taken
    }

    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.shell.events)
    }

    /// The process dies between two calls and another goes on, `gap` later, with a copy of the slab.
    pub fn crash(&mut self, gap: Micros) {
        self.crash_with(gap, |_| {});
    }

    /// The same; `damage` is done to what is found.
    pub fn crash_with(&mut self, gap: Micros, damage: impl FnOnce(&mut Vec<Slot<SideRecord>>)) {
        self.session.take().expect("an open session").abandon();
        let (slab, _file) = self.shell.slab.copy().expect("a copy");
        self.recover(slab, gap, damage);
        assert!(self.is_open(), "the session was not recovered");
    }

    /// Another process finds this. Leaves no session if there is none to recover.
    pub fn recover(&mut self, slab: Slab, gap: Micros, damage: impl FnOnce(&mut Vec<Slot<SideRecord>>)) {
        self.shell = FakeShell::on(slab);
        self.now += gap;
        let mut slots = self.shell.recovered();
        damage(&mut slots);
        for slot in &slots {
            assert_eq!(Session::id_of(slot).as_deref(), Some("call"));
        }
        self.session = Session::recover(slots, &self.settings, &mut self.shell, self.now);
        for (side, place) in self.session.iter().flat_map(|session| session.places()).collect::<Vec<_>>() {
            self.shell.own(side, &place).expect("its place");
        }
    }

    /// The records and texts as a process after us would find them.
    pub fn image(&self) -> Vec<(u32, SideRecord, Vec<u8>)> {
        let (slab, _file) = self.shell.slab.copy().expect("a copy");
        let mut partition = slab.partition::<SideRecord>(0).expect("nobody else holds it");
        let slots = partition.recovered();
        let image = slots.iter().map(|slot| (slot.number(), **slot, slot.text())).collect();
        slots.into_iter().for_each(Slot::abandon);
        image
    }

    pub fn is_open(&self) -> bool {
        self.session.is_some()
    }
}

/// One for all tests of a process: making one takes a while.
pub fn certificate() -> Certificate {
    static CERTIFICATE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    let bytes = CERTIFICATE.get_or_init(|| Certificate::generate().to_bytes());
    Certificate::from_bytes(bytes).expect("a certificate")
}

pub fn kinds_of(events: &[Event]) -> Vec<String> {
    let name = |event: &Event| {
        let text = serde_json::to_value(event).expect("JSON");
        text["kind"].as_str().expect("a kind").to_owned()
    };
    events.iter().map(name).filter(|kind| kind != "quality").collect()
}

pub fn audio() -> Vec<MediumKind> {
    vec![MediumKind::Audio]
}
