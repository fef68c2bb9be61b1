//! Pools expanded into nodes.
//!
//! Every node of a pool is alike but for its name, its hostname label and its luck. Limits follow 5.9: `kubepods` is capacity
//! minus reservations, allocatable is that minus the hard eviction threshold; on other platforms there is no such limit.

use crate::kernel::mix;
use crate::kube::reservation;
use crate::spec::{Label, NodeShape, Platform, Spec, Taint, ZONE, zones};
use crate::units::{Bytes, CoreMillis};

/// The topology key of single nodes.
pub(crate) const HOSTNAME: &str = "kubernetes.io/hostname";

/// One node, ready to run.
#[derive(Clone, Debug)]
pub struct NodePlan {
    /// `{pool}-{index}`, or its own.
    pub name: String,
    /// What breaks the scheduler's ties: the pool's place and the node's in it, so that names are no luck and a larger pool shifts nobody.
    pub identity: u64,
    /// Its pool's place.
    pub pool: usize,
    /// Its zone, by its place among those of the cluster; `None` outside any.
    pub zone: Option<usize>,
    /// Whether it is there only when the autoscaler asks for it.
    pub spare: bool,
    /// What it is.
    pub shape: NodeShape,
    /// Labels, `kubernetes.io/hostname` among them.
    pub labels: Vec<Label>,
    /// Taints.
    pub taints: Vec<Taint>,
    /// Most volumes that can be attached.
    pub max_volumes: Option<u32>,
    /// Limit of the `kubepods` cgroup, on Kubernetes.
    pub kubepods_limit: Option<Bytes>,
    /// What the scheduler may give away.
    pub allocatable_memory: Bytes,
    /// What the scheduler may give away.
    pub allocatable_cpu: CoreMillis,
}

/// A node's name and the lines that a chart of its memory needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeLines {
    /// Node name.
    pub name: String,
    /// `MemTotal`.
    pub capacity: Bytes,
    /// Limit of the `kubepods` cgroup, on Kubernetes.
    pub kubepods_limit: Option<Bytes>,
    /// Working set of pods at which the kubelet evicts (what the scheduler may allocate), on Kubernetes.
    pub allocatable: Option<Bytes>,
}

impl NodePlan {
    pub(super) fn lines(&self) -> NodeLines {
        NodeLines {
            name: self.name.clone(),
            capacity: self.shape.memory,
            kubepods_limit: self.kubepods_limit,
            allocatable: self.kubepods_limit.map(|_| self.allocatable_memory),
        }
    }
}

pub(super) fn expand(spec: &Spec) -> Vec<NodePlan> {
    let (mut nodes, zones) = (Vec::new(), zones(&spec.cluster.pools));
    // Nodes that may come stand behind all that are there, so that these keep their numbers.
    for spare in [false, true] {
        for (place, pool) in spec.cluster.pools.iter().enumerate() {
            let largest = pool.max_count.filter(|_| spec.cluster.platform == Platform::Kubernetes).map_or(pool.count, |max| max.max(pool.count));
            let indices = if spare { pool.count..largest } else { 0..pool.count };
            nodes.extend(indices.map(|index| node(spec, &zones, place, index, spare)));
        }
    }
    nodes
}

fn node(spec: &Spec, zones: &[String], place: usize, index: u32, spare: bool) -> NodePlan {
    let pool = &spec.cluster.pools[place];
    let name = pool.node_names.get(index as usize).cloned().unwrap_or_else(|| format!("{}-{index}", pool.name));
    let mut labels = pool.labels.clone();
    labels.push(Label::new(HOSTNAME, name.clone()));
    if let Some(zone) = pool.zones.get(index as usize % pool.zones.len().max(1)) {
        labels.push(Label::new(ZONE, zone.clone()));
    }
    let zone = labels.iter().find(|label| label.key == ZONE).and_then(|label| zones.iter().position(|zone| *zone == label.value));
    let on_kubernetes = spec.cluster.platform == Platform::Kubernetes;
    NodePlan {
        name,
        pool: place,
        zone,
        spare,
        identity: mix(place as u64, u64::from(index)),
        labels,
        taints: pool.taints.clone(),
        max_volumes: pool.max_volumes,
        kubepods_limit: on_kubernetes.then(|| reservation::kubepods_limit(&pool.shape)),
        allocatable_memory: if on_kubernetes { reservation::allocatable_memory(&pool.shape) } else { pool.shape.memory },
        allocatable_cpu: if on_kubernetes { reservation::allocatable_cpu(&pool.shape) } else { pool.shape.cpu },
        shape: pool.shape.clone(),
    }
}
