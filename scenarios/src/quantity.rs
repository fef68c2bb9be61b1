//! Sizes, times, rates and CPU amounts as users write them.
//!
//! Three dialects meet in one scenario. The scenario's own sizes take decimal units (`GB` is 10^9), binary ones
//! (`GiB`, `Gi` are 2^30) and Spark's lower-case letters (`g` is 2^30); a lower-case `gb` is refused because people mean
//! both by it. Spark's keys follow Spark (`g`, `gb`, `G` are all 2^30, whole numbers only, a default unit for each key).
//! Kubernetes quantities are exact decimals with their own suffixes (`Gi` 2^30, `G` 10^9, `m` one thousandth), rounded
//! up. All arithmetic is on integers; too large is an error, not a wrap. Source: domain-facts 0.2.

use sim_core::units::{ByteRate, Bytes, CoreMillis, SimSpan};

/// Why a text is not the quantity that was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadQuantity {
    /// What would have been right.
    pub(crate) expected: &'static str,
    /// One thing to try.
    pub(crate) hint: Option<String>,
}

const SIZE: &str = "a size such as \"3GB\", \"10GiB\" or \"512m\"";
const SPARK_SIZE: &str = "a Spark size such as 512m or 12g";
const KUBE: &str = "a Kubernetes quantity such as 500m, 512Mi or 10Gi";
const TIME: &str = "a time such as \"100ms\", \"10s\", \"5m\" or \"2h\"";
const SPARK_TIME: &str = "a Spark time such as 100ms, 30s or 5min";
const RATE: &str = "a rate such as \"150MB/s\" or \"12500Mbit/s\"";
const CPU: &str = "a number of cores such as 4, 3.5 or \"3500m\"";

fn bad<T>(expected: &'static str) -> Result<T, BadQuantity> {
    Err(BadQuantity { expected, hint: None })
}
fn bad_with<T>(expected: &'static str, hint: impl Into<String>) -> Result<T, BadQuantity> {
    Err(BadQuantity { expected, hint: Some(hint.into()) })
}

/// A non-negative decimal `digits / 10^scale`, exact.
#[derive(Clone, Copy)]
struct Decimal {
    digits: u128,
    scale: u32,
}

impl Decimal {
    /// Splits `1.5GiB` into the number and the rest.
    fn split(text: &str) -> Option<(Self, &str)> {
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        let (number, rest) = text.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') || whole.len() + fraction.len() > 30 {
            return None;
        }
        let digits = format!("{whole}{fraction}").parse().ok()?;
        Some((Self { digits, scale: fraction.len() as u32 }, rest))
    }
    /// `ceil(self · factor)`, or `None` when it does not fit.
    fn times_ceil(self, factor: u128) -> Option<u64> {
        let product = self.digits.checked_mul(factor)?;
        u64::try_from(product.div_ceil(10u128.checked_pow(self.scale)?)).ok()
    }
    /// The nearest integer to `self · factor`.
    fn times_round(self, factor: u128) -> Option<u64> {
        let denominator = 10u128.checked_pow(self.scale)?;
        let product = self.digits.checked_mul(factor)?.checked_add(denominator / 2)?;
        u64::try_from(product / denominator).ok()
    }
}

/// Largest size that is taken: 1 EiB. Sums of a few stay below what 64 bits hold.
const MAX_BYTES: u64 = 1 << 60;
/// Largest time that is taken: ten years.
const MAX_NS: u64 = 10 * 365 * 86_400 * 1_000_000_000;

fn bytes(amount: Option<u64>, expected: &'static str) -> Result<Bytes, BadQuantity> {
    match amount {
        Some(n) if n <= MAX_BYTES => Ok(Bytes::new(n)),
        _ => bad_with(expected, "the largest size is 1 EiB"),
    }
}

/// A size in a scenario file: `3GB` (10^9), `10GiB` or `10Gi` (2^30), `16g` and `512m` (2^30, 2^20), `4096` (bytes).
pub(crate) fn size(text: &str) -> Result<Bytes, BadQuantity> {
    let Some((number, unit)) = Decimal::split(text.trim()) else { return bad(SIZE) };
    let factor: u128 = match unit.trim_start() {
        "" | "B" | "b" => 1,
        "k" | "Ki" | "KiB" => 1 << 10,
        "m" | "Mi" | "MiB" => 1 << 20,
        "g" | "Gi" | "GiB" => 1 << 30,
        "t" | "Ti" | "TiB" => 1 << 40,
        "kB" | "KB" | "K" => 1_000,
        "MB" | "M" => 1_000_000,
        "GB" | "G" => 1_000_000_000,
        "TB" | "T" => 1_000_000_000_000,
        "kb" | "mb" | "gb" | "tb" => {
            let letter = unit.trim_start()[..1].to_uppercase();
            return bad_with(SIZE, format!("write {letter}B (a power of ten) or {letter}iB (a power of two)"));
        }
        _ => return bad_with(SIZE, "units are B, KB, MB, GB, TB (powers of ten) and KiB, MiB, GiB, TiB (powers of two)"),
    };
    bytes(number.times_ceil(factor), SIZE)
}

/// The unit that Spark gives a bare number of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SparkUnit {
    /// Bytes.
    B,
    /// KiB.
    KiB,
    /// MiB.
    MiB,
}

/// A size in a Spark key: whole numbers, all units powers of two whatever their case.
pub(crate) fn spark_size(text: &str, default: SparkUnit) -> Result<Bytes, BadQuantity> {
    let lower = text.trim().to_ascii_lowercase();
    let end = lower.find(|c: char| !c.is_ascii_digit()).unwrap_or(lower.len());
    let (number, unit) = lower.split_at(end);
    if unit.starts_with('.') {
        return bad_with(SPARK_SIZE, "Spark takes whole numbers only: 1.5g is 1536m");
    }
    let shift = match (unit.trim_start(), default) {
        ("", SparkUnit::B) | ("b", _) => 0,
        ("", SparkUnit::KiB) | ("k" | "kb", _) => 10,
        ("", SparkUnit::MiB) | ("m" | "mb", _) => 20,
        ("g" | "gb", _) => 30,
        ("t" | "tb", _) => 40,
        ("p" | "pb", _) => 50,
        ("ki" | "mi" | "gi" | "kib" | "mib" | "gib", _) => {
            return bad_with(SPARK_SIZE, format!("Spark writes {number}{} for this", &unit.trim_start()[..1]));
        }
        _ => return bad(SPARK_SIZE),
    };
    let Ok(number) = number.parse::<u64>() else { return bad(SPARK_SIZE) };
    bytes(number.checked_mul(1 << shift), SPARK_SIZE)
}

/// The suffix of a Kubernetes quantity as (numerator, denominator).
fn kube_suffix(suffix: &str) -> Option<(u128, u128)> {
    Some(match suffix {
        "" => (1, 1),
        "n" => (1, 1_000_000_000),
        "u" => (1, 1_000_000),
        "m" => (1, 1_000),
        "k" => (1_000, 1),
        "M" => (1_000_000, 1),
        "G" => (1_000_000_000, 1),
        "T" => (1_000_000_000_000, 1),
        "P" => (1_000_000_000_000_000, 1),
        "Ki" => (1 << 10, 1),
        "Mi" => (1 << 20, 1),
        "Gi" => (1 << 30, 1),
        "Ti" => (1 << 40, 1),
        "Pi" => (1 << 50, 1),
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            let power = 10u128.checked_pow(exponent.unsigned_abs()).filter(|_| exponent.abs() <= 18)?;
            if exponent < 0 { (1, power) } else { (power, 1) }
        }
    })
}

fn kube_quantity(text: &str, multiplier: u128) -> Result<u64, BadQuantity> {
    let Some((number, suffix)) = Decimal::split(text.trim()) else { return bad(KUBE) };
    let Some((numerator, denominator)) = kube_suffix(suffix) else {
        return match suffix {
            "GiB" | "MiB" | "KiB" | "GB" | "MB" | "KB" | "g" => bad_with(KUBE, "Kubernetes writes Gi, Mi, Ki (powers of two) or G, M, k (powers of ten)"),
            _ => bad(KUBE),
        };
    };
    let exact = || {
        let top = number.digits.checked_mul(numerator)?.checked_mul(multiplier)?;
        u64::try_from(top.div_ceil(10u128.checked_pow(number.scale)?.checked_mul(denominator)?)).ok()
    };
    exact().map_or_else(|| bad_with(KUBE, "the number is too large"), Ok)
}

/// Bytes of a Kubernetes quantity, rounded up.
pub(crate) fn kube_bytes(text: &str) -> Result<Bytes, BadQuantity> {
    bytes(Some(kube_quantity(text, 1)?), KUBE)
}

/// CPU of a Kubernetes quantity in thousandths of a core, rounded up.
pub(crate) fn kube_cpu(text: &str) -> Result<CoreMillis, BadQuantity> {
    cores(kube_quantity(text, 1000)?, KUBE)
}

fn cores(millis: u64, expected: &'static str) -> Result<CoreMillis, BadQuantity> {
    if millis <= 1_000_000_000 { Ok(CoreMillis::new(millis)) } else { bad_with(expected, "the largest number of cores is 1 000 000") }
}

/// A number of cores in a scenario file: `4`, `3.5`, `3500m`.
pub(crate) fn cpu(text: &str) -> Result<CoreMillis, BadQuantity> {
    let Some((number, unit)) = Decimal::split(text.trim()) else { return bad(CPU) };
    let factor = match unit {
        "" => 1000,
        "m" => 1,
        _ => return bad(CPU),
    };
    number.times_ceil(factor).map_or_else(|| bad(CPU), |millis| cores(millis, CPU))
}

fn span(ns: Option<u64>, expected: &'static str) -> Result<SimSpan, BadQuantity> {
    match ns {
        Some(ns) if ns <= MAX_NS => Ok(SimSpan::from_ns(ns)),
        _ => bad_with(expected, "the longest time is ten years"),
    }
}

fn time_unit(unit: &str) -> Option<u128> {
    Some(match unit {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" | "min" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        _ => return None,
    })
}

/// A time in a scenario file; a bare number is seconds.
pub(crate) fn time(text: &str) -> Result<SimSpan, BadQuantity> {
    let Some((number, unit)) = Decimal::split(text.trim()) else { return bad(TIME) };
    let unit = if unit.is_empty() { "s" } else { unit.trim_start() };
    let Some(factor) = time_unit(unit) else { return bad(TIME) };
    span(number.times_round(factor), TIME)
}

/// A time in a Spark key: whole numbers; a bare number has the key's unit (`ms`, `s` or `min`).
pub(crate) fn spark_time(text: &str, default: &'static str) -> Result<SimSpan, BadQuantity> {
    let lower = text.trim().to_ascii_lowercase();
    let Some((number, unit)) = Decimal::split(&lower) else { return bad(SPARK_TIME) };
    if number.scale > 0 {
        return bad_with(SPARK_TIME, "Spark takes whole numbers only: 1.5s is 1500ms");
    }
    let Some(factor) = time_unit(if unit.is_empty() { default } else { unit.trim_start() }) else { return bad(SPARK_TIME) };
    span(number.times_round(factor), SPARK_TIME)
}

/// A transfer rate, positive: `150MB/s`, `1.2GiB/s`, `12500Mbit/s`.
pub(crate) fn rate(text: &str) -> Result<ByteRate, BadQuantity> {
    let text = text.trim();
    let Some(amount) = text.strip_suffix("/s") else {
        return bad_with(RATE, format!("rates end in /s: \"{text}/s\""));
    };
    let per_second = if let Some((number, unit)) = Decimal::split(amount).filter(|(_, unit)| unit.ends_with("bit")) {
        let factor = match unit.trim_start() {
            "Kbit" | "kbit" => 1_000,
            "Mbit" => 1_000_000,
            "Gbit" => 1_000_000_000,
            _ => return bad(RATE),
        };
        number.times_ceil(factor).map(|bits| bits / 8)
    } else {
        Some(size(amount).map_err(|e| BadQuantity { expected: RATE, ..e })?.get())
    };
    match per_second {
        Some(n) if n > 0 && n <= MAX_BYTES => Ok(ByteRate::per_sec(n)),
        _ => bad_with(RATE, "a rate is positive"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenario_sizes() {
        for (text, expected) in [
            ("3GB", 3_000_000_000),
            ("10Gi", 10 << 30),
            ("10 GiB", 10 << 30),
            ("16g", 16 << 30),
            ("512m", 512 << 20),
            ("1.5GiB", 3 << 29),
            ("62.5GiB", 125 << 29),
            ("4096", 4096),
            ("0", 0),
            ("150MB", 150_000_000),
        ] {
            assert_eq!(size(text), Ok(Bytes::new(expected)), "{text}");
        }
        for text in ["", "GB", "3gb", "3 XB", "-1GB", "1..2GB", "99999999999999999999TB", "1e3", "NaN"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    // 0.2: Spark `1g` = 1 GiB; a bare number has the key's own unit; no fractions.
    #[test]
    fn spark_sizes() {
        for (text, unit, expected) in [
            ("1g", SparkUnit::B, 1 << 30),
            ("512m", SparkUnit::B, 512 << 20),
            ("9G", SparkUnit::MiB, 9 << 30),
            ("3584", SparkUnit::MiB, 3584 << 20),
            ("32k", SparkUnit::B, 32 << 10),
            ("128MB", SparkUnit::B, 128 << 20),
            ("134217728b", SparkUnit::MiB, 134_217_728),
        ] {
            assert_eq!(spark_size(text, unit), Ok(Bytes::new(expected)), "{text}");
        }
        for text in ["1.5g", "12Gi", "g", "", "-1", "1x", "99999999999p"] {
            assert!(spark_size(text, SparkUnit::MiB).is_err(), "{text}");
        }
    }

    // 0.2: `Gi`/`Mi` are powers of two, `G`/`M` powers of ten, `m` a thousandth, exponents allowed.
    #[test]
    fn kubernetes_quantities() {
        for (text, expected) in
            [("1Gi", 1 << 30), ("1G", 1_000_000_000), ("0.5Gi", 1 << 29), ("129e6", 129_000_000), ("123Mi", 123 << 20), ("512m", 1), ("1500m", 2), ("1k", 1000)]
        {
            assert_eq!(kube_bytes(text), Ok(Bytes::new(expected)), "{text}");
        }
        for (text, millis) in [("500m", 500), ("0.5", 500), ("2", 2000), ("0.0001", 1), ("100u", 1)] {
            assert_eq!(kube_cpu(text), Ok(CoreMillis::new(millis)), "{text}");
        }
        for text in ["1GB", "1g", "abc", "", "1e400", "-1"] {
            assert!(kube_bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_and_rates() {
        for (text, ms) in [("100ms", 100), ("10s", 10_000), ("5m", 300_000), ("2h", 7_200_000), ("0.3", 300), ("1.5s", 1500)] {
            assert_eq!(time(text), Ok(SimSpan::from_ms(ms)), "{text}");
        }
        for (text, unit, ms) in [("5", "s", 5000), ("200", "ms", 200), ("30min", "s", 1_800_000), ("1S", "ms", 1000)] {
            assert_eq!(spark_time(text, unit), Ok(SimSpan::from_ms(ms)), "{text}");
        }
        assert!(spark_time("1.5s", "s").is_err());
        assert!(time("5 parsecs").is_err());
        for (text, expected) in [("150MB/s", 150_000_000), ("1GiB/s", 1 << 30), ("12500Mbit/s", 1_562_500_000), ("10Gbit/s", 1_250_000_000)] {
            assert_eq!(rate(text), Ok(ByteRate::per_sec(expected)), "{text}");
        }
        for text in ["150MB", "0MB/s", "fast", "1bit/s"] {
            assert!(rate(text).is_err(), "{text}");
        }
        assert_eq!(cpu("3.5"), Ok(CoreMillis::new(3500)));
        assert_eq!(cpu("3500m"), Ok(CoreMillis::new(3500)));
        assert!(cpu("3GHz").is_err());
    }
}
