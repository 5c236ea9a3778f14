use std::hash::{BuildHasher, Hasher};

use trunkline_base::random_array;

/// A hash for short keys of whole words that peers choose: keyed by a secret, so that nobody can make keys collide, and far
/// cheaper than the standard one.
#[derive(Clone)]
pub(crate) struct Keyed {
    state: u64,
    factor: u64,
}

impl Keyed {
    pub(crate) fn random() -> Self {
        let [state, factor] = [random_array::<8>(), random_array::<8>()].map(u64::from_ne_bytes);
        Self { state, factor: factor | 1 }
    }
}

impl BuildHasher for Keyed {
    type Hasher = KeyedHasher;

    fn build_hasher(&self) -> KeyedHasher {
        KeyedHasher { state: self.state, factor: self.factor }
    }
}

pub(crate) struct KeyedHasher {
    state: u64,
    factor: u64,
}

impl Hasher for KeyedHasher {
    fn finish(&self) -> u64 {
        fold(self.state, self.factor.rotate_left(32))
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_ne_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.state = fold(self.state ^ word, self.factor);
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(word.into());
    }

    fn write_u16(&mut self, word: u16) {
        self.write_u64(word.into());
    }
}

/// Both halves of the product, as in wyhash: every bit of either factor reaches all bits of the result.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn neighbouring_keys_are_spread_over_the_buckets() {
        let keyed = Keyed::random();
        let buckets: HashSet<u64> = (0_u64..4_096).map(|port| keyed.hash_one((7_u64, port)) >> 52).collect();
        // Of 4,096 buckets, random keys leave 1/e empty.
        assert!((2_300..2_900).contains(&buckets.len()), "{}", buckets.len());
    }

    #[test]
    fn another_process_hashes_differently() {
        assert_ne!(Keyed::random().hash_one(1_u64), Keyed::random().hash_one(1_u64));
    }
}
