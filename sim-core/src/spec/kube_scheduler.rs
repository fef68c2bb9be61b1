//! Settings of kube-scheduler's default profile, by the names of `KubeSchedulerConfiguration`.
//!
//! The defaults are those of `kubescheduler.config.k8s.io/v1`: `LeastAllocated` over CPU and memory with weight 1 each,
//! `hardPodAffinityWeight` 1, an adaptive `percentageOfNodesToScore`. The size of the executors' image is not a setting of the
//! scheduler, but only its `ImageLocality` score depends on it. Source: 5.1 to 5.6, K8-PLUG.

use crate::units::Bytes;

/// A resource that a scoring strategy may look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoredResource {
    /// `cpu`.
    Cpu,
    /// `memory`.
    Memory,
    /// `ephemeral-storage`.
    EphemeralStorage,
}

/// A point of a `requestedToCapacityRatio` shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShapePoint {
    /// Percent of the resource that is requested, 0 to 100.
    pub utilization: u32,
    /// Score, 0 to 10.
    pub score: u32,
}

/// `scoringStrategy.type` of `NodeResourcesFit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FitStrategy {
    /// Nodes with a larger free share are better: spreads.
    LeastAllocated,
    /// Nodes with a smaller free share are better: packs.
    MostAllocated,
    /// A broken line over the share in use, at least one point, by increasing utilization.
    RequestedToCapacityRatio(Vec<ShapePoint>),
}

/// What the profile of the scheduler says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeSchedulerSpec {
    /// `scoringStrategy.type`, with its shape.
    pub fit: FitStrategy,
    /// `scoringStrategy.resources` with their weights, 1 to 100.
    pub fit_resources: Vec<(ScoredResource, i64)>,
    /// `InterPodAffinityArgs.hardPodAffinityWeight`, 0 to 100 (PA-5).
    pub hard_pod_affinity_weight: i64,
    /// `percentageOfNodesToScore`; 0 is adaptive (SC-2).
    pub percentage_of_nodes_to_score: u32,
    /// Size of the executors' image in the nodes' status when nodes do not have it from the start: one has it once an executor
    /// has been there. `None`: every node has it already, so `ImageLocality` decides nothing.
    pub cold_image: Option<Bytes>,
    /// Whether pods of higher priority may have others of lower priority deleted.
    pub preemption: bool,
}

impl Default for KubeSchedulerSpec {
    fn default() -> Self {
        Self {
            fit: FitStrategy::LeastAllocated,
            fit_resources: vec![(ScoredResource::Cpu, 1), (ScoredResource::Memory, 1)],
            hard_pod_affinity_weight: 1,
            percentage_of_nodes_to_score: 0,
            cold_image: None,
            preemption: true,
        }
    }
}
