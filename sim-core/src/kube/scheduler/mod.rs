//! Where a pod goes: one cycle of the Kubernetes scheduler, without state.
//!
//! Filters refuse nodes one by one; if more than one is left, plugins score them from 0 to 100, the weighted sum
//! decides and ties are broken by the caller (SC-1, SC-5). Scores are the scheduler's own integers, so a margin of one
//! point counts here as there. The scheduler sees requests, never usage: nothing here knows how full a node's memory
//! is.
//!
//! Left out: `PodTopologySpread`, because its system defaults need a Service or a controller that selects the pod, and
//! Spark's executors have none (5.5, PT-3), and `spec` holds no constraints of the template; `ImageLocality`, a mild
//! pull to nodes that already have the image (5.6); preemption, since Spark pods have priority 0 (5.6); and the
//! sampling of nodes in clusters of 100 and more (SC-2): all nodes are always examined. All pods are in one namespace.
//! Sources: section 5.1 to 5.6, A14, A15.

mod balanced_allocation;
mod inter_pod_affinity;
mod node_affinity;
mod node_resources_fit;
mod reason;
mod selector;
mod taint_toleration;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use reason::{Reason, describe};

use crate::spec::{Affinity, Label, Taint, Toleration};
use crate::units::{Bytes, CoreMillis};

/// Largest score of a plugin before its weight.
const MAX_SCORE: i64 = 100;

/// What the scheduler sees of a pod.
#[derive(Clone, Copy, Debug)]
pub struct PodView<'a> {
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
    /// Name, for reports; rules look at labels only.
    pub name: &'a str,
    /// Labels, `kubernetes.io/hostname` among them.
    pub labels: &'a [Label],
    /// Taints, without those that follow from `conditions`.
    pub taints: &'a [Taint],
    /// CPU that pods may request.
    pub allocatable_cpu: CoreMillis,
    /// Memory that pods may request (5.9).
    pub allocatable_memory: Bytes,
    /// Ephemeral storage that pods may request.
    pub allocatable_ephemeral: Bytes,
    /// Largest number of pods.
    pub max_pods: u32,
    /// Pods that are assigned to it and not terminal (PA-7).
    pub pods: Vec<PodView<'a>>,
    /// Pressure conditions.
    pub conditions: NodeConditions,
}

/// One node's scores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeScores {
    /// Index of the node.
    pub node: usize,
    /// Plugin name and its score times its weight, in the order of the plugins.
    pub by_plugin: Vec<(&'static str, i64)>,
    /// The sum.
    pub total: i64,
}

/// What becomes of a pod in one cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It goes to a node.
    Bound {
        /// Index of the node.
        node: usize,
        /// Scores of all feasible nodes, when the caller asked and there were at least two (SC-1: one is not scored).
        table: Vec<NodeScores>,
    },
    /// No node can take it: it stays `Pending`.
    Unschedulable {
        /// Node index and reason, by node; several where one plugin gives several.
        reasons: Vec<(usize, Reason)>,
    },
}

/// One scheduling cycle's input and what plugins share.
struct Cycle<'a> {
    pod: &'a PodView<'a>,
    nodes: &'a [NodeView<'a>],
    domains: inter_pod_affinity::Domains<'a>,
}

/// Pushes a reason for the node with this index when the pod cannot go there.
type Filter = fn(&Cycle<'_>, usize, &mut Vec<(usize, Reason)>);

/// A plugin that ranks the feasible nodes; it overwrites all scores with 0 to [`MAX_SCORE`].
struct ScorePlugin {
    name: &'static str,
    weight: i64,
    score: fn(&Cycle<'_>, &[usize], &mut [i64]),
}

/// Filters, in the scheduler's order: the first that refuses a node gives the reason.
const FILTERS: [Filter; 4] = [taint_toleration::filter, node_affinity::filter, node_resources_fit::filter, inter_pod_affinity::filter];

/// Scoring plugins with their default weights (5.1).
const SCORES: [ScorePlugin; 5] = [
    ScorePlugin { name: "TaintToleration", weight: 3, score: taint_toleration::score },
    ScorePlugin { name: "NodeAffinity", weight: 2, score: node_affinity::score },
    ScorePlugin { name: "NodeResourcesFit", weight: 1, score: node_resources_fit::score },
    ScorePlugin { name: "InterPodAffinity", weight: 2, score: inter_pod_affinity::score },
    ScorePlugin { name: "NodeResourcesBalancedAllocation", weight: 1, score: balanced_allocation::score },
];

/// Decides where `pod` goes. With `explain` the scores of all feasible nodes come along.
///
/// `tie` is asked for an index below its argument when that many nodes share the best score; the candidates are in the
/// order of `nodes`. The scheduler breaks ties at random (SC-5), so a caller gives a random draw.
pub fn schedule(pod: &PodView<'_>, nodes: &[NodeView<'_>], explain: bool, tie: &mut dyn FnMut(usize) -> usize) -> Decision {
    let cycle = Cycle { pod, nodes, domains: inter_pod_affinity::Domains::of(pod, nodes) };
    let mut reasons = Vec::new();
    let feasible: Vec<usize> = (0..nodes.len()).filter(|&index| passes(&cycle, index, &mut reasons)).collect();
    match feasible.as_slice() {
        [] => Decision::Unschedulable { reasons },
        &[node] => Decision::Bound { node, table: Vec::new() },
        _ => best(&cycle, &feasible, explain, tie),
    }
}

fn passes(cycle: &Cycle<'_>, index: usize, reasons: &mut Vec<(usize, Reason)>) -> bool {
    let before = reasons.len();
    FILTERS.iter().all(|filter| {
        filter(cycle, index, reasons);
        reasons.len() == before
    })
}

fn best(cycle: &Cycle<'_>, feasible: &[usize], explain: bool, tie: &mut dyn FnMut(usize) -> usize) -> Decision {
    let mut totals = vec![0; feasible.len()];
    let mut scores = vec![0; feasible.len()];
    let rows = if explain { feasible } else { &[] };
    let mut table: Vec<NodeScores> = rows.iter().map(|&node| NodeScores { node, by_plugin: Vec::with_capacity(SCORES.len()), total: 0 }).collect();
    for plugin in &SCORES {
        (plugin.score)(cycle, feasible, &mut scores);
        for (total, score) in totals.iter_mut().zip(&scores) {
            *total += plugin.weight * score;
        }
        for (row, score) in table.iter_mut().zip(&scores) {
            row.by_plugin.push((plugin.name, plugin.weight * score));
            row.total += plugin.weight * score;
        }
    }
    Decision::Bound { node: pick(feasible, &totals, tie), table }
}

/// A node with the largest total.
fn pick(feasible: &[usize], totals: &[i64], tie: &mut dyn FnMut(usize) -> usize) -> usize {
    let highest = totals.iter().max();
    let tied = || feasible.iter().zip(totals).filter(|&(_, total)| Some(total) == highest).map(|(&node, _)| node);
    let count = tied().count();
    let choice = if count > 1 { tie(count) % count } else { 0 };
    tied().nth(choice).unwrap_or(feasible[0])
}

/// Scales raw counts to 0..=100 against the largest, truncating; `reverse` makes few better than many.
fn normalise(scores: &mut [i64], reverse: bool) {
    let highest = scores.iter().copied().max().unwrap_or(0).max(0);
    for score in scores {
        let scaled = if highest == 0 { 0 } else { MAX_SCORE.saturating_mul(*score) / highest };
        *score = if reverse { MAX_SCORE - scaled } else { scaled };
    }
}
