//! How much memory a consumer of rows needs, and how many rows fit in what it gets.
//!
//! The unsafe writer holds rows in pages and a pointer array that doubles, old and new side by side while it is copied
//! (US-1, US-2). SQL sorters and hash maps do the same with 16 bytes a slot: a sorter's pointer has its sort prefix beside it, a map's
//! its hash (2.8). The sort writer's collection doubles its requests and has its first 5 MiB for free (ES-2). All spill at thresholds
//! that the user sets (US-3). It is the consumers' own arithmetic, filled from empty with what the task holds and was granted, so
//! that a spill comes with the row with which it comes in Spark, however the memory was got. Assumptions: the copy of the pointer array
//! has to fit when the rows for it are asked for, and is given back at once; sorters sort by radix, whose array is half work space, as
//! those of one numeric key do.

use super::consumers::BUFFER;
use super::demand::Demand;
use crate::plan::SimPlan;
use crate::spark::sort_writer::{self, SortWriterInput};
use crate::spark::task_memory_manager::ConsumerId;
use crate::spark::unsafe_writer::{self, Filled, SpillError, UnsafeWriterInput};
use crate::spark::writer::WriterKind;
use crate::spec::{Operators, RowBuffer, SqlConf};
use crate::units::Bytes;

/// Bytes of a slot of a sorter's or a map's array (2.8).
const OPERATOR_SLOT: u64 = 16;
/// Slots of an aggregation's first map (`UnsafeFixedWidthAggregationMap`).
const MAP_SLOTS: u64 = 1 << 14;

/// How a consumer holds its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// Pages and a pointer array of a serialised shuffle writer.
    Serialized,
    /// Objects of a sort shuffle writer, or of an RDD's aggregation.
    Objects,
    /// Pages and an array of pointers with prefixes.
    Sorter,
    /// Pages and a hash array.
    Map,
    /// A sorter that does not sort, with the thresholds of the operator that buffers in it.
    Buffer(RowBuffer),
}

impl Holder {
    /// A shuffle writer's, if it holds rows.
    pub(super) fn of_writer(kind: WriterKind) -> Option<Self> {
        match kind {
            WriterKind::Unsafe => Some(Self::Serialized),
            WriterKind::Sort => Some(Self::Objects),
            WriterKind::Bypass | WriterKind::Push => None,
        }
    }

    /// An operator's. Outside SQL it is a collection of objects that grows as the sort writer's does (`ExternalAppendOnlyMap`, ES-2).
    pub(super) fn of_operator(sql: bool, operators: Operators, consumer: ConsumerId, conf: &SqlConf) -> Self {
        match operators {
            _ if !sql => Self::Objects,
            _ if consumer == BUFFER => Self::Buffer(buffer(operators, conf)),
            Operators::HashAggregate => Self::Map,
            _ => Self::Sorter,
        }
    }
}

/// The thresholds of an operator's list of rows.
pub(super) fn buffer(operators: Operators, conf: &SqlConf) -> RowBuffer {
    match operators {
        Operators::SortMergeJoin => conf.sort_merge_join,
        Operators::CartesianProduct => conf.cartesian_product,
        _ => conf.window,
    }
}

/// What a consumer holds and has to hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows<'a> {
    pub(super) holder: Holder,
    pub(super) consumer: ConsumerId,
    pub(super) demand: &'a Demand,
    /// Rows in memory.
    pub(super) held: u64,
    /// Those with all that it could take in.
    pub(super) all: u64,
    /// Whether no more come after those.
    pub(super) ends: bool,
}

/// With `share` of execution memory: how far it gets before it spills, and what it then holds.
///
/// # Errors
/// When not even one record fits, or the task would need more pages than it may have.
pub(super) fn fill(rows: Rows<'_>, share: Bytes, plan: &SimPlan) -> Result<Filled, SpillError> {
    let (conf, scratch) = (&plan.spec().spark.shuffle, &plan.spec().spark.scratch);
    let record_bytes = Bytes::new(rows.demand.record_bytes(rows.consumer));
    let force_spill_bytes = scratch.force_spill_bytes.unwrap_or(Bytes::MAX);
    let pages = UnsafeWriterInput {
        share,
        page_size: rows.demand.page,
        records: rows.all,
        in_memory: rows.held,
        record_bytes,
        initial_slots: conf.initial_buffer_size,
        slot_bytes: OPERATOR_SLOT,
        radix_sort: true,
        force_spill_records: scratch.force_spill_records,
        force_spill_bytes,
    };
    match rows.holder {
        Holder::Serialized => unsafe_writer::fill(&UnsafeWriterInput { slot_bytes: unsafe_writer::SLOT, radix_sort: conf.radix_sort, ..pages }),
        Holder::Sorter => unsafe_writer::fill(&pages),
        Holder::Map => {
            unsafe_writer::fill(&UnsafeWriterInput { initial_slots: MAP_SLOTS, force_spill_records: u64::MAX, force_spill_bytes: Bytes::MAX, ..pages })
        }
        Holder::Buffer(conf) => {
            let force_spill_bytes = conf.spill_bytes.unwrap_or(Bytes::MAX);
            unsafe_writer::fill(&UnsafeWriterInput { radix_sort: false, force_spill_records: conf.spill_rows, force_spill_bytes, ..pages })
        }
        Holder::Objects => {
            let spills = sort_writer::plan_spills(&SortWriterInput {
                share,
                initial_threshold: conf.spill_initial_memory,
                records: rows.all,
                object_bytes: Bytes::new(rows.demand.bytes_each(rows.consumer)),
                force_spill_records: scratch.force_spill_records,
                force_spill_bytes,
            });
            Ok(Filled { records: spills.records_per_spill, held: spills.claimed, pages: spills.memory_at_spill, peak: spills.claimed })
        }
    }
}

/// Records between two looks of the sort writer's collection at its size (ES-2).
const LOOK: u64 = 32;

/// What a consumer cannot do without when its rows are in `used` bytes: pages a pointer array of twice the size beside the old one, a
/// page, or both; the sort writer nothing before its next look, then room until the look after that.
pub(super) fn next(rows: Rows<'_>, used: Bytes, plan: &SimPlan) -> Bytes {
    if rows.holder == Holder::Objects {
        let goes_on = fill(rows, used, plan).is_ok_and(|filled| filled.records > rows.held);
        return if goes_on { Bytes::ZERO } else { Bytes::new(rows.demand.bytes_each(rows.consumer) * LOOK) };
    }
    let filled = |all| fill(Rows { all, ..rows }, Bytes::MAX, plan);
    let (Ok(now), Ok(then)) = (filled(rows.held), filled(rows.held + 1)) else { return Bytes::MAX };
    let (array_now, held_now) = if rows.held == 0 { (Bytes::ZERO, Bytes::ZERO) } else { (now.held - now.pages, now.held) };
    let (array_then, grown) = (then.held - then.pages, then.held - held_now);
    if array_then > array_now { array_then.max(grown) } else { grown }
}

/// The least with which an empty consumer takes in a row: its first array and a page as large as the row.
pub(super) fn smallest(rows: Rows<'_>, plan: &SimPlan) -> Bytes {
    let (record, slots) = (Bytes::new(rows.demand.record_bytes(rows.consumer)), plan.spec().spark.shuffle.initial_buffer_size);
    match rows.holder {
        Holder::Objects => Bytes::ZERO,
        Holder::Serialized => unsafe_writer::least(slots, unsafe_writer::SLOT, record),
        Holder::Map => unsafe_writer::least(MAP_SLOTS, OPERATOR_SLOT, record),
        Holder::Sorter | Holder::Buffer(_) => unsafe_writer::least(slots, OPERATOR_SLOT, record),
    }
}

/// Whether a threshold, not memory, keeps a consumer from taking another row.
pub(super) fn forced(rows: Rows<'_>, plan: &SimPlan) -> bool {
    fill(rows, Bytes::MAX, plan).is_ok_and(|filled| filled.records <= rows.held)
}
