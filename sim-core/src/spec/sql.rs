//! Row thresholds of SQL operators that hold objects before they use Spark's memory (2.8).
//!
//! An object hash aggregate keeps the states of its keys as Java objects until there are too many keys, then sorts. Windows,
//! sort-merge joins and cartesian products keep the rows of one group in a list of the heap until it is too long, then in a sorter.
//! Source: `ObjectAggregationIterator`, `ExternalAppendOnlyUnsafeRowArray`; defaults are Spark's, from `scenarios`.

use crate::units::Bytes;

/// When an operator's list of rows becomes a sorter, and when that spills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowBuffer {
    /// `…buffer.in.memory.threshold`: rows that stay in a list, outside managed memory.
    pub in_memory_rows: u64,
    /// `…buffer.spill.threshold`: rows with which the sorter spills in any case.
    pub spill_rows: u64,
    /// `…buffer.spill.size.threshold` (4.1): bytes of its memory with which it spills in any case; none is no limit.
    pub spill_bytes: Option<Bytes>,
}

/// `spark.sql.*Exec.buffer.*` and `spark.sql.objectHashAggregate.sortBased.fallbackThreshold`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SqlConf {
    /// Keys of a task with which an object hash aggregate begins to sort.
    pub object_hash_keys: u64,
    /// `windowExec`.
    pub window: RowBuffer,
    /// `sortMergeJoinExec`.
    pub sort_merge_join: RowBuffer,
    /// `cartesianProductExec`.
    pub cartesian_product: RowBuffer,
}

impl Default for SqlConf {
    /// As Spark 2.2 to 4.3 release it.
    fn default() -> Self {
        let rows = |in_memory_rows| RowBuffer { in_memory_rows, spill_rows: 2_147_483_647, spill_bytes: None };
        Self { object_hash_keys: 128, window: rows(4096), sort_merge_join: rows(2_147_483_632), cartesian_product: rows(4096) }
    }
}
