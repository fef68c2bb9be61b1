//! What keys mean that the model does not use, and what those that it uses move.
//!
//! `catalog/spark-meanings.tsv` has a sentence for each key that bears on memory, shuffle, scratch, scheduling or placement, and what the
//! model does instead. `known.rs` may say the latter, too, and is asked first. What a modelled key moves follows from its
//! name: the longest entry of [`MOVES`] that the key begins with. So a key that becomes modelled needs no line here.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::known::NOT_SIMULATED;
use super::released::rows;

const FILE: &str = include_str!("../../catalog/spark-meanings.tsv");

static ALL: LazyLock<BTreeMap<&'static str, [&'static str; 2]>> = LazyLock::new(|| {
    let read = |mut cells: std::str::Split<'static, char>| Some((cells.next()?, [cells.next()?, cells.next()?]));
    rows(FILE).filter_map(read).collect()
});

/// What a key means that the model does not use.
pub(crate) fn meaning(key: &str) -> Option<&'static str> {
    ALL.get(key).map(|[meaning, _]| *meaning)
}

/// What the model does instead of what a key says, where that may matter.
pub(crate) fn instead(key: &str) -> Option<&'static str> {
    let known = NOT_SIMULATED.iter().find(|(name, _)| *name == key).map(|(_, why)| *why);
    known.or_else(|| ALL.get(key).map(|[_, instead]| *instead))
}

/// Every key with a reason why it is not simulated; those that the model uses may be among them.
pub(crate) fn reasoned() -> impl Iterator<Item = &'static str> {
    NOT_SIMULATED.iter().map(|(key, _)| *key).chain(ALL.keys().copied().filter(|key| !NOT_SIMULATED.iter().any(|(known, _)| known == key)))
}

/// What modelled keys move, by how their names begin.
static MOVES: &[(&str, &str)] = &[
    ("spark.api.mode", "when shuffle files are cleaned up"),
    ("spark.", "the run"),
    ("spark.blockManager.", "what executors keep and where"),
    ("spark.buffer.", "grain of memory that tasks are granted"),
    ("spark.celeborn.", "shuffle data on remote workers: push buffers, copies, codec"),
    ("spark.cleaner.", "when old shuffles leave scratch"),
    ("spark.decommission.", "what leaves an executor before it goes"),
    ("spark.default.parallelism", "number of tasks of a stage"),
    ("spark.deploy.", "executors on standalone: placement and replacement"),
    ("spark.driver.", "the driver's share of its node"),
    ("spark.dynamicAllocation.", "number of executors over time"),
    ("spark.excludeOnFailure.", "which executors and nodes get tasks after failures"),
    ("spark.executor.", "executors: number, life and end"),
    ("spark.executor.cores", "task slots of an executor, share of memory of a task, CPU request"),
    ("spark.executor.extraJavaOptions", "collector, touched heap, exit code of a full heap"),
    ("spark.executor.failuresValidityInterval", "end of the application after many executor failures"),
    ("spark.executor.instances", "number of executors"),
    ("spark.executor.maxNumFailures", "end of the application after many executor failures"),
    ("spark.executor.memory", "heap, unified memory, container size, packing on nodes"),
    ("spark.executor.memoryOverhead", "container size: room for non-heap memory and tmpfs"),
    ("spark.executor.minMemoryOverhead", "container size: room for non-heap memory and tmpfs"),
    ("spark.executor.pyspark.memory", "container size, memory of Python workers"),
    ("spark.files.fetchFailure.", "outputs that are lost with a host"),
    ("spark.io.compression.", "bytes on scratch and network, CPU of tasks"),
    ("spark.kubernetes.allocation.", "how fast pods are asked for and replaced"),
    ("spark.kubernetes.driver.", "the driver's share of its node"),
    ("spark.kubernetes.driver.ownPersistentVolumeClaim", CLAIMS),
    ("spark.kubernetes.driver.reusePersistentVolumeClaim", CLAIMS),
    ("spark.kubernetes.driver.waitToReusePersistentVolumeClaim", CLAIMS),
    ("spark.kubernetes.executor.", "executor pods: requests, limits, placement"),
    ("spark.kubernetes.executor.pvc.", "when scratch on claims is full"),
    ("spark.kubernetes.local.dirs.tmpfs", "whether scratch is charged to the pod as memory"),
    ("spark.kubernetes.namespace", "which pods the affinity rules of executors see"),
    ("spark.kubernetes.memoryOverheadFactor", "container size: room for non-heap memory and tmpfs"),
    ("spark.local.dir", "volumes that scratch is spread over"),
    ("spark.locality.", "how long tasks wait for a local slot"),
    ("spark.memory.", "unified memory: execution, storage, spills"),
    ("spark.memory.offHeap.", "off-heap memory, container size"),
    ("spark.network.", "what a fetch holds in memory, when a silent peer is given up"),
    ("spark.plugins", "memory limits and ages of executors, sizes of claims, where it names the plugins that change them"),
    ("spark.python.", "memory of Python workers"),
    ("spark.rdd.compress", "size of cached partitions"),
    ("spark.reducer.", "fetched bytes in memory, speed of a fetch"),
    ("spark.remote", "when shuffle files are cleaned up"),
    ("spark.rss.", "shuffle data on remote servers: buffers, copies, codec"),
    ("spark.rpc.", "messages between driver and executors"),
    ("spark.scheduler.", "when tasks start, and in which order"),
    ("spark.serializer", "which shuffle writer runs"),
    ("spark.shuffle.", "the shuffle writer and what it puts on scratch"),
    ("spark.shuffle.compress", "bytes on scratch and network, CPU of tasks"),
    ("spark.shuffle.file.", "the shuffle writer and what it puts on scratch"),
    ("spark.shuffle.manager", "where shuffle data is: scratch or a remote service"),
    ("spark.shuffle.io.", "when a fetch fails"),
    ("spark.shuffle.push.", "a second copy of shuffle files on the nodes, merged for reducers"),
    ("spark.shuffle.service.", "whether outputs outlive their executor"),
    ("spark.shuffle.sort.", "which shuffle writer runs, and its sorter's memory"),
    ("spark.shuffle.sort.io.", "whether a lost executor's map tasks run again"),
    ("spark.shuffle.spill.", "when and how much a sorter spills"),
    ("spark.speculation", "copies of slow tasks"),
    ("spark.sql.adaptive.", "number and size of partitions after a stage"),
    ("spark.sql.cartesianProductExec.", "what a buffer of rows holds on the heap"),
    ("spark.sql.objectHashAggregate.", "what an aggregation's keys hold on the heap"),
    ("spark.sql.sortMergeJoinExec.", "what a buffer of rows holds on the heap"),
    ("spark.sql.windowExec.", "what a buffer of rows holds on the heap"),
    ("spark.sql.files.", "number and size of input tasks"),
    ("spark.sql.shuffle.partitions", "number and size of reduce tasks"),
    ("spark.sql.", "number and size of tasks"),
    ("spark.stage.", "when a stage is given up"),
    ("spark.storage.", "what happens to cached blocks"),
    ("spark.storage.decommission.", "what leaves an executor before it goes"),
    ("spark.task.cpus", "task slots of an executor, share of memory of a task"),
    ("spark.task.maxFailures", "when a job is given up"),
    ("spark.task.", "the life of tasks"),
    ("spark.unsafe.", "spills and their merge"),
    ("spark.worker.", "executors on standalone: placement and replacement"),
    ("spark.yarn.", "executors on YARN: asking, failing, giving up"),
];

/// What keys about claims move.
const CLAIMS: &str = "what a death leaves on claims, and what comes back from there";

/// What a modelled key moves.
pub(crate) fn moves(key: &str) -> &'static str {
    MOVES.iter().filter(|(prefix, _)| key.starts_with(prefix)).max_by_key(|(prefix, _)| prefix.len()).map_or("the run", |(_, what)| what)
}

#[cfg(test)]
mod tests {
    use super::super::{KEYS, released};
    use super::*;

    #[test]
    fn every_sentence_is_whole_and_about_a_key_of_spark() {
        assert_eq!(rows(FILE).count(), ALL.len());
        for (key, [meaning, instead]) in ALL.iter() {
            assert!(released::find(key).is_some(), "{key} is no key");
            assert!(meaning.ends_with('.') && meaning.starts_with(char::is_uppercase), "{key}: {meaning}");
            assert!(!instead.ends_with('.'), "{key}: {instead}");
            assert!(KEYS.iter().any(|known| known.key == *key) || super::instead(key).is_some_and(|why| !why.is_empty()), "{key} has no reason");
        }
    }

    #[test]
    fn modelled_keys_say_what_they_move() {
        for known in KEYS.iter() {
            assert_ne!(moves(known.key), "the run", "{}", known.key);
        }
        assert_eq!(moves("spark.speculation.quantile"), "copies of slow tasks");
    }

    #[test]
    fn enough_keys_have_a_meaning() {
        let modelled = KEYS.iter().filter(|known| meaning(known.key).is_none()).count();
        assert!(ALL.len() + modelled >= 250, "{} and {modelled}", ALL.len());
    }
}
