//! Both roles against each other over a network that loses nothing.

use trunkline_base::Micros;
use trunkline_dtls::{Association, Certificate, Fingerprint, Options, Output, Role};
use trunkline_sim::{Conditions, Event, Network, address};
use trunkline_srtp::MasterKey;

struct Peer {
    association: Association,
    keys: Option<(MasterKey, MasterKey)>,
    failed: Option<String>,
}

impl Peer {
    fn new(role: Role, certificate: &Certificate, wanted: &Certificate, now: Micros) -> Self {
        let wanted = Fingerprint { algorithm: "sha-256".into(), value: wanted.fingerprint() };
        let options = Options { role, peer_fingerprints: vec![wanted] };
        let association = Association::new(options, certificate, now);
        Self { association, keys: None, failed: None }
    }

    fn drain(&mut self, from: u8, to: u8, network: &mut Network) {
        let mut out = [0; 1_500];
        while let Some(output) = self.association.poll(&mut out) {
            match output {
                Output::Send(length) => network.send(address(from), address(to), &out[..length]),
                Output::Connected { send, receive } => self.keys = Some((send, receive)),
                Output::Failed(reason) => self.failed = Some(reason),
                Output::Closed => {}
            }
        }
    }
}

#[test]
fn both_sides_connect_with_the_same_keys() {
    let (ours, theirs) = (Certificate::generate(), Certificate::generate());
    let mut network = Network::new(1, Conditions::lan());
    let mut client = Peer::new(Role::Client, &ours, &theirs, network.now());
    let mut server = Peer::new(Role::Server, &theirs, &ours, network.now());
    client.association.start(network.now());
    server.association.start(network.now());
    for _ in 0..100 {
        client.drain(1, 2, &mut network);
        server.drain(2, 1, &mut network);
        let deadline = [&client, &server].iter().filter_map(|peer| peer.association.deadline()).min();
        match network.next(deadline) {
            Event::Datagram { to, bytes, .. } if to == address(1) => {
                client.association.handle(&bytes, network.now());
            }
            Event::Datagram { bytes, .. } => server.association.handle(&bytes, network.now()),
            Event::Timer => {
                client.association.wake(network.now());
                server.association.wake(network.now());
            }
            Event::Quiet => break,
        }
    }
    assert_eq!((client.failed, server.failed), (None, None));
    let ((ours, theirs), (back, forth)) = (client.keys.unwrap(), server.keys.unwrap());
    assert_eq!((ours, theirs), (forth, back));
    assert_ne!(ours, theirs);
    assert_eq!(client.association.version(), Some("DTLS 1.3"));
}
