//! Whose execution memory a task's metrics show: its shuffle writer's, its operators', or both.
//!
//! A log names no shuffle writer. In SQL the number of partitions decides between the bypass and the serialised writer (SW-1), and operators tell
//! their own memory. An RDD's map task that reads no shuffle has no other user of execution memory than its writer, so what the
//! metrics show is that writer's, and its form tells which one. A task that reads a shuffle and has no SQL metrics stays
//! undecided: all is its operators'. Source: 2.1, US-2, US-6, ES-2; recordings in `tests/tests/data/spark_runs`.

use super::events::{TaskEnd, TaskMetrics};
use super::mapping::WriterMemory;

/// Whether execution memory of a task outside SQL can only be its shuffle writer's: it reads no shuffle.
pub(super) fn is_alone(event: &TaskEnd<'_>) -> bool {
    let m = event.metrics.unwrap_or_default();
    event.kind == "ShuffleMapTask" && m.peak_execution.0 > 0 && m.read.remote.0 == 0 && m.read.local.0 == 0
}

/// How the writer of a task shows in its peak of execution memory (2.1). The bypass writer uses none: what a writer has alone is the
/// serialised or the sort writer's, the latter also below the bypass threshold, where it means map-side combine. Which of them an RDD
/// job has above it no setting tells: for keys and values that are primitives or strings Spark takes Kryo by itself.
pub(super) fn writer_memory(event: &TaskEnd<'_>, sql: bool, above_bypass: bool) -> WriterMemory {
    let alone = !sql && is_alone(event);
    if above_bypass && event.kind == "ShuffleMapTask" && (sql || alone && is_paged(&event.metrics.unwrap_or_default())) {
        WriterMemory::Serialized
    } else if alone {
        WriterMemory::Collection
    } else {
        WriterMemory::None
    }
}

/// What the task's SQL operators tell of their own memory. Where they tell nothing it may be because they have no such metric; below
/// the serialised writer, whose memory is in the task's peak, that says that there was no operator.
pub(super) fn operator_memory(event: &TaskEnd<'_>, writer: WriterMemory) -> Option<(u64, u64)> {
    let told = event.info.accumulables;
    let none = writer == WriterMemory::Serialized && told.data_size.is_some();
    (told.operator_peak > 0 || none).then_some((told.operator_peak, told.operator_spill))
}

/// Whether the memory of a writer that is alone in its task is made of pages. Their sizes and that of a pointer array are multiples of
/// 16, an estimate of objects hardly ever is; and the serialised writer's files are all spills when one was (US-6).
fn is_paged(m: &TaskMetrics) -> bool {
    if m.spill_memory.0 > 0 { m.spill_disk.0 == m.write.bytes.0 } else { m.peak_execution.0.is_multiple_of(16) }
}
