//! Spark's configuration: which keys there are, what they mean, their defaults by version, and the resolved values.
//!
//! A table names every key that the model uses and the common ones that it does not; a key outside it is told with
//! its nearest names, a known one that is not simulated is told once. Values are read by Spark's own rules
//! (sizes with a default unit for each key, whole numbers). Defaults follow the release (Appendix B).

mod families;
mod keys;
mod known;
mod read;
mod resolve;

pub(crate) use families::{families, is_family, require};
pub(crate) use keys::KEYS;
pub(crate) use known::NOT_SIMULATED;
pub(crate) use read::{Conf, check};
pub(crate) use resolve::{CLASSIC_FILE_CLEANUP, CONNECT_FILE_CLEANUP, Surroundings, resolve, uses_connect};

use sim_core::spec::SparkVersion;

use crate::quantity::SparkUnit;

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ConfKind {
    /// A size whose bare number has this unit.
    Size(SparkUnit),
    /// A time whose bare number has this unit, `ms` or `s`.
    Time(&'static str),
    /// An integer, at least the first and at most the second.
    Integer(i64, i64),
    /// A number in a closed interval.
    Number(f64, f64),
    /// `true` or `false`.
    Bool,
    /// Cores as Kubernetes writes them.
    Cpu,
    /// Any text.
    Text,
}

/// A key's default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConfDefault {
    /// The same in every version.
    Same(&'static str),
    /// By version: the last entry whose version is not later counts.
    Since(&'static [((u16, u16), &'static str)]),
    /// None; the text says what happens then.
    Unset(&'static str),
}

/// A key that the model uses.
#[derive(Debug)]
pub(crate) struct ConfKey {
    /// Key.
    pub(crate) key: &'static str,
    /// What it takes.
    pub(crate) kind: ConfKind,
    /// Without it.
    pub(crate) default: ConfDefault,
    /// First version that knows it; (0, 0) for all that we take.
    pub(crate) since: (u16, u16),
    /// Meaning.
    pub(crate) meaning: &'static str,
    /// Source of the default.
    pub(crate) source: &'static str,
}

impl ConfKey {
    /// The default in a version, if it has one.
    pub(crate) fn default_in(&self, version: SparkVersion) -> Option<&'static str> {
        match self.default {
            ConfDefault::Same(value) => Some(value),
            ConfDefault::Since(values) => values.iter().rev().find(|(since, _)| *since <= (version.major, version.minor)).map(|(_, value)| *value),
            ConfDefault::Unset(_) => None,
        }
    }
    /// The default in words, by version where it differs.
    pub(crate) fn default_in_words(&self) -> String {
        let value = match self.default {
            ConfDefault::Same(value) => value.to_owned(),
            ConfDefault::Since(values) => values.iter().map(|((major, minor), value)| format!("{value} since {major}.{minor}")).collect::<Vec<_>>().join(", "),
            ConfDefault::Unset(then) => format!("unset: {then}"),
        };
        if self.since == (0, 0) { value } else { format!("{value} (key since {}.{})", self.since.0, self.since.1) }
    }
}

/// The key with a name, if the model uses it.
pub(crate) fn find(key: &str) -> Option<&'static ConfKey> {
    KEYS.iter().find(|known| known.key == key)
}

/// The names of all known keys.
pub(crate) fn known_names() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|known| known.key).chain(NOT_SIMULATED.iter().map(|(key, _)| *key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_stands_twice_and_every_default_can_be_read() {
        let mut names: Vec<&str> = known_names().collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for key in KEYS {
            for minor in [(3, 4), (3, 5), (4, 0), (4, 3)] {
                let version = SparkVersion { major: minor.0, minor: minor.1, patch: 0 };
                if let Some(value) = key.default_in(version) {
                    assert_eq!(read::problem(value, key.kind), None, "{}", key.key);
                }
            }
        }
    }

    // 4.4 and Appendix B.
    #[test]
    fn defaults_by_version() {
        let batch = find("spark.kubernetes.allocation.batch.size").expect("key");
        for (major, minor, value) in [(3, 4, "5"), (3, 5, "5"), (4, 0, "10"), (4, 1, "10"), (4, 2, "20"), (4, 3, "20")] {
            assert_eq!(batch.default_in(SparkVersion { major, minor, patch: 0 }), Some(value), "{major}.{minor}");
        }
    }
}
