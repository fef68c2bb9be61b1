//! The machines: node shapes, reservations, disks, and who else lives there.

use super::{AutoscalerSpec, DaemonSpec, DeviceUse, Dist, KubeSchedulerSpec, Label, RemoteSpec, Resources, SwapSpec, Taint, YarnSpec};
use crate::units::{ByteRate, Bytes, CoreMillis, SimSpan};

/// What runs the executors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// Any Kubernetes; provider rules are already resolved into [`Reservation`].
    Kubernetes,
    /// Hadoop YARN: polling memory monitor, node-local directories, external shuffle service.
    Yarn,
    /// Spark standalone: no container limit; only the node's RAM binds (1.9).
    Standalone,
    /// Executors in bare memory cgroups: a limit a node, a limit a pod or none, replacement after a fixed delay.
    Bare,
}

/// Memory cgroup version of the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CgroupVersion {
    /// Version 1: the OOM killer takes single processes.
    V1,
    /// Version 2; `group_kill` is `memory.oom.group`, set by kubelets from 1.28 (QO-4).
    V2 {
        /// Whether one victim takes its whole container along.
        group_kill: bool,
    },
}

/// The cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterSpec {
    /// What runs the executors.
    pub platform: Platform,
    /// Node pools.
    pub pools: Vec<PoolSpec>,
    /// Other users of the nodes.
    pub neighbours: Vec<NeighbourSpec>,
    /// Daemons on every node, outside `kubepods`.
    pub daemons: Vec<DaemonSpec>,
    /// Swap of every node.
    pub swap: SwapSpec,
    /// Memory cgroup version.
    pub cgroup: CgroupVersion,
    /// Kubelet periods and limits; used on Kubernetes only.
    pub kubelet: KubeletSpec,
    /// The cluster autoscaler; used for pools with a `max_count`, on Kubernetes only.
    pub autoscaler: AutoscalerSpec,
    /// The scheduler's profile; used on Kubernetes only.
    pub scheduler: KubeSchedulerSpec,
    /// YARN settings; used on YARN only.
    pub yarn: YarnSpec,
}

/// The topology key of zones.
pub(crate) const ZONE: &str = "topology.kubernetes.io/zone";

/// The zones of some pools, in the order in which these name them. A number that a label gives is not one: clouds label machines outside any
/// zone with their fault domain (on AKS `"0"`), and their disks are not bound to it.
pub fn zones(pools: &[PoolSpec]) -> Vec<String> {
    let mut zones: Vec<String> = Vec::new();
    for pool in pools {
        let labelled = pool.labels.iter().filter(|label| label.key == ZONE && label.value.parse::<u32>().is_err()).map(|label| &label.value);
        for zone in labelled.chain(&pool.zones) {
            if !zones.contains(zone) {
                zones.push(zone.clone());
            }
        }
    }
    zones
}

/// Identical nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolSpec {
    /// Pool name; node names are `{pool}-{index}` unless they have their own.
    pub name: String,
    /// Own names of the first nodes, where they are those of a real cluster.
    pub node_names: Vec<String>,
    /// How many nodes.
    pub count: u32,
    /// To how many nodes the cluster autoscaler may bring it, on Kubernetes; `None`: it brings none.
    pub max_count: Option<u32>,
    /// Down to how many nodes the cluster autoscaler may bring it, on Kubernetes; `None`: to `count`.
    pub min_count: Option<u32>,
    /// What each node is.
    pub shape: NodeShape,
    /// Node labels beside `kubernetes.io/hostname`.
    pub labels: Vec<Label>,
    /// Node taints.
    pub taints: Vec<Taint>,
    /// Zones that its nodes are in by turns (`topology.kubernetes.io/zone`); none: no such label.
    pub zones: Vec<String>,
    /// Most volumes that a node can have attached (the CSI driver's limit, on Azure the VM's data disks); `None` is no limit.
    pub max_volumes: Option<u32>,
}

/// One machine.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeShape {
    /// Name of the VM shape, for reports.
    pub vm: String,
    /// CPU capacity.
    pub cpu: CoreMillis,
    /// `MemTotal`: what the kernel and the kubelet see; about 2 % below nominal in a VM (0.2).
    pub memory: Bytes,
    /// What is kept from pods.
    pub reserved: Reservation,
    /// Largest number of pods.
    pub max_pods: u32,
    /// Disks; index 0 carries the kubelet directory, so disk `emptyDir` volumes.
    pub disks: Vec<DiskSpec>,
    /// NIC bandwidth each way, effective (line rate × efficiency, 8.1).
    pub nic: ByteRate,
    /// Cap on all remote disks together, claims among them; `None` where none is known (5.11).
    pub remote: Option<RemoteSpec>,
    /// Memory of the kernel, system services, kubelet and runtime, outside `kubepods` (7.3).
    pub system_memory: Dist,
}

/// Reservations of a node (5.9, 5.10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reservation {
    /// `kubeReserved` + `systemReserved` memory.
    pub memory: Bytes,
    /// `kubeReserved` + `systemReserved` CPU.
    pub cpu: CoreMillis,
    /// Hard eviction threshold for `memory.available`.
    pub eviction_memory: Bytes,
    /// Hard eviction threshold for `nodefs.available`, percent of the disk.
    pub eviction_nodefs_percent: u32,
}

/// A disk or a volume.
#[derive(Clone, Debug, PartialEq)]
pub struct DiskSpec {
    /// Name, such as `os-p20` or `temp`.
    pub name: String,
    /// Capacity.
    pub size: Bytes,
    /// Bytes already used by images and logs.
    pub used: Bytes,
    /// Sequential read bandwidth.
    pub read: ByteRate,
    /// Sequential write bandwidth.
    pub write: ByteRate,
    /// I/O operations per second; with an I/O of `io_size` it caps the bandwidth (Doppio's lesson).
    pub iops: u64,
    /// Size of one I/O of shuffle traffic.
    pub io_size: Bytes,
    /// What it does for a while beyond that, if it has credit.
    pub burst: Option<BurstSpec>,
    /// Whether it is reached over the network, so that [`NodeShape::remote`] caps it, too.
    pub remote: bool,
}

/// A disk that is faster for as long as it has credit: Azure's premium and standard SSDs, EBS gp2, st1 and small instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BurstSpec {
    /// Bandwidth while there is credit, reading and writing.
    pub rate: ByteRate,
    /// I/O operations per second while there is credit.
    pub iops: u64,
    /// A full bucket: bytes that can be moved beyond what the disk does anyway. It starts full.
    pub credit: Bytes,
}

/// How a neighbour is spread over the nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NeighbourPlacement {
    /// One on each node, like a DaemonSet.
    EveryNode,
    /// This many, placed by the scheduler before the application starts.
    Replicas(u32),
    /// One on each of these nodes, by their place in the order of the pools: where a real cluster has them. A node may come twice.
    On(Vec<u32>),
}

/// A neighbour's memory in use.
#[derive(Clone, Debug, PartialEq)]
pub struct MemoryUse {
    /// Anonymous memory (counts as RSS) once it runs, bytes.
    pub anon: Dist,
    /// Memory-backed files (tmpfs, shared memory) it keeps, bytes; not in RSS.
    pub shmem: Dist,
    /// How many processes share the anonymous memory (the OOM killer looks at single processes).
    pub processes: u32,
}

/// Another pod or service on the nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct NeighbourSpec {
    /// Name.
    pub name: String,
    /// Where it runs.
    pub placement: NeighbourPlacement,
    /// Requests and limits.
    pub resources: Resources,
    /// Memory it really uses.
    pub memory: MemoryUse,
    /// Steady CPU use, cores.
    pub cpu_use: CoreMillis,
    /// What it holds on the kubelet's disk and moves over disk and NIC.
    pub devices: DeviceUse,
    /// Pod priority; from 2 000 000 000 on it is never evicted, from 2 000 001 000 (`system-node-critical`) on its
    /// `oom_score_adj` is −997 (QO-1).
    pub priority: i32,
    /// Labels.
    pub labels: Vec<Label>,
    /// Namespace.
    pub namespace: String,
    /// When it comes, from the submission of the application; none: it is there from the start.
    pub arrives: Option<SimSpan>,
    /// Whether its containers restart after a kill (`restartPolicy: Always`).
    pub restarts: bool,
}

/// Periods of the kubelet.
#[derive(Clone, Debug, PartialEq)]
pub struct KubeletSpec {
    /// Eviction monitor period, seconds; 10 (NE-1).
    pub eviction_period_s: f64,
    /// Age of the metrics that the eviction monitor sees, seconds, drawn per look; up to 10 (NE-1).
    pub metrics_age_s: Dist,
    /// Age of the volume statistics, seconds; up to 60 (ED-11).
    pub volume_stats_period_s: f64,
    /// Time from the last container's exit to the volumes' tear-down, seconds (ED-9).
    pub teardown_s: Dist,
    /// Share of file cache that is active and so counts in the working set (PC-4, open question 18).
    pub active_file_share: f64,
    /// `SizeMemoryBackedVolumes`, on by default from 1.22: tmpfs is mounted with a size. Before, with half of RAM (ED-1).
    pub sized_memory_volumes: bool,
    /// What else the eviction manager is told.
    pub eviction: EvictionSpec,
}

/// Settings of the kubelet's eviction manager beside the hard thresholds, which are a node's [`Reservation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvictionSpec {
    /// `evictionSoft` of `memory.available` with its `evictionSoftGracePeriod`; none by default.
    pub soft: Option<SoftEviction>,
    /// `evictionMinimumReclaim` of memory: once a threshold is met, eviction goes on until so much more than it is available.
    pub minimum_reclaim: Bytes,
    /// `evictionPressureTransitionPeriod`: how long a condition stays after it was last seen; 5 min (NE-5).
    pub pressure_transition: SimSpan,
    /// Images on the kubelet's disk that no container uses: what image garbage collection frees before a pod is evicted (NE-6).
    pub unused_images: Bytes,
}

/// A soft eviction threshold: it counts when it has been met for as long as its grace period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoftEviction {
    /// Memory that should be available.
    pub available: Bytes,
    /// How long less may be.
    pub grace: SimSpan,
}
