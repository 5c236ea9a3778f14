use crate::Random;

const EDGES: [u8; 5] = [0, 1, 0x7f, 0x80, 0xff];
const LENGTHS: [u16; 5] = [0, 1, 4, 0x7fff, 0xffff];
/// Longer inputs are cut off: what a test feeds is a datagram.
const MAX_BYTES: usize = 65_507;

/// A changed copy, for fuzzing: bits flipped, bytes set to edges, pieces cut out, doubled or taken from another input.
#[must_use]
pub fn mutate(input: &[u8], others: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=random.below(4) {
        mutate_once(&mut bytes, others, random);
        bytes.truncate(MAX_BYTES);
    }
    bytes
}

fn mutate_once(bytes: &mut Vec<u8>, others: &[Vec<u8>], random: &mut Random) {
    let mut below = |bound: usize| random.below(bound as u64) as usize;
    let at = below(bytes.len());
    let end = bytes.len().min(at + 1 + below(16));
    match below(7) {
        0 => flip(bytes, at, 1 << below(8)),
        1 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = EDGES[below(EDGES.len())]),
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(at..end)),
        4 => bytes.extend_from_within(at..),
        5 => {
            let other = others.get(below(others.len())).map_or(&[][..], Vec::as_slice);
            bytes.truncate(at);
            bytes.extend(&other[below(other.len() + 1)..]);
        }
        _ => {
            let length =
                LENGTHS.into_iter().chain([bytes.len() as u16]).nth(below(LENGTHS.len() + 1)).unwrap_or(0);
            if let Some(place) = bytes.get_mut(at & !1..).and_then(|rest| rest.first_chunk_mut()) {
                *place = length.to_be_bytes();
            }
        }
    }
}

fn flip(bytes: &mut [u8], at: usize, bit: u8) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= bit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn inputs_become_many_others_even_from_nothing() {
        let mut random = Random::new(1);
        let others = [b"other".to_vec(), Vec::new()];
        for input in [&b""[..], b"x", b"a longer input"] {
            let seen: BTreeSet<_> = (0..1_000).map(|_| mutate(input, &others, &mut random)).collect();
            assert!(seen.len() > 5, "{} from {} bytes", seen.len(), input.len());
        }
    }
}
