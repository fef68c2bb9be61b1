//! Hand-worked tables, a file a subject: the arithmetic stands beside the numbers.
//!
//! Expected numbers come from the formulas of 5.2 to 5.6 worked by hand, or from Kubernetes' own documentation and API reference, which is
//! named where it is used.

mod documentation;
mod fit;
mod namespaces;
mod others;
mod ports_and_volumes;
mod sampling;
mod spread_filter;
mod spread_score;
mod volumes;

use super::fixture::{Node, Pod};
use super::tests::decide_with;
use crate::spec::KubeSchedulerSpec;

/// A plugin's raw and normalised scores by node; none for nodes that are filtered out.
fn column_with(settings: &KubeSchedulerSpec, plugin: &str, pod: &Pod, nodes: &[Node]) -> Vec<Option<(i64, i64)>> {
    let decision = decide_with(settings, pod, nodes);
    let row = |node: usize| decision.table.iter().find(|row| row.node == node);
    let of = |node: usize| row(node).and_then(|row| row.by_plugin.iter().find(|score| score.plugin == plugin)).map(|score| (score.raw, score.normalised));
    (0..nodes.len()).map(of).collect()
}

fn column(plugin: &str, pod: &Pod, nodes: &[Node]) -> Vec<Option<(i64, i64)>> {
    column_with(&KubeSchedulerSpec::default(), plugin, pod, nodes)
}

/// Places `pods` one after the other; the node of each.
fn place_all(pods: &[Pod], nodes: &mut [Node]) -> Vec<Option<usize>> {
    pods.iter()
        .map(|pod| {
            let node = super::tests::decide(pod, nodes).node;
            if let Some(node) = node {
                nodes[node].pods.push(pod.clone());
            }
            node
        })
        .collect()
}
