//! CPU capacity in Kubernetes' thousandths of a core.

use std::fmt;
use std::ops::{Add, AddAssign, Mul, Sub};

/// Thousandths of a CPU core, Kubernetes' `500m`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct CoreMillis(u64);

impl CoreMillis {
    /// No CPU.
    pub const ZERO: Self = Self(0);

    /// An exact number of thousandths.
    pub const fn new(millis: u64) -> Self {
        Self(millis)
    }
    /// Whole cores.
    pub const fn cores(n: u64) -> Self {
        Self(n * 1000)
    }
    /// Thousandths of a core.
    pub const fn get(self) -> u64 {
        self.0
    }
    /// Cores as a float.
    pub fn as_cores(self) -> f64 {
        self.0 as f64 / 1000.0
    }
    /// `self − other`, or zero when `other` is larger.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}
impl Add for CoreMillis {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}
impl AddAssign for CoreMillis {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}
impl Sub for CoreMillis {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.checked_sub(other.0).expect("CPU must not go below zero"))
    }
}
impl Mul<u64> for CoreMillis {
    type Output = Self;
    fn mul(self, n: u64) -> Self {
        Self(self.0 * n)
    }
}
impl fmt::Debug for CoreMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}m", self.0)
    }
}
