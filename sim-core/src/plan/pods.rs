//! What the scheduler sees of each kind of pod and what follows from the spec alone.
//!
//! Pods of a neighbour with replicas belong to a controller: they get the scheduler's default spread over the labels that they share, and a
//! label with the neighbour's name when they have none, as every controller selects its pods by some. The driver has Spark's labels.
//! Executors belong to the driver, which is no controller (PT-3). Each claim of an executor of its own is a disk that is attached to
//! its node; one that all share is a file share, which is mounted. Source: 5.5, PT-2, PT-3, 4.8.

use crate::kube::scheduler::system_defaults;
use crate::spec::{Label, LabelSelector, NeighbourPlacement, NeighbourSpec, Requirement, SelectorOp, Spec, SpreadConstraint, VolumeSource};

/// Pods by kind.
#[derive(Clone, Debug)]
pub(crate) struct PodPlans {
    /// Labels of the driver.
    pub(crate) driver_labels: Vec<Label>,
    /// Volumes of an executor that have to be attached to its node.
    pub(crate) executor_volumes: u32,
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
        let volumes = &spec.spark.kubernetes.pod_template.volumes;
        Self {
            driver_labels: vec![Label::new("spark-role", "driver"), Label::new("spark-app-selector", spec.app.name.clone())],
            executor_volumes: volumes.iter().filter(|volume| matches!(volume.source, VolumeSource::Claim(claim) if !claim.shared)).count() as u32,
            lowest_priority: spec.cluster.neighbours.iter().map(|neighbour| neighbour.priority).fold(spec.spark.kubernetes.pod_template.priority, i32::min),
            neighbours: spec.cluster.neighbours.iter().map(neighbour).collect(),
        }
    }
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
