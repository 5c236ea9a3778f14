//! What peers see of a batch: datagrams changed in place, in order, whatever happens to others.
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

use trunkline_base::HEADROOM;
use trunkline_io::{Batch, Flushed, Poller, UdpOptions, bind_udp, now, pause};

const V4: &str = "127.0.0.1:0";
const V6: &str = "[::1]:0";

fn socket(address: &str) -> (OwnedFd, SocketAddr) {
    let socket = bind_udp(address.parse().unwrap(), UdpOptions::default(), false).unwrap();
    let address = UdpSocket::from(socket.try_clone().unwrap()).local_addr().unwrap();
    (socket, address)
}

fn peer(address: &str) -> (UdpSocket, SocketAddr) {
    let peer = UdpSocket::bind(address).unwrap();
    peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let address = peer.local_addr().unwrap();
    (peer, address)
}

fn received(peer: &UdpSocket) -> Vec<u8> {
    let mut buffer = [0; 2_048];
    let len = peer.recv(&mut buffer).unwrap();
    buffer[..len].to_vec()
}

fn wait_for(fd: RawFd) {
    let poller = Poller::new().unwrap();
    poller.add(fd, 0).unwrap();
    poller.wait(&mut Vec::new(), Some(5_000_000)).unwrap();
}

fn flush(batch: &mut Batch) -> (Flushed, u32) {
    let mut told = 0;
    let flushed = batch.flush(|arrived_at, sent_at| {
        assert!(arrived_at <= sent_at);
        told += 1;
    });
    (flushed, told)
}

#[test]
fn a_datagram_is_changed_and_sent_in_place() {
    for any in [V4, V6] {
        let (socket, address) = socket(any);
        let (peer, peer_address) = peer(any);
        let mut batch = Batch::new(4);
        for round in 0..3_u8 {
            peer.send_to(&[round, 2, 3], address).unwrap();
            wait_for(socket.as_raw_fd());
            assert_eq!(batch.receive(socket.as_raw_fd()).unwrap(), 1);
            assert_eq!(batch.len(), 1);
            let got = batch.get(0);
            assert_eq!((got.from, got.index), (peer_address, 0));
            assert_eq!(got.packet.bytes(), [round, 2, 3]);
            got.packet.buffer()[HEADROOM - 2..HEADROOM].copy_from_slice(&[8, 9]);
            got.packet.set_range(HEADROOM - 2, HEADROOM + 3);
            batch.queue(0, socket.as_raw_fd(), peer_address);
            assert_eq!(flush(&mut batch), (Flushed { sent: 1, refused: 0 }, 1));
            assert_eq!(received(&peer), [8, 9, round, 2, 3]);
            assert!(batch.is_empty());
        }
    }
}

#[test]
fn each_socket_sends_in_the_order_of_queueing() {
    let (sockets, peers): (Vec<_>, Vec<_>) = (0..3).map(|_| (socket(V4), peer(V4))).unzip();
    let mut batch = Batch::new(16);
    for number in 0..5_u8 {
        for (way, (socket, _)) in sockets.iter().enumerate() {
            assert!(batch.queue_bytes(socket.as_raw_fd(), peers[way].1, &[way as u8, number]));
        }
    }
    assert_eq!(flush(&mut batch), (Flushed { sent: 15, refused: 0 }, 0));
    for (way, (peer, _)) in peers.iter().enumerate() {
        for number in 0..5_u8 {
            assert_eq!(received(peer), [way as u8, number]);
        }
    }
}

#[test]
fn a_datagram_that_is_too_long_is_dropped_and_leaves_no_hole() {
    let (socket, address) = socket(V4);
    let (peer, _) = peer(V4);
    let mut batch = Batch::new(8);
    for round in 1..=2_u64 {
        for len in [1, 2, 3_000, 3, 60_000, 4] {
            peer.send_to(&vec![len as u8; len], address).unwrap();
        }
        wait_for(socket.as_raw_fd());
        assert_eq!(batch.receive(socket.as_raw_fd()).unwrap(), 4);
        assert_eq!(batch.truncated(), 2 * round);
        for len in 1..=4 {
            assert_eq!(batch.get(len - 1).packet.bytes(), vec![len as u8; len]);
        }
        // The buffers behind the last one are usable at once.
        peer.send_to(b"next", address).unwrap();
        wait_for(socket.as_raw_fd());
        assert_eq!(batch.receive(socket.as_raw_fd()).unwrap(), 1);
        assert_eq!(batch.get(4).packet.bytes(), b"next");
        flush(&mut batch);
    }
}

#[test]
fn several_sockets_fill_one_batch_up_to_its_capacity() {
    let (first, second) = (socket(V4), socket(V6));
    let mut batch = Batch::new(5);
    for ((socket, address), any) in [(&first, V4), (&second, V6)] {
        let (peer, _) = peer(any);
        for number in 0..3_u8 {
            peer.send_to(&[number], *address).unwrap();
        }
        wait_for(socket.as_raw_fd());
    }
    assert_eq!(batch.receive(first.0.as_raw_fd()).unwrap(), 3);
    assert!(!batch.is_full());
    assert_eq!(batch.receive(second.0.as_raw_fd()).unwrap(), 2);
    assert!(batch.is_full());
    assert_eq!(batch.receive(second.0.as_raw_fd()).unwrap(), 0);
    let order: Vec<_> = (0..5).map(|index| batch.get(index).packet.bytes()[0]).collect();
    assert_eq!(order, [0, 1, 2, 0, 1]);
    flush(&mut batch);
    assert_eq!(batch.receive(second.0.as_raw_fd()).unwrap(), 1);
    assert_eq!(batch.get(0).packet.bytes(), [2]);
}

#[test]
fn nothing_to_receive_is_no_error() {
    let (socket, _) = socket(V4);
    assert_eq!(Batch::new(1).receive(socket.as_raw_fd()).unwrap(), 0);
    assert!(Batch::new(1).receive(-1).is_err());
}

#[test]
fn the_time_of_arrival_is_the_kernels() {
    let (socket, address) = socket(V4);
    let (peer, _) = peer(V4);
    let mut batch = Batch::new(1);
    // The kernel begins to stamp a moment after the first socket of the machine asks for it.
    let stamped = (0..100).any(|_| {
        let before = now();
        peer.send_to(b"x", address).unwrap();
        wait_for(socket.as_raw_fd());
        let after = now();
        pause(20_000);
        batch.receive(socket.as_raw_fd()).unwrap();
        let arrived_at = batch.get(0).arrived_at;
        flush(&mut batch);
        arrived_at + 1_000 >= before && arrived_at <= after + 1_000
    });
    assert!(stamped);
}

#[test]
fn one_packet_that_cannot_be_sent_costs_no_other() {
    let (socket, _) = socket(V4);
    let (peer, peer_address) = peer(V4);
    let nowhere: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let wrong_family: SocketAddr = "[::1]:9".parse().unwrap();
    let mut batch = Batch::new(8);
    for (number, to) in
        [peer_address, nowhere, peer_address, wrong_family, peer_address].into_iter().enumerate()
    {
        assert!(batch.queue_bytes(socket.as_raw_fd(), to, &[number as u8]));
    }
    assert!(batch.queue_bytes(-1, peer_address, b"no socket"));
    assert!(batch.queue_bytes(1_000_000, peer_address, b"closed socket"));
    assert_eq!(flush(&mut batch).0, Flushed { sent: 3, refused: 4 });
    assert_eq!([received(&peer), received(&peer), received(&peer)].concat(), [0, 2, 4]);
    assert_eq!(flush(&mut batch).0, Flushed::default());
}

#[test]
fn an_icmp_error_of_an_earlier_packet_costs_no_later_one() {
    let (socket, address) = socket(V4);
    let (peer, peer_address) = peer(V4);
    // Only a connected socket is told of ICMP errors.
    let connected = UdpSocket::from(socket.try_clone().unwrap());
    let closed = UdpSocket::bind(V4).unwrap().local_addr().unwrap();
    connected.connect(closed).unwrap();
    let mut batch = Batch::new(8);
    for group in [1_u8, 3] {
        assert!(batch.queue_bytes(socket.as_raw_fd(), closed, b"refused"));
        assert_eq!(flush(&mut batch).0.sent, 1);
        for number in 0..group {
            assert!(batch.queue_bytes(socket.as_raw_fd(), peer_address, &[number]));
        }
        assert_eq!(flush(&mut batch).0, Flushed { sent: group.into(), refused: 0 });
        for number in 0..group {
            assert_eq!(received(&peer), [number]);
        }
    }
    assert!(batch.queue_bytes(socket.as_raw_fd(), closed, b"refused"));
    flush(&mut batch);
    UdpSocket::bind(closed).unwrap().send_to(b"x", address).unwrap();
    wait_for(socket.as_raw_fd());
    assert_eq!(batch.receive(socket.as_raw_fd()).unwrap(), 1);
}

#[test]
fn one_datagram_can_go_to_two_places() {
    let (socket, address) = socket(V4);
    let (first, second) = (peer(V4), peer(V4));
    first.0.send_to(b"both", address).unwrap();
    wait_for(socket.as_raw_fd());
    let mut batch = Batch::new(2);
    batch.receive(socket.as_raw_fd()).unwrap();
    for (_, to) in [&first, &second] {
        batch.queue(0, socket.as_raw_fd(), *to);
    }
    assert_eq!(flush(&mut batch), (Flushed { sent: 2, refused: 0 }, 2));
    assert_eq!([received(&first.0), received(&second.0)].concat(), b"bothboth");
}

#[test]
fn made_packets_have_buffers_of_their_own_until_they_are_used_up() {
    let (socket, address) = socket(V4);
    let (peer, peer_address) = peer(V4);
    for number in 0..3_u8 {
        peer.send_to(&[number], address).unwrap();
    }
    wait_for(socket.as_raw_fd());
    let mut batch = Batch::new(3);
    batch.receive(socket.as_raw_fd()).unwrap();
    for number in 10..13 {
        assert!(batch.queue_bytes(socket.as_raw_fd(), peer_address, &[number]));
    }
    assert!(!batch.queue_bytes(socket.as_raw_fd(), peer_address, b"full"));
    for index in 0..3 {
        assert_eq!(batch.get(index).packet.bytes(), [index as u8]);
        batch.queue(index, socket.as_raw_fd(), peer_address);
    }
    assert_eq!(flush(&mut batch).0.sent, 6);
    let bytes: Vec<_> = (0..6).flat_map(|_| received(&peer)).collect();
    assert_eq!(bytes, [10, 11, 12, 0, 1, 2]);
    assert!(batch.queue_bytes(socket.as_raw_fd(), peer_address, b"free"));
    assert!(!batch.queue_bytes(socket.as_raw_fd(), peer_address, &[0; 2_048]));
}

#[test]
fn a_buffer_serves_both_families_in_turn() {
    let sockets = [socket(V4), socket(V6)];
    let peers = [peer(V4), peer(V6)];
    for (way, too_long) in [(0, false), (0, true), (1, false), (1, true)] {
        let other = 1 - way;
        let mut batch = Batch::new(3);
        for (way, other) in [(way, other), (other, way)] {
            let (socket, to) = &sockets[way];
            // Leaves a gap, so that the last buffer is used again before the flush.
            if too_long {
                peers[way].0.send_to(&[0; 3_000], to).unwrap();
            }
            for _ in 0..2 {
                peers[way].0.send_to(b"x", to).unwrap();
            }
            wait_for(socket.as_raw_fd());
            batch.receive(socket.as_raw_fd()).unwrap();
            peers[other].0.send_to(b"y", sockets[other].1).unwrap();
            wait_for(sockets[other].0.as_raw_fd());
            batch.receive(sockets[other].0.as_raw_fd()).unwrap();
            let from: Vec<_> = (0..batch.len()).map(|index| batch.get(index).from).collect();
            assert_eq!(from, [peers[way].1, peers[way].1, peers[other].1]);
            flush(&mut batch);
        }
    }
}
