use bytemuck::{Pod, Zeroable};

const BUCKETS: usize = 64;
const MARKS: usize = 8;

/// Transactions of authentic checks under one password, about the last five hundred: of some twenty minutes.
///
/// A check stays authentic for ever, so whoever saw one could send it again from any address: without this, our media
/// would follow (a full agent would check back first; RFC 8445 §7.3.1.4).
///
/// Kept as marks of 16 bits, so that it is 1 KiB: one new check in 8,000 is taken for a copy. It is answered all the same,
/// and the peer checks again within seconds.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct RecentChecks {
    /// The newest mark of a bucket first; 0: none.
    buckets: [[u16; MARKS]; BUCKETS],
}

impl Default for RecentChecks {
    fn default() -> Self {
        Self::zeroed()
    }
}

impl RecentChecks {
    /// Whether this transaction was not seen before; from now on it was.
    pub fn is_new(&mut self, transaction: &[u8; 12]) -> bool {
        let hash = hash(transaction);
        let mark = ((hash >> 16) as u16).max(1);
        let bucket = &mut self.buckets[hash as usize % BUCKETS];
        if bucket.contains(&mark) {
            return false;
        }
        bucket.rotate_right(1);
        bucket[0] = mark;
        true
    }
}

/// FNV-1a, finished by a multiplication: transactions that merely count must not fall into one bucket.
fn hash(transaction: &[u8; 12]) -> u64 {
    let fnv = transaction.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (fnv ^ (fnv >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transaction(number: u64) -> [u8; 12] {
        let mut transaction = [0; 12];
        transaction[..8].copy_from_slice(&number.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes());
        transaction[8..].copy_from_slice(&(number as u32).to_le_bytes());
        transaction
    }

    #[test]
    fn a_copy_is_known_ten_minutes_later() {
        let mut recent = RecentChecks::default();
        assert!(recent.is_new(&transaction(0)));
        for later in 1..200 {
            assert!(recent.is_new(&transaction(later)));
            assert!(!recent.is_new(&transaction(later)));
        }
        let known = (0..200).filter(|number| !recent.is_new(&transaction(*number))).count();
        assert!(known >= 198, "{known} of 200");
    }

    #[test]
    fn a_new_check_is_rarely_taken_for_a_copy_even_if_transactions_count() {
        let random = transaction as fn(u64) -> [u8; 12];
        let counting = |number: u64| [&[0; 4][..], &number.to_be_bytes()].concat().try_into().unwrap();
        for numbered in [random, counting] {
            let mut recent = RecentChecks::default();
            let copies = (0..100_000).filter(|number| !recent.is_new(&numbered(*number))).count();
            assert!(copies < 30, "{copies} of 100,000");
        }
    }
}
