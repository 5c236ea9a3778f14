//! Clients that join a small relay of one call each: STUN, DTLS and SRTP on one side, RTP on the other.

use std::io::Write;
use std::net::{SocketAddr, UdpSocket};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use trunkline_base::Packet;
use trunkline_dtls::{Association, Certificate, Fingerprint, Options, Output, Role};
use trunkline_ice::{REPLY_BYTES, is_authentic, read_check, success};
use trunkline_io::now;
use trunkline_srtp::{Opener, Received};

const PASSWORD: &str = "a password for the relay";

/// What a relay does with the first check, so that the client has to repeat it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FirstCheck {
    Answered,
    Lost,
}

/// Serves one client until nothing came for a second.
struct Relay {
    socket: UdpSocket,
    association: Association,
    opener: Option<Opener>,
    received: Received,
    phone: SocketAddr,
    checks_to_lose: usize,
}

impl Relay {
    fn new(certificate: &Certificate, client: &str, phone: SocketAddr, first_check: FirstCheck) -> Self {
        let peer = Fingerprint { algorithm: "sha-256".into(), value: client.into() };
        let options = Options { role: Role::Server, peer_fingerprints: vec![peer] };
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        Self {
            socket,
            association: Association::new(options, certificate, now()),
            opener: None,
            received: Received::default(),
            phone,
            checks_to_lose: usize::from(first_check == FirstCheck::Lost),
        }
    }

    fn serve(mut self) {
        let mut bytes = [0; 2_048];
        while let Ok((length, from)) = self.socket.recv_from(&mut bytes) {
            match bytes[0] {
                0..=3 => self.on_check(&bytes[..length], from),
                20..=63 => self.on_dtls(&bytes[..length], from),
                _ => self.on_media(&bytes[..length]),
            }
        }
    }

    fn on_check(&mut self, bytes: &[u8], from: SocketAddr) {
        let check = read_check(bytes).unwrap();
        assert!(is_authentic(bytes, PASSWORD));
        assert_eq!((check.local_ufrag, check.remote_ufrag, check.use_candidate), ("relay", "client", true));
        if self.checks_to_lose > 0 {
            self.checks_to_lose -= 1;
            return;
        }
        let mut reply = [0; REPLY_BYTES];
        let length = success(&mut reply, &check.transaction, from, PASSWORD);
        self.socket.send_to(&reply[..length], from).unwrap();
    }

    fn on_dtls(&mut self, bytes: &[u8], from: SocketAddr) {
        self.association.handle(bytes, now());
        let mut datagram = [0; 2_048];
        while let Some(output) = self.association.poll(&mut datagram) {
            match output {
                Output::Send(length) => drop(self.socket.send_to(&datagram[..length], from)),
                Output::Connected { receive, .. } => self.opener = Opener::new(&receive),
                Output::Failed(reason) => panic!("{reason}"),
                Output::Closed => {}
            }
        }
    }

    fn on_media(&mut self, bytes: &[u8]) {
        let mut packet = Packet::from_bytes(bytes);
        if let Some(opener) = &self.opener
            && opener.open_rtp(&mut packet, &mut self.received).is_ok()
        {
            self.socket.send_to(packet.bytes(), self.phone).unwrap();
        }
    }
}

fn run(joins: usize, first_check: FirstCheck) -> Value {
    let file = std::env::temp_dir().join(format!("trunkline-load-test-{}-{joins}", std::process::id()));
    let load = || Command::new(env!("CARGO_BIN_EXE_trunkline-load"));
    let output = load().arg("certificate").arg(&file).output().unwrap();
    let client = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    let certificate = Certificate::generate();
    let mut ends = Vec::new();
    let mut relays = Vec::new();
    for join in 0..joins {
        let phone = free_address();
        let relay = Relay::new(&certificate, &client, phone, first_check);
        let relay_address = relay.socket.local_addr().unwrap();
        ends.push(json!({
            "bind": free_address(), "remote": relay_address, "group": "joining", "peer": 2 * join + 1,
            "joinAtUs": join * 5_000,
            "webrtc": {
                "localUfrag": "client", "remoteUfrag": "relay", "remotePwd": PASSWORD,
                "fingerprintAlgorithm": "sha-256", "fingerprint": certificate.fingerprint(),
            },
        }));
        ends.push(json!({
            "bind": phone, "remote": relay_address, "group": "joining", "peer": 2 * join, "silent": true,
        }));
        relays.push(std::thread::spawn(move || relay.serve()));
    }
    let plan = json!({ "run": 3, "warmUpMs": 10, "measureMs": 200, "drainMs": 10, "certificate": file, "ends": ends });
    let mut child = load().arg("-").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(plan.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    std::fs::remove_file(&file).unwrap();
    relays.into_iter().for_each(|relay| relay.join().unwrap());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn free_address() -> SocketAddr {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn a_join_is_complete_when_the_phone_got_a_packet() {
    let result = run(8, FirstCheck::Answered);
    let joins = &result["joins"];
    assert_eq!((&joins["started"], &joins["completed"]), (&json!(8), &json!(8)), "{result}");
    assert_eq!(joins["dtls"], "DTLS 1.3");
    assert!(joins["joinUs"]["max"].as_u64() >= joins["handshakeUs"]["p50"].as_u64());
    assert_eq!(result["failures"], json!([]));
}

#[test]
fn a_lost_check_is_repeated() {
    let result = run(2, FirstCheck::Lost);
    assert_eq!(result["joins"]["completed"], 2, "{result}");
    assert!(result["joins"]["handshakeUs"]["p50"].as_u64().unwrap() >= 100_000);
}
