//! One table of named cases: a pod, nodes, and what one plugin says of each node, worked out by hand.
//!
//! The numbers are those of Kubernetes' own tests of its plugins (1.21 to 1.35; cases named `k8s: …`), of its documentation and API
//! reference (`docs: …`), or of the formulas of 5.2 to 5.6 (`hand: …`); the arithmetic stands beside them. Where Kubernetes' test uses an extended
//! resource such as `intel.com/foo`, ephemeral storage stands for it. Two tests walk the table: one checks every case, one counts them.

mod balance;
mod fit;
mod node_affinity;
mod pod_affinity;
mod ratio;
mod spread_filter;
mod spread_score;
mod taints;

use std::collections::BTreeSet;

use super::fixture::{Node, Pod, node};
use super::tests::decide_with;
use crate::spec::KubeSchedulerSpec;

/// What is expected of the plugin.
pub(super) enum Expected {
    /// Its score of each node from 0 to 100, before its weight; none for a node that is refused, by whomever.
    Scores(Vec<Option<i64>>),
    /// The nodes that it lets pass; it refuses all others, and no other plugin refuses any.
    Feasible(Vec<usize>),
}

/// One row.
pub(super) struct Case {
    name: &'static str,
    plugin: &'static str,
    settings: KubeSchedulerSpec,
    pod: Pod,
    nodes: Vec<Node>,
    expected: Expected,
}

/// A case under the default profile.
fn case(name: &'static str, plugin: &'static str, pod: Pod, nodes: Vec<Node>, expected: Expected) -> Case {
    Case { name, plugin, settings: KubeSchedulerSpec::default(), pod, nodes, expected }
}

impl Case {
    fn with(self, settings: KubeSchedulerSpec) -> Self {
        Self { settings, ..self }
    }
}

/// Scores of nodes that are all feasible.
fn scores(of: &[i64]) -> Expected {
    Expected::Scores(of.iter().copied().map(Some).collect())
}

fn feasible(nodes: &[usize]) -> Expected {
    Expected::Feasible(nodes.to_vec())
}

/// A node of this size.
fn sized(cpu: u64, mib: u64, pods: Vec<Pod>) -> Node {
    Node { cpu, mib, ..node("n", pods) }
}

fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    all.extend(fit::least());
    all.extend(fit::most());
    all.extend(ratio::documented());
    all.extend(ratio::shapes());
    all.extend(balance::cases());
    all.extend(balance::images());
    all.extend(taints::scored());
    all.extend(taints::filtered());
    all.extend(node_affinity::scored());
    all.extend(node_affinity::filtered());
    all.extend(pod_affinity::attraction());
    all.extend(pod_affinity::repulsion());
    all.extend(pod_affinity::documented());
    all.extend(spread_filter::documented());
    all.extend(spread_filter::by_hand());
    all.extend(spread_score::one_constraint());
    all.extend(spread_score::some_are_no_candidates());
    all.extend(spread_score::two_constraints());
    all
}

/// What the case's plugin says, in the form of what is expected.
fn wrong(case: &Case) -> Option<String> {
    let decision = decide_with(&case.settings, &case.pod, &case.nodes);
    match &case.expected {
        Expected::Scores(expected) => {
            let row = |node: usize| decision.table.iter().find(|row| row.node == node);
            let score = |node: usize| row(node)?.by_plugin.iter().find(|score| score.plugin == case.plugin).map(|score| score.normalised);
            let actual: Vec<Option<i64>> = (0..case.nodes.len()).map(score).collect();
            (actual != *expected).then(|| format!("{}: {actual:?}, not {expected:?}", case.name))
        }
        Expected::Feasible(expected) => {
            let refused: BTreeSet<usize> = decision.reasons.iter().map(|&(node, _)| node).collect();
            let actual: Vec<usize> = (0..case.nodes.len()).filter(|node| !refused.contains(node)).collect();
            let other = decision.reasons.iter().find(|(_, reason)| reason.plugin() != case.plugin);
            (actual != *expected || other.is_some()).then(|| format!("{}: {actual:?}, not {expected:?}; {other:?}", case.name))
        }
    }
}

#[test]
fn every_case_comes_out() {
    let wrong: Vec<String> = cases().iter().filter_map(wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_wrong_number_is_noticed() {
    let mut first = cases().swap_remove(0);
    assert_eq!(wrong(&first), None);
    first.expected = scores(&[37, 51]);
    assert!(wrong(&first).is_some());
    first.expected = feasible(&[0]);
    assert!(wrong(&first).is_some());
}

/// At least 60 cases, no two of a name, no two alike, and some of every plugin that scores.
#[test]
fn there_are_at_least_sixty_distinct_cases() {
    let all = cases();
    let names: BTreeSet<&str> = all.iter().map(|case| case.name).collect();
    let inputs: BTreeSet<String> = all.iter().map(|case| format!("{}{:?}{:?}{:?}", case.plugin, case.settings, case.pod, case.nodes)).collect();
    assert_eq!((names.len(), inputs.len()), (all.len(), all.len()));
    assert!(all.len() >= 60, "{} cases", all.len());
    for (plugin, _) in super::plugins().into_iter().filter(|(_, weight)| weight.is_some()) {
        let scored = all.iter().filter(|case| case.plugin == plugin && matches!(case.expected, Expected::Scores(_))).count();
        assert!(scored >= 3, "{plugin}: {scored}");
    }
}
