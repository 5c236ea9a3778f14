//! Browsers that check their paths to the real process, over UDP and TCP.

mod support;

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};

use support::{Gateway, Keeper, PATIENCE, signal, webrtc_side};
use trunkline_base::random_array;
use trunkline_control::{
    Answer, Event, Fingerprint, LocalCandidate, LocalIce, LocalSide, MediumKind, Op, RemoteDtls, RemoteIce,
    RemoteMedium, RemoteSide, SessionChange,
};
use trunkline_ice::{REQUEST_BYTES, Request};

const SUCCESS: [u8; 2] = [1, 1];

/// A side of a session as its browser knows it.
struct Browser {
    ice: LocalIce,
    candidates: Vec<LocalCandidate>,
}

impl Browser {
    fn new(gateway: &mut Gateway, session: &str) -> Self {
        let opened = gateway.open(session, vec![webrtc_side("a")]);
        let medium = RemoteMedium {
            kind: MediumKind::Audio,
            active: true,
            send: true,
            receive: true,
            send_codecs: Vec::new(),
            receive_codecs: Vec::new(),
            mid: Some("0".into()),
            mid_extension_id: None,
            transport_cc_extension_id: None,
            nack: false,
            ptime_ms: None,
            address: None,
            port: None,
            rtcp_address: None,
            rtcp_port: None,
            rtcp_mux: false,
            srtp: None,
        };
        let fingerprint = Fingerprint { algorithm: "sha-256".into(), value: ["AB"; 32].join(":") };
        let remote = RemoteSide::WebRtc {
            ice: RemoteIce { ufrag: "theirs".into(), pwd: "a-password-of-theirs-22c".into() },
            dtls: RemoteDtls { role: "active".into(), fingerprints: vec![fingerprint] },
            media: vec![medium],
        };
        gateway.change(session, SessionChange::Remote { side: "a".into(), remote });
        match opened.sides.into_iter().next() {
            Some(LocalSide::WebRtc { ice, candidates, .. }) => Self { ice, candidates },
            other => panic!("{other:?}"),
        }
    }

    fn port(&self, protocol: &str) -> u16 {
        let found = self.candidates.iter().find(|candidate| candidate.protocol == protocol);
        found.expect("a candidate").port
    }

    fn check(&self) -> Vec<u8> {
        let mut out = [0; REQUEST_BYTES];
        let request = Request {
            transaction: random_array(),
            ufrags: (&self.ice.ufrag, "theirs"),
            password: &self.ice.pwd,
            priority: 1,
            tie_breaker: 7,
            use_candidate: true,
        };
        let length = trunkline_ice::request(&mut out, &request);
        out[..length].to_vec()
    }

    fn check_over_udp(&self, socket: &UdpSocket) -> Vec<u8> {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.send_to(&self.check(), ("127.0.0.1", self.port("udp"))).unwrap();
        let mut buffer = [0; 512];
        let length = socket.recv(&mut buffer).unwrap();
        buffer[..length].to_vec()
    }
}

fn write_frame(stream: &mut TcpStream, datagram: &[u8]) {
    let frame = [&(datagram.len() as u16).to_be_bytes()[..], datagram].concat();
    // In two parts: a stream keeps no boundaries.
    let (first, second) = frame.split_at(frame.len() / 2);
    stream.write_all(first).unwrap();
    stream.flush().unwrap();
    stream.write_all(second).unwrap();
}

fn read_frame(stream: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut frame = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut frame).unwrap();
    frame
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

#[test]
fn a_check_is_answered_on_the_port_of_its_thread_also_after_the_relay_died() {
    let keeper = Keeper::start(2, &[]);
    let mut gateway = keeper.gateway();
    let browsers: Vec<Browser> = (0..4).map(|n| Browser::new(&mut gateway, &n.to_string())).collect();
    let sockets: Vec<UdpSocket> = browsers.iter().map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
    for (browser, socket) in browsers.iter().zip(&sockets) {
        assert_eq!(browser.check_over_udp(socket)[..2], SUCCESS);
        gateway.event(|event| matches!(event, Event::IceConnected { .. }));
    }
    signal(gateway.relay, 9);
    for (browser, socket) in browsers.iter().zip(&sockets) {
        assert_eq!(browser.check_over_udp(socket)[..2], SUCCESS);
    }
    let stats = keeper.gateway().stats("0");
    assert_eq!(stats[0].ice.as_deref(), Some("connected"));
}

#[test]
fn checks_are_answered_over_tcp() {
    let keeper = Keeper::start(2, &[]);
    let mut gateway = keeper.gateway();
    for n in 0..4 {
        let browser = Browser::new(&mut gateway, &n.to_string());
        let mut stream = connect(browser.port("tcp"));
        for _ in 0..3 {
            write_frame(&mut stream, &browser.check());
            assert_eq!(read_frame(&mut stream)[..2], SUCCESS);
        }
        gateway.event(|event| matches!(event, Event::IceConnected { .. }));
        gateway.close(&n.to_string());
        // The session's end is the connection's.
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
    }
}

#[test]
fn strangers_get_no_connection_and_no_answer_and_are_counted() {
    let keeper = Keeper::start(2, &[]);
    let mut gateway = keeper.gateway();
    let mut browser = Browser::new(&mut gateway, "x");
    let (udp, tcp) = (browser.port("udp"), browser.port("tcp"));
    browser.ice.ufrag = "nobody".into();
    let mut stream = connect(tcp);
    write_frame(&mut stream, &browser.check());
    assert_eq!(stream.read(&mut [0; 16]).unwrap(), 0);
    let mut talker = connect(tcp);
    talker.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    talker.write_all(&[0; 4_000]).unwrap();
    assert!(talker.read(&mut [0; 16]).is_err() || talker.read(&mut [0; 16]).is_ok_and(|count| count == 0));
    let flood = UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..1_000 {
        flood.send_to(&browser.check(), ("127.0.0.1", udp)).unwrap();
        flood.send_to(&[0x80; 100], ("127.0.0.1", udp)).unwrap();
    }
    let until = std::time::Instant::now() + PATIENCE;
    loop {
        let Answer::Engine { engine } = gateway.call(Op::Engine) else { panic!("no counters") };
        // What found no room in the socket is not counted.
        if engine.strays >= 500 {
            break;
        }
        assert!(std::time::Instant::now() < until, "{} strays", engine.strays);
    }
}
