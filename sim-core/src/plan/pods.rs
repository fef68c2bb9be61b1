//! What the scheduler sees of each kind of pod and what follows from the spec alone.
//!
//! Pods of a neighbour with replicas belong to a controller: they get the scheduler's default spread over the labels that they share, and a
//! label with the neighbour's name when they have none, as every controller selects its pods by some. The driver has Spark's labels.
//! Executors belong to the driver, which is no controller (PT-3). Each claim of an executor of its own is a disk that is attached to
//! its node, unless it is local there; one that all share is mounted. Source: 5.5, PT-2, PT-3, 4.8.

use crate::kube::scheduler::system_defaults;
use crate::spec::{
    AccessMode, ClaimSpec, Label, LabelSelector, NeighbourPlacement, NeighbourSpec, NodeSelectorTerm, Reach, Requirement, SelectorOp, Spec, SpreadConstraint,
    VolumeSource, ZONE, zones,
};

/// Pods by kind.
#[derive(Clone, Debug)]
pub(crate) struct PodPlans {
    /// Labels of the driver.
    pub(crate) driver_labels: Vec<Label>,
    /// Volumes of an executor that have to be attached to its node.
    pub(crate) executor_volumes: u32,
    /// Zones in which volumes of an executor's own claims may be made, claim by claim, where not in all.
    pub(crate) topologies: Vec<NodeSelectorTerm>,
    /// Most executors whose local volumes one node can make.
    pub(crate) local_sets: Option<u32>,
    /// Whether an executor has local volumes.
    pub(crate) local: bool,
    /// Claims of all executors that one pod alone can use.
    pub(crate) exclusive_claims: Vec<String>,
    /// What a volume asks of its nodes, by zone.
    pub(crate) in_zone: Vec<NodeSelectorTerm>,
    /// Lowest priority of any pod that may be driven out.
    pub(crate) lowest_priority: i32,
    /// By neighbour.
    pub(crate) neighbours: Vec<NeighbourPods>,
}

/// Pods of a neighbour.
#[derive(Clone, Debug)]
pub(crate) struct NeighbourPods {
    /// Labels.
    pub(crate) labels: Vec<Label>,
    /// The scheduler's default constraints, for pods that it places.
    pub(crate) spread: Vec<SpreadConstraint>,
}

impl PodPlans {
    pub(super) fn new(spec: &Spec) -> Self {
        let volumes = || {
            let all = &spec.spark.kubernetes.pod_template.volumes;
            all.iter().filter_map(|volume| if let VolumeSource::Claim(claim) = volume.source { Some((&volume.name, claim)) } else { None })
        };
        let own = || volumes().map(|(_, claim)| claim).filter(|claim| !claim.shared);
        let local = || own().filter(|claim| claim.class.reach == Reach::Node);
        let waits = |claim: &ClaimSpec| !claim.class.immediate;
        let zones = zones(&spec.cluster.pools);
        Self {
            driver_labels: vec![Label::new("spark-role", "driver"), Label::new("spark-app-selector", spec.app.name.clone())],
            executor_volumes: own().count() as u32 - local().count() as u32,
            topologies: own().filter(waits).filter_map(|claim| topology(&claim, &zones)).collect(),
            local_sets: local().filter_map(|claim| claim.class.per_node).min().map(|most| most / local().count().max(1) as u32),
            local: local().any(|claim| waits(&claim)),
            exclusive_claims: volumes()
                .filter(|(_, claim)| claim.shared && claim.class.access == AccessMode::ReadWriteOncePod)
                .map(|(name, _)| name.clone())
                .collect(),
            in_zone: zones.iter().map(|zone| in_zones(vec![zone.clone()])).collect(),
            lowest_priority: spec.cluster.neighbours.iter().map(|neighbour| neighbour.priority).fold(spec.spark.kubernetes.pod_template.priority, i32::min),
            neighbours: spec.cluster.neighbours.iter().map(neighbour).collect(),
        }
    }
}

/// `allowedTopologies` of a claim's class, where it leaves a zone out.
fn topology(claim: &ClaimSpec, zones: &[String]) -> Option<NodeSelectorTerm> {
    let allowed: Vec<String> = zones.iter().enumerate().filter(|&(place, _)| claim.class.zones.has(place)).map(|(_, zone)| zone.clone()).collect();
    (allowed.len() < zones.len()).then(|| in_zones(allowed))
}

fn in_zones(values: Vec<String>) -> NodeSelectorTerm {
    NodeSelectorTerm { requirements: vec![Requirement { key: ZONE.to_owned(), op: SelectorOp::In, values }] }
}

fn neighbour(spec: &NeighbourSpec) -> NeighbourPods {
    let mut labels = spec.labels.clone();
    if labels.is_empty() {
        labels.push(Label::new("app.kubernetes.io/name", spec.name.clone()));
    }
    let selector = LabelSelector {
        requirements: labels.iter().map(|label| Requirement { key: label.key.clone(), op: SelectorOp::In, values: vec![label.value.clone()] }).collect(),
    };
    let placed = matches!(spec.placement, NeighbourPlacement::Replicas(_));
    NeighbourPods { labels, spread: if placed { system_defaults(&selector) } else { Vec::new() } }
}
