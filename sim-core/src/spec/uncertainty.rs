//! What is uncertain, as named distributions, each drawn once a replication or once an entity.

use super::Dist;

/// The named sources of uncertainty. All are factors on a nominal value with median 1 unless stated.
#[derive(Clone, Debug, PartialEq)]
pub struct Uncertainty {
    /// Data volume of the day: factor on input and all that follows from it. Drawn once a replication.
    pub data_volume: Dist,
    /// Size of a partition relative to the stage's mean, renormalised to mean 1. Drawn once a (stage, partition).
    pub partition_skew: Dist,
    /// Compressed bytes per byte relative to nominal. Drawn once a replication.
    pub compression: Dist,
    /// In-memory bytes per byte relative to nominal. Drawn once a replication.
    pub object_expansion: Dist,
    /// Share of the heap that the young generation may touch (G1: up to 60 %, calibrated on real executors). Not a factor: the
    /// share itself. A trait of the workload, so drawn once a replication.
    pub heap_young_share: Dist,
    /// Bytes allocated per in-memory byte processed relative to nominal (JH-2). Drawn once a replication.
    pub allocation: Dist,
    /// Non-heap memory relative to [`crate::spark::jvm::non_heap()`]. A trait of the workload, drawn once a replication; executors of one replication
    /// differ by 2.5 % on top.
    pub non_heap: Dist,
    /// CPU speed. Drawn once a node.
    pub cpu_speed: Dist,
    /// Disk bandwidth. Drawn once a (node, disk).
    pub disk_speed: Dist,
    /// NIC bandwidth. Drawn once a node.
    pub nic_speed: Dist,
    /// CPU time of a task. Drawn once a (stage, partition, attempt).
    pub task_cpu: Dist,
    /// Heap that a JVM without `-Xms` commits, relative to live data (not a factor on a nominal value). A trait of the workload,
    /// drawn once a replication.
    pub heap_growth: Dist,
    /// Seconds from the driver's choice of a slot to the task's start on a warm executor, beside deserialisation (8.5). Drawn
    /// once a (stage, partition, attempt).
    pub task_launch_s: Dist,
    /// Seconds from the pod's binding to the executor's registration where a core is free: what the JVM does of it is CPU work. Drawn once an executor (8.5).
    pub executor_start_s: Dist,
    /// Core-seconds of the first tasks on an executor for loading and compiling classes and deserialising. Drawn once an executor (8.5).
    pub warm_up_s: Dist,
    /// Seconds from a process's death to the driver's reaction (DT-1). Drawn once a death.
    pub death_detection_s: Dist,
    /// Seconds from a pod's creation until the allocator sees it (4.4): while one is out, no other is created. Drawn once a pod.
    pub pod_acknowledged_s: Dist,
    /// Seconds from the pod's binding until its claims are made, attached and mounted (4.8). Drawn once a pod that has claims.
    pub claim_attach_s: Dist,
    /// Seconds from the tear-down of a pod's volumes until they are detached from its node. Drawn once a pod whose claims are used again.
    pub claim_detach_s: Dist,
    /// Seconds from the driver's request until a claim has grown. Drawn once a growth (4.7).
    pub claim_resize_s: Dist,
}
