//! Every parser over mutated packets: nothing panics, nothing is read outside of the bytes. Seeded, so that a failure
//! is found again.

mod support;

use std::fs;

use support::{bytes, corpora, header};
use trunkline_base::Packet;
use trunkline_rtp::{
    DtmfDetector, EventClocks, EventRelay, Header, Line, Outgoing, Reception, Reports, TransportFeedback,
    extension, is_rtcp, rewrite, rtcp_ssrc,
};

const CASES: u64 = 200_000;

#[test]
fn mutated_packets_are_read_without_a_fault() {
    let seeds = seeds();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut target = Target::new();
    let mut datagram = Vec::new();
    for _ in 0..CASES {
        datagram.clear();
        // Every other one from the packets below: most of the corpora is damaged already.
        let among = [VALID.len(), seeds.len()][random.below(2)];
        datagram.extend_from_slice(&seeds[random.below(among)]);
        for _ in 0..=random.below(4) {
            mutate(&mut datagram, &seeds, &mut random);
        }
        target.run(&datagram, random.next());
    }
    assert!(
        target.rtp > CASES / 10 && target.news > CASES / 40,
        "the fuzzer misses: {} {}",
        target.rtp,
        target.news
    );
}

#[test]
fn inputs_of_public_fuzz_corpora_are_read_without_a_fault() {
    let mut target = Target::new();
    for seed in seeds() {
        for cut in 0..=seed.len().min(200) {
            target.run(&seed[..cut], cut as u64);
        }
        target.run(&seed, 0);
    }
}

/// All that reads bytes of the network.
struct Target {
    line: Line,
    reception: Reception,
    reports: Reports,
    detector: DtmfDetector,
    events: EventRelay,
    feedback: TransportFeedback,
    packet: Packet,
    now: u64,
    rtp: u64,
    news: u64,
}

impl Target {
    fn new() -> Self {
        let mut reception = Reception::default();
        reception.on_packet(&header(MEDIA, 1, 1), 172, 8_000, 0);
        Self {
            line: Line::new(1, 1),
            reception,
            reports: Reports::new(0, 0),
            detector: DtmfDetector::default(),
            events: EventRelay::default(),
            feedback: TransportFeedback::new(),
            packet: Packet::new(),
            now: 0,
            rtp: 0,
            news: 0,
        }
    }

    fn run(&mut self, datagram: &[u8], random: u64) {
        self.now += random % 50_000;
        let own_ssrc = rtcp_ssrc(datagram).unwrap_or(random as u32);
        for own_ssrc in [own_ssrc, OURS] {
            let news = self.reports.on_packet(datagram, own_ssrc, &self.reception, self.now);
            assert!(news.missing.len() <= 64);
            let told = news.key_frame_wanted || news.goodbye || !news.missing.is_empty();
            self.news += u64::from(told || news.loss_fraction.is_some() || news.sender_clock.is_some());
        }
        for id in [0, 1, 3, 15, random as u8] {
            if let Some(value) = extension(datagram, id) {
                assert!(!value.is_empty() && value.len() <= 255);
            }
        }
        self.detector.on_packet(&header(1, 1, random as u32), datagram, 8_000, self.now);
        let Some(header) = Header::read(datagram) else { return };
        assert!(
            !is_rtcp(datagram)
                && header.payload_start <= header.payload_end
                && header.payload_end <= datagram.len()
        );
        self.rtp += 1;
        self.forward(datagram, &header, random);
    }

    fn forward(&mut self, datagram: &[u8], header: &Header, random: u64) {
        self.packet.fill(datagram);
        self.feedback.on_packet(header.sequence, self.now);
        self.reception.on_packet(header, datagram.len(), 8_000, self.now);
        let clocks = EventClocks { source_hz: 8_000, peer_hz: 48_000, line_hz: 48_000 };
        let place = if random & 1 == 0 {
            self.line.place(header, 8_000, self.now)
        } else {
            let end = header.payload_end.min(self.packet.len());
            let payload = &mut self.packet.bytes_mut()[header.payload_start.min(end)..end];
            self.events.place(&mut self.line, header, payload, clocks, self.now)
        };
        let Some(place) = place else { return };
        let out = Outgoing {
            marker: place.begins,
            payload_type: 0,
            sequence: place.index as u16,
            timestamp: place.timestamp,
            ssrc: 7,
            mid: Some((1, b"0123456789abcdef")),
            transport_sequence: Some((2, 3)),
        };
        rewrite(&mut self.packet, header, &out);
        let read = Header::read(self.packet.bytes()).expect("what leaves is RTP");
        assert_eq!(read.payload_end - read.payload_start, header.payload_end - header.payload_start);
        if self.feedback.poll(&mut self.packet, 7, 8, self.now) {
            assert!(is_rtcp(self.packet.bytes()));
        }
    }
}

const OURS: u32 = 0x1000;
const MEDIA: u32 = 0x2000;

/// Packets of every kind that is read.
const VALID: [&str; 10] = [
    "80 00 0001 00000000 00000001 d5d5d5d5d5d5d5d5",
    "90 6f fffe ffffff00 00000002 bede 0002 10ff 2233 44 00 0000 0102030405",
    "90 6f 0001 00000000 00000002 1000 0002 01 01ff 02 02 1234 00 0102030405",
    "a2 e5 0005 00000320 00000003 0000000a 0000000b 050a00a0 00000004",
    "81 c8 000c 00002000 e0000001 80000000 00000320 00000010 00000a00 00001000 40000003 00010005 00000008 12345678 00010000",
    "81 c9 0007 00002000 00001000 40ffffff 00010005 00000008 12345678 00010000 81 ca 0002 00002000 01 01 61 00",
    "81 cb 0001 00002000 81 ce 0002 00002000 00001000",
    "84 ce 0004 00002000 00000000 00001000 05000000",
    "81 cd 0003 00002000 00001000 0007ffff",
    "8f cd 0005 00002000 00001000 00010002 00000100 20010402",
];

/// The valid packets first, then the corpora where they are.
fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = VALID.iter().map(|hex| bytes(hex)).collect();
    for kind in ["rtp", "rtcp"] {
        let Some(folder) = corpora().map(|corpora| corpora.join("fuzz-seeds").join(kind)) else { continue };
        let mut files: Vec<_> =
            fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path()).collect();
        files.sort();
        seeds.extend(files.iter().filter_map(|file| fs::read(file).ok()).filter(|seed| seed.len() <= 1_500));
    }
    seeds
}

fn mutate(datagram: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    let at = random.below(datagram.len().max(1));
    match random.below(6) {
        0 if at < datagram.len() => datagram[at] ^= 1 << random.below(8),
        1 if at < datagram.len() => datagram[at] = [0, 1, 0x7f, 0x80, 0xff, 201][random.below(6)],
        2 => datagram.truncate(at),
        3 => datagram.insert(at.min(datagram.len()), random.next() as u8),
        4 => {
            let other = &seeds[random.below(seeds.len())];
            datagram.truncate(at);
            datagram.extend_from_slice(&other[random.below(other.len().max(1)).min(other.len())..]);
            datagram.truncate(1_500);
        }
        // Lengths are where lies hurt.
        _ if datagram.len() >= 4 => {
            datagram[3] = datagram[3].wrapping_add(random.below(5) as u8).wrapping_sub(2)
        }
        _ => {}
    }
}

/// xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, most: usize) -> usize {
        (self.next() >> 33) as usize % most
    }
}
