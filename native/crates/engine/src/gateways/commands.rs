use serde_json::json;
use trunkline_base::Micros;
use trunkline_control::{
    Answer, Command, Fault, FrameError, Message, Op, Outcome, PROTOCOL, Reply, SessionSpec,
};

use super::pending::What;
use super::service::Service;
use crate::media::{Order, Ticket};
use crate::supervision::FromRelay;
use crate::{VERSION, faults, log};

/// Time for everything that has no deadline of its own.
const DEADLINE: Micros = 5_000_000;
/// Default and bounds of the time to open a session, in ms.
const OPEN_MS: u64 = 500;
const OPEN_MS_BOUNDS: (u64, u64) = (10, 5_000);

/// Commands of gateways.
impl Service {
    pub(super) fn serve_command(&mut self, connection: u64, command: Result<Command, FrameError>) {
        match command {
            Ok(Command { id, op }) => {
                if let Err(fault) = self.obey(connection, id, op) {
                    self.reply(connection, id, Err(fault));
                }
            }
            // One command that we do not know: a newer gateway may send it.
            Err(FrameError::Unreadable { id: Some(id), reason }) => {
                self.fault(connection, id, faults::senseless(reason));
            }
            // What follows is not to be trusted.
            Err(error) => self.refuse(connection, 0, &error.to_string()),
        }
    }

    /// Answers at once, orders and lets the answer come later, or refuses.
    fn obey(&mut self, connection: u64, id: u64, op: Op) -> Result<(), Fault> {
        let is_known = self.connections.get(&connection).is_some_and(|each| each.said_hello);
        match op {
            Op::Hello { protocol, gateway } => self.hello(connection, id, protocol, &gateway),
            _ if !is_known => self.refuse(connection, id, "the first command has to be hello"),
            Op::Open { spec, deadline_ms } => return self.open(connection, id, spec, deadline_ms),
            Op::Change { session, change } => {
                let thread = self.thread_of(&session)?;
                return self.order((connection, id), What::Other, thread, DEADLINE, |ticket| Order::Change {
                    ticket,
                    session,
                    change: Box::new(change),
                });
            }
            Op::Stats { session } => {
                let thread = self.thread_of(&session)?;
                return self.order((connection, id), What::Other, thread, DEADLINE, |ticket| Order::Stats {
                    ticket,
                    session,
                });
            }
            Op::Close { session } => return self.close(connection, id, session),
            Op::List => {
                let sessions = self.directory.ids();
                self.reply(connection, id, Ok(Answer::Sessions { sessions }));
            }
            Op::Claim { sessions } => {
                for session in &sessions {
                    self.directory.claim(session, connection);
                }
                self.reply(connection, id, Ok(Answer::Done));
            }
            Op::Engine => return self.count(connection, id),
            Op::Upgrade { path } => return self.upgrade(connection, id, path),
            Op::Stop => {
                self.reply(connection, id, Ok(Answer::Done));
                self.stop("a gateway asked for it");
            }
            Op::Skip { ms } => {
                self.skip(ms)?;
                self.reply(connection, id, Ok(Answer::Done));
            }
        }
        Ok(())
    }

    fn hello(&mut self, connection: u64, id: u64, protocol: u32, gateway: &str) {
        if protocol != PROTOCOL {
            let why = format!("protocol {protocol} is not spoken here, {PROTOCOL} is");
            return self.refuse(connection, id, &why);
        }
        if let Some(known) = self.connections.get_mut(&connection) {
            known.said_hello = true;
        }
        self.claims.on_hello(self.shared.clock.now());
        log::info("a gateway came", json!({ "gateway": gateway, "sessions": self.directory.len() }));
        let answer = Answer::Hello {
            protocol: PROTOCOL,
            version: VERSION.into(),
            relay_pid: std::process::id(),
            keeper_pid: self.keeper,
            threads: self.threads.len() as u32,
            io: self.io.clone(),
        };
        self.reply(connection, id, Ok(answer));
    }

    fn open(
        &mut self,
        connection: u64,
        id: u64,
        spec: SessionSpec,
        deadline_ms: Option<u64>,
    ) -> Result<(), Fault> {
        let most = self.shared.config.max_sessions as usize;
        let known = self.directory.thread_of(&spec.id);
        if known.is_none() && self.directory.len() >= most {
            return Err(faults::sessions_exhausted(most));
        }
        let thread = known.unwrap_or_else(|| self.directory.emptiest());
        let (shortest, longest) = OPEN_MS_BOUNDS;
        let time = deadline_ms.unwrap_or(OPEN_MS).clamp(shortest, longest) * 1_000;
        let session = spec.id.clone();
        let what = What::Open { session: session.clone() };
        let deadline = trunkline_io::now() + time;
        self.order((connection, id), what, thread, time, |ticket| Order::Open {
            ticket,
            spec: Box::new(spec),
            deadline,
        })?;
        self.directory.on_open(&session, thread, self.pending.last(), Some(connection));
        Ok(())
    }

    fn close(&mut self, connection: u64, id: u64, session: String) -> Result<(), Fault> {
        let Some(thread) = self.directory.thread_of(&session) else {
            let sides = self.ended.get(&session).ok_or_else(|| faults::session_unknown(&session))?;
            let answer = Answer::Closed { id: session.clone(), sides: sides.clone() };
            self.reply(connection, id, Ok(answer));
            return Ok(());
        };
        let what = What::Close { session: session.clone(), reason: None };
        self.order((connection, id), what, thread, DEADLINE, |ticket| Order::Close { ticket, session })
    }

    /// Closes a session by ourselves; gateways are told the reason.
    pub(super) fn close_for(&mut self, session: String, reason: Option<&str>) {
        let Some(thread) = self.directory.thread_of(&session) else { return };
        let what = What::Close { session: session.clone(), reason: reason.map(str::to_owned) };
        let deadline = trunkline_io::now() + DEADLINE;
        if let Some(ticket) = self.pending.add(None, what, deadline)
            && !self.threads.order(thread, Order::Close { ticket, session })
        {
            self.pending.take(ticket);
        }
    }

    pub(super) fn close_unclaimed(&mut self) {
        let unclaimed = self.directory.unclaimed();
        if !unclaimed.is_empty() {
            log::warn("sessions that no gateway claimed are closed", json!({ "sessions": unclaimed.len() }));
        }
        for session in unclaimed {
            self.close_for(session, Some("no gateway claimed it"));
        }
    }

    fn upgrade(&mut self, connection: u64, id: u64, path: Option<String>) -> Result<(), Fault> {
        if self.upgrade.is_some() {
            return Err(faults::senseless("an upgrade is under way"));
        }
        let Some(link) = self.link.as_mut() else {
            return Err(faults::engine_lost("the keeper died: the relay cannot be replaced"));
        };
        link.send(&FromRelay::Upgrade { path });
        self.upgrade = Some((connection, id));
        Ok(())
    }

    fn skip(&mut self, ms: u64) -> Result<(), Fault> {
        if !self.shared.config.test_clock {
            return Err(faults::senseless("the clock is the machine's: --test-clock was not given"));
        }
        let ahead = self.shared.clock.skip(ms.saturating_mul(1_000));
        self.shared.ledger.set_ahead(ahead);
        self.threads.order_all(|| Order::Skipped);
        Ok(())
    }

    fn thread_of(&self, session: &str) -> Result<u32, Fault> {
        self.directory.thread_of(session).ok_or_else(|| faults::session_unknown(session))
    }

    /// Gives an order whose outcome goes to the asker.
    pub(super) fn order(
        &mut self,
        asker: (u64, u64),
        what: What,
        thread: u32,
        time: Micros,
        order: impl FnOnce(Ticket) -> Order,
    ) -> Result<(), Fault> {
        let overload = || faults::deadline_missed("overload: too many commands wait");
        let deadline = trunkline_io::now() + time;
        let ticket = self.pending.add(Some(asker), what, deadline).ok_or_else(overload)?;
        if self.threads.order(thread, order(ticket)) {
            return Ok(());
        }
        self.pending.take(ticket);
        Err(overload())
    }

    pub(super) fn reply(&mut self, connection: u64, id: u64, outcome: Result<Answer, Fault>) {
        let Some(known) = self.connections.get_mut(&connection) else { return };
        let outcome = match outcome {
            Ok(answer) => Outcome::Ok(answer),
            Err(fault) => Outcome::Fault(fault),
        };
        if let Err(error) = known.send(&Message::Reply(Reply { id, outcome })) {
            // A list of very many sessions, say.
            let outcome = Outcome::Fault(faults::senseless(format!("the answer is {error}")));
            let _ = known.send(&Message::Reply(Reply { id, outcome }));
        }
    }

    pub(super) fn fault(&mut self, connection: u64, id: u64, fault: Fault) {
        self.reply(connection, id, Err(fault));
    }

    /// Says why, and ends the connection.
    fn refuse(&mut self, connection: u64, id: u64, why: &str) {
        log::warn("a gateway was refused", json!({ "why": why }));
        self.fault(connection, id, faults::senseless(why));
        if let Some(known) = self.connections.get_mut(&connection) {
            known.end();
        }
    }
}
