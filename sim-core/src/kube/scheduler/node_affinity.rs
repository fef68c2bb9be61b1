//! The `NodeAffinity` plugin.
//!
//! Filter: one of the required terms must match the node's labels; no terms means no rule. `nodeSelector` has already
//! become requirements of each term. Score: the sum of the weights of the preferred terms that match, normalised
//! against the best feasible node, weight 2 (5.1, 5.6). This is how executors are sent to a node pool; it says nothing
//! about which of its nodes.

use super::reason::Reason;
use super::{Cycle, NodeView, PodView, selector};

/// Refuses nodes that match no required term.
pub(super) fn filter(cycle: &Cycle<'_>, index: usize, reasons: &mut Vec<(usize, Reason)>) {
    if !allows(cycle.pod, &cycle.nodes[index]) {
        reasons.push((index, Reason::NodeAffinity));
    }
}

/// Whether the pod's required terms leave the node.
pub(super) fn allows(pod: &PodView<'_>, node: &NodeView<'_>) -> bool {
    let terms = &pod.affinity.required_node;
    terms.is_empty() || terms.iter().any(|term| selector::matches_node(term, node.labels))
}

/// The sum of the weights of the preferred terms that match.
pub(super) fn score(cycle: &Cycle<'_>, feasible: &[usize], scores: &mut [i64]) {
    for (score, &index) in scores.iter_mut().zip(feasible) {
        let labels = cycle.nodes[index].labels;
        let matching = cycle.pod.affinity.preferred_node.iter().filter(|(_, term)| selector::matches_node(term, labels));
        *score = matching.fold(0, |sum: i64, &(weight, _)| sum.saturating_add(weight));
    }
}

/// 100 for the node with the largest sum, others in proportion.
pub(super) fn normalise(_: &Cycle<'_>, scores: &mut [i64]) {
    super::normalise(scores, false);
}
