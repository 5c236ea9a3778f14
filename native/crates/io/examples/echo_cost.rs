//! What a relayed packet costs in plain batches on loopback, so that regressions are seen.
//!
//! `cargo run --release -p trunkline-io --example echo_cost`
//!
//! Only receiving and sending on is timed: one thread fills the sockets, relays (timed), and empties the far end. On loopback
//! the sender also does the receiving side's work in the kernel, so numbers are for comparison only.
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use trunkline_io::{Batch, UdpOptions, bind_udp, pin_to_core, raise_file_limit};

const PACKETS_PER_CASE: usize = 200_000;
const CAPACITY: usize = 256;

fn main() -> std::io::Result<()> {
    raise_file_limit();
    pin_to_core(std::thread::available_parallelism()?.get() - 1)?;
    println!("sockets  packets/socket  µs/packet: median  best");
    for (sockets, each) in [(1, 1), (1, 8), (1, 64), (1, 256), (16, 16), (64, 1), (256, 1)] {
        let mut rounds = Relay::new(sockets, each)?.run()?;
        rounds.sort_unstable();
        let per_packet = |time: Duration| time.as_secs_f64() * 1e6 / (sockets * each) as f64;
        let (median, best) = (per_packet(rounds[rounds.len() / 2]), per_packet(rounds[0]));
        println!("{sockets:7}  {each:14}  {median:17.2}  {best:4.2}");
    }
    Ok(())
}

struct Relay {
    /// Pairs of a socket of ours and its address.
    legs: Vec<(OwnedFd, SocketAddr)>,
    source: OwnedFd,
    sink: (OwnedFd, SocketAddr),
    each: usize,
    batch: Batch,
    outside: Batch,
}

impl Relay {
    fn new(sockets: usize, each: usize) -> std::io::Result<Self> {
        Ok(Self {
            legs: (0..sockets).map(|_| bound()).collect::<Result<_, _>>()?,
            source: bound()?.0,
            sink: bound()?,
            each,
            batch: Batch::new(CAPACITY),
            outside: Batch::new(CAPACITY),
        })
    }

    fn run(&mut self) -> std::io::Result<Vec<Duration>> {
        let packets = self.legs.len() * self.each;
        let mut rounds = Vec::new();
        for round in 0..(PACKETS_PER_CASE / packets).clamp(100, 20_000) {
            self.fill();
            let start = Instant::now();
            let relayed = self.relay()?;
            let time = start.elapsed();
            assert_eq!((relayed, self.empty()?), (packets, packets), "round {round} lost packets");
            rounds.push(time);
        }
        Ok(rounds)
    }

    /// The part that is measured.
    fn relay(&mut self) -> std::io::Result<usize> {
        for (socket, _) in &self.legs {
            self.batch.receive(socket.as_raw_fd())?;
        }
        // Each goes out through the socket of its leg, as in per-call sockets.
        for index in 0..self.batch.len() {
            let out = self.legs[index / self.each].0.as_raw_fd();
            self.batch.get(index).packet.bytes_mut()[1] ^= 1;
            self.batch.queue(index, out, self.sink.1);
        }
        Ok(self.batch.flush(|_, _| {}).sent as usize)
    }

    fn fill(&mut self) {
        for (_, to) in &self.legs {
            for _ in 0..self.each {
                assert!(self.outside.queue_bytes(self.source.as_raw_fd(), *to, &[0; 172]));
            }
        }
        self.outside.flush(|_, _| {});
    }

    fn empty(&mut self) -> std::io::Result<usize> {
        let count = self.outside.receive(self.sink.0.as_raw_fd())?;
        self.outside.flush(|_, _| {});
        Ok(count)
    }
}

fn bound() -> std::io::Result<(OwnedFd, SocketAddr)> {
    let options = UdpOptions { receive_buffer: 1 << 20, dscp: 0 };
    let socket = bind_udp(SocketAddr::from(([127, 0, 0, 1], 0)), options, false)?;
    let address = UdpSocket::from(socket.try_clone()?).local_addr()?;
    Ok((socket, address))
}
