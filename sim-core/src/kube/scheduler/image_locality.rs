//! The `ImageLocality` plugin.
//!
//! Score: nodes that have the pod's image are better, weight 1. The image counts with its size times the share of nodes that have it,
//! from 23 MiB (0) to 1000 MiB (100); that share is there so that one warm node does not draw everything (5.6). By default every node
//! has the executors' image, as in a cluster that ran the application yesterday, and the plugin decides nothing. Assumption: one
//! image a pod. Source: `imagelocality` of Kubernetes 1.30.

use super::{Cycle, MAX_SCORE};
use crate::units::Bytes;

const SMALLEST: Bytes = Bytes::mib(23);
const LARGEST: Bytes = Bytes::mib(1000);

/// 0 without the image, else by its size and how many nodes have it.
pub(super) fn score(cycle: &Cycle<'_>, feasible: &[usize], scores: &mut [i64]) {
    let warm = cycle.nodes.iter().filter(|node| node.has_image).count();
    let here = cycle.pod.image.map_or(0, |size| scaled(size, warm, cycle.nodes.len()));
    for (score, &index) in scores.iter_mut().zip(feasible) {
        *score = if cycle.nodes[index].has_image { here } else { 0 };
    }
}

fn scaled(size: Bytes, warm: usize, nodes: usize) -> i64 {
    let spread = warm as f64 / nodes.max(1) as f64;
    let counted = Bytes::new((size.as_f64() * spread) as u64).max(SMALLEST).min(LARGEST) - SMALLEST;
    (MAX_SCORE.unsigned_abs() * counted.get() / (LARGEST - SMALLEST).get()).cast_signed()
}
