//! What the scheduler sees: pods and nodes as views that borrow.
//!
//! A view holds what the API server shows and no more: requests, labels, rules, taints, conditions. Memory in use is not among
//! them. Pods on a node are those that are assigned and not terminal (PA-7); those on their way out are marked. A node has an
//! identity of its own, by which ties are broken, so that neither its name nor its place in the list is luck. Source: 5.1.

use crate::spec::{Affinity, HostPort, Label, NodeSelectorTerm, SpreadConstraint, Taint, Toleration};
use crate::units::{Bytes, CoreMillis, SimTime};

/// The namespace of pods that name none.
pub const DEFAULT_NAMESPACE: &str = "default";

/// What volumes of a pod ask of its node.
#[derive(Clone, Copy, Debug, Default)]
pub struct VolumesView<'a> {
    /// How many need to be attached to the node: claims on network disks, each pod's its own.
    pub attached: u32,
    /// Node affinity of the persistent volumes that its claims are bound to already, such as their zone; each must match. Claims
    /// that wait for their first consumer are not here: they bind where the pod goes.
    pub bound_to: &'a [NodeSelectorTerm],
    /// Claims with access mode `ReadWriteOncePod`.
    pub exclusive_claims: &'a [String],
    /// Topologies in which volumes of its unbound claims may be made (`allowedTopologies`); each must match.
    pub unbound_in: &'a [NodeSelectorTerm],
    /// Whether local volumes have yet to be made for it on its node.
    pub local: bool,
}

/// What the scheduler sees of a pod.
#[derive(Clone, Copy, Debug)]
pub struct PodView<'a> {
    /// Namespace.
    pub namespace: &'a str,
    /// CPU request.
    pub cpu_request: CoreMillis,
    /// Memory request.
    pub memory_request: Bytes,
    /// Ephemeral-storage request.
    pub ephemeral_request: Bytes,
    /// Whether its class is `BestEffort`: refused under memory pressure (NE-5).
    pub best_effort: bool,
    /// Labels.
    pub labels: &'a [Label],
    /// Affinity rules.
    pub affinity: &'a Affinity,
    /// Tolerations.
    pub tolerations: &'a [Toleration],
    /// Topology spread constraints; for pods of a controller without any, the scheduler's defaults.
    pub spread: &'a [SpreadConstraint],
    /// Whether `spread` are those defaults: a node without one of the keys then still counts for the others.
    pub spread_is_default: bool,
    /// Ports of the node that it wants.
    pub host_ports: &'a [HostPort],
    /// The only node that it may go to.
    pub node_name: Option<&'a str>,
    /// Its volumes.
    pub volumes: VolumesView<'a>,
    /// Size of its image, when nodes differ in whether they have it.
    pub image: Option<Bytes>,
    /// Priority.
    pub priority: i32,
    /// When it was bound; among pods of equal priority the older one is more important.
    pub started: SimTime,
    /// Whether it is being deleted: it still takes its room, and does not count for topology spread.
    pub terminating: bool,
}

impl<'a> PodView<'a> {
    /// A pod with requests and labels, and without any rule.
    pub fn bare(cpu_request: CoreMillis, memory_request: Bytes, labels: &'a [Label]) -> Self {
        static NO_AFFINITY: Affinity = Affinity::NONE;
        Self {
            namespace: DEFAULT_NAMESPACE,
            cpu_request,
            memory_request,
            ephemeral_request: Bytes::ZERO,
            best_effort: cpu_request == CoreMillis::ZERO && memory_request.is_zero(),
            labels,
            affinity: &NO_AFFINITY,
            tolerations: &[],
            spread: &[],
            spread_is_default: false,
            host_ports: &[],
            node_name: None,
            volumes: VolumesView::default(),
            image: None,
            priority: 0,
            started: SimTime::ZERO,
            terminating: false,
        }
    }
}

/// Conditions of a node that keep pods away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeConditions {
    /// `MemoryPressure`: refuses best-effort pods (NE-5).
    pub memory_pressure: bool,
    /// `DiskPressure`: refuses all pods (NE-5).
    pub disk_pressure: bool,
}

/// What the scheduler sees of a node.
#[derive(Clone, Debug)]
pub struct NodeView<'a> {
    /// Name, for reports and for pods that name their node; other rules look at labels.
    pub name: &'a str,
    /// What breaks ties: stays with the node whatever its name and its place in the list.
    pub identity: u64,
    /// Labels, `kubernetes.io/hostname` among them.
    pub labels: &'a [Label],
    /// Taints, without those that follow from `conditions` and `unschedulable`.
    pub taints: &'a [Taint],
    /// `spec.unschedulable`: cordoned.
    pub unschedulable: bool,
    /// Whether nothing can start there any more, whatever a pod tolerates.
    pub gone: bool,
    /// CPU that pods may request.
    pub allocatable_cpu: CoreMillis,
    /// Memory that pods may request (5.9).
    pub allocatable_memory: Bytes,
    /// Ephemeral storage that pods may request.
    pub allocatable_ephemeral: Bytes,
    /// Largest number of pods.
    pub max_pods: u32,
    /// Most volumes that can be attached; none is no limit.
    pub max_volumes: Option<u32>,
    /// For how many more pods it has local volumes; none is no limit.
    pub local_sets: Option<u32>,
    /// Whether it has the image that pods with an image want.
    pub has_image: bool,
    /// Pods that are assigned to it and not terminal (PA-7).
    pub pods: Vec<PodView<'a>>,
    /// Pressure conditions.
    pub conditions: NodeConditions,
}
