use std::collections::HashSet;

use serde::Serialize;
use trunkline_base::Micros;

use crate::histogram::{Histogram, Summary};
use crate::traffic::{News, Traffic};

/// A connected client is still looked after for so long: the peer may have lost its last flight.
const AFTERCARE: Micros = 2_000_000;
/// The first packet of a joining end is followed by others until one was seen.
const TALK_EVERY: Micros = 20_000;
/// A joining end whose packets are not seen has failed.
const TALK_AT_MOST: Micros = 5_000_000;

/// Clients that connect, and the joins among them.
pub struct Connecting {
    /// (end, until when it is looked after)
    active: Vec<(usize, Option<Micros>)>,
    joining: HashSet<usize>,
    talking: Vec<Talker>,
    looked_at: Micros,
    /// Ends that connected, and why others did not.
    pub connected: usize,
    pub failures: Vec<String>,
    seen: u64,
    first_started_at: Option<Micros>,
    last_seen_at: Micros,
    handshake: Histogram,
    join: Histogram,
    version: Option<&'static str>,
}

struct Talker {
    end: usize,
    since: Micros,
    next_at: Micros,
}

/// What became of the joins.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JoinResult {
    pub started: u64,
    /// Their first packet was seen by their peer.
    pub completed: u64,
    /// From the first check of the first to the first packet of the last.
    pub per_second: f64,
    /// From the check to the keys, µs.
    pub handshake_us: Summary,
    /// From the check to the arrival of the first packet at the peer, µs.
    pub join_us: Summary,
    /// What the last one negotiated.
    pub dtls: Option<String>,
}

impl Connecting {
    pub fn new() -> Self {
        Self {
            active: Vec::new(),
            joining: HashSet::new(),
            talking: Vec::new(),
            looked_at: 0,
            connected: 0,
            failures: Vec::new(),
            seen: 0,
            first_started_at: None,
            last_seen_at: 0,
            handshake: Histogram::new(),
            join: Histogram::new(),
            version: None,
        }
    }

    /// Sends the first check of an end; `joining`: and then packets until one was seen.
    pub fn start(&mut self, traffic: &mut Traffic, end: usize, joining: bool, now: Micros) {
        let Some(client) = &mut traffic.ends[end].client else { return };
        client.start(now);
        traffic.follow(end);
        self.active.push((end, None));
        if joining {
            self.joining.insert(end);
            self.first_started_at.get_or_insert(now);
        }
    }

    /// Clients whose handshake is under way.
    pub fn under_way(&self) -> usize {
        self.active.iter().filter(|(_, until)| until.is_none()).count()
    }

    pub fn is_idle(&self) -> bool {
        self.talking.is_empty() && self.under_way() == 0
    }

    /// Does what is due now.
    pub fn step(&mut self, traffic: &mut Traffic, now: Micros) {
        while let Some(news) = traffic.news.pop_front() {
            self.on_news(traffic, news, now);
        }
        if now < self.looked_at + 1_000 {
            return;
        }
        self.looked_at = now;
        for (end, _) in &self.active {
            let Some(client) = &mut traffic.ends[*end].client else { continue };
            if client.deadline().is_some_and(|at| at <= now) {
                client.wake(now);
                traffic.follow(*end);
            }
        }
        self.active.retain(|(_, until)| until.is_none_or(|until| now < until));
        self.talk(traffic, now);
    }

    fn on_news(&mut self, traffic: &mut Traffic, news: News, now: Micros) {
        match news {
            News::Connected(end) => {
                self.connected += 1;
                if let Some(active) = self.active.iter_mut().find(|(active, _)| *active == end) {
                    active.1 = Some(now + AFTERCARE);
                }
                if let Some(client) = &traffic.ends[end].client {
                    self.version = client.version();
                    self.handshake.add(now - client.started_at());
                }
                if self.joining.contains(&end) {
                    traffic.send_media(end, now, false);
                    self.talking.push(Talker { end, since: now, next_at: now + TALK_EVERY });
                }
            }
            News::Failed(end, reason) => {
                self.active.retain(|(active, _)| *active != end);
                self.joining.remove(&end);
                self.failures.push(reason);
            }
            News::Seen(end, at) => {
                if self.joining.remove(&end) {
                    let started_at =
                        traffic.ends[end].client.as_ref().map_or(at, |client| client.started_at());
                    self.join.add(at.saturating_sub(started_at));
                    self.seen += 1;
                    self.last_seen_at = self.last_seen_at.max(at);
                    self.talking.retain(|talker| talker.end != end);
                }
            }
        }
    }

    fn talk(&mut self, traffic: &mut Traffic, now: Micros) {
        for talker in self.talking.iter_mut().filter(|talker| talker.next_at <= now) {
            talker.next_at += TALK_EVERY;
            traffic.send_media(talker.end, now, false);
        }
        let before = self.talking.len();
        self.talking.retain(|talker| now < talker.since + TALK_AT_MOST);
        for _ in self.talking.len()..before {
            self.failures.push("no packet was seen within 5 s of the handshake".into());
        }
    }

    /// `None`: nobody joined.
    pub fn joins(&self, started: u64) -> Option<JoinResult> {
        let first = self.first_started_at?;
        let seconds = self.last_seen_at.saturating_sub(first) as f64 / 1e6;
        Some(JoinResult {
            started,
            completed: self.seen,
            per_second: if seconds > 0.0 { self.seen as f64 / seconds } else { 0.0 },
            handshake_us: self.handshake.summary(),
            join_us: self.join.summary(),
            dtls: self.version.map(str::to_owned),
        })
    }
}
