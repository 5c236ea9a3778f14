/// `ContentType` (RFC 8446 §B.1, RFC 9147 §4).
pub mod content {
    pub const CHANGE_CIPHER_SPEC: u8 = 20;
    pub const ALERT: u8 = 21;
    pub const HANDSHAKE: u8 = 22;
    pub const APPLICATION_DATA: u8 = 23;
}

/// `DTLSPlaintext`, and `DTLSCiphertext` of DTLS 1.2, begin with this many bytes (RFC 6347 §4.1).
pub const HEADER_BYTES: usize = 13;

/// One record of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Header and all.
    pub bytes: &'a [u8],
    pub kind: Kind<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// Epoch 0, and everything of DTLS 1.2.
    Plain { content: u8, epoch: u16, fragment: &'a [u8] },
    /// `DTLSCiphertext` with the unified header of DTLS 1.3 (RFC 9147 §4).
    Unified,
}

/// The records of a datagram up to the first that is malformed.
pub fn records(mut datagram: &[u8]) -> impl Iterator<Item = Record<'_>> {
    std::iter::from_fn(move || {
        let (record, rest) = split_first(datagram)?;
        datagram = rest;
        Some(record)
    })
}

fn split_first(datagram: &[u8]) -> Option<(Record<'_>, &[u8])> {
    match datagram.first()? {
        0x20..=0x3f => split_unified(datagram),
        _ => split_plain(datagram),
    }
}

fn split_plain(datagram: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let header = datagram.first_chunk::<HEADER_BYTES>()?;
    let &[content, 0xfe, 0xfd | 0xff, epoch_high, epoch_low, ..] = header else { return None };
    let length = usize::from(u16::from_be_bytes([header[11], header[12]]));
    let (bytes, rest) = datagram.split_at_checked(HEADER_BYTES + length)?;
    let epoch = u16::from_be_bytes([epoch_high, epoch_low]);
    let kind = Kind::Plain { content, epoch, fragment: &bytes[HEADER_BYTES..] };
    Some((Record { bytes, kind }, rest))
}

fn split_unified(datagram: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let flags = datagram[0];
    if flags & 0x10 != 0 {
        return None; // A connection id, which nobody asked for.
    }
    let sequence_bytes = if flags & 0x08 == 0 { 1 } else { 2 };
    let length_at = 1 + sequence_bytes;
    let end = if flags & 0x04 == 0 {
        datagram.len()
    } else {
        let length = datagram.get(length_at..)?.first_chunk::<2>()?;
        length_at + 2 + usize::from(u16::from_be_bytes(*length))
    };
    let (bytes, rest) = datagram.split_at_checked(end)?;
    Some((Record { bytes, kind: Kind::Unified }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_has_several_records_of_both_kinds() {
        let datagram = [
            &[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 5, 0, 2, 0xaa, 0xbb][..],
            &[0x2e, 0, 1, 0, 3, 1, 2, 3],
            &[0x22, 7, 9, 9],
        ]
        .concat();
        let found: Vec<_> = records(&datagram).collect();
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].kind, Kind::Plain { content: 22, epoch: 0, fragment: &[0xaa, 0xbb] });
        assert_eq!((found[1].kind, found[1].bytes.len()), (Kind::Unified, 8));
        assert_eq!((found[2].kind, found[2].bytes.len()), (Kind::Unified, 4));
    }

    #[test]
    fn what_is_cut_off_or_of_another_protocol_is_no_record() {
        let whole = [22, 0xfe, 0xff, 0, 1, 0, 0, 0, 0, 0, 5, 0, 2, 0xaa, 0xbb];
        assert_eq!(records(&whole).count(), 1);
        assert!((0..whole.len()).all(|length| records(&whole[..length]).count() == 0));
        let tls = [22, 3, 3, 0, 0, 0, 0, 0, 0, 0, 5, 0, 2, 0xaa, 0xbb];
        assert_eq!(records(&tls).count(), 0);
        assert_eq!(records(&[0x3e, 0, 1, 0, 0]).count(), 0);
        assert_eq!(records(&[0x2c, 0, 0]).count(), 0);
    }
}
