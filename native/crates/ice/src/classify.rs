/// What a datagram on a shared port is (RFC 7983 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A STUN message, if it is one at all.
    Stun,
    /// DTLS records.
    Dtls,
    /// RTP or RTCP.
    Media,
    /// Empty, ZRTP, TURN channels, QUIC or noise.
    Unknown,
}

/// Tells by the first byte alone: what is inside may still be anything.
#[must_use]
pub fn kind_of(datagram: &[u8]) -> Kind {
    match datagram.first() {
        Some(0..=3) => Kind::Stun,
        Some(20..=63) => Kind::Dtls,
        Some(128..=191) => Kind::Media,
        _ => Kind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_7983_figure_3() {
        let kinds = [0, 3, 4, 16, 19, 20, 63, 64, 79, 127, 128, 191, 192, 255].map(|first| kind_of(&[first]));
        use Kind::{Dtls, Media, Stun, Unknown};
        let expected = [
            Stun, Stun, Unknown, Unknown, Unknown, Dtls, Dtls, Unknown, Unknown, Unknown, Media, Media,
            Unknown, Unknown,
        ];
        assert_eq!(kinds, expected);
        assert_eq!(kind_of(&[]), Unknown);
    }
}
