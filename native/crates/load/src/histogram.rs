use serde::Serialize;

/// Values below this have a bucket each; from there on each power of two has half as many: a value is told to 1.6 %.
const EXACT: u64 = 128;
const EXACT_BITS: u32 = EXACT.trailing_zeros();
const HALF: usize = EXACT as usize / 2;
/// Values from here on count as the one before: 18 minutes in µs.
const LIMIT_BITS: u32 = 30;
const BUCKETS: usize = (LIMIT_BITS - EXACT_BITS + 2) as usize * HALF;

/// How often each value came, in constant memory: linear buckets within powers of two, as HdrHistogram has them.
pub struct Histogram {
    buckets: Box<[u64]>,
    count: u64,
    sum: u64,
    max: u64,
}

impl Histogram {
    pub fn new() -> Self {
        Self { buckets: vec![0; BUCKETS].into_boxed_slice(), count: 0, sum: 0, max: 0 }
    }

    pub fn add(&mut self, value: u64) {
        self.buckets[bucket_of(value.min((1 << LIMIT_BITS) - 1))] += 1;
        self.count += 1;
        self.sum += value;
        self.max = self.max.max(value);
    }

    /// Smallest bucket bound that `fraction` (0 to 1) of all values do not exceed; 0 without values.
    pub fn percentile(&self, fraction: f64) -> u64 {
        let rank = ((fraction * self.count as f64).ceil() as u64).clamp(1, self.count.max(1));
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return last_of(index).min(self.max);
            }
        }
        self.max
    }

    pub fn summary(&self) -> Summary {
        Summary {
            count: self.count,
            mean: if self.count == 0 { 0.0 } else { self.sum as f64 / self.count as f64 },
            p50: self.percentile(0.5),
            p99: self.percentile(0.99),
            p999: self.percentile(0.999),
            max: self.max,
            buckets: self
                .buckets
                .iter()
                .enumerate()
                .filter(|(_, count)| **count > 0)
                .map(|(index, count)| (last_of(index), *count))
                .collect(),
        }
    }
}

/// What a histogram says, in its unit.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    pub count: u64,
    pub mean: f64,
    pub p50: u64,
    pub p99: u64,
    pub p999: u64,
    pub max: u64,
    /// (largest value, how many) of each bucket that is not empty, ascending.
    pub buckets: Vec<(u64, u64)>,
}

fn bucket_of(value: u64) -> usize {
    let power = (u64::BITS - value.leading_zeros()).saturating_sub(EXACT_BITS);
    power as usize * HALF + (value >> power) as usize
}

/// Largest value of a bucket.
fn last_of(bucket: usize) -> u64 {
    let power = (bucket / HALF).saturating_sub(1);
    let step = (bucket - power * HALF) as u64;
    ((step + 1) << power) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_the_bucket_that_ends_just_above_it() {
        for value in (0..100_000).chain((17..30).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1])) {
            let bucket = bucket_of(value);
            assert!(last_of(bucket) >= value, "{value}");
            assert!((last_of(bucket) - value) as f64 <= value as f64 / 60.0, "{value}");
            assert!(bucket == 0 || last_of(bucket - 1) < value, "{value}");
        }
        assert_eq!(bucket_of((1 << LIMIT_BITS) - 1), BUCKETS - 1);
    }

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let mut histogram = Histogram::new();
        for value in 1..=100 {
            histogram.add(value);
        }
        assert_eq!([0.0, 0.5, 0.99, 1.0].map(|at| histogram.percentile(at)), [1, 50, 99, 100]);
        assert_eq!(histogram.summary().mean, 50.5);
    }

    #[test]
    fn what_is_too_long_counts_as_the_longest() {
        let mut histogram = Histogram::new();
        histogram.add(u64::MAX / 2);
        assert_eq!(histogram.summary().max, u64::MAX / 2);
        assert_eq!(histogram.summary().buckets, [((1 << LIMIT_BITS) - 1, 1)]);
    }

    #[test]
    fn without_values_there_is_nothing_to_tell() {
        let summary = Histogram::new().summary();
        assert_eq!((summary.count, summary.p99, summary.mean), (0, 0, 0.0));
        assert!(summary.buckets.is_empty());
    }
}
