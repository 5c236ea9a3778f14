use std::collections::BTreeMap;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use trunkline_engine::{FromRelay, ToRelay, log};
use trunkline_io::{Poller, Signals};

use crate::backoff::Backoff;
use crate::open::{Opened, open};
use crate::options::Options;
use crate::program::Program;
use crate::relay_process::RelayProcess;

const SIGHUP: i32 = 1;
const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

/// Time for a program to show that it can take over.
const FITNESS: Duration = Duration::from_secs(10);
/// Time for a relay to end when it was asked to.
const PATIENCE: Duration = Duration::from_secs(5);

/// Time after which a relay is expected to serve the sessions it got.
const TAKE_OVER: Duration = Duration::from_millis(50);

const SIGNALS: u64 = 0;
/// Tokens of a relay are twice its number and the next one.
const FIRST_RELAY: u64 = 1;

/// Serves until it is told to end, or has had nothing to do for long.
///
/// # Errors
/// For people: what could not be opened or started.
pub(crate) fn keep(options: &Options) -> Result<(), String> {
    let signals = Signals::new(&[SIGTERM, SIGINT, SIGHUP]).map_err(|error| error.to_string())?;
    trunkline_io::forbid_dumps().map_err(|error| error.to_string())?;
    let opened = open(options)?;
    let poller = Poller::new().map_err(|error| error.to_string())?;
    poller.add(signals.fd(), SIGNALS).map_err(|error| error.to_string())?;
    let mut keeper = Keeper {
        control: options.control.display().to_string(),
        signals,
        poller,
        opened,
        program: Program::own()?,
        relays: BTreeMap::new(),
        last: FIRST_RELAY,
        active: None,
        standby: None,
        candidate: None,
        next_at: None,
        kill_at: None,
        died_at: None,
        restarts: 0,
        backoff: Backoff::default(),
        is_ready: false,
        is_ending: false,
    };
    keeper.start_standby()?;
    keeper.promote();
    keeper.run()
}

/// A program that an upgrade is tried with.
struct Candidate {
    relay: u64,
    program: Program,
    until: Instant,
}

/// Holds what outlives relays, and sees to it that there is always one that serves and one that waits.
struct Keeper {
    control: String,
    signals: Signals,
    poller: Poller,
    opened: Opened,
    /// What relays are started from.
    program: Program,
    relays: BTreeMap<u64, RelayProcess>,
    last: u64,
    /// The relay that has the sessions.
    active: Option<u64>,
    /// The relay that waits for them.
    standby: Option<u64>,
    candidate: Option<Candidate>,
    /// When the next standby is started, or promoted: damped after crashes.
    next_at: Option<Instant>,
    /// When the active relay is killed: it was asked to end.
    kill_at: Option<Instant>,
    /// When the relay before was found dead.
    died_at: Option<u64>,
    restarts: u64,
    backoff: Backoff,
    is_ready: bool,
    is_ending: bool,
}

impl Keeper {
    fn run(&mut self) -> Result<(), String> {
        let mut ready = Vec::new();
        while !(self.is_ending && self.active.is_none()) {
            ready.clear();
            self.poller.wait(&mut ready, self.timeout()).map_err(|error| error.to_string())?;
            for &token in &ready {
                match token {
                    SIGNALS => self.serve_signals(),
                    token if token % 2 == 0 => self.listen(token / 2),
                    token => self.bury(token / 2),
                }
            }
            self.serve_time();
            if self.is_ready || !self.relays.is_empty() || self.next_at.is_some() {
                continue;
            }
            return Err("no relay could be started".into());
        }
        // They have the ports open too: whoever sees the keeper end may open them again.
        for relay in std::mem::take(&mut self.relays).into_values() {
            relay.kill();
            relay.reap(&self.poller);
        }
        log::info("the keeper ends", json!({}));
        Ok(())
    }

    fn serve_signals(&mut self) {
        while let Some(signal) = self.signals.next() {
            if signal != SIGHUP {
                self.stop(&format!("signal {signal}"));
            }
        }
    }

    fn listen(&mut self, number: u64) {
        let Some(relay) = self.relays.get_mut(&number) else { return };
        for message in relay.listen(&self.poller) {
            match message {
                FromRelay::Ready { version, io } => self.on_ready(number, &version, io),
                FromRelay::Running { sessions } => self.on_running(number, sessions),
                FromRelay::Upgrade { path } if self.active == Some(number) => self.upgrade(path.as_deref()),
                FromRelay::Stop { reason } if self.active == Some(number) => self.stop(&reason),
                _ => {}
            }
        }
    }

    fn on_ready(&mut self, number: u64, version: &str, io: String) {
        if let Some(relay) = self.relays.get_mut(&number) {
            relay.io = Some(io);
        }
        if let Some(candidate) = self.candidate.take_if(|candidate| candidate.relay == number) {
            log::info("an upgrade is fit", json!({ "version": version }));
            self.program = candidate.program;
            self.retire_standby();
            self.standby = Some(number);
            self.tell_active(&ToRelay::HandOver);
            self.kill_at = Some(Instant::now() + PATIENCE);
        }
    }

    fn on_running(&mut self, number: u64, sessions: u32) {
        let Some(relay) = self.relays.get(&number) else { return };
        self.next_at = self.next_at.map(|_| Instant::now());
        if self.is_ready {
            let facts = json!({ "relayPid": relay.pid(), "sessions": sessions, "restarts": self.restarts });
            log::info("a relay serves", facts);
            return;
        }
        self.is_ready = true;
        let manifest = &self.opened.manifest;
        let line = json!({
            "ready": true,
            "control": self.control,
            "pid": std::process::id(),
            "relayPid": relay.pid(),
            "threads": manifest.config.threads,
            "io": relay.io,
            "pairs": manifest.pairs.len(),
            "webrtcPorts": manifest.webrtc.iter().map(|group| group.port).collect::<Vec<_>>(),
            "tcpPort": manifest.tcp_port,
        });
        crate::say(&line);
    }

    /// Starts a relay from a program beside the one that serves.
    fn upgrade(&mut self, path: Option<&str>) {
        let started = Program::at(path.map_or(self.program.path(), Path::new))
            .and_then(|program| Ok((self.start(&program)?, program)));
        match started {
            Ok((relay, program)) => {
                self.candidate = Some(Candidate { relay, program, until: Instant::now() + FITNESS });
            }
            Err(reason) => self.tell_active(&ToRelay::UpgradeFailed { reason }),
        }
    }

    fn fail_upgrade(&mut self, reason: &str) {
        if let Some(candidate) = self.candidate.take() {
            self.kill(candidate.relay);
            self.tell_active(&ToRelay::UpgradeFailed { reason: reason.into() });
        }
    }

    fn stop(&mut self, reason: &str) {
        if self.is_ending {
            return;
        }
        log::info("the keeper was asked to end", json!({ "reason": reason }));
        self.is_ending = true;
        self.next_at = None;
        self.tell_active(&ToRelay::Stop);
        self.kill_at = Some(Instant::now() + PATIENCE);
    }

    /// A relay has ended.
    fn bury(&mut self, number: u64) {
        let Some(relay) = self.relays.remove(&number) else { return };
        let died_at = trunkline_io::now();
        let was_active = self.active == Some(number);
        if was_active && !self.is_ending {
            self.replace_active(died_at, relay.since.elapsed());
        }
        let (pid, lived) = (relay.pid(), relay.since.elapsed());
        let status = relay.reap(&self.poller);
        if was_active {
            self.active = self.active.filter(|&active| active != number);
            log::info("the serving relay ended", json!({ "relayPid": pid, "status": status }));
        } else if self.standby == Some(number) {
            self.standby = None;
            log::warn("a waiting relay ended", json!({ "relayPid": pid, "status": status }));
            let delay = self.backoff.on_death(lived);
            self.next_at = (!self.is_ending).then(|| Instant::now() + delay);
        } else if self.candidate.as_ref().is_some_and(|candidate| candidate.relay == number) {
            self.fail_upgrade(&format!("the program ended with {status} before it was ready"));
        }
    }

    /// The sessions go to the waiting relay, at once unless relays die one after the other.
    fn replace_active(&mut self, died_at: u64, lived: Duration) {
        self.active = None;
        self.died_at = Some(died_at);
        self.restarts += 1;
        let was_asked = self.kill_at.take().is_some();
        let delay = if was_asked { Duration::ZERO } else { self.backoff.on_death(lived) };
        if delay.is_zero() {
            self.promote();
            self.fail_upgrade("the serving relay died meanwhile");
        } else {
            log::warn("relays die one after the other", json!({ "waitMs": delay.as_millis() as u64 }));
            self.next_at = Some(Instant::now() + delay);
        }
    }

    /// The waiting relay gets the sessions, and a new one is started to wait. Retried later if that fails.
    fn promote(&mut self) {
        if self.active.is_none() {
            let Some(number) = self.standby.take() else {
                self.next_at.get_or_insert_with(Instant::now);
                return;
            };
            if let Some(relay) = self.relays.get_mut(&number) {
                relay.say(&ToRelay::Go { before_died_at: self.died_at, restarts: self.restarts });
                relay.since = Instant::now();
            }
            self.active = Some(number);
        }
        // When the sessions are served, at the latest: the start of a process takes a core for some milliseconds.
        self.next_at = Some(Instant::now() + TAKE_OVER);
    }

    fn serve_time(&mut self) {
        let now = Instant::now();
        if self.kill_at.take_if(|at| *at <= now).is_some()
            && let Some(active) = self.active
        {
            log::warn("the relay does not end and is killed", json!({}));
            self.kill_at = Some(now + PATIENCE);
            self.kill(active);
        }
        if self.candidate.as_ref().is_some_and(|candidate| candidate.until <= now) {
            self.fail_upgrade("the program did not become ready");
        }
        if self.next_at.take_if(|at| *at <= now).is_some() {
            self.fill();
        }
    }

    /// Sees to it that a relay waits, and that one serves.
    fn fill(&mut self) {
        if self.standby.is_none()
            && let Err(why) = self.start_standby()
        {
            log::warn("a relay cannot be started", json!({ "why": why }));
            self.next_at = Some(Instant::now() + Duration::from_secs(1));
            return;
        }
        if self.active.is_none() {
            self.promote();
        }
    }

    fn start_standby(&mut self) -> Result<(), String> {
        let program = self.program.clone();
        self.standby = Some(self.start(&program)?);
        Ok(())
    }

    fn start(&mut self, program: &Program) -> Result<u64, String> {
        self.last += 1;
        let number = self.last;
        let manifest = self.opened.file.as_raw_fd();
        let relay = RelayProcess::start(program, manifest, &self.poller, (number * 2, number * 2 + 1));
        self.relays.insert(number, relay.map_err(|error| format!("{}: {error}", program.path().display()))?);
        Ok(number)
    }

    fn retire_standby(&mut self) {
        if let Some(number) = self.standby.take() {
            self.kill(number);
        }
    }

    fn kill(&self, number: u64) {
        if let Some(relay) = self.relays.get(&number) {
            relay.kill();
        }
    }

    fn tell_active(&mut self, message: &ToRelay) {
        if let Some(relay) = self.active.and_then(|active| self.relays.get_mut(&active)) {
            relay.say(message);
        }
    }

    fn timeout(&self) -> Option<u64> {
        let candidate = self.candidate.as_ref().map(|candidate| candidate.until);
        let next = [self.next_at, self.kill_at, candidate].into_iter().flatten().min()?;
        Some(next.saturating_duration_since(Instant::now()).as_micros() as u64)
    }
}
