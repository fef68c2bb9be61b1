//! Where a pod goes: one cycle of the Kubernetes scheduler, without state.
//!
//! Filters refuse nodes one by one; if more than one is left, plugins score them from 0 to 100, the weighted sum decides and ties are broken by
//! luck (SC-1, SC-5). Scores are the scheduler's own integers, so a margin of one point counts here as there. The scheduler sees requests,
//! never usage: nothing here knows how full a node's memory is. From 100 nodes on not all are looked at: the search ends when enough
//! feasible ones are found, and the next one begins where it ended (SC-2). Left out: scheduler extenders, scheduling gates and dynamic
//! resource allocation; the order of nodes by zone in which the real search goes round. Sources: 5.1 to 5.6, A14, A15; the default
//! profile of Kubernetes 1.30.

mod balanced_allocation;
mod image_locality;
mod inter_pod_affinity;
mod node_affinity;
mod node_name;
mod node_ports;
mod node_resources_fit;
mod node_unschedulable;
mod node_volume_limits;
mod pod_topology_spread;
mod preempt;
mod reason;
mod selector;
mod taint_toleration;
mod view;
mod volume_binding;
mod volume_restrictions;
mod what_if;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod worked;

pub use pod_topology_spread::system_defaults;
pub use preempt::{Preemption, preempt};
pub use reason::{Reason, describe};
pub use view::{DEFAULT_NAMESPACE, NodeConditions, NodeView, PodView, VolumesView};
pub use what_if::{Alternative, Rule, effect_name, without_each};

use crate::spec::KubeSchedulerSpec;
use std::ops::Range;

/// Largest score of a plugin before its weight.
const MAX_SCORE: i64 = 100;
/// So many feasible nodes are looked for at least (SC-2).
const LEAST_FEASIBLE: usize = 100;

/// How a cycle is run.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The profile.
    pub settings: &'a KubeSchedulerSpec,
    /// The node at which the search begins.
    pub start: usize,
    /// Whether the scores of all feasible nodes are wanted.
    pub explain: bool,
    /// A plugin that is switched off.
    pub without: Option<&'a str>,
}

/// What a plugin gives a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PluginScore {
    /// The plugin's name.
    pub plugin: &'static str,
    /// What it worked out.
    pub raw: i64,
    /// That on the scale from 0 to 100.
    pub normalised: i64,
    /// That times the plugin's weight.
    pub weighted: i64,
}

/// One node's scores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeScores {
    /// Index of the node.
    pub node: usize,
    /// By plugin, in their order.
    pub by_plugin: Vec<PluginScore>,
    /// The sum.
    pub total: i64,
}

/// What becomes of a pod in one cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The node that it goes to; without one it stays `Pending`.
    pub node: Option<usize>,
    /// The nodes that share the best score, that one among them.
    pub tied: Vec<usize>,
    /// Scores of all feasible nodes, when the caller asked and there were at least two (SC-1: one is not scored).
    pub table: Vec<NodeScores>,
    /// Why nodes were filtered out: index and reason, several where one plugin gives several.
    pub reasons: Vec<(usize, Reason)>,
    /// How many nodes were looked at: where the next search begins.
    pub looked_at: usize,
}

/// One scheduling cycle's input and what plugins share.
struct Cycle<'a> {
    pod: &'a PodView<'a>,
    nodes: &'a [NodeView<'a>],
    settings: &'a KubeSchedulerSpec,
    domains: inter_pod_affinity::Domains<'a>,
    spread: pod_topology_spread::Counts<'a>,
}

/// A plugin that pushes a reason for the node with this index when the pod cannot go there.
struct FilterPlugin {
    name: &'static str,
    filter: fn(&Cycle<'_>, usize, &mut Vec<(usize, Reason)>),
}

/// A plugin that ranks the feasible nodes: it overwrites all scores with raw ones, then scales them to 0 to [`MAX_SCORE`].
struct ScorePlugin {
    name: &'static str,
    weight: i64,
    score: fn(&Cycle<'_>, &[usize], &mut [i64]),
    normalise: fn(&Cycle<'_>, &mut [i64]),
}

/// Filters, in the scheduler's order: the first that refuses a node gives the reason.
const FILTERS: [FilterPlugin; 11] = [
    FilterPlugin { name: "NodeUnschedulable", filter: node_unschedulable::filter },
    FilterPlugin { name: "NodeName", filter: node_name::filter },
    FilterPlugin { name: "TaintToleration", filter: taint_toleration::filter },
    FilterPlugin { name: "NodeAffinity", filter: node_affinity::filter },
    FilterPlugin { name: "NodePorts", filter: node_ports::filter },
    FilterPlugin { name: "NodeResourcesFit", filter: node_resources_fit::filter },
    FilterPlugin { name: "VolumeRestrictions", filter: volume_restrictions::filter },
    FilterPlugin { name: "NodeVolumeLimits", filter: node_volume_limits::filter },
    FilterPlugin { name: "VolumeBinding", filter: volume_binding::filter },
    FilterPlugin { name: "PodTopologySpread", filter: pod_topology_spread::filter },
    FilterPlugin { name: "InterPodAffinity", filter: inter_pod_affinity::filter },
];

/// Scoring plugins with their default weights (5.1).
const SCORES: [ScorePlugin; 7] = [
    ScorePlugin { name: "TaintToleration", weight: 3, score: taint_toleration::score, normalise: taint_toleration::normalise },
    ScorePlugin { name: "NodeAffinity", weight: 2, score: node_affinity::score, normalise: node_affinity::normalise },
    ScorePlugin { name: "NodeResourcesFit", weight: 1, score: node_resources_fit::score, normalise: as_is },
    ScorePlugin { name: "PodTopologySpread", weight: 2, score: pod_topology_spread::score, normalise: pod_topology_spread::normalise },
    ScorePlugin { name: "InterPodAffinity", weight: 2, score: inter_pod_affinity::score, normalise: inter_pod_affinity::normalise },
    ScorePlugin { name: "NodeResourcesBalancedAllocation", weight: 1, score: balanced_allocation::score, normalise: as_is },
    ScorePlugin { name: "ImageLocality", weight: 1, score: image_locality::score, normalise: as_is },
];

/// Names of all plugins, filters first, each once, with the weight of its score where it has one.
pub fn plugins() -> Vec<(&'static str, Option<i64>)> {
    let weight = |name: &str| SCORES.iter().find(|plugin| plugin.name == name).map(|plugin| plugin.weight);
    let filters = FILTERS.iter().map(|plugin| plugin.name);
    let others = SCORES.iter().map(|plugin| plugin.name).filter(|&name| FILTERS.iter().all(|plugin| plugin.name != name));
    filters.chain(others).map(|name| (name, weight(name))).collect()
}

/// Decides where `pod` goes.
///
/// `luck` gives a random number for the identity of a node: of those that share the best score the node with the largest one gets the pod (the
/// scheduler breaks ties at random, SC-5).
pub fn schedule(pod: &PodView<'_>, nodes: &[NodeView<'_>], options: &Options<'_>, luck: &mut dyn FnMut(u64) -> u64) -> Decision {
    let cycle = Cycle {
        pod,
        nodes,
        settings: options.settings,
        domains: inter_pod_affinity::Domains::of(pod, nodes),
        spread: pod_topology_spread::Counts::of(pod, nodes),
    };
    let mut reasons = Vec::new();
    let (feasible, looked_at) = feasible(&cycle, options, &mut reasons);
    let (tied, table) = match feasible.as_slice() {
        [] | [_] => (feasible, Vec::new()),
        _ => best(&cycle, &feasible, options),
    };
    Decision { node: pick(nodes, &tied, luck), tied, table, reasons, looked_at }
}

/// The feasible nodes, in the order of `nodes`, and how many were looked at.
fn feasible(cycle: &Cycle<'_>, options: &Options<'_>, reasons: &mut Vec<(usize, Reason)>) -> (Vec<usize>, usize) {
    let count = cycle.nodes.len();
    let enough = enough(count, options.settings.percentage_of_nodes_to_score as usize);
    let mut found = Vec::new();
    let mut looked_at = 0;
    while looked_at < count && found.len() < enough {
        let index = (options.start + looked_at) % count;
        if passes(cycle, index, options.without, reasons) {
            found.push(index);
        }
        looked_at += 1;
    }
    found.sort_unstable();
    (found, looked_at)
}

/// The first node of a range on which all filters let the pod.
pub fn first_fit(pod: &PodView<'_>, nodes: &[NodeView<'_>], options: &Options<'_>, mut range: Range<usize>) -> Option<usize> {
    let domains = inter_pod_affinity::Domains::of(pod, nodes);
    let spread = pod_topology_spread::Counts::of(pod, nodes);
    let cycle = Cycle { pod, nodes, settings: options.settings, domains, spread };
    range.find(|&node| passes(&cycle, node, options.without, &mut Vec::new()))
}

/// How many feasible nodes end the search: all of fewer than 100, else a share that shrinks with the cluster, at least 100 (SC-2).
fn enough(nodes: usize, percentage: usize) -> usize {
    if nodes < LEAST_FEASIBLE || percentage >= 100 {
        return nodes;
    }
    let percent = if percentage == 0 { 50usize.saturating_sub(nodes / 125).max(5) } else { percentage };
    (nodes * percent / 100).max(LEAST_FEASIBLE)
}

fn passes(cycle: &Cycle<'_>, index: usize, without: Option<&str>, reasons: &mut Vec<(usize, Reason)>) -> bool {
    let before = reasons.len();
    FILTERS.iter().filter(|plugin| Some(plugin.name) != without).all(|plugin| {
        (plugin.filter)(cycle, index, reasons);
        reasons.len() == before
    })
}

/// The nodes with the largest sum, and the table if it is wanted.
fn best(cycle: &Cycle<'_>, feasible: &[usize], options: &Options<'_>) -> (Vec<usize>, Vec<NodeScores>) {
    let mut totals = vec![0; feasible.len()];
    let mut scores = vec![0; feasible.len()];
    let rows = if options.explain { feasible } else { &[] };
    let mut table: Vec<NodeScores> = rows.iter().map(|&node| NodeScores { node, by_plugin: Vec::with_capacity(SCORES.len()), total: 0 }).collect();
    for plugin in SCORES.iter().filter(|plugin| Some(plugin.name) != options.without) {
        (plugin.score)(cycle, feasible, &mut scores);
        for (row, &raw) in table.iter_mut().zip(&scores) {
            row.by_plugin.push(PluginScore { plugin: plugin.name, raw, normalised: 0, weighted: 0 });
        }
        (plugin.normalise)(cycle, &mut scores);
        for (total, score) in totals.iter_mut().zip(&scores) {
            *total += plugin.weight * score;
        }
        for (row, &score) in table.iter_mut().zip(&scores) {
            if let Some(last) = row.by_plugin.last_mut() {
                (last.normalised, last.weighted) = (score, plugin.weight * score);
            }
            row.total += plugin.weight * score;
        }
    }
    let highest = totals.iter().max();
    (feasible.iter().zip(&totals).filter(|&(_, total)| Some(total) == highest).map(|(&node, _)| node).collect(), table)
}

/// The luckiest of those that share the best score.
fn pick(nodes: &[NodeView<'_>], tied: &[usize], luck: &mut dyn FnMut(u64) -> u64) -> Option<usize> {
    match tied {
        &[node] => Some(node),
        _ => tied.iter().copied().max_by_key(|&node| luck(nodes[node].identity)),
    }
}

/// For plugins whose scores are on the scale already.
fn as_is(_: &Cycle<'_>, _: &mut [i64]) {}

/// Scales raw counts to 0..=100 against the largest, truncating; `reverse` makes few better than many.
fn normalise(scores: &mut [i64], reverse: bool) {
    let highest = scores.iter().copied().max().unwrap_or(0).max(0);
    for score in scores {
        let scaled = if highest == 0 { 0 } else { MAX_SCORE.saturating_mul(*score) / highest };
        *score = if reverse { MAX_SCORE - scaled } else { scaled };
    }
}
