//! `[cluster.scheduler]` to the model's profile.

use sim_core::spec::{FitStrategy, KubeSchedulerSpec, ScoredResource, ShapePoint};

use super::View;

/// The profile from a filled table.
pub(super) fn profile(view: View<'_>) -> KubeSchedulerSpec {
    KubeSchedulerSpec {
        fit: match view.text("strategy").as_str() {
            "MostAllocated" => FitStrategy::MostAllocated,
            "RequestedToCapacityRatio" => FitStrategy::RequestedToCapacityRatio(view.items("shape").map(point).collect()),
            _ => FitStrategy::LeastAllocated,
        },
        fit_resources: view.items("resources").map(|item| (resource(&item.text("name")), i64::from(item.count("weight")))).collect(),
        hard_pod_affinity_weight: i64::from(view.count("hard_pod_affinity_weight")),
        percentage_of_nodes_to_score: view.count("percentage_of_nodes_to_score"),
        cold_image: view.maybe_size("cold_image"),
        preemption: view.on("preemption"),
    }
}

fn point(view: View<'_>) -> ShapePoint {
    ShapePoint { utilization: view.count("utilization"), score: view.count("score") }
}

fn resource(name: &str) -> ScoredResource {
    match name {
        "memory" => ScoredResource::Memory,
        "ephemeral-storage" => ScoredResource::EphemeralStorage,
        _ => ScoredResource::Cpu,
    }
}
