use trunkline_base::Micros;
use trunkline_control::LatencyStats;

/// Equal parts of each power of two: no value is told more than 1/16 too high.
const PARTS_BITS: u32 = 4;
const PARTS: usize = 1 << PARTS_BITS;
/// 2^26 µs are a minute.
const LARGEST_BITS: u32 = 26;
const BUCKETS: usize = (LARGEST_BITS - PARTS_BITS + 1) as usize * PARTS;

/// Times in microseconds in constant memory, log-linear as in HdrHistogram.
pub(crate) struct Histogram {
    counts: Box<[u64; BUCKETS]>,
    total: u64,
    max: Micros,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self { counts: Box::new([0; BUCKETS]), total: 0, max: 0 }
    }

    pub(crate) fn record(&mut self, value: Micros) {
        self.counts[bucket_of(value)] += 1;
        self.total += 1;
        self.max = self.max.max(value);
    }

    pub(crate) fn stats(&self) -> LatencyStats {
        let used = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        LatencyStats {
            count: self.total,
            p50: self.quantile(0.5),
            p99: self.quantile(0.99),
            p999: self.quantile(0.999),
            max: self.max as f64,
            buckets: used.map(|(bucket, count)| (upper_bound(bucket), *count)).collect(),
        }
    }

    fn quantile(&self, share: f64) -> f64 {
        let wanted = ((self.total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return upper_bound(bucket).min(self.max) as f64;
            }
        }
        0.0
    }
}

fn bucket_of(value: Micros) -> usize {
    let value = value.min((1 << LARGEST_BITS) - 1);
    let exponent = value.max(1).ilog2().max(PARTS_BITS) - PARTS_BITS;
    let row = if value < PARTS as u64 { 0 } else { exponent as usize + 1 };
    let part = (value >> exponent) as usize % PARTS;
    row * PARTS + part
}

/// Largest value of a bucket.
fn upper_bound(bucket: usize) -> Micros {
    let (row, part) = (bucket / PARTS, (bucket % PARTS) as u64);
    if row == 0 {
        return part;
    }
    ((PARTS as u64 + part + 1) << (row - 1)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_a_bucket_that_is_at_most_a_sixteenth_wide() {
        for value in (0..5_000).chain((5_000..(1 << LARGEST_BITS)).step_by(7_919)) {
            let upper = upper_bound(bucket_of(value));
            assert!(upper >= value && upper - value <= value / 16, "{value} in a bucket up to {upper}");
        }
        assert_eq!(bucket_of(Micros::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_those_of_what_was_recorded() {
        let mut histogram = Histogram::new();
        assert_eq!(histogram.stats(), LatencyStats::default());
        for value in 1..=1_000 {
            histogram.record(value);
        }
        let stats = histogram.stats();
        assert_eq!((stats.count, stats.max), (1_000, 1_000.0));
        assert!((500.0..=511.0).contains(&stats.p50), "{stats:?}");
        assert!((990.0..=1_000.0).contains(&stats.p99));
        assert_eq!(stats.buckets.iter().map(|(_, count)| count).sum::<u64>(), 1_000);
    }
}
