//! What peers see of sockets that are received from through io_uring.
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};

use trunkline_io::{Batch, Poller, Ring, UdpOptions, bind_udp, now, probe_uring};

/// `None`, told, where the system has no io_uring.
fn ring() -> Option<Ring> {
    if let Err(reason) = probe_uring() {
        println!("skipped: {reason}");
        return None;
    }
    Some(Ring::new().unwrap())
}

fn socket(address: &str) -> (OwnedFd, SocketAddr) {
    let options = UdpOptions { receive_buffer: 4 << 20, dscp: 0 };
    let socket = bind_udp(address.parse().unwrap(), options, false).unwrap();
    let address = UdpSocket::from(socket.try_clone().unwrap()).local_addr().unwrap();
    (socket, address)
}

/// Token and bytes of `count` datagrams, or of those that come within 200 ms.
fn receive(ring: &mut Ring, count: usize) -> Vec<(u32, SocketAddr, Vec<u8>)> {
    let poller = Poller::new().unwrap();
    poller.add(ring.fd(), 9).unwrap();
    let (mut batch, mut tokens, mut ready) = (Batch::new(64), Vec::new(), Vec::new());
    let (mut all, until) = (Vec::new(), now() + 200_000);
    while all.len() < count && now() < until {
        poller.wait(&mut ready, Some(until.saturating_sub(now()))).unwrap();
        tokens.clear();
        let received = ring.receive(&mut batch, &mut tokens).unwrap();
        assert_eq!((received, tokens.len()), (batch.len(), batch.len()));
        for (index, &token) in tokens.iter().enumerate() {
            let got = batch.get(index);
            assert!(got.arrived_at <= now() && got.arrived_at + 1_000_000 > now());
            all.push((token, got.from, got.packet.bytes().to_vec()));
        }
        batch.flush(|_, _| {});
    }
    all
}

#[test]
fn datagrams_come_with_the_token_of_their_socket() {
    let Some(mut ring) = ring() else { return };
    let sockets = [socket("127.0.0.1:0"), socket("[::1]:0"), socket("127.0.0.1:0")];
    let peers = [UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("[::1]:0").unwrap()];
    for (token, (socket, _)) in sockets.iter().enumerate() {
        ring.watch(socket.as_raw_fd(), 100 + token as u32).unwrap();
    }
    for round in 0..3_u8 {
        for (which, (_, address)) in sockets.iter().enumerate() {
            peers[which % 2].send_to(&[which as u8, round], address).unwrap();
        }
        let mut got = receive(&mut ring, 3);
        got.sort_by_key(|(token, ..)| *token);
        let expected: Vec<_> = (0..3_u8)
            .map(|which| {
                let from = peers[usize::from(which) % 2].local_addr().unwrap();
                (100 + u32::from(which), from, vec![which, round])
            })
            .collect();
        assert_eq!(got, expected);
    }
}

#[test]
fn one_call_takes_in_what_waits_at_many_sockets() {
    let Some(mut ring) = ring() else { return };
    let sockets: Vec<_> = (0..100).map(|_| socket("127.0.0.1:0")).collect();
    for (token, (socket, _)) in sockets.iter().enumerate() {
        ring.watch(socket.as_raw_fd(), token as u32).unwrap();
    }
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    for (_, address) in &sockets {
        peer.send_to(b"x", address).unwrap();
    }
    let (mut batch, mut tokens) = (Batch::new(256), Vec::new());
    assert_eq!(ring.receive(&mut batch, &mut tokens).unwrap(), 100, "what is left waits for the next packet");
}

#[test]
fn a_poller_that_waits_is_told_of_what_comes() {
    let Some(mut ring) = ring() else { return };
    let (socket, address) = socket("127.0.0.1:0");
    let poller = Poller::new().unwrap();
    poller.add(ring.fd(), 9).unwrap();
    ring.watch(socket.as_raw_fd(), 0).unwrap();
    let (mut batch, mut tokens, mut ready) = (Batch::new(2), Vec::new(), Vec::new());
    for round in 0..3 {
        let peer = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(20));
            let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
            (0..3_u8).for_each(|number| assert_eq!(peer.send_to(&[number], address).unwrap(), 1));
        });
        let (mut count, until) = (0, now() + 2_000_000);
        while count < 3 {
            ready.clear();
            poller.wait(&mut ready, Some(until.saturating_sub(now()))).unwrap();
            assert!(now() < until, "round {round}, after {count}");
            if ready.is_empty() {
                continue; // Interrupted.
            }
            count += ring.receive(&mut batch, &mut tokens).unwrap();
            batch.flush(|_, _| {});
        }
        peer.join().unwrap();
        ready.clear();
        poller.wait(&mut ready, Some(0)).unwrap();
        ring.receive(&mut batch, &mut tokens).unwrap();
        poller.wait(&mut ready, Some(0)).unwrap();
    }
    ready.clear();
    poller.wait(&mut ready, Some(0)).unwrap();
    assert!(ready.is_empty(), "nothing is left");
}

#[test]
fn more_datagrams_than_buffers_all_come_in_order() {
    let Some(mut ring) = ring() else { return };
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let sockets: Vec<_> = (0..4).map(|_| socket("127.0.0.1:0")).collect();
    for (token, (socket, _)) in sockets.iter().enumerate() {
        ring.watch(socket.as_raw_fd(), token as u32).unwrap();
    }
    const EACH: u32 = 600;
    for number in 0..EACH {
        for (_, address) in &sockets {
            peer.send_to(&number.to_be_bytes(), address).unwrap();
        }
    }
    let got = receive(&mut ring, 4 * EACH as usize);
    for token in 0..4 {
        let of_socket = got.iter().filter(|(of, ..)| *of == token);
        let numbers: Vec<_> = of_socket.map(|(.., bytes)| bytes.clone()).collect();
        assert_eq!(numbers, (0..EACH).map(|number| number.to_be_bytes().to_vec()).collect::<Vec<_>>());
    }
}

#[test]
fn an_unwatched_socket_brings_nothing_even_of_what_waited() {
    let Some(mut ring) = ring() else { return };
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let [first, second] = [socket("127.0.0.1:0"), socket("127.0.0.1:0")];
    ring.watch(first.0.as_raw_fd(), 1).unwrap();
    assert!(ring.watch(second.0.as_raw_fd(), 1).is_err(), "the token is in use");
    for bytes in [b"taken in", b"waiting."] {
        peer.send_to(bytes, first.1).unwrap();
    }
    let mut batch = Batch::new(1);
    ring.receive(&mut batch, &mut Vec::new()).unwrap();
    assert_eq!(batch.get(0).packet.bytes(), b"taken in");
    ring.unwatch(1);
    ring.unwatch(1);
    peer.send_to(b"after", first.1).unwrap();
    ring.watch(second.0.as_raw_fd(), 1).unwrap();
    peer.send_to(b"second", second.1).unwrap();
    let got = receive(&mut ring, 2);
    assert_eq!(got.iter().map(|(_, _, bytes)| &bytes[..]).collect::<Vec<_>>(), [b"second"]);
}

#[test]
fn a_datagram_that_is_too_long_is_dropped_and_counted() {
    let Some(mut ring) = ring() else { return };
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (socket, address) = socket("127.0.0.1:0");
    ring.watch(socket.as_raw_fd(), 0).unwrap();
    for len in [1, 1_920, 1_921, 2_100, 9_000, 2] {
        peer.send_to(&vec![1; len], address).unwrap();
    }
    let mut batch = Batch::new(8);
    let mut tokens = Vec::new();
    while batch.len() < 3 {
        ring.receive(&mut batch, &mut tokens).unwrap();
    }
    assert_eq!([0, 1, 2].map(|index| batch.get(index).packet.len()), [1, 1_920, 2]);
    assert_eq!(batch.truncated(), 3);
}

#[test]
fn what_is_no_socket_is_forgotten() {
    let Some(mut ring) = ring() else { return };
    let file = std::fs::File::open("/dev/null").unwrap();
    ring.watch(file.as_raw_fd(), 1).unwrap();
    ring.watch(1_000_000, 2).unwrap();
    assert_eq!(receive(&mut ring, 1), []);
    ring.watch(file.as_raw_fd(), 1).expect("the token is free again");
}

#[test]
fn a_ring_is_of_the_thread_that_first_watches() {
    let Some(ring) = ring() else { return };
    let (socket, address) = socket("127.0.0.1:0");
    let thread = std::thread::spawn(move || {
        let mut ring = ring;
        ring.watch(socket.as_raw_fd(), 1).unwrap();
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"x", address).unwrap();
        assert_eq!(receive(&mut ring, 1).len(), 1);
        (ring, socket)
    });
    let (mut ring, socket) = thread.join().unwrap();
    assert!(ring.watch(socket.as_raw_fd(), 2).is_err());
}
