//! RTCP as a peer reads and writes it, made for the tests alone.

/// Type, count and words of one packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    pub kind: u8,
    pub count: u8,
    pub bytes: Vec<u8>,
}

impl Read {
    pub fn word(&self, n: usize) -> u32 {
        u32::from_be_bytes(self.bytes[4 * n..4 * n + 4].try_into().unwrap())
    }
}

/// Reads a compound packet strictly: every byte of it has to belong to a packet of version 2 without padding.
pub fn read(mut compound: &[u8]) -> Vec<Read> {
    let mut packets = Vec::new();
    while !compound.is_empty() {
        assert_eq!(compound[0] >> 5, 0b100, "version 2, no padding");
        let words = usize::from(u16::from_be_bytes([compound[2], compound[3]])) + 1;
        let (packet, rest) = compound.split_at(4 * words);
        packets.push(Read { kind: packet[1], count: packet[0] & 0x1f, bytes: packet.to_vec() });
        compound = rest;
    }
    packets
}

pub fn kinds(compound: &[u8]) -> Vec<u8> {
    read(compound).iter().map(|packet| packet.kind).collect()
}

/// A packet of these words after its header.
pub fn write(kind: u8, count: u8, words: &[u32]) -> Vec<u8> {
    let mut packet = vec![0x80 | count, kind];
    packet.extend((words.len() as u16).to_be_bytes());
    packet.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    packet
}
