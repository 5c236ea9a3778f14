//! OpenSSL as the peer, on loopback: DTLS 1.2 in both roles, whole and in small pieces, and the same keys on both sides.

use std::io::{Read, Write};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use trunkline_dtls::{Association, Certificate, Fingerprint, Options, Output, Role};
use trunkline_srtp::{MasterKey, Suite};

/// Chromium's order, which does not bind us as a server.
const OFFERED: &str = "-use_srtp SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM";
/// A server of OpenSSL takes the first of its own.
const CHOSEN: &str = "-use_srtp SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80";

/// `false`, with a line about it, where there is no OpenSSL; with `CI=true` there must be.
fn has_openssl() -> bool {
    let found = Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_ok();
    assert!(found || std::env::var_os("CI").is_none_or(|ci| ci != "true"), "openssl is missing");
    if !found {
        eprintln!("skipped: no openssl");
    }
    found
}

/// A folder of this test's own with the certificate and the key that OpenSSL shows.
struct Files(PathBuf);

impl Files {
    fn new(name: &str, certificate: &Certificate) -> Self {
        let folder = std::env::temp_dir().join(format!("trunkline-dtls-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        // As `Certificate::to_bytes` lays it out: a length, the certificate, the key.
        let bytes = certificate.to_bytes();
        let (length, rest) = bytes.split_first_chunk().unwrap();
        let (certificate, key) = rest.split_at(u16::from_be_bytes(*length).into());
        std::fs::write(folder.join("certificate"), certificate).unwrap();
        std::fs::write(folder.join("key"), key).unwrap();
        Self(folder)
    }

    fn path(&self, file: &str) -> String {
        Path::new(&self.0).join(file).display().to_string()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running OpenSSL, ended with the test.
struct OpenSsl {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl OpenSsl {
    fn start(arguments: &[String]) -> Self {
        let mut child = Command::new("openssl")
            .args(arguments)
            .arg("-dtls1_2")
            .args(["-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", "56"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (mut stdout, heard) = (child.stdout.take().unwrap(), Arc::clone(&said));
        std::thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while let Ok(length @ 1..) = stdout.read(&mut buffer) {
                heard.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..length]));
            }
        });
        Self { child, said }
    }

    /// What it says after `marker`, up to the end of the line.
    fn line_after(&self, marker: &str) -> Option<String> {
        let said = self.said.lock().unwrap();
        let (_, rest) = said.split_once(marker)?;
        let (line, _) = rest.split_once('\n')?;
        Some(line.trim().to_owned())
    }
}

impl Drop for OpenSsl {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Our side, on a socket.
struct Ours {
    association: Association,
    socket: UdpSocket,
    began: Instant,
    keys: Option<(MasterKey, MasterKey)>,
    failed: Option<String>,
    closed: bool,
}

impl Ours {
    fn new(role: Role, certificate: &Certificate, wanted: &Certificate) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let wanted = Fingerprint { algorithm: "sha-256".into(), value: wanted.fingerprint() };
        let options = Options { role, peer_fingerprints: vec![wanted] };
        Self {
            association: Association::new(options, certificate, 0),
            socket,
            began: Instant::now(),
            keys: None,
            failed: None,
            closed: false,
        }
    }

    fn now(&self) -> u64 {
        self.began.elapsed().as_micros() as u64
    }

    /// Until `is_enough`, or five seconds are over.
    fn run(&mut self, is_enough: impl Fn(&Self) -> bool) {
        let ends = self.now() + 5_000_000;
        let mut buffer = [0; 2_048];
        while self.now() < ends {
            self.drain();
            if is_enough(self) {
                return;
            }
            let wait = self.association.deadline().unwrap_or(u64::MAX).saturating_sub(self.now());
            let wait = Duration::from_micros(wait.clamp(1_000, 50_000));
            self.socket.set_read_timeout(Some(wait)).unwrap();
            match self.socket.recv_from(&mut buffer) {
                Ok((length, from)) => {
                    self.socket.connect(from).unwrap();
                    self.association.handle(&buffer[..length], self.now());
                }
                Err(_) => self.association.wake(self.now()),
            }
        }
    }

    fn drain(&mut self) {
        let mut out = [0; 1_200];
        while let Some(output) = self.association.poll(&mut out) {
            match output {
                // Refused while OpenSSL does not listen yet; it comes again.
                Output::Send(length) => drop(self.socket.send(&out[..length])),
                Output::Connected { send, receive } => self.keys = Some((send, receive)),
                Output::Failed(reason) => self.failed = Some(reason),
                Output::Closed => self.closed = true,
            }
        }
    }

    /// Both sides derived the same: the client's key, the server's key, then the salts (RFC 5764 §4.2).
    fn assert_same_keys(&self, role: Role, openssl: &OpenSsl) {
        assert_eq!(self.failed, None);
        let (send, receive) = self.keys.expect("keys");
        assert_eq!(send.suite, Suite::AeadAes128Gcm as u8);
        let (client, server) = if role == Role::Client { (send, receive) } else { (receive, send) };
        let exported =
            [&client.key[..16], &server.key[..16], &client.salt[..12], &server.salt[..12]].concat();
        let ours: String = exported.iter().map(|byte| format!("{byte:02X}")).collect();
        let ends = Instant::now() + Duration::from_secs(5);
        while openssl.line_after("Keying material: ").is_none() && Instant::now() < ends {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(openssl.line_after("Keying material: "), Some(ours));
    }
}

fn arguments(text: &str, files: &Files) -> Vec<String> {
    let certificate = format!("-cert {} -key {}", files.path("certificate"), files.path("key"));
    format!("{text} {certificate} -certform DER -keyform DER").split(' ').map(str::to_owned).collect()
}

fn accept(name: &str, more: &str) {
    let (ours, theirs) = (Certificate::generate(), Certificate::generate());
    let files = Files::new(name, &theirs);
    let mut server = Ours::new(Role::Server, &ours, &theirs);
    let to = server.socket.local_addr().unwrap();
    let mut openssl = OpenSsl::start(&arguments(&format!("s_client -connect {to} {OFFERED}{more}"), &files));
    server.run(|server| server.keys.is_some() || server.failed.is_some());
    server.assert_same_keys(Role::Server, &openssl);
    assert_eq!(server.association.version(), Some("DTLS 1.2"));
    // The end of its input ends it, and it says so.
    let _ = openssl.child.stdin.take().map(|mut stdin| stdin.write_all(b"Q\n"));
    server.run(|server| server.closed);
    assert!(server.closed);
}

fn connect(name: &str, more: &str) {
    let (ours, theirs) = (Certificate::generate(), Certificate::generate());
    let files = Files::new(name, &theirs);
    // A port that is free now.
    let to = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let openssl =
        OpenSsl::start(&arguments(&format!("s_server -accept {to} -Verify 1 {CHOSEN}{more}"), &files));
    let mut client = Ours::new(Role::Client, &ours, &theirs);
    client.socket.connect(to).unwrap();
    client.association.start(client.now());
    client.run(|client| client.keys.is_some() || client.failed.is_some());
    client.assert_same_keys(Role::Client, &openssl);
    assert_eq!(client.association.version(), Some("DTLS 1.2"));
}

#[test]
fn openssl_as_client() {
    if has_openssl() {
        accept("client", "");
    }
}

#[test]
fn openssl_as_client_in_small_pieces() {
    if has_openssl() {
        accept("client-pieces", " -mtu 300");
    }
}

#[test]
fn openssl_as_server() {
    if has_openssl() {
        connect("server", "");
    }
}

#[test]
fn openssl_as_server_in_small_pieces() {
    if has_openssl() {
        connect("server-pieces", " -mtu 300");
    }
}

#[test]
fn openssl_as_server_that_asks_for_a_cookie() {
    if has_openssl() {
        connect("server-cookie", " -listen");
    }
}

#[test]
fn a_client_without_a_certificate_gets_no_keys() {
    if !has_openssl() {
        return;
    }
    let (ours, theirs) = (Certificate::generate(), Certificate::generate());
    let mut server = Ours::new(Role::Server, &ours, &theirs);
    let to = server.socket.local_addr().unwrap();
    let arguments: Vec<String> =
        format!("s_client -connect {to} {OFFERED}").split(' ').map(str::to_owned).collect();
    let openssl = OpenSsl::start(&arguments);
    server.run(|server| server.keys.is_some() || server.failed.is_some() || server.now() > 1_000_000);
    assert!(server.keys.is_none() && !server.association.is_connected());
    drop(openssl);
}
