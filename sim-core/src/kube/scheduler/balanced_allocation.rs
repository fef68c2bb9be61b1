//! The `NodeResourcesBalancedAllocation` plugin.
//!
//! Score only: nodes whose CPU and memory would be used in equal shares are better, weight 1 (5.3). With two resources
//! the standard deviation is half the distance of the two shares. It works on real requests, without the defaults that
//! `LeastAllocated` uses, and leaves out pods that request nothing, as recent releases do (since 1.33). Floats here are the same
//! operations in the same order as the scheduler's, because truncation decides the integer.

use super::Cycle;
use crate::units::{Bytes, CoreMillis};

/// `trunc((1 − |cpu share − memory share| / 2) · 100)`; 0 for all nodes when the pod requests neither.
pub(super) fn score(cycle: &Cycle<'_>, feasible: &[usize], scores: &mut [i64]) {
    let pod = cycle.pod;
    if pod.cpu_request == CoreMillis::ZERO && pod.memory_request.is_zero() {
        scores.fill(0);
        return;
    }
    for (score, &index) in scores.iter_mut().zip(feasible) {
        let node = &cycle.nodes[index];
        let cpu = node.pods.iter().fold(pod.cpu_request, |sum, other| sum + other.cpu_request);
        let memory = node.pods.iter().map(|other| other.memory_request).sum::<Bytes>() + pod.memory_request;
        *score = balance(share(cpu.get(), node.allocatable_cpu.get()), share(memory.get(), node.allocatable_memory.get()));
    }
}

/// The share in use, at most 1; none when the node does not have the resource.
fn share(requested: u64, allocatable: u64) -> Option<f64> {
    (allocatable > 0).then(|| (requested as f64 / allocatable as f64).min(1.0))
}

fn balance(cpu: Option<f64>, memory: Option<f64>) -> i64 {
    let deviation = match (cpu, memory) {
        (Some(cpu), Some(memory)) => ((cpu - memory) / 2.0).abs(),
        _ => 0.0,
    };
    ((1.0 - deviation) * 100.0) as i64
}
