/// `HandshakeType` (RFC 8446 §B.3, RFC 6347 §4.3.2).
pub mod message {
    pub const CLIENT_HELLO: u8 = 1;
    pub const SERVER_HELLO: u8 = 2;
    pub const HELLO_VERIFY_REQUEST: u8 = 3;
    pub const CERTIFICATE: u8 = 11;
    pub const SERVER_KEY_EXCHANGE: u8 = 12;
    pub const CERTIFICATE_REQUEST: u8 = 13;
    pub const SERVER_HELLO_DONE: u8 = 14;
    pub const CERTIFICATE_VERIFY: u8 = 15;
    pub const CLIENT_KEY_EXCHANGE: u8 = 16;
}

/// Before the body of a handshake message's fragment (RFC 9147 §5.2).
pub const HEADER_BYTES: usize = 12;

/// A fragment of a handshake message in the clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment<'a> {
    pub message: u8,
    pub message_seq: u16,
    /// Of the whole message.
    pub length: usize,
    pub offset: usize,
    pub body: &'a [u8],
}

/// The fragments in a record; `None` if it is malformed or empty.
pub fn fragments(mut record: &[u8]) -> Option<Vec<Fragment<'_>>> {
    let mut found = Vec::new();
    while !record.is_empty() {
        let (fragment, rest) = split_first(record)?;
        found.push(fragment);
        record = rest;
    }
    (!found.is_empty()).then_some(found)
}

fn split_first(record: &[u8]) -> Option<(Fragment<'_>, &[u8])> {
    let (header, rest) = record.split_first_chunk::<HEADER_BYTES>()?;
    let &[message, l0, l1, l2, s0, s1, o0, o1, o2, f0, f1, f2] = header;
    let length = uint24([l0, l1, l2]);
    let offset = uint24([o0, o1, o2]);
    let (body, rest) = rest.split_at_checked(uint24([f0, f1, f2]))?;
    if offset + body.len() > length || (body.is_empty() && length > 0) {
        return None;
    }
    let message_seq = u16::from_be_bytes([s0, s1]);
    Some((Fragment { message, message_seq, length, offset, body }, rest))
}

fn uint24([high, middle, low]: [u8; 3]) -> usize {
    u32::from_be_bytes([0, high, middle, low]) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_several_fragments() {
        let record = [2, 0, 0, 5, 0, 1, 0, 0, 2, 0, 0, 3, 7, 8, 9, 14, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0];
        let found = fragments(&record).unwrap();
        assert_eq!(found[0], Fragment { message: 2, message_seq: 1, length: 5, offset: 2, body: &[7, 8, 9] });
        assert_eq!(found[1], Fragment { message: 14, message_seq: 2, length: 0, offset: 0, body: &[] });
    }

    #[test]
    fn a_fragment_stays_within_its_message() {
        assert_eq!(fragments(&[2, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0, 2, 7, 8]), None);
        assert_eq!(fragments(&[2, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 7]), None);
        assert_eq!(fragments(&[2, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(fragments(&[]), None);
    }
}
