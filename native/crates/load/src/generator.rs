use std::collections::VecDeque;
use std::io;

use serde::Serialize;
use trunkline_base::Micros;
use trunkline_dtls::Certificate;
use trunkline_io::{Poller, now, pin_to_core, raise_file_limit};

use crate::connect::{Connecting, JoinResult};
use crate::end::End;
use crate::histogram::{Histogram, Summary};
use crate::pace::Pace;
use crate::plan::Plan;
use crate::sockets::Sockets;
use crate::tally::{GroupResult, Tally};
use crate::traffic::{Counters, Parts, Traffic};
use crate::watch::{Sample, Usage, dropped_datagrams};

/// Clients that connect at once before media flows.
const CONNECTING: usize = 64;
/// Every WebRTC client asks for consent so often (RFC 7675 §5.1).
const CONSENT: Micros = 4_000_000;
/// Packets go on so long after the measurement, so that its last ones see the same load.
const RUN_OUT: Micros = 100_000;
/// The generator kept its pace if 99 % of its packets were at most so late.
const LATE: Micros = 1_000;
/// A process that only receives ends when so long nothing came, or nothing at all for the second time.
const QUIET: Micros = 2_000_000;
const NOTHING: Micros = 60_000_000;

/// What was measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunResult {
    /// `false`: the generator was the bottleneck, and the figures say little about what was measured.
    pub kept_pace: bool,
    /// How late packets left behind their time, µs.
    pub lateness_us: Summary,
    pub groups: Vec<GroupResult>,
    #[serde(flatten)]
    pub counters: Counters,
    /// Datagrams that found the buffer of a socket of the generator full, while it was measured.
    pub own_dropped: u64,
    /// WebRTC clients that connected.
    pub connected: usize,
    /// Why others did not: the first few.
    pub failures: Vec<String>,
    pub joins: Option<JoinResult>,
    pub usage: Option<Usage>,
}

/// One run of a plan.
pub struct Generator {
    plan: Plan,
    traffic: Traffic,
    connecting: Connecting,
    lateness: Histogram,
    /// (offset from the begin of the measurement, end), by time.
    joins: VecDeque<(Micros, usize)>,
    joins_planned: u64,
    own_dropped: u64,
    usage: Option<Usage>,
}

impl Generator {
    /// Binds all sockets.
    ///
    /// # Errors
    /// An address cannot be bound, or the plan contradicts itself.
    pub fn new(plan: Plan) -> io::Result<Self> {
        raise_file_limit();
        let certificate = plan.certificate.as_deref().map(read_certificate).transpose()?;
        let poller = Poller::new()?;
        let sockets = Sockets::bind(&plan, &poller)?;
        let mut groups: Vec<String> = Vec::new();
        let mut ends = Vec::with_capacity(plan.ends.len());
        for end in &plan.ends {
            let group = groups.iter().position(|name| *name == end.group).unwrap_or_else(|| {
                groups.push(end.group.clone());
                groups.len() - 1
            });
            let socket = end.bind.and_then(|address| sockets.index_of(&address));
            ends.push(End::new(end, socket, group, certificate.as_ref()).map_err(io::Error::other)?);
        }
        let mut joins: Vec<(Micros, usize)> =
            plan.ends.iter().enumerate().filter_map(|(index, end)| Some((end.join_at_us?, index))).collect();
        joins.sort_unstable();
        let parts = Parts {
            joining: plan.ends.iter().map(|end| end.join_at_us.is_some()).collect(),
            tally: Tally::new(&groups, ends.len()),
            ends,
            sockets,
            poller,
            run: plan.run,
            payload_bytes: plan.payload_bytes,
        };
        Ok(Self {
            traffic: Traffic::new(parts),
            connecting: Connecting::new(),
            lateness: Histogram::new(),
            joins_planned: joins.len() as u64,
            joins: joins.into(),
            own_dropped: 0,
            usage: None,
            plan,
        })
    }

    /// Runs the plan from begin to end.
    ///
    /// # Errors
    /// A socket or a watched process is gone.
    pub fn run(mut self) -> io::Result<RunResult> {
        if let Some(core) = self.plan.core {
            pin_to_core(core)?;
        }
        let senders = self.senders();
        if senders.is_empty() && self.joins.is_empty() {
            self.listen()?;
        } else {
            self.connect(&senders)?;
            self.flow(&senders)?;
        }
        Ok(self.result())
    }

    /// Ends of this process that send all the time.
    fn senders(&self) -> Vec<usize> {
        let sends = |index: &usize| {
            let plan = &self.plan.ends[*index];
            plan.bind.is_some() && plan.remote.is_some() && plan.join_at_us.is_none() && !plan.silent
        };
        (0..self.plan.ends.len()).filter(sends).collect()
    }

    /// Until the packets of another process have ended.
    fn listen(&mut self) -> io::Result<()> {
        let (mut seen, mut heard_at) = (0, now());
        loop {
            self.traffic.receive(100_000)?;
            let received = self.traffic.counters.strays + self.received();
            let patience = if received == 0 { NOTHING } else { QUIET };
            if received != seen {
                (seen, heard_at) = (received, now());
            } else if now() - heard_at > patience {
                return Ok(());
            }
        }
    }

    fn received(&self) -> u64 {
        self.traffic.tally.arrived()
    }

    /// Connects the WebRTC clients among the senders.
    fn connect(&mut self, senders: &[usize]) -> io::Result<()> {
        let mut waiting: VecDeque<usize> =
            senders.iter().copied().filter(|end| self.traffic.ends[*end].client.is_some()).collect();
        while !waiting.is_empty() || !self.connecting.is_idle() {
            let now = now();
            if self.connecting.under_way() < CONNECTING
                && let Some(end) = waiting.pop_front()
            {
                self.connecting.start(&mut self.traffic, end, false, now);
            }
            self.traffic.shake_hands(now);
            self.connecting.step(&mut self.traffic, now);
            self.traffic.flush();
            self.traffic.receive(if waiting.is_empty() { 100 } else { 0 })?;
        }
        Ok(())
    }

    fn flow(&mut self, senders: &[usize]) -> io::Result<()> {
        let begin = now();
        let measure = begin + self.plan.warm_up_ms * 1_000
            ..begin + (self.plan.warm_up_ms + self.plan.measure_ms) * 1_000;
        let stop = measure.end + RUN_OUT;
        let finish = stop + self.plan.drain_ms * 1_000;
        let clients: Vec<usize> =
            senders.iter().copied().filter(|end| self.traffic.ends[*end].client.is_some()).collect();
        let mut pace = Pace::new(begin, self.plan.interval_us, senders.len());
        let mut consent = Pace::new(begin + CONSENT, CONSENT, clients.len());
        let mut first: Option<(Sample, u64)> = None;
        loop {
            let now = now();
            if now >= finish && self.joins.is_empty() && self.connecting.is_idle() {
                return Ok(());
            }
            if self.usage.is_none() {
                self.look(&mut first, &measure, now)?;
            }
            if now < stop {
                self.send(&mut pace, senders, &measure);
                if let Some((client, _)) = consent.take(now) {
                    self.ask_consent(clients[client], now);
                }
            }
            self.join(measure.start, now);
            self.traffic.shake_hands(now);
            self.connecting.step(&mut self.traffic, now);
            self.traffic.flush();
            self.traffic.receive(0)?;
        }
    }

    /// Sends what is due, a batch at most.
    fn send(&mut self, pace: &mut Pace, senders: &[usize], measure: &std::ops::Range<Micros>) {
        let now = now();
        for _ in 0..Traffic::ROOM {
            let Some((turn, late)) = pace.take(now) else { break };
            let measured = measure.contains(&(now - late));
            self.traffic.send_media(senders[turn], now, measured);
            if measured {
                self.lateness.add(late);
            }
        }
        self.traffic.flush();
    }

    fn ask_consent(&mut self, end: usize, now: Micros) {
        if let Some(client) = &mut self.traffic.ends[end].client {
            client.check(now);
            self.traffic.follow(end);
        }
    }

    fn join(&mut self, begin: Micros, now: Micros) {
        if let Some((offset, end)) = self.joins.front().copied()
            && now >= begin + offset
        {
            self.joins.pop_front();
            self.connecting.start(&mut self.traffic, end, true, now);
        }
    }

    /// Reads the counters of the system at both ends of the measurement.
    fn look(
        &mut self,
        first: &mut Option<(Sample, u64)>,
        measure: &std::ops::Range<Micros>,
        now: Micros,
    ) -> io::Result<()> {
        let Some(watch) = &self.plan.watch else { return Ok(()) };
        match first {
            None if now >= measure.start => *first = Some((watch.sample(now)?, dropped_datagrams("self")?)),
            Some((begin, dropped)) if now >= measure.end => {
                self.own_dropped = dropped_datagrams("self")?.saturating_sub(*dropped);
                self.usage = Some(begin.until(&watch.sample(now)?));
            }
            _ => {}
        }
        Ok(())
    }

    fn result(self) -> RunResult {
        let lateness = self.lateness.summary();
        RunResult {
            kept_pace: lateness.p99 <= LATE,
            lateness_us: lateness,
            groups: self.traffic.tally.results(),
            counters: self.traffic.counters,
            own_dropped: self.own_dropped,
            connected: self.connecting.connected,
            failures: self.connecting.failures.iter().take(5).cloned().collect(),
            joins: self.connecting.joins(self.joins_planned),
            usage: self.usage,
        }
    }
}

fn read_certificate(path: &str) -> io::Result<Certificate> {
    let bytes = std::fs::read(path)?;
    Certificate::from_bytes(&bytes)
        .ok_or_else(|| io::Error::other(format!("{path} is no certificate of ours")))
}
