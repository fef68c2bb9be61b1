//! Amounts of memory and storage, and rates at which they move.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Sub, SubAssign};

use super::SimSpan;
use super::rounding::nearest;

/// A number of bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(u64);

impl Bytes {
    /// No bytes.
    pub const ZERO: Self = Self(0);
    /// The largest amount; stands for "no limit" in comparisons.
    pub const MAX: Self = Self(u64::MAX);

    /// An exact number of bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }
    /// Binary kilobytes, 2^10 B.
    pub const fn kib(n: u64) -> Self {
        Self(n << 10)
    }
    /// Binary megabytes, 2^20 B.
    pub const fn mib(n: u64) -> Self {
        Self(n << 20)
    }
    /// Binary gigabytes, 2^30 B.
    pub const fn gib(n: u64) -> Self {
        Self(n << 30)
    }
    /// The amount as an integer.
    pub const fn get(self) -> u64 {
        self.0
    }
    /// The amount as a float, for rates and ratios.
    pub fn as_f64(self) -> f64 {
        self.0 as f64
    }
    /// Whole MiB, truncated (Spark sizes pods in MiB).
    pub const fn whole_mib(self) -> u64 {
        self.0 >> 20
    }
    /// GiB as a float, for display.
    pub fn as_gib(self) -> f64 {
        self.0 as f64 / (1u64 << 30) as f64
    }
    /// The nearest number of bytes to a float; negative values and NaN become zero.
    pub fn from_f64(bytes: f64) -> Self {
        if bytes > 0.0 { Self(nearest(bytes)) } else { Self(0) }
    }
    /// `self − other`, or zero when `other` is larger.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
    /// `self − other`, or `None` when `other` is larger.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(rest) => Some(Self(rest)),
            None => None,
        }
    }
    /// `trunc(self · factor)`, as Spark and the kubelet truncate. Negative factors give zero.
    #[must_use]
    pub fn scale(self, factor: f64) -> Self {
        Self((self.0 as f64 * factor) as u64)
    }
    /// Whether the amount is zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl Add for Bytes {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}
impl AddAssign for Bytes {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}
impl Sub for Bytes {
    type Output = Self;
    /// # Panics
    /// When `other` is larger: a negative amount is a defect of the books.
    fn sub(self, other: Self) -> Self {
        Self(self.0.checked_sub(other.0).expect("bytes must not go below zero"))
    }
}
impl SubAssign for Bytes {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}
impl Mul<u64> for Bytes {
    type Output = Self;
    fn mul(self, n: u64) -> Self {
        Self(self.0 * n)
    }
}
impl Sum for Bytes {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}
impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}B", self.0)
    }
}
impl fmt::Display for Bytes {
    /// One decimal, binary units: `512 B`, `1.5 MiB`, `57.8 GiB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
        if self.0 < 1024 {
            return write!(f, "{} B", self.0);
        }
        let mut value = self.0 as f64 / 1024.0;
        let mut unit = 0;
        while value >= 1024.0 && unit + 1 < UNITS.len() {
            value /= 1024.0;
            unit += 1;
        }
        write!(f, "{value:.1} {}", UNITS[unit])
    }
}

/// Bytes per second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteRate(u64);

impl ByteRate {
    /// An exact rate in bytes per second.
    pub const fn per_sec(bytes: u64) -> Self {
        Self(bytes)
    }
    /// Decimal megabytes per second, as disks and VM shapes are sold.
    pub const fn mb_per_sec(n: u64) -> Self {
        Self(n * 1_000_000)
    }
    /// The rate in bytes per second.
    pub const fn get(self) -> u64 {
        self.0
    }
    /// The rate as a float.
    pub fn as_f64(self) -> f64 {
        self.0 as f64
    }
    /// The rate times a factor, at least one byte per second.
    #[must_use]
    pub fn scale(self, factor: f64) -> Self {
        Self(((self.0 as f64 * factor) as u64).max(1))
    }
    /// How long `amount` takes at this rate, rounded up to the next nanosecond.
    ///
    /// # Panics
    /// When the rate is zero: validation refuses such devices.
    pub fn time_for(self, amount: Bytes) -> SimSpan {
        assert!(self.0 > 0, "a rate must be positive");
        let ns = (u128::from(amount.get()) * 1_000_000_000).div_ceil(u128::from(self.0));
        SimSpan::from_ns(u64::try_from(ns).unwrap_or(u64::MAX))
    }
}
impl fmt::Debug for ByteRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}B/s", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_uses_binary_units_with_one_decimal() {
        for (bytes, text) in [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (1 << 30, "1.0 GiB"), (3 << 40, "3.0 TiB")] {
            assert_eq!(Bytes::new(bytes).to_string(), text);
        }
    }

    #[test]
    fn time_for_rounds_up() {
        assert_eq!(ByteRate::per_sec(3).time_for(Bytes::new(1)).as_ns(), 333_333_334);
        assert_eq!(ByteRate::mb_per_sec(150).time_for(Bytes::new(16_000_000_000)).as_secs_f64().round(), 107.0);
    }

    #[test]
    #[should_panic(expected = "below zero")]
    fn subtraction_below_zero_is_a_defect() {
        let _ = Bytes::new(1) - Bytes::new(2);
    }
}
