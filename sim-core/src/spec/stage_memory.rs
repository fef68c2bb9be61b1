//! How a stage uses Spark's memory: which operators hold rows, how its cached rows are stored, what its results weigh in the driver.

use crate::units::Bytes;

/// Rows of one key where nobody says: far below the lists' 4096 rows, and in all but small tasks more keys than the 128 of an object hash
/// aggregate. A guess to calibrate.
pub const GROUP_ROWS: u64 = 100;

/// The operators of a task that hold input rows in execution memory; they decide who spills for whom (1.4, 2.8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Operators {
    /// One sorter.
    #[default]
    Sort,
    /// Two sorters, left and right; rows are shared out by what the stage's first shuffle brings and what the others do.
    SortMergeJoin,
    /// A hash aggregation's map: it spills itself, never for others.
    HashAggregate,
    /// A sorter, and a buffer that holds the rows of one group again.
    Window,
    /// States of Java objects until a task has many keys, then a sorter (`collect_list`, `percentile`, typed aggregates).
    ObjectHashAggregate,
    /// A buffer that holds all rows of one side.
    CartesianProduct,
}

/// Storage level of cached rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StorageLevel {
    /// `MEMORY_AND_DISK`, the default of `DataFrame.cache`: what does not fit or is evicted goes to the local directories.
    #[default]
    MemoryAndDisk,
    /// `MEMORY_ONLY`, the default of `RDD.cache`: what does not fit or is evicted is computed again.
    MemoryOnly,
    /// `OFF_HEAP`: as `MEMORY_AND_DISK`, in the off-heap pool.
    OffHeap,
}

/// A stage's use of memory beside its row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageMemory {
    /// Operators that hold input rows.
    pub operators: Operators,
    /// In-memory bytes of one row of the operators; zero: a row of the usual size (8.2).
    pub row: Bytes,
    /// Rows of one key in one task: of a window's partition, of an aggregate's key, of a join's key on its buffered side. Zero: [`GROUP_ROWS`].
    pub group_rows: u64,
    /// Heap bytes that a row adds to its key's state in an object hash aggregate; zero: twice the row (8.4).
    pub state_row: Bytes,
    /// Bytes that a Python (or R) worker holds for one task beside its interpreter: Arrow batches, pandas frames, the user's objects.
    pub worker: Bytes,
    /// Level of what the stage caches.
    pub storage_level: StorageLevel,
    /// Bytes of serialised results that the driver collects, over all tasks; counted by `spark.driver.maxResultSize`.
    pub collected: Bytes,
}
