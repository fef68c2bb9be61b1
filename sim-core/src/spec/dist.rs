//! Named distributions of uncertain quantities, drawn by inversion.
//!
//! Every draw is the quantile of one uniform number, so that two configurations that share their luck (common random
//! numbers) also share it when a parameter of a distribution differs. All are of positive quantities: factors, shares and
//! seconds. Formulas are those of the textbooks; transcendental functions come from `libm`, never from the platform.

use super::probit::{density, probit, upper_tail};

/// A distribution of a positive quantity. Values are drawn by inversion, one uniform a draw, so that common
/// random numbers stay common when parameters change.
#[derive(Clone, Debug, PartialEq)]
pub enum Dist {
    /// Always the same.
    Constant(f64),
    /// Uniform on `[low, high]`.
    Uniform {
        /// Smallest value.
        low: f64,
        /// Largest value.
        high: f64,
    },
    /// Normal, cut off at zero.
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        sd: f64,
    },
    /// Lognormal.
    Lognormal {
        /// Median.
        median: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// Triangular.
    Triangular {
        /// Smallest value.
        low: f64,
        /// Most likely value.
        mode: f64,
        /// Largest value.
        high: f64,
    },
    /// One of these values, each as likely.
    Empirical(Vec<f64>),
}

impl Dist {
    /// The value below which a share `u` of draws falls, by inversion; finite for `u` in `(0, 1)`.
    ///
    /// The normal is truly truncated at zero (its mass above zero is spread over `(0, 1)`), not clamped. Only `libm` is used,
    /// so that draws are the same on every platform. An empty list of values gives zero; validation refuses it.
    pub fn quantile(&self, u: f64) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Uniform { low, high } => low + u * (high - low),
            Self::Normal { mean, sd } => truncated_normal(*mean, *sd, u),
            Self::Lognormal { median, sigma } => {
                // Without spread the limits u = 0 and 1 would be 0 · ∞.
                if *sigma == 0.0 { *median } else { median * libm::exp(sigma * probit(u)) }
            }
            Self::Triangular { low, mode, high } => triangular(*low, *mode, *high, u),
            Self::Empirical(values) => empirical(values, u),
        }
    }
    /// The expected value of a draw.
    pub fn mean(&self) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Uniform { low, high } => f64::midpoint(*low, *high),
            Self::Normal { mean, sd } => truncated_normal_mean(*mean, *sd),
            Self::Lognormal { median, sigma } => median * libm::exp(0.5 * sigma * sigma),
            Self::Triangular { low, mode, high } => (low + mode + high) / 3.0,
            Self::Empirical(values) => values.iter().sum::<f64>() / values.len().max(1) as f64,
        }
    }
    /// The distribution of a draw times a positive factor.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        match self {
            Self::Constant(value) => Self::Constant(value * factor),
            Self::Uniform { low, high } => Self::Uniform { low: low * factor, high: high * factor },
            Self::Normal { mean, sd } => Self::Normal { mean: mean * factor, sd: sd * factor },
            Self::Lognormal { median, sigma } => Self::Lognormal { median: median * factor, sigma: *sigma },
            Self::Triangular { low, mode, high } => Self::Triangular { low: low * factor, mode: mode * factor, high: high * factor },
            Self::Empirical(values) => Self::Empirical(values.iter().map(|value| value * factor).collect()),
        }
    }
    /// Whether every draw is the same.
    pub fn is_constant(&self) -> bool {
        match self {
            Self::Constant(_) => true,
            Self::Uniform { low, high } | Self::Triangular { low, high, .. } => low >= high,
            Self::Normal { sd, .. } => *sd == 0.0,
            Self::Lognormal { sigma, .. } => *sigma == 0.0,
            Self::Empirical(values) => values.iter().min_by(|a, b| a.total_cmp(b)) == values.iter().max_by(|a, b| a.total_cmp(b)),
        }
    }
}

/// Quantile of a normal under the condition that it is positive.
fn truncated_normal(mean: f64, sd: f64, u: f64) -> f64 {
    if sd <= 0.0 {
        return mean.max(0.0);
    }
    let cut = -mean / sd;
    let above = upper_tail(cut);
    if above < f64::MIN_POSITIVE {
        // More than 37 standard deviations below zero: what is left is exponential with rate cut / sd.
        return -libm::log1p(-u) * sd / cut;
    }
    // Count from the nearer end, where the probability is small and exact.
    let below = upper_tail(-cut) + u * above;
    let z = if below < 0.5 { probit(below) } else { -probit((1.0 - u) * above) };
    (mean + sd * z).max(0.0)
}

/// Mean of a normal under the condition that it is positive: the inverse Mills ratio.
fn truncated_normal_mean(mean: f64, sd: f64) -> f64 {
    if sd <= 0.0 {
        return mean.max(0.0);
    }
    let cut = -mean / sd;
    let above = upper_tail(cut);
    if above < f64::MIN_POSITIVE { sd / cut } else { mean + sd * density(cut) / above }
}

fn triangular(low: f64, mode: f64, high: f64, u: f64) -> f64 {
    let width = high - low;
    if width <= 0.0 {
        return low;
    }
    if u * width < mode - low { low + libm::sqrt(u * width * (mode - low)) } else { high - libm::sqrt((1.0 - u) * width * (high - mode)) }
}

/// The inverse of the step function; sorts a copy when the values are not in order.
fn empirical(values: &[f64], u: f64) -> f64 {
    let Some(last) = values.len().checked_sub(1) else { return 0.0 };
    let rank = ((u * values.len() as f64) as usize).min(last);
    if values.is_sorted() {
        return values[rank];
    }
    let mut sorted = values.to_vec();
    *sorted.select_nth_unstable_by(rank, f64::total_cmp).1
}
