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

/// A writer that holds `held` records and could take in up to `all`, with `share` of execution memory: how far it gets before it
/// spills, and what it then holds.
///
/// # Errors
/// When not even one record fits, or the task would need more pages than it may have.
pub(super) fn fill(kind: WriterKind, demand: &Demand, (held, all): (u64, u64), share: Bytes, plan: &SimPlan) -> Result<Filled, SpillError> {
    let (conf, scratch) = (&plan.spec().spark.shuffle, &plan.spec().spark.scratch);
    let record = Bytes::new(demand.record_bytes());
    let force_spill_bytes = scratch.force_spill_bytes.unwrap_or(Bytes::MAX);
    if kind == WriterKind::Unsafe {
        return unsafe_writer::fill(&UnsafeWriterInput {
            share,
            page_size: demand.page,
            records: all,
            in_memory: held,
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
        records: all,
        object_bytes: record,
        force_spill_records: scratch.force_spill_records,
        force_spill_bytes,
    });
    Ok(Filled { records: spills.records_per_spill, held: spills.claimed, pages: spills.memory_at_spill, peak: spills.claimed })
}

/// Records between two looks of the sort writer's collection at its size (ES-2).
const LOOK: u64 = 32;

/// What the writer cannot do without when it holds so many records in `used` bytes: the unsafe writer a pointer array of twice the
/// size beside the old one, a page, or both; the sort writer nothing before its next look, then room until the look after that.
pub(super) fn next(kind: WriterKind, demand: &Demand, (held, all): (u64, u64), used: Bytes, plan: &SimPlan) -> Bytes {
    if kind != WriterKind::Unsafe {
        let goes_on = fill(kind, demand, (held, all), used, plan).is_ok_and(|filled| filled.records > held);
        return if goes_on { Bytes::ZERO } else { Bytes::new(demand.record_bytes() * LOOK) };
    }
    let filled = |records| fill(kind, demand, (held, records), Bytes::MAX, plan);
    let (Ok(now), Ok(then)) = (filled(held), filled(held + 1)) else { return Bytes::MAX };
    let (array_now, held_now) = if held == 0 { (Bytes::ZERO, Bytes::ZERO) } else { (now.held - now.pages, now.held) };
    let (array_then, grown) = (then.held - then.pages, then.held - held_now);
    if array_then > array_now { array_then.max(grown) } else { grown }
}

/// The least with which an empty writer takes in a row: its first array and a page as large as the row.
pub(super) fn smallest(kind: WriterKind, demand: &Demand, plan: &SimPlan) -> Bytes {
    match kind {
        WriterKind::Unsafe => unsafe_writer::least(plan.spec().spark.shuffle.initial_buffer_size, Bytes::new(demand.record_bytes())),
        WriterKind::Sort | WriterKind::Bypass => Bytes::ZERO,
    }
}

/// Whether a threshold, not memory, keeps a writer that holds so many records from taking another one.
pub(super) fn forced(kind: WriterKind, demand: &Demand, (held, all): (u64, u64), plan: &SimPlan) -> bool {
    fill(kind, demand, (held, all), Bytes::MAX, plan).is_ok_and(|filled| filled.records <= held)
}
