//! Spark's configuration: which keys there are, what they mean, their defaults by version, and the resolved values.
//!
//! A catalogue recorded from Spark's releases names every key and its default in each (`released.rs`); a table names those that the
//! model uses (`keys.rs`). A key that is known and not simulated is told once, unless it is set to its default; one that nobody knows is told with
//! its nearest names. Values are read by Spark's own rules (sizes with a default unit for each key, whole numbers).

mod adaptive;
mod allocation;
mod executor_life;
mod families;
mod keys;
mod known;
mod life_keys;
pub(crate) mod meanings;
pub(crate) mod others;
#[cfg(test)]
mod page;
mod read;
pub(crate) mod released;
mod resolve;
mod scheduler;
mod shuffle_keys;
mod shuffle_storage;
mod sql;
mod sql_keys;

pub(crate) use adaptive::{joins, shuffle_partitions};
pub(crate) use allocation::dynamic;
pub(crate) use executor_life::{PVC_RESIZE_PLUGIN, RESIZE_PLUGIN, ROLL_PLUGIN, plugins, roll_interval, roll_policies, roll_policy};
pub(crate) use families::{SAFE_TO_EVICT, families, is_family, require, safe_to_evict};
pub(crate) use keys::KEYS;
pub(crate) use read::{Conf, check};
pub(crate) use resolve::{CLASSIC_FILE_CLEANUP, CONNECT_FILE_CLEANUP, Surroundings, resolve, uses_connect};
pub(crate) use scheduler::{allocation_file, check_mode, mode as scheduling_mode};
pub(crate) use shuffle_storage::{
    CELEBORN_CODEC, FALLBACK_POLICY, IO_PLUGIN, MANAGER, Manager, PUSH_ENABLED, RemoteService, UNIFFLE_CODEC, always_falls_back, keeps_from_pushing, manager,
    plugin_of, remote_kind,
};

use sim_core::spec::SparkVersion;

use crate::quantity::SparkUnit;
use released::Step;

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ConfKind {
    /// A size whose bare number has this unit.
    Size(SparkUnit),
    /// Such a size, or a negative number for none.
    Threshold(SparkUnit),
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
    /// What the catalogue has for the release.
    Released,
    /// The same in every version; the catalogue goes before where it has a value.
    Same(&'static str),
    /// Computed by Spark, or none, whatever the catalogue has; the text says what happens then.
    Unset(&'static str),
}

/// A key that the model uses.
#[derive(Clone, Copy, Debug)]
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
        match (self.default, released::find(self.key).map(|row| row.step(version))) {
            (ConfDefault::Unset(_), _) => None,
            (_, Some(Step::Value(value))) | (ConfDefault::Same(value), _) => Some(value),
            (ConfDefault::Released, _) => None,
        }
    }
    /// The key whose value counts where this one is not set.
    pub(crate) fn fallback(&self, version: SparkVersion) -> Option<&'static str> {
        match (self.default, released::find(self.key)?.step(version)) {
            (ConfDefault::Released, Step::As(key)) => Some(key),
            _ => None,
        }
    }
    /// The default in words, by version where it differs.
    pub(crate) fn default_in_words(&self) -> String {
        let recorded = released::find(self.key).filter(|row| row.steps.iter().any(|(_, step)| matches!(step, Step::Value(_) | Step::As(_))));
        match (self.default, recorded) {
            (ConfDefault::Unset(then), _) => format!("unset: {then}"),
            (_, Some(row)) => row.default_in_words(),
            (ConfDefault::Same(value), None) => value.to_owned(),
            (ConfDefault::Released, None) => "unset".to_owned(),
        }
    }
    /// Whether a version reads the key under this name.
    pub(crate) fn known_in(&self, version: SparkVersion) -> bool {
        self.since <= (version.major, version.minor) && released::find(self.key).is_none_or(|row| row.known_in(version))
    }
}

/// The key with a name, if the model uses it.
pub(crate) fn find(key: &str) -> Option<&'static ConfKey> {
    KEYS.iter().find(|known| known.key == key)
}

/// The names of all known keys, also of the past.
pub(crate) fn known_names() -> impl Iterator<Item = &'static str> {
    let recorded = released::all().iter().map(|row| row.key).chain(released::old_names().map(|old| old.old));
    let others = KEYS.iter().map(|known| known.key).chain(meanings::reasoned()).filter(|key| released::find(key).is_none());
    recorded.chain(others)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(major: u16, minor: u16) -> SparkVersion {
        SparkVersion { major, minor, patch: 0 }
    }

    const RELEASES: [(u16, u16); 7] = [(3, 3), (3, 4), (3, 5), (4, 0), (4, 1), (4, 2), (4, 3)];

    #[test]
    fn no_key_stands_twice_and_every_default_can_be_read() {
        let mut names: Vec<&str> = KEYS.iter().map(|known| known.key).chain(known::NOT_SIMULATED.iter().map(|(key, _)| *key)).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for key in KEYS.iter() {
            for (major, minor) in RELEASES {
                if let Some(value) = key.default_in(version(major, minor)) {
                    assert_eq!(read::problem(value, key.kind), None, "{}", key.key);
                }
            }
        }
    }

    // What the table writes itself must not contradict what was recorded; nor may a first version, or the unit of a bare number.
    #[test]
    fn the_table_agrees_with_the_catalogue() {
        for key in KEYS.iter() {
            let Some(row) = released::find(key.key) else {
                // Spark Connect's client reads it without an entry.
                assert!(key.key == "spark.remote" || others::family_reason(key.key).is_some(), "{} was not recorded", key.key);
                continue;
            };
            assert!(key.since == (0, 0) || key.since == row.since, "{} exists since {:?}", key.key, row.since);
            for (major, minor) in RELEASES.into_iter().filter(|release| *release >= key.since) {
                let release = version(major, minor);
                if let (Step::Value(recorded), ConfDefault::Same(written)) = (row.step(release), key.default) {
                    assert!(read::same_value(recorded, written, key.kind), "{} is {recorded} in {major}.{minor}, not {written}", key.key);
                }
            }
            let unit = |kind: ConfKind| match kind {
                ConfKind::Size(unit) | ConfKind::Threshold(unit) => format!("{unit:?}"),
                ConfKind::Time(unit) => unit.to_owned(),
                _ => String::new(),
            };
            let transport = key.key.starts_with("spark.shuffle.io.");
            assert!(transport || unit(key.kind) == unit(row.kind), "{}: {:?} and {:?}", key.key, key.kind, row.kind);
        }
    }

    // 4.4 and Appendix B.
    #[test]
    fn defaults_by_version() {
        let batch = find("spark.kubernetes.allocation.batch.size").expect("key");
        for (major, minor, value) in [(3, 4, "5"), (3, 5, "5"), (4, 0, "10"), (4, 1, "10"), (4, 2, "20"), (4, 3, "20")] {
            assert_eq!(batch.default_in(version(major, minor)), Some(value), "{major}.{minor}");
        }
        assert_eq!(batch.default_in_words(), "5, 10 since 4.0, 20 since 4.2");
    }
}
