//! The `NodeResourcesFit` plugin.
//!
//! Filter: for each resource the requests of the node's pods plus the new pod's must not exceed allocatable, and the
//! number of pods must not exceed `maxPods` (NR-1). Requests only: usage, limits and tmpfs are invisible. Score:
//! `LeastAllocated` with weight 1 for CPU and memory each (NR-2), which spreads pods as long as nothing else decides.
//! For the score, and only there, a pod without a request counts as 100m and 200 MiB; we hold one container a pod, so
//! the default applies once a pod. A resource that the pod does not request cannot refuse it, even on a node that is
//! over-committed.

use super::reason::Reason;
use super::{Cycle, MAX_SCORE, NodeView, PodView};
use crate::units::{Bytes, CoreMillis};

/// CPU that a pod without a CPU request counts as in the score (NR-2).
const DEFAULT_CPU: CoreMillis = CoreMillis::new(100);
/// Memory that a pod without a memory request counts as in the score (NR-2).
const DEFAULT_MEMORY: Bytes = Bytes::mib(200);

/// Refuses nodes where the requests do not fit; gives every resource that is short.
pub(super) fn filter(cycle: &Cycle<'_>, index: usize, reasons: &mut Vec<(usize, Reason)>) {
    let (pod, node) = (cycle.pod, &cycle.nodes[index]);
    if node.pods.len() as u64 + 1 > u64::from(node.max_pods) {
        reasons.push((index, Reason::TooManyPods));
    }
    let cpu: CoreMillis = sum_cpu(node, |other| other.cpu_request);
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

/// `LeastAllocated`: the mean over CPU and memory of the percentage left free, each truncated.
pub(super) fn score(cycle: &Cycle<'_>, feasible: &[usize], scores: &mut [i64]) {
    for (score, &index) in scores.iter_mut().zip(feasible) {
        let node = &cycle.nodes[index];
        let cpu = sum_cpu(node, cpu_for_score) + cpu_for_score(cycle.pod);
        let memory = node.pods.iter().map(memory_for_score).sum::<Bytes>() + memory_for_score(cycle.pod);
        *score = least_allocated([(cpu.get(), node.allocatable_cpu.get()), (memory.get(), node.allocatable_memory.get())]);
    }
}

fn sum_cpu(node: &NodeView<'_>, of: impl Fn(&PodView<'_>) -> CoreMillis) -> CoreMillis {
    node.pods.iter().fold(CoreMillis::ZERO, |sum, pod| sum + of(pod))
}

fn cpu_for_score(pod: &PodView<'_>) -> CoreMillis {
    if pod.cpu_request == CoreMillis::ZERO { DEFAULT_CPU } else { pod.cpu_request }
}

fn memory_for_score(pod: &PodView<'_>) -> Bytes {
    if pod.memory_request.is_zero() { DEFAULT_MEMORY } else { pod.memory_request }
}

/// Asking for nothing is never short, even where more than allocatable is requested already.
fn short(asked: u64, requested: u64, allocatable: u64) -> bool {
    asked > allocatable.saturating_sub(requested)
}

/// Mean of `trunc((allocatable − requested) · 100 / allocatable)`; a resource that the node does not have is left out.
fn least_allocated(resources: [(u64, u64); 2]) -> i64 {
    let (mut sum, mut count) = (0, 0);
    for (requested, allocatable) in resources {
        if allocatable > 0 {
            let free = u128::from(allocatable.saturating_sub(requested));
            sum += (free * u128::from(MAX_SCORE.unsigned_abs()) / u128::from(allocatable)) as i64;
            count += 1;
        }
    }
    if count == 0 { 0 } else { sum / count }
}
