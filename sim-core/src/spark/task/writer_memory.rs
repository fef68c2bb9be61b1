//! How much memory a shuffle writer needs, and how many rows fit in what it gets.
//!
//! The unsafe writer holds rows in pages and a pointer array that doubles, old and new side by side while it is copied
//! (US-1, US-2); the sort writer's collection doubles its requests and has its first 5 MiB for free (ES-2). Both spill at
//! thresholds that the user sets (US-3). All of it is the writers' own arithmetic, filled from empty with what the task holds and
//! was granted, so that a spill comes with the row with which it comes in Spark, however the memory was got. Assumption: the copy
//! of the pointer array has to fit when the rows for it are asked for, and is given back at once.

use super::demand::Demand;
use crate::plan::SimPlan;
use crate::spark::sort_writer::{self, SortWriterInput};
use crate::spark::unsafe_writer::{self, Filled, SpillError, UnsafeWriterInput};
use crate::spark::writer::WriterKind;
use crate::units::Bytes;

/// A writer that takes `records` records into memory, from empty, with `share` of execution memory: how far it gets before it
/// spills, and what it then holds.
///
/// # Errors
/// When not even one record fits, or the task would need more pages than it may have.
pub(super) fn fill(kind: WriterKind, demand: &Demand, records: u64, share: Bytes, plan: &SimPlan) -> Result<Filled, SpillError> {
    let (conf, scratch) = (&plan.spec().spark.shuffle, &plan.spec().spark.scratch);
    let record = Bytes::new(demand.record_bytes());
    let force_spill_bytes = scratch.force_spill_bytes.unwrap_or(Bytes::MAX);
    if kind == WriterKind::Unsafe {
        return unsafe_writer::fill(&UnsafeWriterInput {
            share,
            page_size: plan.executor.page,
            records,
            record_bytes: record,
            initial_slots: conf.initial_buffer_size,
            radix_sort: conf.radix_sort,
            force_spill_records: scratch.force_spill_records,
            force_spill_bytes,
        });
    }
    let spills = sort_writer::plan_spills(&SortWriterInput {
        share,
        initial_threshold: conf.spill_initial_memory,
        records,
        object_bytes: record,
        force_spill_records: scratch.force_spill_records,
        force_spill_bytes,
    });
    Ok(Filled { records: spills.records_per_spill, held: spills.claimed, pages: spills.memory_at_spill, peak: spills.claimed })
}
