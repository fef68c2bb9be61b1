//! What changes an executor while it lives, or the one that takes its place.
//!
//! Recovery mode and the resize plugin are Spark's answers to memory deaths on Kubernetes from 4.2 on; heartbeats are how the
//! driver finds out, on every platform, that an executor has fallen silent. Everything is resolved by version and platform. Each
//! field names its key. Source: 3.6, 4.7; byte code of Spark 4.3.

use crate::units::SimSpan;

/// `spark.kubernetes.allocation.recoveryMode.enabled` (4.2): pods made in recovery mode announce as many cores as one task takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecoveryMode {
    /// `false`, an older release, or another platform: never.
    #[default]
    Off,
    /// Not set: from the first loss on whose reason names an OOM; direct allocator only.
    AfterOom,
    /// `true`: from the start.
    Always,
}

/// `ExecutorResizePlugin` (4.2), when `spark.plugins` names it and the pods can be resized.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResizeConf {
    /// `spark.kubernetes.executor.resizeInterval`: time between two looks.
    pub interval: SimSpan,
    /// `spark.kubernetes.executor.resizeThreshold`: share of the limit that must be exceeded.
    pub threshold: f64,
    /// `spark.kubernetes.executor.resizeFactor`: by how much of itself the limit grows.
    pub factor: f64,
}

/// How the driver notices silence (3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeartbeatConf {
    /// `spark.executor.heartbeatInterval`.
    pub interval: SimSpan,
    /// `spark.storage.blockManagerHeartbeatTimeoutMs`, else `spark.network.timeout`: silence after which an executor is lost.
    pub timeout: SimSpan,
    /// `spark.network.timeoutInterval`: time between two looks for silent executors.
    pub check_interval: SimSpan,
    /// `spark.shuffle.io.connectionTimeout`, else `spark.network.timeout`: silence after which a fetch under way fails.
    pub connection_timeout: SimSpan,
    /// `spark.shuffle.io.connectionCreationTimeout`, else the connection timeout: time until a connection that nobody answers fails.
    pub creation_timeout: SimSpan,
}

impl HeartbeatConf {
    /// Spark's defaults.
    pub const DEFAULT: Self = Self {
        interval: SimSpan::from_secs(10),
        timeout: SimSpan::from_secs(120),
        check_interval: SimSpan::from_secs(60),
        connection_timeout: SimSpan::from_secs(120),
        creation_timeout: SimSpan::from_secs(120),
    };
}
