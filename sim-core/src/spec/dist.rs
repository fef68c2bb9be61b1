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

#[cfg(test)]
mod tests {
    use statrs::distribution::{self as other, ContinuousCDF};

    use super::*;

    /// Odd multiples of 2^-11: the middles of 1024 equal shares.
    fn middles() -> impl Iterator<Item = f64> {
        (0..1024).map(|k| (f64::from(k) + 0.5) / 1024.0)
    }
    fn close(a: f64, b: f64, relative: f64) -> bool {
        (a - b).abs() <= relative * b.abs().max(1e-300)
    }

    #[test]
    fn quantiles_are_those_of_another_library() {
        let uniform = other::Uniform::new(2.0, 5.0).expect("valid");
        let lognormal = other::LogNormal::new(libm::log(1.5), 0.7).expect("valid");
        let triangular = other::Triangular::new(1.0, 4.0, 2.0).expect("valid");
        for u in middles() {
            assert!(close(Dist::Uniform { low: 2.0, high: 5.0 }.quantile(u), uniform.inverse_cdf(u), 1e-12));
            assert!(close(Dist::Lognormal { median: 1.5, sigma: 0.7 }.quantile(u), lognormal.inverse_cdf(u), 1e-9));
            assert!(close(Dist::Triangular { low: 1.0, mode: 2.0, high: 4.0 }.quantile(u), triangular.inverse_cdf(u), 1e-9));
        }
    }

    #[test]
    fn the_normal_is_truncated_at_zero_and_not_clamped() {
        for (mean, sd) in [(10.0, 1.0), (1.0, 1.0), (0.0, 2.0), (-3.0, 1.0)] {
            let whole = other::Normal::new(mean, sd).expect("valid");
            let dist = Dist::Normal { mean, sd };
            for u in middles() {
                let x = dist.quantile(u);
                // P(X <= x | X > 0) with the other library's distribution function, from the upper side for its accuracy.
                let conditional = 1.0 - whole.sf(x) / whole.sf(0.0);
                assert!(x > 0.0 && (conditional - u).abs() < 1e-9, "N({mean}, {sd}): {u} gives {x}, which has {conditional}");
            }
        }
    }

    #[test]
    fn a_normal_far_below_zero_stays_finite_and_increases() {
        for mean in [-30.0, -37.0, -39.0, -1e6] {
            let dist = Dist::Normal { mean, sd: 1.0 };
            let draws: Vec<f64> = middles().map(|u| dist.quantile(u)).collect();
            assert!(draws.iter().all(|x| x.is_finite() && *x >= 0.0) && draws.is_sorted(), "mean {mean}");
            // Close to exponential with rate -mean: mean 1 / -mean, median ln 2 / -mean. The next term of Mills' ratio makes the
            // mean smaller by 2 / mean^2 of itself, the median by less.
            let tolerance = 3.0 / (mean * mean);
            assert!(close(dist.quantile(0.5), libm::log(2.0) / -mean, tolerance), "mean {mean}");
            assert!(close(dist.mean(), -1.0 / mean, tolerance), "mean {mean}");
        }
    }

    fn examples() -> Vec<Dist> {
        vec![
            Dist::Constant(3.0),
            Dist::Uniform { low: 1.0, high: 4.0 },
            Dist::Normal { mean: 1.0, sd: 1.0 },
            Dist::Normal { mean: 5.0, sd: 0.5 },
            Dist::Lognormal { median: 2.0, sigma: 0.5 },
            Dist::Triangular { low: 1.0, mode: 1.0, high: 2.0 },
            Dist::Triangular { low: 0.0, mode: 3.0, high: 4.0 },
            Dist::Triangular { low: 1.0, mode: 2.0, high: 2.0 },
            Dist::Empirical(vec![3.0, 1.0, 2.0, 10.0]),
        ]
    }

    #[test]
    fn the_mean_is_the_integral_of_the_quantiles() {
        for dist in examples() {
            let integral = (0..1 << 16).map(|k| dist.quantile((f64::from(k) + 0.5) / 65536.0)).sum::<f64>() / 65536.0;
            // The middles miss part of the lognormal's upper tail, 1e-5 of its mean.
            assert!(close(dist.mean(), integral, 5e-5), "{dist:?}: {} and {integral}", dist.mean());
        }
    }

    #[test]
    fn scaling_scales_every_draw() {
        for dist in examples() {
            let scaled = dist.scaled(2.5);
            assert!(middles().all(|u| close(scaled.quantile(u), 2.5 * dist.quantile(u), 1e-12)), "{dist:?}");
            assert!(close(scaled.mean(), 2.5 * dist.mean(), 1e-12), "{dist:?}");
        }
    }

    #[test]
    fn quantiles_increase_and_are_finite_at_the_smallest_and_largest_draw() {
        let (least, most) = (2f64.powi(-53), 1.0 - 2f64.powi(-53));
        for dist in examples() {
            let draws: Vec<f64> = [least].into_iter().chain(middles()).chain([most]).map(|u| dist.quantile(u)).collect();
            assert!(draws.is_sorted() && draws.iter().all(|x| x.is_finite() && *x >= 0.0), "{dist:?}");
        }
    }

    #[test]
    fn an_empirical_draw_is_one_of_the_values_each_as_often() {
        let dist = Dist::Empirical(vec![3.0, 1.0, 2.0, 10.0]);
        for (value, quarter) in [1.0, 2.0, 3.0, 10.0].into_iter().zip(0..) {
            let count = middles().filter(|u| close(dist.quantile(*u), value, 0.0)).count();
            assert_eq!(count, 256, "the {quarter}th quarter");
        }
        assert!(close(Dist::Empirical(vec![7.0]).quantile(1.0), 7.0, 0.0));
        assert!(Dist::Empirical(Vec::new()).quantile(0.5).abs() < f64::MIN_POSITIVE);
    }

    #[test]
    fn constant_is_what_never_varies() {
        for dist in examples().into_iter().skip(1) {
            assert!(!dist.is_constant(), "{dist:?}");
        }
        let degenerate = [
            Dist::Constant(3.0),
            Dist::Uniform { low: 3.0, high: 3.0 },
            Dist::Normal { mean: 3.0, sd: 0.0 },
            Dist::Lognormal { median: 3.0, sigma: 0.0 },
            Dist::Triangular { low: 3.0, mode: 3.0, high: 3.0 },
            Dist::Empirical(vec![3.0, 3.0]),
        ];
        for dist in degenerate {
            assert!(dist.is_constant() && close(dist.mean(), 3.0, 0.0), "{dist:?}");
            assert!([0.0, 0.3, 1.0].into_iter().all(|u| close(dist.quantile(u), 3.0, 0.0)), "{dist:?}");
        }
    }
}
