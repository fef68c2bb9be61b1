//! Everything that can happen, as one closed list.
//!
//! The loop in [`crate::sim`] matches on it once; each arm calls the room that knows what to do. Events carry
//! indices only. A task's slot is used again, so its events are cancelled when it ends; executors' numbers are never used
//! again, and their handlers look at the executor's life first.

use crate::hardware::Device;
use crate::ids::{ExecutorId, NodeId, ShuffleId, StageId, TaskId};

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The first flow on a device of a node is through.
    DeviceDone(NodeId, Device),
    /// The first flow on a device of the remote shuffle service is through.
    RemoteShuffleDone(Device),
    /// A memory ramp of a node reaches a limit.
    MemoryCrossing(NodeId),
    /// A wait of a task is over (launch, per-stream ceiling, blocked fetch).
    TaskTimer(TaskId),
    /// A task gives up fetching from an executor that is gone.
    FetchGivesUp(TaskId),
    /// The driver is up and begins to ask for executors.
    DriverUp,
    /// The driver looks for missing executors (Kubernetes' allocator, YARN's heartbeat).
    AllocationRound,
    /// Dynamic allocation asks for more executors, or lets idle ones go.
    DynamicAllocation,
    /// The cluster takes something back, by its index in the spec.
    Reclaim(u32),
    /// The cluster gives up a node that vanished.
    NodeGivenUp(NodeId),
    /// The metrics server asks the kubelets.
    PodMetrics,
    /// The plugin that resizes executors looks at their metrics.
    ResizeLook,
    /// The plugin that replaces executors looks at their statistics.
    RollLook,
    /// A leaving executor is killed if it is still there.
    NoticeOver(ExecutorId),
    /// A leaving executor looks for shuffle files that have come since.
    MigrationRefill(ExecutorId),
    /// A thread of a leaving executor has copied an output as fast as one stream to fallback storage is.
    FallbackCopied(u32),
    /// A dead container starts again in its pod.
    ContainerRestarts(ExecutorId),
    /// The scheduler takes the pending pods.
    SchedulePods,
    /// An executor's process starts on its node.
    ExecutorStarts(ExecutorId),
    /// The driver and the scheduler learn that an executor is gone.
    ExecutorLossSeen(ExecutorId),
    /// The volumes of a dead executor's pod are torn down.
    VolumesTornDown(ExecutorId),
    /// A disk that all executors share is detached from its node, by its number.
    VolumeDetached(u32),
    /// The driver has waited long enough for executors to register.
    RegistrationTimeout,
    /// A job starts.
    JobStarts(u32),
    /// The driver is through with what it does before it submits a stage.
    StageReady(StageId),
    /// An executor reports how full its local directories are.
    ClaimReport(ExecutorId),
    /// The driver looks for claims that fill up.
    ClaimLook,
    /// An executor's claims have grown.
    ClaimsGrown(ExecutorId),
    /// The driver's forced collection lets unreachable shuffles be removed.
    CleanerRuns,
    /// The driver waits no longer for pushed blocks of a shuffle.
    MergeFinalized(ShuffleId),
    /// Failed stages are submitted again.
    ResubmitStages,
    /// The driver offers all slots again: a wait is over.
    ReviveOffers,
    /// The driver looks for tasks that are too slow.
    SpeculationLook,
    /// A stage attempt that could run nowhere has had its time.
    Unschedulable(StageId, u32),
    /// The kubelet's metrics of a node are taken.
    KubeletMetrics(NodeId),
    /// The kubelet's eviction manager looks at them.
    KubeletTick(NodeId),
    /// YARN's memory monitor looks at a node.
    MonitorPoll(NodeId),
    /// A kill that the user asked for, by its index in the spec, is due.
    Injected(u32),
    /// A killed or evicted neighbour is back.
    NeighbourBack(NodeId, u32),
    /// A killed daemon is started again, by its place on the node.
    DaemonBack(NodeId, u32),
    /// A neighbour that comes later is there, by its index in the spec.
    NeighbourArrives(u32),
    /// A preempted neighbour is gone, by its pod's slot.
    NeighbourLeaves(NodeId, u32),
    /// The cluster autoscaler looks at the pods that were refused.
    AutoscalerScan,
    /// A node that it takes away is gone, when its pods are.
    NodeRemoved(NodeId),
    /// A node that it asked for is there.
    NodeJoins(NodeId),
    /// A node that it asked for has not come in time.
    NodeNotProvisioned(NodeId),
}

impl Event {
    /// Order among events of the same instant: what frees or kills comes before what takes.
    pub(crate) const fn class(self) -> u8 {
        match self {
            Self::MemoryCrossing(_) | Self::Injected(_) => 0,
            Self::VolumesTornDown(_) | Self::VolumeDetached(_) | Self::NeighbourLeaves(..) => 1,
            Self::DeviceDone(..) | Self::RemoteShuffleDone(_) => 2,
            Self::TaskTimer(_) | Self::FetchGivesUp(_) => 3,
            Self::KubeletMetrics(_) | Self::KubeletTick(_) | Self::MonitorPoll(_) | Self::PodMetrics => 4,
            Self::ExecutorLossSeen(_)
            | Self::ClaimReport(_)
            | Self::ClaimsGrown(_)
            | Self::ContainerRestarts(_)
            | Self::Reclaim(_)
            | Self::NodeGivenUp(_)
            | Self::NoticeOver(_)
            | Self::ExecutorStarts(_)
            | Self::NeighbourArrives(_)
            | Self::NodeJoins(_)
            | Self::NodeRemoved(_)
            | Self::NodeNotProvisioned(_)
            | Self::DaemonBack(..)
            | Self::NeighbourBack(..) => 5,
            Self::DriverUp
            | Self::AllocationRound
            | Self::DynamicAllocation
            | Self::ResizeLook
            | Self::RollLook
            | Self::MigrationRefill(_)
            | Self::FallbackCopied(_)
            | Self::SchedulePods
            | Self::AutoscalerScan
            | Self::RegistrationTimeout
            | Self::JobStarts(_)
            | Self::StageReady(_)
            | Self::CleanerRuns
            | Self::MergeFinalized(_)
            | Self::ClaimLook
            | Self::ResubmitStages
            | Self::ReviveOffers
            | Self::SpeculationLook
            | Self::Unschedulable(..) => 6,
        }
    }

    /// A number that tells events apart in the run's hash.
    pub(crate) fn fingerprint(self) -> u64 {
        let (kind, subject) = match self {
            Self::DeviceDone(node, device) => (1, (node.index() as u64) << 8 | device.index() as u64),
            Self::MemoryCrossing(node) => (2, node.index() as u64),
            Self::TaskTimer(task) => (3, task.index() as u64),
            Self::FetchGivesUp(task) => (4, task.index() as u64),
            Self::DriverUp => (5, 0),
            Self::AllocationRound => (6, 0),
            Self::SchedulePods => (7, 0),
            Self::DynamicAllocation => (40, 0),
            Self::ContainerRestarts(e) => (41, e.index() as u64),
            Self::Reclaim(index) => (42, u64::from(index)),
            Self::PodMetrics => (71, 0),
            Self::ResizeLook => (72, 0),
            Self::RollLook => (73, 0),
            Self::NodeGivenUp(node) => (70, node.index() as u64),
            Self::NoticeOver(e) => (43, e.index() as u64),
            Self::MigrationRefill(e) => (44, e.index() as u64),
            Self::FallbackCopied(thread) => (67, u64::from(thread)),
            Self::ExecutorStarts(e) => (8, e.index() as u64),
            Self::ExecutorLossSeen(e) => (10, e.index() as u64),
            Self::VolumesTornDown(e) => (11, e.index() as u64),
            Self::VolumeDetached(number) => (88, u64::from(number)),
            Self::RegistrationTimeout => (12, 0),
            Self::JobStarts(job) => (13, u64::from(job)),
            Self::ResubmitStages => (14, 0),
            Self::ReviveOffers => (15, 0),
            Self::SpeculationLook => (21, 0),
            Self::Unschedulable(stage, attempt) => (22, (stage.index() as u64) << 16 | u64::from(attempt)),
            Self::KubeletMetrics(node) => (16, node.index() as u64),
            Self::KubeletTick(node) => (17, node.index() as u64),
            Self::MonitorPoll(node) => (18, node.index() as u64),
            Self::StageReady(stage) => (20, stage.index() as u64),
            Self::Injected(index) => (64, u64::from(index)),
            Self::CleanerRuns => (65, 0),
            Self::MergeFinalized(shuffle) => (68, shuffle.index() as u64),
            Self::RemoteShuffleDone(device) => (66, device.index() as u64),
            Self::AutoscalerScan => (82, 0),
            Self::NodeRemoved(node) => (89, node.index() as u64),
            Self::NodeJoins(node) => (83, node.index() as u64),
            Self::NodeNotProvisioned(node) => (84, node.index() as u64),
            Self::DaemonBack(node, place) => (85, (node.index() as u64) << 16 | u64::from(place)),
            Self::NeighbourArrives(index) => (80, u64::from(index)),
            Self::NeighbourLeaves(node, slot) => (81, (node.index() as u64) << 16 | u64::from(slot)),
            Self::ClaimReport(e) => (76, e.index() as u64),
            Self::ClaimLook => (74, 0),
            Self::ClaimsGrown(e) => (75, e.index() as u64),
            Self::NeighbourBack(node, slot) => (19, (node.index() as u64) << 16 | u64::from(slot)),
        };
        kind << 48 | subject
    }
}
