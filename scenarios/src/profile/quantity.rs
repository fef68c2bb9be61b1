//! Sizes, rates and times as people write them in a profile.
//!
//! A size is an integer of bytes or a string with a unit: `kB`, `MB`, `GB`, `TB` are powers of ten, `KiB`, `MiB`,
//! `GiB`, `TiB` powers of two (0.2). A rate is a size followed by `/s`; a time is `ns`, `us`, `ms`, `s`, `min` or
//! `h`. Numbers may have decimals; the result is the nearest integer. Printing picks the largest unit that is exact,
//! so that what is written reads back the same.

use sim_core::units::{ByteRate, Bytes, SimSpan};

const SIZES: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1000),
    ("B", 1),
];
const TIMES: [(&str, u64); 6] = [("h", 3_600_000_000_000), ("min", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1000), ("ns", 1)];

/// The largest amount that a profile may state: 1 EB, or 31 years of nanoseconds. Sums of a few of them fit 64 bits.
pub(super) const LIMIT: u64 = 1_000_000_000_000_000_000;

/// A size such as `3 GB` or `128 B`.
pub(super) fn parse_size(text: &str) -> Option<Bytes> {
    parse_units(text, &SIZES).map(Bytes::new)
}

/// A rate such as `25 MB/s`; never zero.
pub(super) fn parse_rate(text: &str) -> Option<ByteRate> {
    parse_units(text.trim().strip_suffix("/s")?, &SIZES).filter(|rate| *rate > 0).map(ByteRate::per_sec)
}

/// A time such as `1.5 s`.
pub(super) fn parse_span(text: &str) -> Option<SimSpan> {
    parse_units(text, &TIMES).map(SimSpan::from_ns)
}

/// A byte size as Spark's configuration writes it: `128m`, `134217728`, `1g`, `134217728b`; units are powers of two.
pub(crate) fn parse_spark_bytes(text: &str) -> Option<Bytes> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text[digits.len()..].trim_end_matches('b') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return None,
    };
    let bytes = digits.trim().parse::<u64>().ok()?.checked_mul(1 << shift)?;
    (1..=1_000_000_000_000_000).contains(&bytes).then_some(Bytes::new(bytes))
}

/// Prints a size so that [`parse_size`] gives it back.
pub(super) fn print_size(size: Bytes) -> String {
    print_units(size.get(), &SIZES)
}

/// Prints a rate so that [`parse_rate`] gives it back.
pub(super) fn print_rate(rate: ByteRate) -> String {
    format!("{}/s", print_units(rate.get(), &SIZES))
}

/// Prints a time so that [`parse_span`] gives it back.
pub(super) fn print_span(span: SimSpan) -> String {
    print_units(span.as_ns(), &TIMES)
}

fn parse_units(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_'))?;
    let (number, unit) = (text[..split].replace('_', ""), text[split..].trim());
    let factor = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?.1;
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor).filter(|n| *n <= LIMIT);
    }
    let value = number.parse::<f64>().ok()? * factor as f64;
    (0.0..=LIMIT as f64).contains(&value).then(|| value.round() as u64)
}

fn print_units(amount: u64, units: &[(&str, u64)]) -> String {
    let (name, factor) =
        if amount == 0 { units[units.len() - 1] } else { *units.iter().find(|(_, factor)| amount.is_multiple_of(*factor)).unwrap_or(&units[units.len() - 1]) };
    format!("{} {name}", amount / factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimal_and_binary_units_differ() {
        for (text, bytes) in [("3 GB", 3_000_000_000), ("3GiB", 3 << 30), ("1.5 MiB", 3 << 19), ("128 b", 128), ("10_000 kB", 10_000_000)] {
            assert_eq!(parse_size(text), Some(Bytes::new(bytes)), "{text}");
        }
    }

    #[test]
    fn spark_writes_powers_of_two() {
        for (text, bytes) in [("128m", 128 << 20), ("134217728", 128 << 20), ("134217728b", 128 << 20), ("64MB", 64 << 20), ("1G", 1 << 30)] {
            assert_eq!(parse_spark_bytes(text), Some(Bytes::new(bytes)), "{text}");
        }
        assert_eq!(parse_spark_bytes("many"), None);
        assert_eq!(parse_spark_bytes("0"), None);
    }

    #[test]
    fn what_is_not_a_quantity_is_refused() {
        for text in ["", "3", "GB", "3 apples", "-1 GB", "1..2 GB", "2000000 TB", "١ GB"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
        assert_eq!(parse_rate("0 MB/s"), None);
        assert_eq!(parse_rate("25 MB"), None);
    }

    proptest! {
        #[test]
        fn printing_reads_back(n in 0..=LIMIT) {
            prop_assert_eq!(parse_size(&print_size(Bytes::new(n))), Some(Bytes::new(n)));
            prop_assert_eq!(parse_span(&print_span(SimSpan::from_ns(n))), Some(SimSpan::from_ns(n)));
            prop_assert_eq!(parse_rate(&print_rate(ByteRate::per_sec(n.max(1)))), Some(ByteRate::per_sec(n.max(1))));
        }
    }
}
