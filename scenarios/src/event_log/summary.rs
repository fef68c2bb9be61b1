//! What was read, as numbers: the object that `ingest --format json` prints.
//!
//! Totals count every finished task attempt in the log, failed and killed ones too, as Spark's metrics give them:
//! nothing here is estimated or converted. Sums are capped at the largest 64-bit number instead of wrapping.

use std::collections::BTreeMap;

use serde::Serialize;

use super::events::TaskMetrics;
use crate::profile::Held;

/// Summary of an event log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Version of Spark that wrote it, when the log says so.
    pub spark_version: Option<String>,
    /// Name of the application, when the log says so.
    pub application: Option<String>,
    /// Over the whole log.
    pub totals: Totals,
    /// Stage attempts by stage and attempt.
    pub stages: Vec<StageSummary>,
    /// Executors by id.
    pub executors: Vec<ExecutorSummary>,
    /// Lines of the log.
    pub lines: LineCounts,
    /// Whether the log breaks off: it does not end with the end of the application, or could not be read to its end.
    pub truncated: bool,
    /// What the reader wants to say about it.
    pub warnings: Vec<String>,
}

/// Sums over all finished task attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Jobs that started.
    pub jobs: u64,
    /// Distinct stages that were submitted.
    pub stages: u64,
    /// Attempts of stages.
    pub stage_attempts: u64,
    /// Finished task attempts.
    pub tasks: u64,
    /// Those that did not end with `Success`.
    pub failed_tasks: u64,
    /// Bytes read from storage.
    pub input_bytes: u64,
    /// Compressed shuffle bytes written.
    pub shuffle_write_bytes: u64,
    /// Compressed shuffle bytes read, local and remote.
    pub shuffle_read_bytes: u64,
    /// Bytes of managed memory freed by spills.
    pub spill_memory_bytes: u64,
    /// Bytes that spills wrote.
    pub spill_disk_bytes: u64,
    /// Executor run time, milliseconds.
    pub run_time_ms: u64,
    /// Executor CPU time, nanoseconds.
    pub cpu_time_ns: u64,
    /// JVM garbage collection while tasks ran, milliseconds.
    pub gc_time_ms: u64,
}

/// One attempt of one stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StageSummary {
    /// Stage id.
    pub stage: u64,
    /// Attempt, from zero.
    pub attempt: u64,
    /// Finished task attempts.
    pub tasks: u64,
    /// Those that did not end with `Success`.
    pub failed_tasks: u64,
    /// Those by reason; for exceptions with the class.
    pub failures: BTreeMap<String, u64>,
    /// When it was submitted, milliseconds since 1970.
    pub submitted_ms: Option<u64>,
    /// When it ended, milliseconds since 1970.
    pub completed_ms: Option<u64>,
    /// Name that Spark gives it (the call site).
    pub name: String,
    /// Bytes read from storage.
    pub input_bytes: u64,
    /// Records read from storage or made by the tasks.
    pub input_records: u64,
    /// Compressed shuffle bytes read.
    pub shuffle_read_bytes: u64,
    /// Shuffle records read.
    pub shuffle_read_records: u64,
    /// Compressed shuffle bytes written.
    pub shuffle_write_bytes: u64,
    /// Shuffle records written.
    pub shuffle_write_records: u64,
    /// Bytes written out of the application.
    pub output_bytes: u64,
    /// Bytes of managed memory freed by spills.
    pub spill_memory_bytes: u64,
    /// Bytes that spills wrote.
    pub spill_disk_bytes: u64,
    /// Executor run time, milliseconds.
    pub run_time_ms: u64,
    /// Executor CPU time, nanoseconds.
    pub cpu_time_ns: u64,
    /// JVM garbage collection while tasks ran, milliseconds.
    pub gc_time_ms: u64,
    /// Time waiting for shuffle blocks, milliseconds.
    pub fetch_wait_ms: u64,
    /// Deserialising tasks, milliseconds.
    pub deserialize_ms: u64,
    /// Largest Peak Execution Memory of a task, bytes.
    pub peak_execution_memory_bytes: u64,
}

/// One executor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ExecutorSummary {
    /// Spark's executor id.
    pub id: String,
    /// Host.
    pub host: String,
    /// Cores.
    pub cores: u64,
    /// When it registered, milliseconds since 1970.
    pub added_ms: Option<u64>,
    /// When it was removed, milliseconds since 1970.
    pub removed_ms: Option<u64>,
    /// Why it was removed.
    pub removed_reason: Option<String>,
    /// Task attempts that finished on it.
    pub tasks: u64,
    /// Peak used heap, bytes; zero when not recorded.
    pub peak_heap_bytes: u64,
    /// Peak used non-heap of the JVM, bytes; zero when not recorded.
    pub peak_non_heap_bytes: u64,
    /// Peak direct buffers, bytes; zero when not recorded.
    pub peak_direct_bytes: u64,
    /// Peak execution memory, bytes; zero when not recorded.
    pub peak_execution_bytes: u64,
    /// Peak storage memory, bytes; zero when not recorded.
    pub peak_storage_bytes: u64,
    /// Peak resident set of the JVM, bytes; zero when not recorded.
    pub peak_jvm_rss_bytes: u64,
    /// Peak resident set of Python workers, bytes; zero when not recorded.
    pub peak_python_rss_bytes: u64,
    /// Peak resident set of the process tree, bytes; zero when not recorded.
    pub peak_rss_bytes: u64,
    /// Collections of the young generation; zero when not recorded.
    #[serde(skip_serializing_if = "is_zero")]
    pub young_collections: u64,
    /// The most that a task which ended well on it held in the heap, as its row has it.
    #[serde(skip)]
    pub(super) most_held: Held,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// Lines of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LineCounts {
    /// All lines that are not blank.
    pub read: u64,
    /// Well-formed events that are of no use here.
    pub skipped: u64,
    /// Lines that are not an event.
    pub malformed: u64,
}

fn add(sum: &mut u64, n: u64) {
    *sum = sum.saturating_add(n);
}

impl Totals {
    /// Adds one finished task attempt.
    pub(super) fn add_task(&mut self, failed: bool, m: &TaskMetrics) {
        add(&mut self.tasks, 1);
        add(&mut self.failed_tasks, u64::from(failed));
        add(&mut self.input_bytes, m.input.bytes.0);
        add(&mut self.shuffle_write_bytes, m.write.bytes.0);
        add(&mut self.shuffle_read_bytes, m.read.remote.0.saturating_add(m.read.local.0));
        add(&mut self.spill_memory_bytes, m.spill_memory.0);
        add(&mut self.spill_disk_bytes, m.spill_disk.0);
        add(&mut self.run_time_ms, m.run_ms.0);
        add(&mut self.cpu_time_ns, m.cpu_ns.0);
        add(&mut self.gc_time_ms, m.gc_ms.0);
    }
}

impl StageSummary {
    /// Adds one finished task attempt.
    pub(super) fn add_task(&mut self, failed: bool, m: &TaskMetrics) {
        add(&mut self.tasks, 1);
        add(&mut self.failed_tasks, u64::from(failed));
        add(&mut self.input_bytes, m.input.bytes.0);
        add(&mut self.input_records, m.input.records.0);
        add(&mut self.shuffle_read_bytes, m.read.remote.0.saturating_add(m.read.local.0));
        add(&mut self.shuffle_read_records, m.read.records.0);
        add(&mut self.shuffle_write_bytes, m.write.bytes.0);
        add(&mut self.shuffle_write_records, m.write.records.0);
        add(&mut self.output_bytes, m.output.bytes.0);
        add(&mut self.spill_memory_bytes, m.spill_memory.0);
        add(&mut self.spill_disk_bytes, m.spill_disk.0);
        add(&mut self.run_time_ms, m.run_ms.0);
        add(&mut self.cpu_time_ns, m.cpu_ns.0);
        add(&mut self.gc_time_ms, m.gc_ms.0);
        add(&mut self.fetch_wait_ms, m.read.wait_ms.0);
        add(&mut self.deserialize_ms, m.deserialize_ms.0);
        self.peak_execution_memory_bytes = self.peak_execution_memory_bytes.max(m.peak_execution.0);
    }
}
