//! Means over replications with their confidence interval.

use sim_core::kernel::Luck;

const REPLICATIONS: u64 = 40;
/// Student's t with 39 degrees of freedom, two-sided 99.9 %.
const T_QUANTILE: f64 = 3.558;

/// A mean over replications and the half width of its 99.9 % confidence interval.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    mean: f64,
    half_width: f64,
}

/// Runs one measurement a replication; each returns `N` numbers.
pub(crate) fn replicate<const N: usize>(seed: u64, run: impl Fn(Luck) -> [f64; N]) -> [Measured; N] {
    let runs: Vec<[f64; N]> = (0..REPLICATIONS).map(|replication| run(Luck::new(seed, replication))).collect();
    std::array::from_fn(|k| {
        let n = REPLICATIONS as f64;
        let mean = runs.iter().map(|run| run[k]).sum::<f64>() / n;
        let variance = runs.iter().map(|run| (run[k] - mean).powi(2)).sum::<f64>() / (n - 1.0);
        Measured { mean, half_width: T_QUANTILE * (variance / n).sqrt() }
    })
}

impl Measured {
    /// The interval holds the value and is no wider than this share of it on either side.
    pub(crate) fn assert_is(self, expected: f64, precision: f64) {
        assert!((self.mean - expected).abs() <= self.half_width, "{self:?} does not hold {expected}");
        assert!(self.half_width <= precision * expected, "{self:?} is too vague to confirm {expected}");
    }
    /// The interval does not hold a value that a neighbouring model would give.
    pub(crate) fn assert_is_not(self, wrong: f64) {
        assert!((self.mean - wrong).abs() > self.half_width, "{self:?} can't be told from {wrong}");
    }
}
