//! The events that matter, as Spark writes them.
//!
//! Texts are borrowed from the line. Only the fields that are used are named; a field that a Spark version does not
//! write is its default. Everything else in a line is checked to be JSON and passed over. Field names are those of
//! Spark's `JsonProtocol`.

use std::borrow::Cow;

use serde::Deserialize;
use sim_core::spec::Operators;

use super::accumulated::Accumulated;
use super::folded::{First, Parents, Properties, Rdds};
use super::number::Count;
use crate::profile::MAX_STAGES;

/// The kind of a line.
#[derive(Deserialize)]
pub(super) struct Tag<'a> {
    #[serde(borrow, rename = "Event")]
    pub(super) event: Cow<'a, str>,
}

#[derive(Deserialize)]
pub(super) struct LogStart<'a> {
    #[serde(borrow, rename = "Spark Version", default)]
    pub(super) spark_version: Cow<'a, str>,
}

#[derive(Deserialize)]
pub(super) struct EnvironmentUpdate<'a> {
    #[serde(borrow, rename = "Spark Properties", default)]
    pub(super) properties: Properties<'a>,
}

#[derive(Deserialize)]
pub(super) struct ApplicationStart<'a> {
    #[serde(borrow, rename = "App Name", default)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow, rename = "App ID", default)]
    pub(super) id: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "App Attempt ID", default)]
    pub(super) attempt: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
pub(super) struct BlockManagerAdded<'a> {
    #[serde(borrow, rename = "Block Manager ID")]
    pub(super) id: BlockManagerId<'a>,
    #[serde(rename = "Maximum Onheap Memory", default)]
    pub(super) on_heap: Count,
}

#[derive(Deserialize)]
pub(super) struct BlockManagerId<'a> {
    #[serde(borrow, rename = "Executor ID", default)]
    pub(super) executor: Cow<'a, str>,
}

#[derive(Deserialize)]
pub(super) struct ExecutorAdded<'a> {
    #[serde(borrow, rename = "Executor ID")]
    pub(super) id: Cow<'a, str>,
    #[serde(rename = "Timestamp", default)]
    pub(super) time: Count,
    #[serde(borrow, rename = "Executor Info")]
    pub(super) info: ExecutorInfo<'a>,
}

#[derive(Deserialize)]
pub(super) struct ExecutorInfo<'a> {
    #[serde(borrow, rename = "Host", default)]
    pub(super) host: Cow<'a, str>,
    #[serde(rename = "Total Cores", default)]
    pub(super) cores: Count,
}

#[derive(Deserialize)]
pub(super) struct ExecutorRemoved<'a> {
    #[serde(borrow, rename = "Executor ID")]
    pub(super) id: Cow<'a, str>,
    #[serde(rename = "Timestamp", default)]
    pub(super) time: Count,
    #[serde(borrow, rename = "Removed Reason", default)]
    pub(super) reason: Cow<'a, str>,
}

#[derive(Deserialize)]
pub(super) struct ResourceProfileAdded {
    #[serde(rename = "Resource Profile Id", default)]
    pub(super) id: Count,
    #[serde(rename = "Executor Resource Requests", default)]
    pub(super) requests: ResourceRequests,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ResourceRequests {
    pub(super) memory: Option<ResourceRequest>,
    #[serde(rename = "memoryOverhead")]
    pub(super) overhead: Option<ResourceRequest>,
    pub(super) cores: Option<ResourceRequest>,
}

#[derive(Clone, Copy, Deserialize)]
pub(super) struct ResourceRequest {
    #[serde(rename = "Amount", default)]
    pub(super) amount: Count,
}

#[derive(Deserialize)]
pub(super) struct JobStart<'a> {
    #[serde(rename = "Job ID")]
    pub(super) id: Count,
    #[serde(rename = "Submission Time", default)]
    pub(super) time: Count,
    #[serde(borrow, rename = "Stage Infos", default)]
    pub(super) stages: First<StageInfo<'a>, MAX_STAGES>,
    #[serde(borrow, rename = "Properties", default)]
    pub(super) properties: Option<JobProperties<'a>>,
}

#[derive(Deserialize)]
pub(super) struct JobProperties<'a> {
    #[serde(borrow, rename = "spark.sql.execution.id", default)]
    pub(super) execution: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
pub(super) struct JobEnd<'a> {
    #[serde(rename = "Job ID")]
    pub(super) id: Count,
    #[serde(rename = "Completion Time", default)]
    pub(super) time: Count,
    #[serde(borrow, rename = "Job Result")]
    pub(super) result: JobResult<'a>,
}

#[derive(Deserialize)]
pub(super) struct JobResult<'a> {
    #[serde(borrow, rename = "Result", default)]
    pub(super) result: Cow<'a, str>,
}

#[derive(Deserialize)]
pub(super) struct StageEvent<'a> {
    #[serde(borrow, rename = "Stage Info")]
    pub(super) info: StageInfo<'a>,
}

#[derive(Deserialize)]
pub(super) struct StageInfo<'a> {
    #[serde(rename = "Stage ID")]
    pub(super) id: Count,
    #[serde(rename = "Stage Attempt ID", default)]
    pub(super) attempt: Count,
    #[serde(borrow, rename = "Stage Name", default)]
    pub(super) name: Cow<'a, str>,
    #[serde(rename = "Number of Tasks", default)]
    pub(super) tasks: Count,
    #[serde(borrow, rename = "RDD Info", default)]
    pub(super) rdds: Rdds<'a>,
    #[serde(rename = "Parent IDs", default)]
    pub(super) parents: Parents,
    #[serde(rename = "Submission Time", default)]
    pub(super) submitted: Option<Count>,
    #[serde(rename = "Completion Time", default)]
    pub(super) completed: Option<Count>,
    /// Whether it says why it failed; the text does not matter.
    #[serde(rename = "Failure Reason", default)]
    pub(super) failure: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
pub(super) struct RddInfo<'a> {
    #[serde(rename = "RDD ID")]
    pub(super) id: Count,
    #[serde(borrow, rename = "Name", default)]
    pub(super) name: Cow<'a, str>,
    #[serde(rename = "Storage Level", default)]
    pub(super) level: StorageLevel,
    /// `DETERMINATE`, `UNORDERED` or `INDETERMINATE`, in logs of Spark 3.4 and later.
    #[serde(borrow, rename = "DeterministicLevel", default)]
    pub(super) determinism: Cow<'a, str>,
    /// Whether it belongs to a barrier stage.
    #[serde(rename = "Barrier", default)]
    pub(super) barrier: bool,
    /// The operator that made it, as JSON in a string.
    #[serde(borrow, rename = "Scope", default)]
    pub(super) scope: Cow<'a, str>,
    #[serde(rename = "Number of Partitions", default)]
    pub(super) partitions: Count,
    #[serde(rename = "Memory Size", default)]
    pub(super) memory: Count,
    #[serde(rename = "Disk Size", default)]
    pub(super) disk: Count,
}

/// The operator that reads a shuffle as adaptive execution planned it, as an RDD's scope names it; the second until Spark 3.1.
const ADAPTIVE_READS: [&str; 2] = ["AQEShuffleRead", "CustomShuffleReader"];

/// That operator, if a scope is of it.
pub(super) fn adaptive_read(scope: &str) -> Option<&'static str> {
    ADAPTIVE_READS.into_iter().find(|operator| scope.contains(operator))
}

/// Operators of SQL that run on their own, outside generated code, and so name an RDD; the first that a stage has decides.
const HOLDERS: [(&str, Operators); 3] =
    [("\"ObjectHashAggregate\"", Operators::ObjectHashAggregate), ("\"CartesianProduct\"", Operators::CartesianProduct), ("\"Window\"", Operators::Window)];

/// The operator of which a stage's shape follows, if a scope is of one.
pub(super) fn shaping(scope: &str) -> Option<&'static str> {
    let holder = || HOLDERS.into_iter().map(|(name, _)| name).find(|name| scope.contains(name)).map(|name| name.trim_matches('"'));
    adaptive_read(scope).or_else(holder)
}

/// Which of two operators of one stage decides how it holds its rows.
pub(super) fn first_of(a: Option<Operators>, b: Option<Operators>) -> Option<Operators> {
    HOLDERS.into_iter().map(|(_, operators)| operators).find(|operators| [a, b].contains(&Some(*operators)))
}

impl RddInfo<'_> {
    /// The operator that made it, if it is one that holds rows as objects.
    pub(super) fn holder(&self) -> Option<Operators> {
        HOLDERS.into_iter().find(|(name, _)| self.scope.contains(name)).map(|(_, operators)| operators)
    }
    /// Whether it reads a shuffle as adaptive execution planned it.
    pub(super) fn is_adaptive_read(&self) -> bool {
        adaptive_read(&self.scope).is_some()
    }
}

/// How an RDD is persisted, in Spark's terms.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(super) struct StorageLevel {
    #[serde(rename = "Use Memory")]
    pub(super) memory: bool,
    #[serde(rename = "Use Disk")]
    pub(super) disk: bool,
    #[serde(rename = "Deserialized")]
    pub(super) deserialized: bool,
    #[serde(rename = "Replication")]
    pub(super) replication: Count,
}

#[derive(Deserialize)]
pub(super) struct TaskEnd<'a> {
    #[serde(rename = "Stage ID")]
    pub(super) stage: Count,
    #[serde(rename = "Stage Attempt ID", default)]
    pub(super) attempt: Count,
    #[serde(borrow, rename = "Task Type", default)]
    pub(super) kind: Cow<'a, str>,
    #[serde(borrow, rename = "Task End Reason")]
    pub(super) reason: EndReason<'a>,
    #[serde(borrow, rename = "Task Info")]
    pub(super) info: TaskInfo<'a>,
    #[serde(rename = "Task Executor Metrics", default)]
    pub(super) executor: Option<Peaks>,
    #[serde(rename = "Task Metrics", default)]
    pub(super) metrics: Option<TaskMetrics>,
}

#[derive(Deserialize)]
pub(super) struct EndReason<'a> {
    #[serde(borrow, rename = "Reason", default)]
    pub(super) reason: Cow<'a, str>,
    #[serde(borrow, rename = "Class Name", default)]
    pub(super) class: Cow<'a, str>,
}

#[derive(Deserialize)]
pub(super) struct TaskInfo<'a> {
    #[serde(rename = "Launch Time", default)]
    pub(super) launched: Count,
    #[serde(rename = "Finish Time", default)]
    pub(super) finished: Count,
    #[serde(rename = "Getting Result Time", default)]
    pub(super) getting_result: Count,
    /// Place in its task set: the partition in a stage's first attempt, the place among those that are run again later.
    #[serde(rename = "Index", default)]
    index: Count,
    /// Since Spark 3.3.
    #[serde(rename = "Partition ID", default)]
    partition: Option<Count>,
    #[serde(borrow, rename = "Executor ID", default)]
    pub(super) executor: Cow<'a, str>,
    #[serde(rename = "Accumulables", default)]
    pub(super) accumulables: Accumulated,
}

impl TaskInfo<'_> {
    /// The partition that the task computes. Before Spark 3.3 a log tells only the place in the task set.
    pub(super) fn partition(&self) -> u64 {
        self.partition.unwrap_or(self.index).0
    }
}

#[derive(Clone, Copy, Default, Deserialize)]
pub(super) struct TaskMetrics {
    #[serde(rename = "Executor Deserialize Time", default)]
    pub(super) deserialize_ms: Count,
    #[serde(rename = "Executor Deserialize CPU Time", default)]
    pub(super) deserialize_cpu_ns: Count,
    #[serde(rename = "Result Serialization Time", default)]
    pub(super) result_ms: Count,
    #[serde(rename = "Executor Run Time", default)]
    pub(super) run_ms: Count,
    #[serde(rename = "Executor CPU Time", default)]
    pub(super) cpu_ns: Count,
    #[serde(rename = "Peak Execution Memory", default)]
    pub(super) peak_execution: Count,
    #[serde(rename = "JVM GC Time", default)]
    pub(super) gc_ms: Count,
    #[serde(rename = "Memory Bytes Spilled", default)]
    pub(super) spill_memory: Count,
    #[serde(rename = "Disk Bytes Spilled", default)]
    pub(super) spill_disk: Count,
    #[serde(rename = "Shuffle Read Metrics", default)]
    pub(super) read: ShuffleRead,
    #[serde(rename = "Shuffle Write Metrics", default)]
    pub(super) write: ShuffleWrite,
    #[serde(rename = "Input Metrics", default)]
    pub(super) input: InputMetrics,
    #[serde(rename = "Output Metrics", default)]
    pub(super) output: OutputMetrics,
}

#[derive(Clone, Copy, Default, Deserialize)]
pub(super) struct ShuffleRead {
    #[serde(rename = "Remote Bytes Read", default)]
    pub(super) remote: Count,
    #[serde(rename = "Local Bytes Read", default)]
    pub(super) local: Count,
    #[serde(rename = "Total Records Read", default)]
    pub(super) records: Count,
    #[serde(rename = "Fetch Wait Time", default)]
    pub(super) wait_ms: Count,
}

#[derive(Clone, Copy, Default, Deserialize)]
pub(super) struct ShuffleWrite {
    #[serde(rename = "Shuffle Bytes Written", default)]
    pub(super) bytes: Count,
    #[serde(rename = "Shuffle Records Written", default)]
    pub(super) records: Count,
    #[serde(rename = "Shuffle Write Time", default)]
    pub(super) time_ns: Count,
}

#[derive(Clone, Copy, Default, Deserialize)]
pub(super) struct InputMetrics {
    #[serde(rename = "Bytes Read", default)]
    pub(super) bytes: Count,
    #[serde(rename = "Records Read", default)]
    pub(super) records: Count,
}

#[derive(Clone, Copy, Default, Deserialize)]
pub(super) struct OutputMetrics {
    #[serde(rename = "Bytes Written", default)]
    pub(super) bytes: Count,
}

#[derive(Deserialize)]
pub(super) struct StageExecutorMetrics<'a> {
    #[serde(borrow, rename = "Executor ID", default)]
    pub(super) executor: Cow<'a, str>,
    #[serde(rename = "Executor Metrics", default)]
    pub(super) peaks: Peaks,
}

/// Peaks of one executor while a stage or a task ran.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(super) struct Peaks {
    #[serde(rename = "JVMHeapMemory")]
    pub(super) heap: Count,
    #[serde(rename = "JVMOffHeapMemory")]
    pub(super) non_heap: Count,
    #[serde(rename = "DirectPoolMemory")]
    pub(super) direct: Count,
    #[serde(rename = "OnHeapExecutionMemory")]
    pub(super) execution_on_heap: Count,
    #[serde(rename = "OffHeapExecutionMemory")]
    pub(super) execution_off_heap: Count,
    #[serde(rename = "OnHeapStorageMemory")]
    pub(super) storage_on_heap: Count,
    #[serde(rename = "OffHeapStorageMemory")]
    pub(super) storage_off_heap: Count,
    #[serde(rename = "ProcessTreeJVMRSSMemory")]
    pub(super) rss_jvm: Count,
    #[serde(rename = "ProcessTreePythonRSSMemory")]
    pub(super) rss_python: Count,
    #[serde(rename = "ProcessTreeOtherRSSMemory")]
    pub(super) rss_other: Count,
    #[serde(rename = "MinorGCCount")]
    pub(super) young_collections: Count,
}
