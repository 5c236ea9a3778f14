use trunkline_control::{Answer, Fault, SessionChange, SessionSpec, ThreadStats};
use trunkline_relay::Session;

use super::orders::{Order, Report};
use super::thread::MediaThread;
use crate::faults;
use crate::last_words::{Name, take_in_hand};

type Outcome = Result<Answer, Fault>;

/// Orders of the main thread.
impl MediaThread {
    pub(super) fn serve_order(&mut self, order: Order) {
        let (ticket, outcome) = match order {
            Order::Open { ticket, spec, deadline } if trunkline_io::now() > deadline => {
                (ticket, Err(faults::deadline_missed(&format!("session {} was not opened in time", spec.id))))
            }
            Order::Open { ticket, spec, .. } => (ticket, self.open(&spec)),
            Order::Change { ticket, session, change } => (ticket, self.change(&session, &change)),
            Order::Stats { ticket, session } => (ticket, self.stats(&session)),
            Order::Close { ticket, session } => (ticket, self.close(&session)),
            Order::Count { ticket } => {
                let stats = Box::new(self.count());
                return self.report(Report::Counted { ticket, thread: self.core.thread, stats });
            }
            Order::Certificates(certificates) => return self.settings.certificates = certificates,
            Order::Connection { stream, peer, read } => return self.take_connection(stream, peer, &read),
            Order::Skipped => return,
            Order::End { goodbye } => return self.end(goodbye),
        };
        self.report(Report::Outcome { ticket, outcome });
    }

    /// The same session again for the same id.
    fn open(&mut self, spec: &SessionSpec) -> Outcome {
        if let Some(entry) = self.sessions.find(&spec.id).and_then(|key| self.sessions.get(key)) {
            return Ok(Answer::Opened { session: entry.session.local() });
        }
        let name = Name::of(&spec.id);
        if self.guilty.contains(&name) {
            return Err(faults::engine_lost("a relay died of this session"));
        }
        take_in_hand(self.core.thread, name);
        let now = self.core.now();
        let key = self.sessions.reserve();
        match Session::open(spec, &self.settings, &mut self.core.shell(key), now) {
            Ok(session) => {
                let local = session.local();
                self.sessions.insert(key, session, now);
                Ok(Answer::Opened { session: local })
            }
            Err(fault) => {
                self.sessions.cancel(key);
                Err(fault)
            }
        }
    }

    fn change(&mut self, id: &str, change: &SessionChange) -> Outcome {
        let now = self.core.now();
        let found = self.sessions.find(id).and_then(|key| Some((key, self.sessions.get(key)?)));
        let (key, entry) = found.ok_or_else(|| faults::session_unknown(id))?;
        take_in_hand(self.core.thread, entry.name);
        let now = entry.advance(now);
        let sides = entry.session.change(change, &self.settings, &mut self.core.shell(key), now);
        self.sessions.schedule(key);
        Ok(Answer::Changed { sides: sides? })
    }

    fn stats(&mut self, id: &str) -> Outcome {
        let now = self.core.now();
        let entry = self.sessions.find(id).and_then(|key| self.sessions.get(key));
        let entry = entry.ok_or_else(|| faults::session_unknown(id))?;
        let now = entry.advance(now);
        Ok(Answer::Stats { sides: entry.session.stats(now) })
    }

    fn close(&mut self, id: &str) -> Outcome {
        let now = self.core.now();
        let found = self.sessions.find(id).and_then(|key| Some((key, self.sessions.get(key)?.advance(now))));
        let (key, now) = found.ok_or_else(|| faults::session_unknown(id))?;
        take_in_hand(self.core.thread, Name::of(id));
        let session = self.sessions.remove(key).ok_or_else(|| faults::session_unknown(id))?;
        let sides = session.close(&mut self.core.shell(key), now);
        Ok(Answer::Closed { id: id.to_owned(), sides })
    }

    /// Says goodbye to everybody.
    pub(super) fn close_all(&mut self) {
        for id in self.sessions.ids() {
            let _ = self.close(&id);
        }
    }

    fn count(&mut self) -> ThreadStats {
        let total = self.core.counters.total(0);
        ThreadStats {
            sessions: self.sessions.len() as u64,
            packets_in: total.packets_in,
            packets_out: total.packets_out,
            strays: total.strays,
            handshakes: self.sessions.handshakes() as u64,
            latency_us: self.latency.stats(),
        }
    }
}
