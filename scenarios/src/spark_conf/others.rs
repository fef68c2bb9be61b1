//! Keys that are not Spark's own, or bear on nothing here: told together, with one reason each.
//!
//! Spark hands every `spark.*` key to whoever asks: Hadoop, plugins, remote shuffle services, the job's own code. Those are told apart from
//! misspelt keys by their prefix; a few of them change the shuffle itself, and say so. A key of Spark's catalogue that
//! has no reason of its own bears neither on memory nor on shuffle. Each reason is one warning that names its keys, each with file and line.

use super::{is_family, meanings, released};
use crate::diag::{Diagnostic, Diagnostics, Place};
use crate::raw::mark;

const UNRELATED: &str = "bears neither on memory nor on shuffle";
const NOT_SPARKS: &str = "is no key of Spark: a library or the job itself may read it";
const REMOTE: &str = "belongs to a remote shuffle service, of which it decides nothing here";
const ELSEWHERE: &str = "belongs to a plugin that stores shuffle data elsewhere: here it is on local disks, or with Celeborn or Uniffle";
const NATIVE: &str = "belongs to a plugin that runs tasks outside the JVM: here tasks run in the JVM's memory";

/// Prefixes of others' keys, and why they are not simulated. The longest that fits counts.
const PREFIXES: &[(&str, &str)] = &[
    ("spark.celeborn.", REMOTE),
    ("spark.rss.", REMOTE),
    ("spark.shuffle.remote.", ELSEWHERE),
    ("spark.shuffle.s3.", ELSEWHERE),
    ("spark.comet.", NATIVE),
    ("spark.gluten.", NATIVE),
    ("spark.rapids.", NATIVE),
    ("spark.databricks.", "belongs to Databricks: its runtime is not modelled"),
    ("spark.hadoop.", "goes to Hadoop: storage outside the cluster is not modelled"),
    ("spark.hive.", "goes to Hive: it bears neither on memory nor on shuffle here"),
    ("spark.sql.catalog.", UNRELATED),
    ("spark.metrics.conf.", UNRELATED),
    ("spark.ssl.", UNRELATED),
    ("spark.ui.", UNRELATED),
    ("spark.executorEnv.", "is a variable of the environment: none is modelled"),
    ("spark.yarn.appMasterEnv.", "is a variable of the environment: none is modelled"),
    ("spark.kubernetes.driverEnv.", "is a variable of the environment: none is modelled"),
    ("spark.kubernetes.driver.label.", "marks the driver pod: only executor pods are placed by labels"),
    ("spark.kubernetes.driver.annotation.", "marks the driver pod: only executor pods are placed by labels"),
    ("spark.kubernetes.driver.service.", "marks the driver's service: it has no memory"),
    ("spark.kubernetes.driver.volumes.", "adds a volume to the driver pod: the driver has no scratch here"),
    ("spark.kubernetes.driver.node.selector.", "places the driver pod: here it may be on any node"),
    ("spark.kubernetes.executor.annotation.", "annotates executor pods: the scheduler does not read it"),
    ("spark.kubernetes.authenticate.", UNRELATED),
    ("spark.kubernetes.driver.secret", UNRELATED),
    ("spark.kubernetes.executor.secret", UNRELATED),
    ("spark.driver.resource.", "asks for a device such as a GPU: devices are not modelled"),
    ("spark.executor.resource.", "asks for a device such as a GPU: devices are not modelled"),
    ("spark.task.resource.", "asks for a device such as a GPU: devices are not modelled"),
    ("spark.worker.resource.", "asks for a device such as a GPU: devices are not modelled"),
    ("spark.yarn.am.resource.", "asks for a device such as a GPU: devices are not modelled"),
    ("spark.yarn.driver.resource.", "asks for a device such as a GPU: devices are not modelled"),
    ("spark.yarn.executor.resource.", "asks for a device such as a GPU: devices are not modelled"),
    ("spark.delta.", NOT_SPARKS),
    ("spark.hoodie.", NOT_SPARKS),
    ("spark.kyuubi.", NOT_SPARKS),
    ("spark.livy.", NOT_SPARKS),
    ("spark.mongodb.", NOT_SPARKS),
    ("spark.openlineage.", NOT_SPARKS),
    ("spark.redis.", NOT_SPARKS),
];

/// Why a key of a family of others' keys is not simulated.
pub(crate) fn family_reason(key: &str) -> Option<&'static str> {
    PREFIXES.iter().filter(|(prefix, _)| key.starts_with(prefix)).max_by_key(|(prefix, _)| prefix.len()).map(|(_, why)| *why)
}

/// Why a key is not simulated, for keys without a reason of their own: Spark's others, families, and then what nobody knows.
pub(crate) fn reason(key: &str) -> &'static str {
    family_reason(key).unwrap_or(if released::find(key).is_some() { UNRELATED } else { NOT_SPARKS })
}

/// The nearest known names, if the key looks like a slip of the hand.
pub(crate) fn slip_of<'a>(key: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let lower = key.to_lowercase();
    let most = (key.len() / 8).clamp(1, 4);
    let mut near: Vec<(usize, &str)> = names
        .filter(|name| name.len().abs_diff(key.len()) <= most)
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= most)
        .collect();
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

/// Whether anything is known of a key: it is Spark's, or of a family that has a reason.
pub(crate) fn is_known(key: &str) -> bool {
    is_family(key) || released::find(key).is_some() || meanings::instead(key).is_some() || family_reason(key).is_some()
}

/// Keys that share a reason, in the order of their first appearance.
#[derive(Debug, Default)]
pub(super) struct Together(Vec<(&'static str, Members)>);

/// Keys with where they were written.
type Members = Vec<(String, Option<Place>)>;

impl Together {
    /// Adds a key to its reason.
    pub(super) fn push(&mut self, reason: &'static str, key: &str, place: Option<&Place>) {
        let member = (key.to_owned(), place.cloned());
        match self.0.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, members)) => members.push(member),
            None => self.0.push((reason, vec![member])),
        }
    }
    /// One warning a reason.
    pub(super) fn tell(self, problems: &mut Diagnostics) {
        for (reason, members) in self.0 {
            let rule = if reason == NOT_SPARKS { "unknown-conf" } else { "not-simulated" };
            if let [(key, place)] = &members[..] {
                problems.push(mark(place.as_ref(), Diagnostic::warning(rule, format!("{key} is not simulated: it {reason}"))));
            } else {
                let message = format!("{} settings are not simulated: each {reason}", members.len());
                let names: Vec<String> = members.iter().map(|(key, place)| place.as_ref().map_or_else(|| key.clone(), |at| named(key, at))).collect();
                problems.push(Diagnostic::warning(rule, message).found(names.join(", ")));
            }
        }
    }
}

fn named(key: &str, place: &Place) -> String {
    let (line, _) = place.source.line_column(place.span.start);
    if place.source.name.starts_with("--") { format!("{key} ({})", place.source.name) } else { format!("{key} ({}:{line})", place.source.name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_keys_are_told_from_slips() {
        let names = || released::all().iter().map(|row| row.key);
        assert_eq!(slip_of("spark.exectuor.memory", names()), ["spark.executor.memory"]);
        assert_eq!(slip_of("spark.shuffle.service.enable", names())[0], "spark.shuffle.service.enabled");
        assert!(slip_of("spark.executor.memory.overhead", names()).contains(&"spark.executor.memoryOverhead"));
        for custom in ["spark.mycompany.tenant", "spark.job.id", "spark.etl.date"] {
            assert_eq!(slip_of(custom, names()), [""; 0], "{custom}");
            assert!(!is_known(custom));
        }
        assert_eq!(reason("spark.celeborn.master.endpoints"), REMOTE);
        assert_eq!(reason("spark.ui.port"), UNRELATED);
        assert_eq!(reason("spark.mycompany.tenant"), NOT_SPARKS);
    }
}
