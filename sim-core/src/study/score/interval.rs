//! Intervals of means over trials, by the bootstrap.
//!
//! Trials of one group (the same workload and log) are not independent, so whole groups are drawn again, not trials (cluster
//! bootstrap). The percentile interval of 2000 resamples is taken; draws are hashes of their address, so a score has one interval for ever.
//! With few groups it is narrow; it says what other workloads of this kind would show, not what other clusters would.

use crate::kernel::mix;

/// Resamples.
const RESAMPLES: u64 = 2000;

/// A percentile interval of the mean of `values`, each with its group's number.
pub(super) fn of_mean(values: &[(usize, f64)], confidence: f64) -> (f64, f64) {
    let groups = values.iter().map(|(group, _)| group + 1).max().unwrap_or(0);
    let mut sums = vec![(0.0, 0u32); groups];
    for (group, value) in values {
        sums[*group].0 += value;
        sums[*group].1 += 1;
    }
    sums.retain(|(_, n)| *n > 0);
    if sums.is_empty() {
        return (0.0, 0.0);
    }
    let mut means: Vec<f64> = (0..RESAMPLES).map(|resample| resampled(&sums, resample)).collect();
    means.sort_by(f64::total_cmp);
    let at = |p: f64| means[((p * (RESAMPLES - 1) as f64).round() as usize).min(means.len() - 1)];
    let tail = (1.0 - confidence) / 2.0;
    (at(tail), at(1.0 - tail))
}

fn resampled(sums: &[(f64, u32)], resample: u64) -> f64 {
    // Hashes of (resample, draw); the remainder's bias is a group count over 2^64.
    let drawn = (0..sums.len()).map(|draw| sums[(mix(resample, draw as u64) % sums.len() as u64) as usize]);
    let (sum, n) = drawn.fold((0.0, 0u32), |(sum, n), (s, m)| (sum + s, n + m));
    sum / f64::from(n.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One value a group: the interval of a mean of n values with standard deviation s is about 1.96 s / √n.
    #[test]
    fn independent_groups_give_the_interval_of_a_mean() {
        let values: Vec<(usize, f64)> = (0..100).map(|i| (i, f64::from(i as u32 % 2))).collect();
        let (low, high) = of_mean(&values, 0.95);
        assert!((low - 0.402).abs() < 0.02 && (high - 0.598).abs() < 0.02, "{low} {high}");
    }

    /// The same values in ten groups of alike ones are as good as ten values.
    #[test]
    fn alike_trials_of_a_group_count_once() {
        let values: Vec<(usize, f64)> = (0..100).map(|i| (i / 10, f64::from((i / 10) as u32 % 2))).collect();
        let (low, high) = of_mean(&values, 0.95);
        assert!(high - low > 0.5, "{low} {high}");
        assert_eq!(of_mean(&[], 0.95), (0.0, 0.0));
    }
}
