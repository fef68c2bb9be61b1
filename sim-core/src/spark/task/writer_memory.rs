//! How much memory a shuffle writer needs, and how many rows fit in what it gets.
//!
//! The unsafe writer holds rows in pages and a pointer array that doubles (US-1, US-2); the sort writer's
//! collection doubles its requests and has its first 5 MiB for free (ES-2). When a request is not fully granted
//! the rows that fit before the spill follow from the writers' own arithmetic. Assumption: what is asked for is the final
//! pointer array without the copy beside the old one (24 instead of 16 bytes a record for a moment, US-2) and pages without their
//! unused ends, so in a narrow band of shares a spill is missed.

use super::demand::Demand;
use crate::plan::SimPlan;
use crate::spark::sort_writer::{self, SortWriterInput};
use crate::spark::unsafe_writer::{self, UnsafeWriterInput};
use crate::spark::writer::WriterKind;
use crate::units::Bytes;

/// Bytes a pointer slot, and slots a record under radix sort (US-2).
const POINTER_BYTES: u64 = 16;

/// Execution memory for the rows that are still to come, if nothing spilled.
pub(super) fn needed(demand: &Demand, done: Bytes, kind: WriterKind, plan: &SimPlan) -> Bytes {
    let rows = demand.writer - done;
    match kind {
        WriterKind::Unsafe => {
            let records = rows.get() / demand.record_bytes();
            let slots = (records * 2).max(plan.spec().spark.shuffle.initial_buffer_size).next_power_of_two();
            rows + Bytes::new(slots * POINTER_BYTES / 2)
        }
        WriterKind::Sort | WriterKind::Bypass => rows,
    }
}

/// Rows that fit into a grant.
pub(super) fn rows_in(demand: &Demand, done: Bytes, granted: Bytes, wanted: Bytes, kind: WriterKind, plan: &SimPlan) -> Bytes {
    let remaining = demand.writer - done;
    if granted >= wanted {
        return remaining;
    }
    let conf = &plan.spec().spark.shuffle;
    let record = demand.record_bytes();
    let fit = match kind {
        WriterKind::Unsafe => unsafe_writer::plan_spills(&UnsafeWriterInput {
            share: granted,
            page_size: plan.executor.page,
            records: remaining.get() / record + 1,
            record_bytes: Bytes::new(record),
            initial_slots: conf.initial_buffer_size,
            radix_sort: conf.radix_sort,
            force_spill_records: u64::MAX,
        })
        .map_or(0, |spills| spills.records_per_spill * record),
        WriterKind::Sort | WriterKind::Bypass => {
            let input = SortWriterInput {
                share: granted,
                initial_threshold: conf.spill_initial_memory,
                records: remaining.get() / record + 1,
                object_bytes: Bytes::new(record),
            };
            sort_writer::plan_spills(&input).records_per_spill * record
        }
    };
    // A grant that holds no row still makes progress by one record, as a page of that record's size would.
    Bytes::new(fit).clamp(Bytes::new(record), remaining.max(Bytes::new(record))).min(remaining)
}
