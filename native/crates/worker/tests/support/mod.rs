//! A real keeper with its relays on loopback, a gateway's end of its control socket, and phones.
#![allow(dead_code, unused_imports, reason = "each test uses a part of it")]

mod gateway;
mod phone;
pub mod traffic;

use std::io::{BufRead, BufReader, Read};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

pub use gateway::{Gateway, audio_side, connect, webrtc_side};
pub use phone::{Heard, Phone};

/// Longest time a test waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(10);

static NEXT: AtomicU32 = AtomicU32::new(0);
/// Below the system's ephemeral ports, apart for each keeper of this process, and by chance for other processes.
static NEXT_PORT: AtomicU16 = AtomicU16::new(0);

/// A keeper that was started for a test.
pub struct Keeper {
    pub control: PathBuf,
    /// What it said when it was ready.
    pub ready: Value,
    child: Child,
    notes: Arc<Mutex<String>>,
}

impl Keeper {
    /// With so many pairs of RTP ports, and further options.
    pub fn start(pairs: u16, options: &[&str]) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("trunkline-{}-{number}.sock", std::process::id());
        let control = std::env::temp_dir().join(name);
        let ports = free_ports(pairs);
        let mut child = Command::new(program())
            .args(["keep", "--control", control.to_str().unwrap(), "--webrtc-ports", "0-0"])
            .args(["--rtp-ports", &ports, "--advertise", "127.0.0.1", "--threads", "2"])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let notes = Arc::new(Mutex::new(String::new()));
        let (stderr, kept) = (child.stderr.take().unwrap(), notes.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                *kept.lock().unwrap() += &(line + "\n");
            }
        });
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_default();
        assert_eq!(ready["ready"], true, "{line}{}", notes.lock().unwrap());
        Self { control, ready, child, notes }
    }

    pub fn gateway(&self) -> Gateway {
        Gateway::connect(&self.control)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Process ids of its relays, the waiting one included.
    pub fn relays(&self) -> Vec<u32> {
        let path = format!("/proc/{0}/task/{0}/children", self.pid());
        let children = std::fs::read_to_string(path).unwrap();
        children.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
    }

    /// Its lines on stderr so far.
    pub fn notes(&self) -> String {
        self.notes.lock().unwrap().clone()
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self) -> std::process::ExitStatus {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < until, "the keeper goes on: {}", self.notes());
            std::thread::yield_now();
        }
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            signal(self.child.id(), 15);
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            eprintln!("{}", self.notes());
        }
    }
}

/// The program of this version. Tests of the next one find it beside theirs.
fn program() -> PathBuf {
    let next = option_env!("CARGO_BIN_EXE_trunkline-media-next")
        .map(|path| PathBuf::from(path).with_file_name("trunkline-media"));
    let program = option_env!("CARGO_BIN_EXE_trunkline-media").map(PathBuf::from).or(next).unwrap();
    assert!(program.exists(), "{} is built by a test of the whole workspace", program.display());
    program
}

/// Sends a signal to a process.
pub fn signal(pid: u32, number: i32) {
    if let Ok(process) = trunkline_io::pidfd(pid) {
        let _ = trunkline_io::send_signal(process.as_fd(), number);
    }
}

/// Waits until a process is gone.
pub fn wait_for_end(pid: u32) {
    use std::os::fd::AsRawFd;
    let Ok(process) = trunkline_io::pidfd(pid) else { return };
    let poller = trunkline_io::Poller::new().unwrap();
    poller.add(process.as_raw_fd(), 0).unwrap();
    let mut ready = Vec::new();
    poller.wait(&mut ready, Some(PATIENCE.as_micros() as u64)).unwrap();
    assert!(!ready.is_empty(), "process {pid} goes on");
}

/// A range of ports that nobody has.
fn free_ports(pairs: u16) -> String {
    let start = 20_000 + (std::process::id() % 50) as u16 * 200;
    for _ in 0..100 {
        let from = start + NEXT_PORT.fetch_add(pairs * 2, Ordering::Relaxed) % 2_000;
        let from = from + from % 2;
        let to = from + pairs * 2 - 1;
        if (from..=to).all(|port| std::net::UdpSocket::bind(("0.0.0.0", port)).is_ok()) {
            return format!("{from}-{to}");
        }
    }
    panic!("no free ports");
}

/// Reads what a stream still has.
pub fn rest_of(mut stream: impl Read) -> Vec<u8> {
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    rest
}
