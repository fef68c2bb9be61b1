//! The catalogue of Spark's own keys: what each release knows, its default in it, and names of the past.
//!
//! Two data files, recorded from real releases (3.3 to 4.3) by `tests/recorders/spark_conf`, name every configuration entry of
//! Spark's modules and of its transport layer. They are the one source of defaults: the table of modelled keys says a default
//! itself only where Spark computes it, or where no entry has it. Releases before the first recorded one count as that one.
//! An old name is read for its new one in the releases that do so, with Spark's own translation of the value.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use sim_core::spec::SparkVersion;

use super::ConfKind;
use super::read::same_value;
use crate::quantity::SparkUnit;

const KEYS: &str = include_str!("../../catalog/spark-keys.tsv");
const OLD_NAMES: &str = include_str!("../../catalog/spark-old-names.tsv");

/// Major and minor number of a release.
pub(crate) type Release = (u16, u16);

/// What a key is without being set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// This value.
    Value(&'static str),
    /// Nothing.
    Unset,
    /// What Spark computes at run time.
    Computed,
    /// The value of another key.
    As(&'static str),
    /// The release does not know the key.
    Absent,
}

/// A key of the catalogue.
#[derive(Debug)]
pub(crate) struct Released {
    /// Key.
    pub(crate) key: &'static str,
    /// What it takes.
    pub(crate) kind: ConfKind,
    /// First release that knows it, (0, 0) if that is not recorded.
    pub(crate) since: Release,
    /// Defaults, each from a release on.
    pub(crate) steps: Vec<(Release, Step)>,
}

/// A name of the past.
#[derive(Debug)]
pub(crate) struct OldName {
    /// The old name.
    pub(crate) old: &'static str,
    /// The name now; none if the key is never read.
    pub(crate) new: Option<&'static str>,
    /// What the value becomes; `{}` stands for it.
    form: &'static str,
    /// Deprecated since, (0, 0) if that is not recorded.
    pub(crate) since: Release,
    /// Read for the new name from this release on.
    from: Release,
    /// No longer read from this release on.
    until: Option<Release>,
}

static ALL: LazyLock<Vec<Released>> = LazyLock::new(|| rows(KEYS).filter_map(released).collect());
static OLD: LazyLock<BTreeMap<&'static str, OldName>> = LazyLock::new(|| rows(OLD_NAMES).filter_map(old_name).map(|row| (row.old, row)).collect());

/// The rows of a data file without its comments.
pub(super) fn rows(file: &'static str) -> impl Iterator<Item = std::str::Split<'static, char>> {
    file.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t'))
}

fn release(text: &str) -> Option<Release> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn released(mut cells: std::str::Split<'static, char>) -> Option<Released> {
    let (key, kind_name, since) = (cells.next()?, cells.next()?, cells.next()?);
    let steps = cells.filter_map(|cell| match cell.strip_prefix('@').and_then(|rest| rest.split_once(' ')) {
        Some((from, value)) => Some((release(from)?, step(value))),
        None => Some(((0, 0), step(cell))),
    });
    Some(Released { key, kind: kind(kind_name), since: release(since).unwrap_or_default(), steps: steps.collect() })
}

fn step(cell: &'static str) -> Step {
    match cell {
        "?" => Step::Unset,
        "*" => Step::Computed,
        "!" => Step::Absent,
        _ => cell.strip_prefix('=').map_or_else(|| Step::Value(cell.strip_prefix('\'').unwrap_or(cell)), Step::As),
    }
}

fn kind(name: &str) -> ConfKind {
    match name {
        "bool" => ConfKind::Bool,
        "int" => ConfKind::Integer(i64::MIN, i64::MAX),
        "number" => ConfKind::Number(f64::NEG_INFINITY, f64::INFINITY),
        "size-b" => ConfKind::Size(SparkUnit::B),
        "size-k" => ConfKind::Size(SparkUnit::KiB),
        "size-m" => ConfKind::Size(SparkUnit::MiB),
        "time-ns" => ConfKind::Time("ns"),
        "time-ms" => ConfKind::Time("ms"),
        "time-s" => ConfKind::Time("s"),
        "time-min" => ConfKind::Time("min"),
        _ => ConfKind::Text,
    }
}

fn old_name(mut cells: std::str::Split<'static, char>) -> Option<OldName> {
    let mut next = || cells.next();
    let (old, new, form, since, from, until) = (next()?, next()?, next()?, next()?, next()?, next()?);
    let form = if form.is_empty() { "{}" } else { form };
    let new = (!new.is_empty()).then_some(new);
    Some(OldName { old, new, form, since: release(since).unwrap_or_default(), from: release(from).unwrap_or_default(), until: release(until) })
}

/// Every key of the catalogue, in order of the names.
pub(crate) fn all() -> &'static [Released] {
    &ALL
}

/// The key with a name.
pub(crate) fn find(key: &str) -> Option<&'static Released> {
    ALL.binary_search_by(|released| released.key.cmp(key)).ok().map(|at| &ALL[at])
}

/// Every name of the past.
pub(crate) fn old_names() -> impl Iterator<Item = &'static OldName> {
    OLD.values()
}

/// The name of the past, unless the release itself has an entry of that name.
pub(crate) fn find_old(key: &str, version: SparkVersion) -> Option<&'static OldName> {
    OLD.get(key).filter(|_| find(key).is_none_or(|released| !released.known_in(version)))
}

impl Released {
    /// The default in a release.
    pub(crate) fn step(&self, version: SparkVersion) -> Step {
        let release = (version.major, version.minor);
        if self.since > release {
            return Step::Absent;
        }
        self.steps.iter().rev().find(|(from, _)| *from <= release).or(self.steps.first()).map_or(Step::Unset, |(_, step)| *step)
    }
    /// Whether a release knows the key.
    pub(crate) fn known_in(&self, version: SparkVersion) -> bool {
        self.step(version) != Step::Absent
    }
    /// The release that dropped the key.
    pub(crate) fn removed(&self) -> Option<Release> {
        self.steps.last().filter(|(_, step)| *step == Step::Absent).map(|(from, _)| *from)
    }
    /// Whether a text means the default of a release.
    pub(crate) fn is_default(&self, text: &str, version: SparkVersion) -> bool {
        matches!(self.step(version), Step::Value(value) if same_value(text, value, self.kind))
    }
    /// The default in words, with the release where it changed.
    pub(crate) fn default_in_words(&self) -> String {
        let words = |step: &Step| match step {
            Step::Value("") => "empty".to_owned(),
            Step::Value(value) => (*value).to_owned(),
            Step::Unset => "unset".to_owned(),
            Step::Computed => "computed at run time".to_owned(),
            Step::As(key) => format!("that of {key}"),
            Step::Absent => "removed".to_owned(),
        };
        let each = self.steps.iter().map(|(from, step)| match *from {
            (0, 0) => words(step),
            (major, minor) => format!("{} since {major}.{minor}", words(step)),
        });
        each.collect::<Vec<_>>().join(", ")
    }
}

impl OldName {
    /// Whether a release reads it for the new name.
    pub(crate) fn read_in(&self, version: SparkVersion) -> bool {
        let release = (version.major, version.minor);
        self.new.is_some() && self.from <= release && self.until.is_none_or(|until| release < until)
    }
    /// What a value becomes under the new name.
    pub(crate) fn translate(&self, value: &str) -> String {
        self.form.replace("{}", value.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(major: u16, minor: u16) -> SparkVersion {
        SparkVersion { major, minor, patch: 0 }
    }

    /// Defaults that stand for "no limit" and lie outside what we take, or that one release has in another form.
    const WITHOUT_LIMIT: [&str; 11] = [
        "spark.dynamicAllocation.cachedExecutorIdleTimeout",
        "spark.dynamicAllocation.shuffleTracking.timeout",
        "spark.shuffle.spill.maxSizeInBytesForSpillThreshold",
        "spark.sql.defaultSizeInBytes",
        "spark.sql.execution.arrow.maxBytesPerOutputBatch",
        "spark.sql.execution.python.udf.maxBytesPerBatch",
        "spark.sql.inMemoryColumnarStorage.hugeVectorThreshold",
        "spark.sql.maxSinglePartitionBytes",
        "spark.sql.metadataCacheTTLSeconds",
        "spark.sql.optimizeNullAwareAntiJoin.broadcastThreshold",
        "spark.task.reaper.killTimeout",
    ];

    #[test]
    fn every_row_is_read_and_in_order() {
        assert_eq!(rows(KEYS).count(), all().len());
        assert_eq!(rows(OLD_NAMES).count(), old_names().count());
        assert!(all().len() > 1500, "{}", all().len());
        assert!(all().windows(2).all(|two| two[0].key < two[1].key));
        for row in all() {
            assert!(!row.steps.is_empty(), "{}", row.key);
            for (_, step) in &row.steps {
                match step {
                    Step::Value(_) if WITHOUT_LIMIT.contains(&row.key) || row.key == "spark.sql.session.localRelationSizeLimit" => {}
                    Step::Value(value) => assert_eq!(super::super::read::problem(value, row.kind), None, "{}", row.key),
                    Step::As(key) => assert!(find(key).is_some(), "{} falls back to {key}", row.key),
                    Step::Unset | Step::Computed | Step::Absent => {}
                }
            }
        }
        // Three lead to keys of modules that PySpark does not have, or that were gone before 3.3.
        let gone = ["spark.rpc.", "spark.kafka.", "spark.streaming."];
        for old in old_names() {
            assert!(old.new.is_none_or(|new| find(new).is_some() || gone.iter().any(|prefix| new.starts_with(prefix))), "{}", old.old);
        }
    }

    // Appendix B: what running 3.4.0 and 4.3.0 showed, key by key.
    #[test]
    fn appendix_b() {
        for (key, older, newer) in [
            ("spark.executor.memory", "1g", "1g"),
            ("spark.executor.cores", "1", "1"),
            ("spark.executor.memoryOverheadFactor", "0.1", "0.1"),
            ("spark.executor.minMemoryOverhead", "-", "384m"),
            ("spark.memory.fraction", "0.6", "0.6"),
            ("spark.memory.storageFraction", "0.5", "0.5"),
            ("spark.memory.offHeap.enabled", "false", "false"),
            ("spark.memory.offHeap.size", "0", "0"),
            ("spark.buffer.pageSize", "?", "?"),
            ("spark.io.compression.codec", "lz4", "lz4"),
            ("spark.io.compression.lz4.blockSize", "32k", "32k"),
            ("spark.io.compression.zstd.level", "1", "1"),
            ("spark.rdd.compress", "false", "true"),
            ("spark.serializer", "org.apache.spark.serializer.JavaSerializer", "org.apache.spark.serializer.JavaSerializer"),
            ("spark.shuffle.manager", "sort", "sort"),
            ("spark.shuffle.service.removeShuffle", "false", "true"),
            ("spark.sql.shuffle.partitions", "200", "200"),
            ("spark.sql.adaptive.enabled", "true", "true"),
            ("spark.sql.adaptive.advisoryPartitionSizeInBytes", "64MB", "64MB"),
            ("spark.sql.adaptive.skewJoin.skewedPartitionFactor", "5.0", "5.0"),
            ("spark.sql.autoBroadcastJoinThreshold", "10MB", "10MB"),
            ("spark.task.maxFailures", "4", "4"),
            ("spark.stage.maxConsecutiveAttempts", "4", "4"),
            ("spark.stage.maxAttempts", "-", "2147483647"),
            ("spark.executor.maxNumFailures", "-", "?"),
            ("spark.excludeOnFailure.enabled", "?", "?"),
            ("spark.speculation.quantile", "0.75", "0.9"),
            ("spark.speculation.multiplier", "1.5", "3"),
            ("spark.dynamicAllocation.shuffleTracking.enabled", "true", "true"),
            ("spark.dynamicAllocation.executorIdleTimeout", "60s", "60s"),
            ("spark.stage.ignoreDecommissionFetchFailure", "false", "true"),
            ("spark.network.timeout", "120s", "120s"),
            ("spark.locality.wait", "3s", "3s"),
            ("spark.kubernetes.local.dirs.tmpfs", "false", "false"),
            ("spark.kubernetes.allocation.batch.size", "5", "20"),
            ("spark.kubernetes.allocation.batch.delay", "1s", "1s"),
            ("spark.kubernetes.executor.checkAllContainers", "false", "true"),
            ("spark.kubernetes.driver.ownPersistentVolumeClaim", "true", "true"),
            ("spark.kubernetes.driver.waitToReusePersistentVolumeClaim", "false", "false"),
            ("spark.cleaner.periodicGC.interval", "30min", "30min"),
            ("spark.deploy.maxExecutorRetries", "10", "10"),
            ("spark.yarn.scheduler.heartbeat.interval-ms", "3s", "3s"),
        ] {
            let row = find(key).unwrap_or_else(|| panic!("{key}"));
            for (wanted, release) in [(older, version(3, 4)), (newer, version(4, 3))] {
                let step = match row.step(release) {
                    Step::As(other) => find(other).expect("a key").step(release),
                    step => step,
                };
                let same = match step {
                    Step::Value(value) => same_value(wanted, value, row.kind),
                    Step::Absent => wanted == "-",
                    Step::Unset => wanted == "?",
                    Step::Computed | Step::As(_) => false,
                };
                assert!(same, "{key} is {:?} in {}.{}, not {wanted}", row.step(release), release.major, release.minor);
            }
        }
    }

    // What `SparkConf.get` of real releases answers for a conf with the old name only.
    #[test]
    fn old_names_are_read_where_spark_reads_them() {
        let reads = |old: &str, minor: Release, value: &str| {
            let row = find_old(old, version(minor.0, minor.1))?;
            row.read_in(version(minor.0, minor.1)).then(|| (row.new.expect("a new name"), row.translate(value)))
        };
        assert_eq!(reads("spark.reducer.maxReqSizeShuffleToMem", (3, 3), "1m"), Some(("spark.network.maxRemoteBlockSizeFetchToMem", "1m".to_owned())));
        assert_eq!(reads("spark.yarn.max.executor.failures", (3, 4), "9"), None);
        assert_eq!(reads("spark.yarn.max.executor.failures", (4, 3), "9"), Some(("spark.executor.maxNumFailures", "9".to_owned())));
        assert_eq!(reads("spark.shuffle.file.buffer.kb", (4, 3), "64"), Some(("spark.shuffle.file.buffer", "64".to_owned())));
        assert_eq!(reads("spark.yarn.applicationMaster.waitTries", (3, 5), "7"), Some(("spark.yarn.am.waitTime", "70s".to_owned())));
        assert_eq!(reads("spark.blacklist.enabled", (3, 3), "true"), Some(("spark.excludeOnFailure.enabled", "true".to_owned())));
        assert_eq!(reads("spark.blacklist.enabled", (4, 3), "true"), None);
        assert!(find_old("spark.blacklist.enabled", version(4, 3)).is_some() && find_old("spark.executor.memory", version(4, 3)).is_none());
    }
}
