//! What is simulated: validated inputs as plain data.
//!
//! A [`Spec`] is one point of a study: a cluster, an application (its stage graph and its Spark configuration),
//! what is uncertain about them, and the limits of the run. Everything here is already checked by whoever built
//! it (the `scenarios` crate checks what users write); [`crate::plan::SimPlan::compile`] refuses only what can't
//! be run at all. Fields are public because these are records, not objects. Names are those of Spark,
//! Kubernetes and Linux. Sources are ids of `domain-facts` (MEM-1, POD-4, …) or primary sources.

mod adaptive;
mod allocation;
mod app;
mod autoscaler;
mod claim;
mod cluster;
mod daemon;
mod devices;
mod dist;
mod executor_life;
mod inject;
mod kube_scheduler;
mod limits;
mod pod;
mod probit;
mod reclaim;
mod roll;
mod scheduler;
mod scratch;
mod shuffle_storage;
mod spark;
mod sql;
mod stage_memory;
mod swap;
mod uncertainty;
mod yarn;

pub use adaptive::{AdaptiveConf, AdaptiveRead, CoalesceConf, SkewJoinConf};
pub use allocation::{AllocationConf, DecommissionConf, DynamicAllocation, FallbackStorage, PodsAllocator};
pub use app::{AppSpec, InputSource, JobSpec, JobStart, ShuffleSpec, SinkSpec, StageSpec, TaskCount, TaskRow, TaskWork};
pub use autoscaler::{AutoscalerSpec, Expander};
pub use claim::{AccessMode, ClaimResize, ClaimReuse, ClaimSpec, ClaimsConf, ClassFacts, Reach, ZoneSet};
pub(crate) use cluster::ZONE;
pub use cluster::{
    BurstSpec, CgroupVersion, ClusterSpec, DiskSpec, EvictionSpec, KubeletSpec, MemoryUse, NeighbourPlacement, NeighbourSpec, NodeShape, Platform, PoolSpec,
    Reservation, SoftEviction, zones,
};
pub use daemon::{DaemonRole, DaemonSpec};
pub use devices::{DeviceUse, RemoteSpec};
pub use dist::Dist;
pub use executor_life::{HeartbeatConf, RecoveryMode, ResizeConf};
pub use inject::{Injection, Moment};
pub use kube_scheduler::{FitStrategy, KubeSchedulerSpec, ScoredResource, ShapePoint};
pub use limits::RunLimits;
pub use pod::{
    Affinity, EmptyDir, HostPort, Label, LabelSelector, Medium, NodeSelectorTerm, PodAffinityTerm, PodTemplate, Requirement, Resources, SelectorOp,
    SpreadConstraint, Taint, TaintEffect, Toleration, Volume, VolumeSource, WeightedPodAffinityTerm, WhenUnsatisfiable,
};
pub(crate) use probit::probit;
pub use reclaim::{Reclaim, Reclaimed};
pub use roll::{RollConf, RollPolicy};
pub use scheduler::{ExclusionConf, LocalityConf, PoolConf, SchedulerConf, SchedulingMode, SpeculationConf, SpeculationEfficiency};
pub use scratch::ScratchConf;
pub use shuffle_storage::{PushConf, RemoteClient, RemoteShuffleConf, RemoteShuffleService, ShuffleStorageConf};
pub use spark::{
    Collector, DeployMode, DriverConf, ExecutorConf, KubernetesConf, Language, MemoryConf, SchedulingConf, Serializer, ShuffleConf, SparkConf, SparkVersion,
};
pub use sql::{RowBuffer, SqlConf};
pub use stage_memory::{GROUP_ROWS, Operators, StageMemory, StorageLevel};
pub use swap::SwapSpec;
pub use uncertainty::Uncertainty;
pub use yarn::{ContainerControl, YarnSpec};

use crate::units::Bytes;
use crate::yarn::sizing::{container_size, node_capacity};

/// One point of a study, complete.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Name of the scenario, for messages and results.
    pub name: String,
    /// The machines and who else uses them.
    pub cluster: ClusterSpec,
    /// The Spark configuration, resolved.
    pub spark: SparkConf,
    /// The application: its jobs and stages.
    pub app: AppSpec,
    /// What is uncertain.
    pub uncertainty: Uncertainty,
    /// Kills that the user asks for.
    pub inject: Vec<Injection>,
    /// What the cluster takes back in the middle of a run.
    pub reclaims: Vec<Reclaim>,
    /// When a run is cut off.
    pub limits: RunLimits,
}

impl Spec {
    /// Whether a `NodeManager`'s monitor holds containers to their memory, and no cgroup (YRN-6).
    pub fn monitors_containers(&self) -> bool {
        self.cluster.platform == Platform::Yarn && self.cluster.yarn.control == ContainerControl::Monitor
    }

    /// The largest container that YARN gives: `yarn.scheduler.maximum-allocation-mb`, or what the largest node offers when that is less.
    pub fn largest_yarn_container(&self) -> Bytes {
        let yarn = &self.cluster.yarn;
        let node = self.cluster.pools.iter().map(|pool| node_capacity(pool.shape.memory, yarn)).max().unwrap_or_default();
        yarn.maximum_allocation.map_or(node, |maximum| maximum.min(node))
    }

    /// The container that a request for `asked` bytes becomes: YARN rounds it up (YRN-1), others give what is asked for.
    pub fn container(&self, asked: Bytes) -> Bytes {
        match self.cluster.platform {
            Platform::Yarn => container_size(asked, &self.cluster.yarn, self.largest_yarn_container()),
            Platform::Kubernetes | Platform::Standalone | Platform::Bare => asked,
        }
    }
}
