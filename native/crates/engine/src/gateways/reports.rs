use std::time::{Duration, Instant};

use serde_json::json;
use trunkline_base::Micros;
use trunkline_control::{Answer, EngineStats, Event, Fault, Message, ThreadStats};

use super::pending::{Waiting, What};
use super::service::{Ending, Service};
use crate::media::{Order, Report, Ticket};
use crate::supervision::{FromRelay, ToRelay};
use crate::{VERSION, faults, log};

/// Events of one frame.
const EVENTS_AT_ONCE: usize = 256;
/// Time for the threads to finish what is in hand.
const FINISH: Duration = Duration::from_secs(2);
/// Time for a thread to count.
const COUNT_TIME: Micros = 1_000_000;

/// Counters on their way to whoever asked for them.
pub(super) struct Counting {
    missing: usize,
    threads: Vec<ThreadStats>,
}

/// What threads and the keeper tell.
impl Service {
    pub(super) fn serve_reports(&mut self) {
        while let Some(report) = self.threads.next_report() {
            self.on_report(report);
        }
    }

    fn on_report(&mut self, report: Report) {
        match report {
            Report::Outcome { ticket, outcome } => self.on_outcome(ticket, outcome),
            Report::Counted { ticket, thread, stats } => self.on_counted(ticket, thread, *stats),
            Report::Events(events) => events.into_iter().for_each(|event| self.events.push(event)),
            Report::Ready { .. } | Report::Failed { .. } | Report::Ended => {}
        }
    }

    fn on_outcome(&mut self, ticket: Ticket, outcome: Result<Answer, Fault>) {
        let Some(Waiting { asker, what, .. }) = self.pending.take(ticket) else { return };
        let outcome = match what {
            What::Open { session } => self.on_opened(ticket, &session, asker.is_some(), outcome),
            What::Close { session, reason } => self.on_closed(ticket, session, reason, outcome),
            What::Other => outcome,
        };
        if let Some((connection, id)) = asker {
            self.reply(connection, id, outcome);
        }
    }

    fn on_opened(
        &mut self,
        ticket: Ticket,
        session: &str,
        is_awaited: bool,
        outcome: Result<Answer, Fault>,
    ) -> Result<Answer, Fault> {
        match &outcome {
            Ok(_) if is_awaited => self.ended.forget(session),
            // Whoever asked was told that nothing was bound, and has not asked again.
            Ok(_) if self.directory.is_newest(session, ticket) => self.close_for(session.to_owned(), None),
            Ok(_) => {}
            Err(_) => self.directory.on_gone(session, ticket),
        }
        outcome
    }

    fn on_closed(
        &mut self,
        ticket: Ticket,
        session: String,
        reason: Option<String>,
        outcome: Result<Answer, Fault>,
    ) -> Result<Answer, Fault> {
        self.directory.on_gone(&session, ticket);
        self.events.forget(&session);
        match outcome {
            Ok(Answer::Closed { id, sides }) => {
                self.ended.remember(session.clone(), sides.clone());
                if let Some(reason) = reason {
                    self.events.push(Event::Closed { session, reason, sides: sides.clone() });
                }
                Ok(Answer::Closed { id, sides })
            }
            // Two closes crossed.
            outcome => match self.ended.get(&session) {
                Some(sides) => Ok(Answer::Closed { id: session, sides: sides.clone() }),
                None => outcome,
            },
        }
    }

    /// Asks every thread for its counters.
    pub(super) fn count(&mut self, connection: u64, id: u64) -> Result<(), Fault> {
        let deadline = trunkline_io::now() + COUNT_TIME;
        let ticket = self.pending.add(Some((connection, id)), What::Other, deadline);
        let ticket = ticket.ok_or_else(|| faults::deadline_missed("overload: too many commands wait"))?;
        let threads = self.threads.len();
        let asked = (0..threads as u32).filter(|&thread| self.threads.order(thread, Order::Count { ticket }));
        let missing = asked.count();
        self.counts.insert(ticket, Counting { missing, threads: vec![ThreadStats::default(); threads] });
        Ok(())
    }

    fn on_counted(&mut self, ticket: Ticket, thread: u32, stats: ThreadStats) {
        let Some(counting) = self.counts.get_mut(&ticket) else { return };
        if let Some(place) = counting.threads.get_mut(thread as usize) {
            *place = stats;
        }
        counting.missing = counting.missing.saturating_sub(1);
        if counting.missing > 0 {
            return;
        }
        let Some(Counting { threads, .. }) = self.counts.remove(&ticket) else { return };
        let sum = |of: fn(&ThreadStats) -> u64| threads.iter().map(of).sum();
        let engine = EngineStats {
            version: VERSION.into(),
            sessions: sum(|thread| thread.sessions),
            strays: sum(|thread| thread.strays),
            packets_in: sum(|thread| thread.packets_in),
            packets_out: sum(|thread| thread.packets_out),
            restarts: self.restarts,
            threads,
        };
        if let Some(Waiting { asker: Some((connection, id)), .. }) = self.pending.take(ticket) {
            self.reply(connection, id, Ok(Answer::Engine { engine }));
        }
    }

    /// Sends events to the gateway that came last, as long as it reads them.
    pub(super) fn send_events(&mut self) {
        let newest = self.connections.values_mut().rev().find(|connection| connection.said_hello);
        let Some(gateway) = newest else { return };
        while gateway.is_easy() && !self.events.is_empty() {
            let mut events = self.events.take(EVENTS_AT_ONCE);
            // Sessions with very many sides: then one by one.
            if gateway.send(&Message::Events { events: events.clone() }).is_err() {
                for event in events.drain(..) {
                    let _ = gateway.send(&Message::Events { events: vec![event] });
                }
            }
        }
        let dropped = self.events.take_dropped();
        if dropped > 0 {
            log::warn("events found the queue full", json!({ "dropped": dropped }));
        }
    }

    pub(super) fn serve_link(&mut self) {
        loop {
            let Some(link) = self.link.as_mut() else { return };
            match link.receive() {
                Ok(None) => return,
                Ok(Some(ToRelay::HandOver)) => self.ending = Some(Ending::HandOver),
                Ok(Some(ToRelay::Stop)) => self.ending = Some(Ending::Stop),
                Ok(Some(ToRelay::UpgradeFailed { reason })) => {
                    if let Some((connection, id)) = self.upgrade.take() {
                        self.fault(connection, id, faults::senseless(format!("no upgrade: {reason}")));
                    }
                }
                Ok(Some(ToRelay::Go { .. })) => {}
                Err(_) => {
                    log::warn("the keeper died: calls go on, and will not outlive this relay", json!({}));
                    self.poller.remove(link.fd());
                    self.link = None;
                }
            }
        }
    }

    /// Everything is to end: the keeper says when, if there is one.
    pub(super) fn stop(&mut self, reason: &str) {
        match self.link.as_mut() {
            Some(link) => link.send(&FromRelay::Stop { reason: reason.into() }),
            None => self.ending = Some(Ending::Stop),
        }
    }

    /// Lets the threads finish what is in hand, tells gateways what became of it, and is done.
    pub(super) fn finish(&mut self) {
        let goodbye = self.ending == Some(Ending::Stop);
        self.threads.insist_all(|| Order::End { goodbye });
        let until = Instant::now() + FINISH;
        let mut running = self.threads.len();
        while running > 0 {
            let Ok(report) =
                self.threads.reports.recv_timeout(until.saturating_duration_since(Instant::now()))
            else {
                log::warn("a media thread does not end", json!({ "threads": running }));
                break;
            };
            match report {
                Report::Ended => running -= 1,
                report => self.on_report(report),
            }
        }
        if let Some((connection, id)) = self.upgrade.take() {
            self.reply(connection, id, Ok(Answer::Done));
        }
        self.send_events();
        for connection in self.connections.values_mut() {
            let _ = connection.flush();
        }
    }
}
