//! Estimates that carry their interval.

use statrs::distribution::{Beta, ContinuousCDF, Normal};

/// A proportion with its exact (Clopper–Pearson) interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Share observed.
    pub estimate: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Confidence of the interval, such as 0.95.
    pub confidence: f64,
    /// Number of replications.
    pub n: u64,
}

impl Estimate {
    /// `hits` of `n`, with the Clopper–Pearson interval, which covers at least as often as it says for every
    /// true probability (Clopper and Pearson 1934).
    ///
    /// # Panics
    /// When `hits > n`, or `confidence` is not in (0, 1).
    pub fn proportion(hits: u64, n: u64, confidence: f64) -> Self {
        assert!(hits <= n, "more hits than replications");
        assert!(confidence > 0.0 && confidence < 1.0, "confidence must be between 0 and 1");
        if n == 0 {
            return Self { estimate: 0.0, low: 0.0, high: 1.0, confidence, n };
        }
        let tail = (1.0 - confidence) / 2.0;
        let (h, m) = (hits as f64, n as f64);
        let low = if hits == 0 { 0.0 } else { beta_quantile(h, m - h + 1.0, tail) };
        let high = if hits == n { 1.0 } else { beta_quantile(h + 1.0, m - h, 1.0 - tail) };
        Self { estimate: h / m, low, high, confidence, n }
    }

    /// Half the width of the interval.
    pub fn half_width(&self) -> f64 {
        (self.high - self.low) / 2.0
    }
}

fn beta_quantile(a: f64, b: f64, p: f64) -> f64 {
    Beta::new(a, b).map_or(f64::NAN, |beta| beta.inverse_cdf(p))
}

/// A distribution in four numbers, with intervals for the mean and the median.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Mean.
    pub mean: f64,
    /// Interval of the mean (normal approximation).
    pub mean_low: f64,
    /// Interval of the mean (normal approximation).
    pub mean_high: f64,
    /// Median.
    pub p50: f64,
    /// Interval of the median (order statistics).
    pub p50_low: f64,
    /// Interval of the median (order statistics).
    pub p50_high: f64,
    /// 95th percentile.
    pub p95: f64,
    /// Interval of the 95th percentile (order statistics; ends are the extremes when n is small).
    pub p95_low: f64,
    /// Interval of the 95th percentile (order statistics).
    pub p95_high: f64,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// How many values.
    pub n: u64,
}

impl Summary {
    /// Summarises values; all numbers are zero when there are none (`n` says so).
    pub fn of(mut values: Vec<f64>, confidence: f64) -> Self {
        if values.is_empty() {
            return Self {
                mean: 0.0,
                mean_low: 0.0,
                mean_high: 0.0,
                p50: 0.0,
                p50_low: 0.0,
                p50_high: 0.0,
                p95: 0.0,
                p95_low: 0.0,
                p95_high: 0.0,
                min: 0.0,
                max: 0.0,
                confidence,
                n: 0,
            };
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = if values.len() > 1 { values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0) } else { 0.0 };
        let z = standard_normal_quantile(f64::midpoint(1.0, confidence));
        let half = z * (variance / n).sqrt();
        values.sort_by(f64::total_cmp);
        let (p50_low, p50_high) = quantile_interval(&values, 0.5, z);
        let (p95_low, p95_high) = quantile_interval(&values, 0.95, z);
        Self {
            mean,
            mean_low: mean - half,
            mean_high: mean + half,
            p50: quantile(&values, 0.5),
            p50_low,
            p50_high,
            p95: quantile(&values, 0.95),
            p95_low,
            p95_high,
            min: values[0],
            max: values[values.len() - 1],
            confidence,
            n: values.len() as u64,
        }
    }
}

fn standard_normal_quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

/// The smallest value with at least a share `q` of the values at or below it.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

/// Order-statistic interval: ranks `n·q ± z·sqrt(n·q·(1−q))`, clamped to the extremes.
fn quantile_interval(sorted: &[f64], q: f64, z: f64) -> (f64, f64) {
    let n = sorted.len() as f64;
    let spread = z * (n * q * (1.0 - q)).sqrt();
    let low = (n * q - spread).floor().max(1.0) as usize;
    let high = ((n * q + spread).ceil() as usize + 1).min(sorted.len());
    (sorted[low.min(sorted.len()) - 1], sorted[high - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values computed with an independent beta quantile (R's `binom.test`).
    #[test]
    fn clopper_pearson_matches_published_values() {
        for (hits, n, low, high) in [(0, 100, 0.0, 0.0362), (3, 100, 0.0062, 0.0852), (100, 100, 0.9638, 1.0)] {
            let e = Estimate::proportion(hits, n, 0.95);
            assert!((e.low - low).abs() < 1e-4 && (e.high - high).abs() < 1e-4, "{hits}/{n}: {e:?}");
        }
    }

    #[test]
    fn summary_of_one_to_hundred() {
        let s = Summary::of((1..=100).rev().map(f64::from).collect(), 0.95);
        assert_eq!((s.p50, s.p95, s.max, s.n), (50.0, 95.0, 100.0, 100));
        assert!(s.p50_low < 50.0 && s.p50_high > 50.0 && s.mean_low < 50.5 && s.mean_high > 50.5);
    }
}
