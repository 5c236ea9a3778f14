//! The shape of STUN messages (RFC 8489 §5, §14), whatever they mean.

/// Bytes of the header.
pub const HEADER_BYTES: usize = 20;
/// Bytes before the value of an attribute.
pub const ATTRIBUTE_HEADER_BYTES: usize = 4;
/// The magic cookie, bytes 4 to 7 of each message.
pub const COOKIE: [u8; 4] = 0x2112_a442_u32.to_be_bytes();
/// A Binding request, and its two responses (RFC 8489 §5, §18.2).
pub const BINDING_REQUEST: u16 = 0x0001;
pub const BINDING_SUCCESS: u16 = 0x0101;
pub const BINDING_ERROR: u16 = 0x0111;

/// Attribute types (RFC 8489 §18.3, RFC 8445 §16.1).
pub mod attribute {
    pub const USERNAME: u16 = 0x0006;
    pub const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub const ERROR_CODE: u16 = 0x0009;
    pub const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
    pub const REALM: u16 = 0x0014;
    pub const NONCE: u16 = 0x0015;
    pub const MESSAGE_INTEGRITY_SHA256: u16 = 0x001c;
    pub const PASSWORD_ALGORITHM: u16 = 0x001d;
    pub const USERHASH: u16 = 0x001e;
    pub const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    pub const PRIORITY: u16 = 0x0024;
    pub const USE_CANDIDATE: u16 = 0x0025;
    pub const FINGERPRINT: u16 = 0x8028;
    pub const ICE_CONTROLLED: u16 = 0x8029;
    pub const ICE_CONTROLLING: u16 = 0x802a;

    /// Whether a message with this attribute may be understood (RFC 8489 §14): ours, or one that can be passed over.
    pub fn is_understood(attribute: u16) -> bool {
        matches!(
            attribute,
            USERNAME
                | MESSAGE_INTEGRITY
                | ERROR_CODE
                | UNKNOWN_ATTRIBUTES
                | REALM
                | NONCE
                | MESSAGE_INTEGRITY_SHA256
                | PASSWORD_ALGORITHM
                | USERHASH
                | XOR_MAPPED_ADDRESS
                | PRIORITY
                | USE_CANDIDATE
                | 0x8000..
        )
    }
}

/// A datagram whose header and lengths are those of STUN.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    bytes: &'a [u8],
}

impl<'a> Message<'a> {
    /// `None`: not STUN, or a length that is not that of the datagram (RFC 8489 §6.3).
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let header: &[u8; HEADER_BYTES] = bytes.first_chunk()?;
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let is_stun = header[0] < 4 && header[4..8] == COOKIE && length.is_multiple_of(4);
        (is_stun && length + HEADER_BYTES == bytes.len()).then_some(Self { bytes })
    }

    /// Method and class together.
    pub fn kind(&self) -> u16 {
        u16::from_be_bytes([self.bytes[0], self.bytes[1]])
    }

    pub fn transaction(&self) -> [u8; 12] {
        let mut transaction = [0; 12];
        transaction.copy_from_slice(&self.bytes[8..HEADER_BYTES]);
        transaction
    }

    /// All attributes in their order; the last one is `None` if the lengths do not add up.
    pub fn attributes(&self) -> impl Iterator<Item = Option<Attribute<'a>>> + use<'a> {
        let bytes = self.bytes;
        let mut at = HEADER_BYTES;
        std::iter::from_fn(move || {
            if at >= bytes.len() {
                return None;
            }
            let attribute = Attribute::read(bytes, at);
            at = attribute.map_or(bytes.len(), |attribute| attribute.end);
            Some(attribute)
        })
    }
}

/// One attribute and where it stands.
#[derive(Clone, Copy)]
pub struct Attribute<'a> {
    pub kind: u16,
    pub value: &'a [u8],
    /// Of its first byte in the message.
    pub at: usize,
    /// After its padding.
    pub end: usize,
}

impl<'a> Attribute<'a> {
    fn read(bytes: &'a [u8], at: usize) -> Option<Self> {
        let &[kind_high, kind_low, high, low] = bytes.get(at..)?.first_chunk()?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let value_at = at + ATTRIBUTE_HEADER_BYTES;
        let end = value_at + length.next_multiple_of(4);
        (end <= bytes.len()).then(|| Self {
            kind: u16::from_be_bytes([kind_high, kind_low]),
            value: &bytes[value_at..value_at + length],
            at,
            end,
        })
    }
}

/// The value of FINGERPRINT for what stands before it (RFC 8489 §14.7).
pub fn fingerprint(before: &[u8]) -> [u8; 4] {
    (crc32(before) ^ 0x5354_554e).to_be_bytes()
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| CRC[usize::from(crc as u8 ^ byte)] ^ (crc >> 8))
}

/// CRC-32 of every byte (ITU-T V.42).
static CRC: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_crc_32() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn attributes_end_with_none_where_a_length_lies() {
        let mut bytes = vec![0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42];
        bytes.extend([7; 12]);
        bytes.extend([0x80, 0x22, 0, 1, b'x', 0, 0, 0]);
        let lengths = |bytes: &[u8]| -> Vec<Option<usize>> {
            let message = Message::read(bytes).unwrap();
            message.attributes().map(|each| each.map(|attribute| attribute.value.len())).collect()
        };
        assert_eq!(lengths(&bytes), [Some(1)]);
        bytes[23] = 5;
        assert_eq!(lengths(&bytes), [None]);
    }
}
