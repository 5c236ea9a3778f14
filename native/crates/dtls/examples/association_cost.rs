//! What an association costs a server: `cargo run --release -p trunkline-dtls --example association_cost [HANDSHAKES]`.
//!
//! Prints handshakes per second of one core (our side only; the client runs beside it on the same core, untimed) and bytes held
//! while the handshake runs and once it is connected; a dropped association holds none. What the cryptography allocates in C is not
//! among them.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};
use std::time::{Duration, Instant};

use dimpl::{Config, Dtls, DtlsCertificate};
use trunkline_dtls::{Association, Certificate, Fingerprint, Options, Output, Role};

struct Counting;

static HELD: AtomicIsize = AtomicIsize::new(0);

// SAFETY: everything is the system's allocator's business; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`, and all pointers are of `System`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A peer that is not ours, of one version.
struct Client {
    dtls: Dtls,
    began: Instant,
}

impl Client {
    fn new(version: &str, config: &Arc<Config>, certificate: &DtlsCertificate) -> Self {
        let began = Instant::now();
        let make = if version == "DTLS 1.2" { Dtls::new_12 } else { Dtls::new_13 };
        let mut dtls = make(Arc::clone(config), certificate.clone(), began);
        dtls.set_active(true);
        Self { dtls, began }
    }

    fn answers(&mut self, datagrams: &[Vec<u8>]) -> Vec<Vec<u8>> {
        self.dtls.handle_timeout(self.began).expect("nothing is due");
        for datagram in datagrams {
            self.dtls.handle_packet(datagram).expect("the handshake is good");
        }
        let mut out = [0; 2_048];
        let mut answers = Vec::new();
        loop {
            match self.dtls.poll_output(&mut out) {
                dimpl::Output::Packet(datagram) => answers.push(datagram.to_vec()),
                dimpl::Output::Timeout(_) => return answers,
                _ => {}
            }
        }
    }
}

/// Our side, with the time that it took.
struct Server {
    association: Association,
    is_connected: bool,
}

impl Server {
    fn new(certificate: &Certificate, wanted: &Fingerprint) -> Self {
        let options = Options { role: Role::Server, peer_fingerprints: vec![wanted.clone()] };
        Self { association: Association::new(options, certificate, 0), is_connected: false }
    }

    fn answers(&mut self, datagrams: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut out = [0; 1_200];
        let mut answers = Vec::new();
        for datagram in datagrams {
            self.association.handle(datagram, 0);
            while let Some(output) = self.association.poll(&mut out) {
                match output {
                    Output::Send(length) => answers.push(out[..length].to_vec()),
                    Output::Connected { .. } => self.is_connected = true,
                    other => panic!("{other:?}"),
                }
            }
        }
        answers
    }
}

struct Bench {
    version: &'static str,
    config: Arc<Config>,
    client_certificate: DtlsCertificate,
    certificate: Certificate,
    wanted: Fingerprint,
}

impl Bench {
    fn new(version: &'static str) -> Self {
        let client_certificate =
            dimpl::certificate::generate_self_signed_certificate().expect("a certificate");
        let value = client_certificate.fingerprint_str();
        Self {
            version,
            config: Arc::new(Config::default()),
            client_certificate,
            certificate: Certificate::generate(),
            wanted: Fingerprint { algorithm: "sha-256".into(), value },
        }
    }

    /// The server's part of one handshake, in time.
    fn handshake(&self) -> Duration {
        let mut client = Client::new(self.version, &self.config, &self.client_certificate);
        let mut datagrams = client.answers(&[]);
        let mut took = Duration::ZERO;
        let began = Instant::now();
        let mut server = Server::new(&self.certificate, &self.wanted);
        took += began.elapsed();
        while !server.is_connected {
            let began = Instant::now();
            datagrams = server.answers(&datagrams);
            took += began.elapsed();
            datagrams = client.answers(&datagrams);
        }
        assert_eq!(server.association.version(), Some(self.version));
        took
    }

    fn print_speed(&self, handshakes: u32) {
        for _ in 0..handshakes / 10 {
            self.handshake();
        }
        let mut took: Vec<Duration> = (0..handshakes).map(|_| self.handshake()).collect();
        took.sort_unstable();
        let mean = took.iter().sum::<Duration>() / handshakes;
        let median = took[took.len() / 2];
        let per_second = |each: Duration| 1.0 / each.as_secs_f64();
        println!(
            "{}: {:.0} handshakes per second and core (of the median {:.0}), as server, with a client certificate",
            self.version,
            per_second(mean),
            per_second(median)
        );
    }

    fn print_bytes(&self) {
        let mut client = Client::new(self.version, &self.config, &self.client_certificate);
        let mut datagrams = client.answers(&[]);
        let before = HELD.load(Ordering::Relaxed);
        let mut server = Server::new(&self.certificate, &self.wanted);
        let mut bytes = HELD.load(Ordering::Relaxed) - before + size_of::<Association>() as isize;
        let mut during = None;
        while !server.is_connected {
            let before = HELD.load(Ordering::Relaxed);
            let flight = server.answers(&datagrams);
            let datagrams_alone: usize = flight.iter().map(Vec::capacity).sum();
            bytes += HELD.load(Ordering::Relaxed) - before - datagrams_alone as isize;
            during.get_or_insert(bytes);
            datagrams = client.answers(&flight);
        }
        let during = during.unwrap_or_default();
        println!("{}: {during} bytes while the handshake runs, {bytes} bytes connected", self.version);
    }
}

fn main() {
    let handshakes = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(3_000);
    for version in ["DTLS 1.2", "DTLS 1.3"] {
        let bench = Bench::new(version);
        bench.print_speed(handshakes);
        bench.print_bytes();
    }
}
