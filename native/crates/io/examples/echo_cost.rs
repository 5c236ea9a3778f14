//! What a relayed packet costs on loopback, in plain batches and through io_uring, so that regressions are seen.
//!
//! `cargo run --release -p trunkline-io --example echo_cost`
//!
//! Only waiting, receiving and sending on is timed: one thread fills the sockets, relays (timed), and empties the far end. On
//! loopback the sender also does the receiving side's work in the kernel, so numbers are for comparison only.
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use trunkline_io::{Batch, Poller, Ring, UdpOptions, bind_udp, pin_to_core, probe_uring, raise_file_limit};

const PACKETS_PER_CASE: usize = 200_000;
const CAPACITY: usize = 256;

fn main() -> std::io::Result<()> {
    raise_file_limit();
    pin_to_core(std::thread::available_parallelism()?.get() - 1)?;
    let uring = probe_uring();
    if let Err(reason) = &uring {
        println!("no io_uring: {reason}");
    }
    println!("sockets  packets/socket  backend  µs/packet: median  best");
    for (sockets, each) in [(1, 1), (1, 8), (1, 64), (1, 256), (16, 16), (64, 1), (256, 1)] {
        measure("batch", sockets, each, None)?;
        if uring.is_ok() {
            measure("uring", sockets, each, Some(Ring::new()?))?;
        }
    }
    Ok(())
}

fn measure(backend: &str, sockets: usize, each: usize, ring: Option<Ring>) -> std::io::Result<()> {
    let mut rounds = Relay::new(sockets, each, ring)?.run()?;
    rounds.sort_unstable();
    let per_packet = |time: Duration| time.as_secs_f64() * 1e6 / (sockets * each) as f64;
    let (median, best) = (per_packet(rounds[rounds.len() / 2]), per_packet(rounds[0]));
    println!("{sockets:7}  {each:14}  {backend:7}  {median:17.2}  {best:4.2}");
    Ok(())
}

struct Relay {
    /// A socket of ours and its address.
    legs: Vec<(OwnedFd, SocketAddr)>,
    source: OwnedFd,
    sink: (OwnedFd, SocketAddr),
    each: usize,
    poller: Poller,
    ring: Option<Ring>,
    batch: Batch,
    /// Leg of each datagram in `batch`.
    tokens: Vec<u32>,
    ready: Vec<u64>,
    outside: Batch,
}

impl Relay {
    fn new(sockets: usize, each: usize, mut ring: Option<Ring>) -> std::io::Result<Self> {
        let legs: Vec<_> = (0..sockets).map(|_| bound()).collect::<Result<_, _>>()?;
        let poller = Poller::new()?;
        for (leg, (socket, _)) in legs.iter().enumerate() {
            match &mut ring {
                Some(ring) => ring.watch(socket.as_raw_fd(), leg as u32)?,
                None => poller.add(socket.as_raw_fd(), leg as u64)?,
            }
        }
        if let Some(ring) = &ring {
            poller.add(ring.fd(), 0)?;
        }
        let (batch, outside) = (Batch::new(CAPACITY), Batch::new(CAPACITY));
        let (source, sink) = (bound()?.0, bound()?);
        let (tokens, ready) = (Vec::new(), Vec::new());
        Ok(Self { legs, source, sink, each, poller, ring, batch, tokens, ready, outside })
    }

    fn run(&mut self) -> std::io::Result<Vec<Duration>> {
        let packets = self.legs.len() * self.each;
        let mut rounds = Vec::new();
        for round in 0..(PACKETS_PER_CASE / packets).clamp(100, 20_000) {
            self.fill();
            let start = Instant::now();
            let relayed = self.relay(packets)?;
            let time = start.elapsed();
            assert_eq!((relayed, self.empty()?), (packets, packets), "round {round} lost packets");
            rounds.push(time);
        }
        Ok(rounds)
    }

    /// The part that is measured.
    fn relay(&mut self, packets: usize) -> std::io::Result<usize> {
        self.tokens.clear();
        while self.batch.len() < packets {
            self.poller.wait(&mut self.ready, None)?;
            self.receive()?;
        }
        // Each goes out through the socket of its leg, as in per-call sockets.
        for index in 0..self.batch.len() {
            let out = self.legs[self.tokens[index] as usize].0.as_raw_fd();
            self.batch.get(index).packet.bytes_mut()[1] ^= 1;
            self.batch.queue(index, out, self.sink.1);
        }
        Ok(self.batch.flush(|_, _| {}).sent as usize)
    }

    fn receive(&mut self) -> std::io::Result<()> {
        if let Some(ring) = &mut self.ring {
            ring.receive(&mut self.batch, &mut self.tokens)?;
            return Ok(());
        }
        for &leg in &self.ready {
            let count = self.batch.receive(self.legs[leg as usize].0.as_raw_fd())?;
            self.tokens.extend(std::iter::repeat_n(leg as u32, count));
        }
        Ok(())
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
