//! Time of a core and of processes, as the kernel counts it.

use std::fs::read_to_string;
use std::io;

use serde::Serialize;
use trunkline_base::Micros;

use crate::plan::Watch;

/// Ticks of `/proc` are 10 ms on every Linux that we run on (`USER_HZ` is 100).
const TICK: Micros = 10_000;

/// Counters at one moment.
pub struct Sample {
    at: Micros,
    idle: Micros,
    steal: Micros,
    process: Micros,
    own: Micros,
    waiting: Option<Micros>,
    dropped: u64,
}

/// What happened between two samples.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Time between the samples.
    pub wall_us: Micros,
    /// Time in which the core was not idle: of processes, of interrupts, taken by the hypervisor.
    pub core_busy_us: Micros,
    /// Of this: taken by the hypervisor.
    pub core_stolen_us: Micros,
    /// CPU time of the processes.
    pub process_us: Micros,
    /// CPU time of the generator itself.
    pub own_us: Micros,
    /// Time in which some thread of the machine waited for a core; absent where the kernel does not say (PSI).
    pub waiting_us: Option<Micros>,
    /// Datagrams dropped before the sockets of the first process and all others of its network namespace.
    pub dropped: u64,
}

impl Watch {
    /// # Errors
    /// A process is gone, or there is no such core.
    pub fn sample(&self, now: Micros) -> io::Result<Sample> {
        let (idle, steal) = core_times(&read_to_string("/proc/stat")?, self.core)
            .ok_or_else(|| io::Error::other(format!("no core {} in /proc/stat", self.core)))?;
        let mut process = 0;
        for pid in &self.pids {
            let text = read_to_string(format!("/proc/{pid}/stat"))
                .map_err(|error| io::Error::new(error.kind(), format!("process {pid} is gone")))?;
            process +=
                process_time(&text).ok_or_else(|| io::Error::other("unknown form of /proc/PID/stat"))?;
        }
        let own = process_time(&read_to_string("/proc/self/stat")?).unwrap_or(0);
        let dropped = self.pids.first().map_or(Ok(0), |pid| dropped_datagrams(&pid.to_string()))?;
        let waiting = read_to_string("/proc/pressure/cpu").ok().and_then(|text| time_waited(&text));
        Ok(Sample { at: now, idle, steal, process, own, waiting, dropped })
    }
}

impl Sample {
    pub fn until(&self, end: &Sample) -> Usage {
        let wall = end.at - self.at;
        Usage {
            wall_us: wall,
            core_busy_us: wall.saturating_sub(end.idle.saturating_sub(self.idle)),
            core_stolen_us: end.steal.saturating_sub(self.steal),
            process_us: end.process.saturating_sub(self.process),
            own_us: end.own.saturating_sub(self.own),
            waiting_us: end.waiting.zip(self.waiting).map(|(end, begin)| end.saturating_sub(begin)),
            dropped: end.dropped.saturating_sub(self.dropped),
        }
    }
}

/// Datagrams that found a socket's buffer full, in the network namespace of a process (`self`, or its id).
///
/// # Errors
/// The process is gone.
pub fn dropped_datagrams(process: &str) -> io::Result<u64> {
    let text = read_to_string(format!("/proc/{process}/net/snmp"))?;
    Ok(udp_counter(&text, "RcvbufErrors").unwrap_or(0))
}

/// Idle (with waiting for discs) and stolen time of a core in `/proc/stat`.
fn core_times(text: &str, core: usize) -> Option<(Micros, Micros)> {
    let name = format!("cpu{core} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&name))?;
    let ticks: Vec<u64> = line.split_whitespace().map_while(|word| word.parse().ok()).collect();
    Some(((ticks.get(3)? + ticks.get(4)?) * TICK, ticks.get(7)? * TICK))
}

/// User and system time in `/proc/PID/stat`; the name in parentheses may contain blanks.
fn process_time(text: &str) -> Option<Micros> {
    let mut fields = text.get(text.rfind(')')? + 2..)?.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((user + system) * TICK)
}

/// `some … total=` of `/proc/pressure/cpu`, in µs.
fn time_waited(text: &str) -> Option<Micros> {
    let line = text.lines().find_map(|line| line.strip_prefix("some "))?;
    line.rsplit_once("total=")?.1.parse().ok()
}

/// `/proc/net/snmp` has a line of names and one of values for each protocol.
fn udp_counter(text: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("Udp: "));
    let at = lines.next()?.split(' ').position(|word| word == name)?;
    lines.next()?.split(' ').nth(at)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_time_includes_waiting_and_steal_is_apart() {
        let text = "cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 1 2 3 4 5 6 7 8 0 0\ncpu1 10 0 0 70 1 0 0 3 0 0\nintr 5\n";
        assert_eq!(core_times(text, 1), Some((710_000, 30_000)));
        assert_eq!(core_times(text, 2), None);
    }

    #[test]
    fn the_time_of_a_process_whatever_its_name() {
        let text = "17 (a ) b (c)) S 1 17 17 0 -1 4194304 5 0 0 0 120 34 0 0 20 0 1 0 9 9 9";
        assert_eq!(process_time(text), Some(1_540_000));
    }

    #[test]
    fn the_time_threads_waited_is_the_total() {
        let text = "some avg10=1.00 avg60=2.00 avg300=3.00 total=456\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
        assert_eq!(time_waited(text), Some(456));
    }

    #[test]
    fn counters_are_found_by_name() {
        let text = "Tcp: A B\nTcp: 1 2\nUdp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors\nUdp: 5 0 2 7 2\n";
        assert_eq!(udp_counter(text, "RcvbufErrors"), Some(2));
        assert_eq!(udp_counter(text, "Missing"), None);
    }

    #[test]
    fn the_machine_this_runs_on_can_be_read() {
        let watch = Watch { core: 0, pids: vec![std::process::id()] };
        let usage = watch.sample(0).unwrap().until(&watch.sample(10).unwrap());
        assert_eq!(usage.wall_us, 10);
    }
}
