//! `ExecutorRollPlugin`: which executor is replaced on purpose, and how often.
//!
//! Spark's plugin for Kubernetes (3.3) decommissions one executor each interval; it is off unless `spark.plugins` names it, the
//! interval is at least a second, and decommission is enabled. Policies that a release does not have are refused before. Each
//! field names its key. Source: `ExecutorRollPlugin` and `Config` of Spark 3.3.4, 3.4.4, 3.5.6, 4.1.4 and 4.3.0 (byte code).

use crate::units::SimSpan;

/// `spark.kubernetes.executor.rollPolicy`: which executor goes. Of equals, that whose number comes first as text (10 before 2); with `ADD_TIME` last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RollPolicy {
    /// `ID`: the smallest number.
    Id,
    /// `ADD_TIME`: the first that registered.
    AddTime,
    /// `TOTAL_GC_TIME`: the most time in collections.
    TotalGcTime,
    /// `TOTAL_DURATION`: the most task time.
    TotalDuration,
    /// `AVERAGE_DURATION`: the most task time a task.
    AverageDuration,
    /// `FAILED_TASKS`: the most failed tasks.
    FailedTasks,
    /// `PEAK_JVM_ONHEAP_MEMORY` (3.4): the largest peak of the heap.
    PeakOnHeap,
    /// `PEAK_JVM_OFFHEAP_MEMORY` (3.4): the largest peak of the JVM's memory beside the heap.
    PeakOffHeap,
    /// `TOTAL_SHUFFLE_WRITE` (3.4): the most shuffle bytes written.
    TotalShuffleWrite,
    /// `DISK_USED` (3.4): the most cached bytes on disk.
    DiskUsed,
    /// `OUTLIER`: one that is more than two standard deviations above the mean, else as `TOTAL_DURATION`.
    #[default]
    Outlier,
    /// `OUTLIER_NO_FALLBACK`: the same, else none.
    OutlierNoFallback,
}

impl RollPolicy {
    /// All policies with Spark's names and the first release that has them.
    pub const ALL: [(Self, &'static str, (u16, u16)); 12] = [
        (Self::Id, "ID", (3, 3)),
        (Self::AddTime, "ADD_TIME", (3, 3)),
        (Self::TotalGcTime, "TOTAL_GC_TIME", (3, 3)),
        (Self::TotalDuration, "TOTAL_DURATION", (3, 3)),
        (Self::AverageDuration, "AVERAGE_DURATION", (3, 3)),
        (Self::FailedTasks, "FAILED_TASKS", (3, 3)),
        (Self::PeakOnHeap, "PEAK_JVM_ONHEAP_MEMORY", (3, 4)),
        (Self::PeakOffHeap, "PEAK_JVM_OFFHEAP_MEMORY", (3, 4)),
        (Self::TotalShuffleWrite, "TOTAL_SHUFFLE_WRITE", (3, 4)),
        (Self::DiskUsed, "DISK_USED", (3, 4)),
        (Self::Outlier, "OUTLIER", (3, 3)),
        (Self::OutlierNoFallback, "OUTLIER_NO_FALLBACK", (3, 3)),
    ];
}

/// The plugin, when it does anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollConf {
    /// `spark.kubernetes.executor.rollInterval`: time between two looks.
    pub interval: SimSpan,
    /// `spark.kubernetes.executor.rollPolicy`.
    pub policy: RollPolicy,
    /// `spark.kubernetes.executor.minTasksPerExecutorBeforeRolling`: executors with fewer tasks stay.
    pub min_tasks: u32,
    /// Whether outliers are looked for in peaks of memory, shuffle bytes and disk, too (3.4).
    pub wide_outliers: bool,
}
