//! Numbers in words, one rule for tables, charts and sentences.
//!
//! Percentages carry no more digits than a reader can use: whole numbers between 1 and 99 %, one decimal
//! outside, and `< 0.1 %` or `> 99.9 %` rather than a rounded 0 or 100. Zero and one are printed as such only
//! when every replication agreed. Bytes have binary units with one decimal, times are seconds or minutes.

use sim_core::study::Estimate;
use sim_core::units::Bytes;

/// A share without the sign: `98`, `0.4`, `< 0.1`, `> 99.9`.
pub fn percent_number(share: f64) -> String {
    let percent = share * 100.0;
    if !percent.is_finite() {
        return "?".into();
    }
    if percent <= 0.0 {
        return "0".into();
    }
    if percent >= 100.0 {
        return "100".into();
    }
    if percent < 0.1 {
        return "< 0.1".into();
    }
    if percent > 99.9 {
        return "> 99.9".into();
    }
    let text = if (1.0..=99.0).contains(&percent) { format!("{percent:.0}") } else { format!("{percent:.1}") };
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A share as a percentage: `98 %`, `0.4 %`, `< 0.1 %`.
pub fn percent(share: f64) -> String {
    format!("{} %", percent_number(share))
}

/// An interval of a share: `97–99 %`. Ends within 0.1 % of nothing or all are rounded outwards.
pub fn interval(p: &Estimate) -> String {
    let low = if p.low < 0.001 { "0".to_owned() } else { percent_number(p.low) };
    let high = if p.high > 0.999 { "100".to_owned() } else { percent_number(p.high) };
    if low == high { format!("{low} %") } else { format!("{low}–{high} %") }
}

/// An estimate with its interval and n: `98 % (97–99 %, n = 1000)`.
pub fn estimate(p: &Estimate) -> String {
    format!("{} ({}, n = {})", percent(p.estimate), interval(p), p.n)
}

/// Bytes held in a float, in binary units with one decimal.
pub fn bytes(value: f64) -> String {
    Bytes::from_f64(value).to_string()
}

/// A length of time: `42 s`, `3.4 s`, `12.5 min`, `3.1 h`.
pub fn seconds(value: f64) -> String {
    match value {
        v if !v.is_finite() => "?".into(),
        v if v < 9.95 => format!("{v:.1} s"),
        v if v < 300.0 => format!("{v:.0} s"),
        v if v < 2.0 * 3600.0 => format!("{:.1} min", v / 60.0),
        v => format!("{:.1} h", v / 3600.0),
    }
}

/// A small count that may be a mean: `3`, `2.4`, `< 0.1`.
pub fn count(value: f64) -> String {
    if value > 0.0 && value < 0.05 {
        return "< 0.1".into();
    }
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// The value, or zero when it is not finite: files hold finite numbers only.
pub fn finite(value: f64) -> f64 {
    if value.is_finite() { value + 0.0 } else { 0.0 }
}

/// `one`, or the number and the plural: `1 executor`, `3 executors`.
pub fn plural(n: u64, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

/// First letter in upper case, for sentences that start with a name.
pub fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// First letter in lower case, unless the word is an abbreviation: for names inside a sentence.
pub fn uncapitalised(text: &str) -> String {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return String::new() };
    let word = text.split(' ').next().unwrap_or("");
    if word.chars().skip(1).any(char::is_uppercase) || word.chars().count() == 1 { text.to_owned() } else { first.to_lowercase().chain(chars).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_without_false_precision() {
        let table = [
            (0.0, "0 %"),
            (0.000_4, "< 0.1 %"),
            (0.001, "0.1 %"),
            (0.004, "0.4 %"),
            (0.009_96, "1 %"),
            (0.012, "1 %"),
            (0.5, "50 %"),
            (0.98, "98 %"),
            (0.99, "99 %"),
            (0.994, "99.4 %"),
            (0.999_5, "> 99.9 %"),
            (1.0, "100 %"),
            (f64::NAN, "? %"),
        ];
        for (share, text) in table {
            assert_eq!(percent(share), text, "{share}");
        }
    }

    #[test]
    fn intervals_do_not_repeat_equal_ends() {
        let p = |low, high| Estimate { estimate: low, low, high, confidence: 0.95, n: 10 };
        assert_eq!(interval(&p(0.97, 0.99)), "97–99 %");
        assert_eq!(interval(&p(0.0, 0.003_6)), "0–0.4 %");
        assert_eq!(interval(&p(0.331, 0.333)), "33 %");
    }

    #[test]
    fn times_and_counts() {
        for (s, text) in [(0.04, "0.0 s"), (9.0, "9.0 s"), (90.4, "90 s"), (750.0, "12.5 min"), (11_160.0, "3.1 h")] {
            assert_eq!(seconds(s), text);
        }
        for (v, text) in [(0.0, "0"), (0.01, "< 0.1"), (2.0, "2"), (2.44, "2.4")] {
            assert_eq!(count(v), text);
        }
    }
}
