use serde::Serialize;
use trunkline_base::Micros;

use crate::flow::{Arrival, Flow};
use crate::histogram::{Histogram, Summary};
use crate::stamp::Stamp;

/// What was sent and what arrived within the measurement.
pub struct Tally {
    groups: Vec<Group>,
    flows: Vec<Flow>,
    arrived: u64,
}

struct Group {
    name: String,
    sent: u64,
    received: u64,
    duplicates: u64,
    late: u64,
    misrouted: u64,
    latency: Histogram,
}

/// What became of the packets of a group of senders.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupResult {
    pub name: String,
    /// Due within the measurement.
    pub sent: u64,
    /// Of these, each counted once.
    pub received: u64,
    pub duplicates: u64,
    /// Received after one that was sent later.
    pub reordered: u64,
    /// Received by another end than meant.
    pub misrouted: u64,
    /// From before the system call that sent it until the kernel had it for the receiver, µs.
    pub latency_us: Summary,
}

impl Tally {
    pub fn new(groups: &[String], ends: usize) -> Self {
        let group = |name: &String| Group {
            name: name.clone(),
            sent: 0,
            received: 0,
            duplicates: 0,
            late: 0,
            misrouted: 0,
            latency: Histogram::new(),
        };
        Self {
            groups: groups.iter().map(group).collect(),
            flows: (0..ends).map(|_| Flow::new()).collect(),
            arrived: 0,
        }
    }

    /// Packets that arrived at all, whenever they were sent.
    pub fn arrived(&self) -> u64 {
        self.arrived
    }

    pub fn on_sent(&mut self, group: usize) {
        self.groups[group].sent += 1;
    }

    /// A stamped packet of an end of `group` arrived; `misrouted`: not where it should.
    pub fn on_arrival(&mut self, stamp: &Stamp, group: usize, misrouted: bool, arrived_at: Micros) {
        let Some(flow) = self.flows.get_mut(stamp.end as usize) else { return };
        let arrival = flow.on_packet(stamp.number);
        self.arrived += 1;
        if !stamp.measured {
            return;
        }
        let group = &mut self.groups[group];
        if misrouted {
            group.misrouted += 1;
        }
        match arrival {
            Arrival::Again => {
                group.duplicates += 1;
                return;
            }
            Arrival::Late => group.late += 1,
            Arrival::InOrder => {}
        }
        group.received += 1;
        group.latency.add(arrived_at.saturating_sub(stamp.sent_at));
    }

    pub fn results(&self) -> Vec<GroupResult> {
        let result = |group: &Group| GroupResult {
            name: group.name.clone(),
            sent: group.sent,
            received: group.received,
            duplicates: group.duplicates,
            reordered: group.late,
            misrouted: group.misrouted,
            latency_us: group.latency.summary(),
        };
        self.groups.iter().map(result).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_packet_counts_once_and_only_if_it_was_sent_in_time() {
        let mut tally = Tally::new(&["a".into()], 1);
        let stamp = |number, measured| Stamp { run: 1, end: 0, number, sent_at: 100, measured };
        for number in 0..3 {
            tally.on_sent(0);
            tally.on_arrival(&stamp(number, true), 0, false, 140);
        }
        tally.on_arrival(&stamp(2, true), 0, false, 150);
        tally.on_arrival(&stamp(3, false), 0, true, 150);
        tally.on_arrival(&Stamp { end: 9, ..stamp(0, true) }, 0, false, 150);
        let result = &tally.results()[0];
        assert_eq!((result.sent, result.received, result.duplicates, result.misrouted), (3, 3, 1, 0));
        assert_eq!(result.latency_us.p99, 40);
    }
}
