//! The `NodeResourcesFit` plugin.
//!
//! Filter: for each resource the requests of the node's pods plus the new pod's must not exceed allocatable, and the number of pods must
//! not exceed `maxPods` (NR-1). Requests only: usage, limits and tmpfs are invisible. Score: the profile's strategy over its resources
//! and weights; by default `LeastAllocated` over CPU and memory (NR-2), which spreads pods as long as nothing else decides. For the
//! score, and only there, a pod without a request counts as 100m and 200 MiB; we hold one container a pod, so the default applies once a
//! pod. A resource that the pod does not request cannot refuse it, even on a node that is over-committed. Source: 5.2;
//! `noderesources` of Kubernetes 1.30.

use super::reason::Reason;
use super::{Cycle, MAX_SCORE, NodeView, PodView};
use crate::spec::{FitStrategy, ScoredResource, ShapePoint};
use crate::units::{Bytes, CoreMillis};

/// CPU that a pod without a CPU request counts as in the score (NR-2).
const DEFAULT_CPU: CoreMillis = CoreMillis::new(100);
/// Memory that a pod without a memory request counts as in the score (NR-2).
const DEFAULT_MEMORY: Bytes = Bytes::mib(200);
/// Points of a plugin a point of a shape, which goes to 10 only.
const PER_SHAPE_POINT: i64 = MAX_SCORE / 10;

/// Refuses nodes where the requests do not fit; gives every resource that is short.
pub(super) fn filter(cycle: &Cycle<'_>, index: usize, reasons: &mut Vec<(usize, Reason)>) {
    let (pod, node) = (cycle.pod, &cycle.nodes[index]);
    if node.pods.len() as u64 + 1 > u64::from(node.max_pods) {
        reasons.push((index, Reason::TooManyPods));
    }
    let cpu: CoreMillis = node.pods.iter().fold(CoreMillis::ZERO, |sum, other| sum + other.cpu_request);
    if short(pod.cpu_request.get(), cpu.get(), node.allocatable_cpu.get()) {
        reasons.push((index, Reason::InsufficientCpu));
    }
    let memory: Bytes = node.pods.iter().map(|other| other.memory_request).sum();
    if short(pod.memory_request.get(), memory.get(), node.allocatable_memory.get()) {
        reasons.push((index, Reason::InsufficientMemory));
    }
    let ephemeral: Bytes = node.pods.iter().map(|other| other.ephemeral_request).sum();
    if short(pod.ephemeral_request.get(), ephemeral.get(), node.allocatable_ephemeral.get()) {
        reasons.push((index, Reason::InsufficientEphemeralStorage));
    }
}

/// The strategy's score of each node.
pub(super) fn score(cycle: &Cycle<'_>, feasible: &[usize], scores: &mut [i64]) {
    for (score, &index) in scores.iter_mut().zip(feasible) {
        let node = &cycle.nodes[index];
        let resources = cycle.settings.fit_resources.iter().map(|&(resource, weight)| {
            let (requested, allocatable) = in_use(resource, cycle.pod, node);
            (requested, allocatable, weight)
        });
        *score = combined(&cycle.settings.fit, resources);
    }
}

/// What would be requested of a resource with the pod, and what there is.
fn in_use(resource: ScoredResource, pod: &PodView<'_>, node: &NodeView<'_>) -> (u64, u64) {
    let sum = |of: fn(&PodView<'_>) -> u64| node.pods.iter().map(of).sum::<u64>() + of(pod);
    match resource {
        ScoredResource::Cpu => (sum(cpu_for_score), node.allocatable_cpu.get()),
        ScoredResource::Memory => (sum(memory_for_score), node.allocatable_memory.get()),
        // A pod that does not ask for it counts as nothing, and the others count all the same.
        ScoredResource::EphemeralStorage => (sum(|pod| pod.ephemeral_request.get()), node.allocatable_ephemeral.get()),
    }
}

fn cpu_for_score(pod: &PodView<'_>) -> u64 {
    (if pod.cpu_request == CoreMillis::ZERO { DEFAULT_CPU } else { pod.cpu_request }).get()
}

fn memory_for_score(pod: &PodView<'_>) -> u64 {
    (if pod.memory_request.is_zero() { DEFAULT_MEMORY } else { pod.memory_request }).get()
}

/// Asking for nothing is never short, even where more than allocatable is requested already.
fn short(asked: u64, requested: u64, allocatable: u64) -> bool {
    asked > allocatable.saturating_sub(requested)
}

/// Weighted mean over the resources that the node has. The line of a shape rounds and leaves out resources that score nothing; the other
/// two truncate and count them.
fn combined(strategy: &FitStrategy, resources: impl Iterator<Item = (u64, u64, i64)>) -> i64 {
    let (mut sum, mut weights) = (0, 0);
    for (requested, allocatable, weight) in resources.filter(|&(_, allocatable, _)| allocatable > 0) {
        let percent = percent(requested, allocatable);
        let score = match strategy {
            FitStrategy::LeastAllocated => share(allocatable.saturating_sub(requested), allocatable),
            FitStrategy::MostAllocated => percent,
            FitStrategy::RequestedToCapacityRatio(shape) => on_line(shape, percent),
        };
        if score > 0 || !matches!(strategy, FitStrategy::RequestedToCapacityRatio(_)) {
            sum += score * weight;
            weights += weight;
        }
    }
    match strategy {
        _ if weights == 0 => 0,
        FitStrategy::RequestedToCapacityRatio(_) => (2 * sum + weights) / (2 * weights),
        _ => sum / weights,
    }
}

/// Percent in use, truncated; pods without requests can bring the sum above what there is.
fn percent(requested: u64, allocatable: u64) -> i64 {
    share(requested.min(allocatable), allocatable)
}

fn share(part: u64, whole: u64) -> i64 {
    (u128::from(part) * u128::from(MAX_SCORE.unsigned_abs()) / u128::from(whole)) as i64
}

/// The score on the broken line through the points; level before the first and after the last.
fn on_line(shape: &[ShapePoint], percent: i64) -> i64 {
    let at = |point: &ShapePoint| (i64::from(point.utilization), i64::from(point.score) * PER_SHAPE_POINT);
    match shape.iter().position(|point| percent <= at(point).0) {
        Some(0) => at(&shape[0]).1,
        Some(next) => {
            let ((x0, y0), (x1, y1)) = (at(&shape[next - 1]), at(&shape[next]));
            y0 + (y1 - y0) * (percent - x0) / (x1 - x0).max(1)
        }
        None => shape.last().map_or(0, |last| at(last).1),
    }
}
