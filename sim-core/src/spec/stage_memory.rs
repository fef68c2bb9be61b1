//! How a stage uses Spark's memory: which operators hold rows, how its cached rows are stored, what its results weigh in the driver.

use crate::units::Bytes;

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
    /// A sorter and a buffer that holds a group's rows again; the memory is halved between them: one group a task.
    Window,
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
    /// Bytes that a Python (or R) worker holds for one task beside its interpreter: Arrow batches, pandas frames, the user's objects.
    pub worker: Bytes,
    /// Level of what the stage caches.
    pub storage_level: StorageLevel,
    /// Bytes of serialised results that the driver collects, over all tasks; counted by `spark.driver.maxResultSize`.
    pub collected: Bytes,
}
