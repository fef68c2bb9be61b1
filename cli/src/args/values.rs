//! Values of options: small types with their parsers. A parser's message says what was expected.

use clap::ValueEnum;

/// `--color`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorWhen {
    /// When the stream is a terminal, unless `NO_COLOR` or `CLICOLOR_FORCE` say otherwise
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// `--format` of `run` and `sweep`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// One object
    Json,
    /// One object a line, one line a point
    Jsonl,
    /// One row a point
    Csv,
}

/// `--format` of the other commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum InfoFormat {
    /// For people
    Table,
    /// One object
    Json,
}

/// `--seed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seed {
    /// This one.
    Fixed(u64),
    /// Whatever the operating system gives.
    Random,
}

impl Seed {
    /// A number, or `random`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text == "random" {
            return Ok(Self::Random);
        }
        text.parse().map(Self::Fixed).map_err(|_| "expected a whole number from 0 to 18446744073709551615, or `random`".to_owned())
    }
}

/// A share of one, typed as `0.01` or `1%`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Share(pub(crate) f64);

fn share(text: &str) -> Option<f64> {
    match text.strip_suffix('%') {
        Some(percent) => percent.trim_end().parse::<f64>().ok().map(|percent| percent / 100.0),
        None => text.parse().ok(),
    }
}

/// A half-width: above 0, at most one half.
pub(super) fn precision(text: &str) -> Result<Share, String> {
    let ok = share(text).filter(|share| *share > 0.0 && *share <= 0.5);
    ok.map(Share).ok_or_else(|| "expected a share above 0 and at most 0.5, such as 0.01 or 1%".to_owned())
}

/// A confidence: at least one half, below 1.
pub(super) fn confidence(text: &str) -> Result<Share, String> {
    let ok = share(text).filter(|share| *share >= 0.5 && *share <= 0.999_999);
    ok.map(Share).ok_or_else(|| "expected a share from 0.5 to 0.999999, such as 0.95 or 95%".to_owned())
}

/// A name that is safe as a file name everywhere.
pub(super) fn scenario_name(text: &str) -> Result<String, String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let ok = !text.is_empty() && text.chars().all(fine) && !text.starts_with(['.', '-']);
    ok.then(|| text.to_owned()).ok_or_else(|| "expected letters, digits, `-`, `_` and `.`, beginning with a letter, a digit or `_`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_typed_as_numbers_or_percents() {
        assert_eq!(precision("1%"), Ok(Share(0.01)));
        assert_eq!(precision("0.25"), Ok(Share(0.25)));
        for bad in ["0", "-1%", "51%", "nan", "inf", "", "%", "x"] {
            assert!(precision(bad).is_err(), "{bad}");
        }
        assert_eq!(confidence("95%"), Ok(Share(0.95)));
        for bad in ["1", "100%", "0.1", "NaN"] {
            assert!(confidence(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn seeds_are_whole_numbers_or_random() {
        assert_eq!(Seed::parse("18446744073709551615"), Ok(Seed::Fixed(u64::MAX)));
        assert_eq!(Seed::parse("random"), Ok(Seed::Random));
        for bad in ["", "-1", "1.5", "Random", "18446744073709551616"] {
            assert!(Seed::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_safe_as_file_names() {
        assert!(scenario_name("nightly_2.v1-a").is_ok());
        for bad in ["", "../x", "a/b", "-x", ".x", "a b", "é"] {
            assert!(scenario_name(bad).is_err(), "{bad}");
        }
    }
}
