//! Calls that talk while something is done to their relay.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use trunkline_control::Event;

use super::{Gateway, Heard, Phone, audio_side, connect};

pub const KILL: i32 = 9;

/// What one phone heard.
#[derive(Default)]
pub struct Seen {
    pub packets: u64,
    last: Option<(Instant, u32, u64)>,
    /// Longest time between two packets.
    pub longest: Duration,
    indexes: HashSet<u64>,
}

impl Seen {
    fn on_packet(&mut self, heard: Heard) {
        let now = Instant::now();
        let (before, ssrc, newest) = self.last.unwrap_or((now, heard.ssrc, heard.sequence.into()));
        assert_eq!(heard.ssrc, ssrc, "one SSRC for the whole call");
        let step = heard.sequence.wrapping_sub(newest as u16) as i16;
        let index = newest.wrapping_add_signed(step.into());
        assert!(self.indexes.insert(index), "index {index} came twice");
        self.packets += 1;
        self.longest = self.longest.max(now - before);
        self.last = Some((now, ssrc, newest.max(index)));
    }
}

/// A call between two phones, one of them with SRTP.
pub fn call(gateway: &mut Gateway, id: &str) -> [Phone; 2] {
    let opened = gateway.open(id, vec![audio_side("a"), audio_side("b")]);
    let mut phones = ["a", "b"].map(|side| Phone::new(&opened, side));
    gateway.change(id, phones[0].remote(true));
    gateway.change(id, phones[1].remote(false));
    gateway.change(id, connect("a", "b"));
    phones
}

/// All phones talk every 20 ms until told to stop; what each heard.
fn talk(phones: &mut [Phone], stop: &AtomicBool) -> Vec<Seen> {
    let poller = trunkline_io::Poller::new().unwrap();
    for (n, phone) in phones.iter().enumerate() {
        poller.add(phone.fd(), n as u64).unwrap();
    }
    let mut seen: Vec<Seen> = phones.iter().map(|_| Seen::default()).collect();
    let (mut next, mut word, mut ready) = (Instant::now(), 0, Vec::new());
    while !stop.load(Ordering::Relaxed) {
        let left = next.saturating_duration_since(Instant::now());
        if left.is_zero() {
            word += 1;
            next += Duration::from_millis(20);
            phones.iter_mut().for_each(|phone| phone.say(word));
        }
        ready.clear();
        poller.wait(&mut ready, Some(left.as_micros() as u64)).unwrap();
        for &n in &ready {
            let heard = phones[n as usize].hear_within(Duration::from_millis(1));
            // What is protected twice under one index is a replay.
            if let Some(heard) = heard {
                seen[n as usize].on_packet(heard.expect("authentic, and for the first time"));
            }
        }
    }
    seen
}

/// Ends the talk, also when what is tried fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs calls while something is done to the relay; what each phone heard.
pub fn under_traffic(gateway: &mut Gateway, calls: usize, disturb: impl FnOnce(&mut Gateway)) -> Vec<Seen> {
    let mut phones: Vec<Phone> = (0..calls).flat_map(|n| call(gateway, &format!("call{n:03}"))).collect();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let talk = scope.spawn(|| talk(&mut phones, &stop));
        {
            let _quiet = Stop(&stop);
            disturb(gateway);
        }
        talk.join().unwrap()
    })
}

pub fn recovered(gateway: &mut Gateway, calls: usize) -> f64 {
    match gateway.event(|event| matches!(event, Event::Recovered { .. })) {
        Event::Recovered { sessions, gap_ms } => {
            assert_eq!(sessions as usize, calls);
            gap_ms
        }
        _ => unreachable!(),
    }
}
