//! Probabilities as parts per billion.

use std::fmt;

/// A probability in parts per billion, always between 0 and 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Probability(u32);

impl Probability {
    const ONE_PPB: u32 = 1_000_000_000;
    /// Impossible.
    pub const ZERO: Self = Self(0);
    /// Certain.
    pub const ONE: Self = Self(Self::ONE_PPB);

    /// The nearest probability to a float, or `None` outside `[0, 1]`.
    pub fn new(p: f64) -> Option<Self> {
        (0.0..=1.0).contains(&p).then(|| Self((p * f64::from(Self::ONE_PPB)).round() as u32))
    }
    /// The probability as a float.
    pub fn get(self) -> f64 {
        f64::from(self.0) / f64::from(Self::ONE_PPB)
    }
}
impl fmt::Debug for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.get())
    }
}
