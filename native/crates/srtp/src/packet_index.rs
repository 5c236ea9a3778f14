/// The 48-bit index of a packet: the one with this sequence number that is closest to the highest so far
/// (RFC 3711 §3.3.1, appendix A). Of an SSRC that was never heard the roll-over counter is 0.
///
/// `None`: before the first or past the last packet of the key.
pub fn packet_index(highest: Option<u64>, sequence: u16) -> Option<u64> {
    let Some(highest) = highest else { return Some(sequence.into()) };
    let (roc, highest_sequence) = (highest >> 16, highest as u16);
    let roc = if highest_sequence < HALF {
        if sequence.saturating_sub(highest_sequence) > HALF { roc.checked_sub(1)? } else { roc }
    } else if highest_sequence - HALF > sequence {
        roc + 1
    } else {
        roc
    };
    (roc < ROCS).then_some(roc << 16 | u64::from(sequence))
}

const HALF: u16 = 0x8000;
const ROCS: u64 = 1 << 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::corpus;
    use proptest::prelude::*;

    #[test]
    fn rfc_3711_appendix_a() {
        let Some(table) = corpus("srtp/index-estimate.json") else { return };
        for case in table["cases"].as_array().unwrap() {
            let number = |name: &str| case[name].as_u64().unwrap();
            let (roc, expected) = (number("roc"), number("v"));
            let index = packet_index(Some(roc << 16 | number("s_l")), number("seq") as u16);
            // Wrapped round in either direction: not a packet of this key.
            let expected = (expected.abs_diff(roc) <= 1).then_some(expected << 16 | number("seq"));
            assert_eq!(index, expected, "{case}");
        }
    }

    #[test]
    fn the_first_and_the_last_roll_over() {
        assert_eq!(packet_index(None, 65_535), Some(65_535));
        assert_eq!(packet_index(Some(3), 65_535), None);
        assert_eq!(packet_index(Some(65_535), 0), Some(65_536));
        assert_eq!(packet_index(Some((1 << 48) - 1), 0), None);
    }

    proptest! {
        #[test]
        fn a_packet_less_than_half_a_round_away_is_found(at in 0_u64..1 << 48, ahead in -32_767_i64..=32_767) {
            if let Some(index) = at.checked_add_signed(ahead).filter(|index| *index < 1 << 48) {
                prop_assert_eq!(packet_index(Some(at), index as u16), Some(index));
            }
        }
    }
}
