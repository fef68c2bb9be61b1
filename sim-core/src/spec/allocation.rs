//! How executors are asked for: the allocator's ceilings and dynamic allocation.
//!
//! Everything is resolved by version and platform; a ceiling that does not exist in a release is `None`. Each field names its
//! key. Source: 4.4, 3.7, 1.9, Appendix B.

use super::{HeartbeatConf, RecoveryMode, ResizeConf, RollConf};
use crate::units::{ByteRate, Bytes, SimSpan};

/// `spark.kubernetes.allocation.pods.allocator`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PodsAllocator {
    /// `direct`: the driver creates each pod; `restartPolicy: Never`.
    Direct,
    /// `statefulset` or `deployment`: a controller keeps the pods; `restartPolicy: Always`, containers restart in place.
    Controller,
}

/// How executors are asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct AllocationConf {
    /// `spark.kubernetes.allocation.pods.allocator`.
    pub allocator: PodsAllocator,
    /// `spark.kubernetes.executor.deleteOnTermination`.
    pub delete_on_termination: bool,
    /// `spark.kubernetes.allocation.maxPendingPods`, or `maxPendingPodsPerRp` (4.1) when that is less: there is one profile.
    pub max_pending_pods: Option<u32>,
    /// Age at which a pod that has not been seen is given up: `max(5 × batch.delay, allocation.executor.timeout)` (AL-3).
    pub creation_timeout: SimSpan,
    /// `spark.kubernetes.allocation.maximum` (4.1): the pod with this number is not created, nor any after it.
    pub maximum: Option<u32>,
    /// `spark.yarn.scheduler.heartbeat.interval-ms` (YRN-10).
    pub yarn_heartbeat: SimSpan,
    /// `spark.deploy.maxExecutorRetries`: failures in a row, without an executor that runs, after which the standalone master
    /// ends the application (1.9). `None`: never.
    pub max_executor_retries: Option<u32>,
    /// `spark.dynamicAllocation.*`, when enabled.
    pub dynamic: Option<DynamicAllocation>,
    /// `spark.decommission.enabled` and what belongs to it.
    pub decommission: Option<DecommissionConf>,
    /// Whether replacements run one task at a time.
    pub recovery: RecoveryMode,
    /// The plugin that lets memory limits grow, when it works.
    pub resize: Option<ResizeConf>,
    /// The plugin that replaces executors, when it works.
    pub roll: Option<RollConf>,
    /// When silent executors are given up.
    pub heartbeat: HeartbeatConf,
    /// What becomes of claims beyond their first pod (4.8).
    pub claims: super::ClaimsConf,
}

impl AllocationConf {
    /// A fixed number of executors, pods by the driver, no ceilings: Spark's defaults but for standalone's retries.
    pub const FIXED: Self = Self {
        allocator: PodsAllocator::Direct,
        delete_on_termination: true,
        max_pending_pods: None,
        creation_timeout: SimSpan::from_secs(600),
        maximum: None,
        yarn_heartbeat: SimSpan::from_secs(3),
        max_executor_retries: None,
        dynamic: None,
        decommission: None,
        recovery: RecoveryMode::Off,
        resize: None,
        roll: None,
        heartbeat: HeartbeatConf::DEFAULT,
        claims: super::ClaimsConf { reuse: None, resize: None },
    };
}

/// Dynamic allocation (3.7, A24).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DynamicAllocation {
    /// `spark.dynamicAllocation.minExecutors`.
    pub min: u32,
    /// The largest of `initialExecutors`, `minExecutors` and `spark.executor.instances`.
    pub initial: u32,
    /// `spark.dynamicAllocation.maxExecutors`.
    pub max: u32,
    /// `spark.dynamicAllocation.executorAllocationRatio`.
    pub ratio: f64,
    /// `spark.dynamicAllocation.schedulerBacklogTimeout`.
    pub backlog_timeout: SimSpan,
    /// `spark.dynamicAllocation.sustainedSchedulerBacklogTimeout`.
    pub sustained_backlog_timeout: SimSpan,
    /// `spark.dynamicAllocation.executorIdleTimeout`.
    pub idle_timeout: SimSpan,
    /// `spark.dynamicAllocation.cachedExecutorIdleTimeout`; `None` for ever.
    pub cached_idle_timeout: Option<SimSpan>,
    /// `spark.dynamicAllocation.shuffleTracking.enabled` without an external shuffle service: executors with shuffle files of a
    /// running job are kept.
    pub shuffle_tracking: bool,
    /// `spark.dynamicAllocation.shuffleTracking.timeout`; `None` for ever.
    pub shuffle_timeout: Option<SimSpan>,
}

/// Leaving in good order (3.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecommissionConf {
    /// `spark.storage.decommission.enabled` and `….shuffleBlocks.enabled`: shuffle files go to peers.
    pub shuffle_blocks: bool,
    /// `spark.storage.decommission.enabled` and `….rddBlocks.enabled`: cached blocks go to peers.
    pub rdd_blocks: bool,
    /// `spark.storage.decommission.shuffleBlocks.maxThreads`.
    pub max_threads: u32,
    /// `spark.storage.decommission.shuffleBlocks.maxDiskSize`: a peer that holds more shuffle bytes takes no more.
    pub max_disk_size: Option<Bytes>,
    /// `spark.storage.decommission.maxReplicationFailuresPerBlock`.
    pub max_failures_per_block: u32,
    /// `spark.storage.decommission.replicationReattemptInterval`.
    pub reattempt_interval: SimSpan,
    /// `spark.executor.decommission.forceKillTimeout`.
    pub force_kill_timeout: Option<SimSpan>,
    /// `spark.storage.decommission.fallbackStorage.path`: storage that takes what no peer takes, and is a peer itself.
    pub fallback: Option<FallbackStorage>,
}

/// Storage outside the cluster for the shuffle files of executors that leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FallbackStorage {
    /// What one stream to or from it carries (8.1).
    pub per_stream: ByteRate,
}
