/// Bytes of a packet's buffer. More than any datagram of ours: longer ones are cut by the kernel and then refused.
pub const PACKET_BYTES: usize = 2_048;
/// Room before a received datagram, so that a longer header can be written in place.
pub const HEADROOM: usize = 64;

/// A datagram in a buffer of its own that is read, changed and sent in place; the buffer is used again and again.
#[repr(C)]
#[derive(Clone)]
pub struct Packet {
    start: u16,
    end: u16,
    bytes: [u8; PACKET_BYTES],
}

impl Packet {
    /// An empty packet.
    #[must_use]
    pub const fn new() -> Self {
        Self { start: HEADROOM as u16, end: HEADROOM as u16, bytes: [0; PACKET_BYTES] }
    }

    /// A packet with these bytes; what does not fit is cut off.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut packet = Self::new();
        packet.fill(bytes);
        packet
    }

    /// Replaces the content; what does not fit is cut off.
    pub fn fill(&mut self, bytes: &[u8]) {
        let len = bytes.len().min(PACKET_BYTES - HEADROOM);
        self.bytes[HEADROOM..HEADROOM + len].copy_from_slice(&bytes[..len]);
        self.set_range(HEADROOM, HEADROOM + len);
    }

    /// The bytes of the datagram.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[self.start as usize..self.end as usize]
    }

    /// The bytes of the datagram.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start as usize..self.end as usize]
    }

    /// Length of the datagram.
    #[must_use]
    pub const fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether the datagram has no bytes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Where in `buffer` the datagram begins.
    #[must_use]
    pub const fn start(&self) -> usize {
        self.start as usize
    }

    /// The whole buffer, head- and tailroom included.
    pub fn buffer(&mut self) -> &mut [u8; PACKET_BYTES] {
        &mut self.bytes
    }

    /// Says where in `buffer` the datagram is.
    ///
    /// # Panics
    /// If the range is not one of the buffer.
    pub fn set_range(&mut self, start: usize, end: usize) {
        assert!(start <= end && end <= PACKET_BYTES);
        self.start = start as u16;
        self.end = end as u16;
    }
}

impl Default for Packet {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Packet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Packet({} bytes)", self.len())
    }
}
