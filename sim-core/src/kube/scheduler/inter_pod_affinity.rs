//! The `InterPodAffinity` plugin.
//!
//! Filter: required affinity wants a matching pod in the node's topology domain, required anti-affinity refuses one,
//! and existing pods' anti-affinity refuses the new pod (PA-1, PA-4). The first pod of a group that only asks for
//! itself may go anywhere (PA-2); that is why a required self-affinity on the hostname piles a whole application on the
//! node of its first executor. Score: weights of preferred terms, of the new pod and of the pods already there, plus 1
//! (`hardPodAffinityWeight`) for each required affinity term of theirs that selects the new pod, normalised over the feasible nodes between their
//! own extremes, weight 2 (PA-5). Only pods that are assigned and not terminal are in the views (PA-7). A pod that
//! matches one of several required affinity terms does not count: it must match all (PA-1).

use std::collections::{BTreeMap, BTreeSet};

use super::reason::Reason;
use super::{Cycle, MAX_SCORE, NodeView, PodView, selector};
use crate::spec::PodAffinityTerm;

/// A topology domain: a node label's key and value.
type Domain<'a> = (&'a str, &'a str);

/// Domains that matter to the new pod, gathered once a cycle before nodes are filtered.
pub(super) struct Domains<'a> {
    /// Domains with a pod that matches all required affinity terms.
    wanted: BTreeSet<Domain<'a>>,
    /// Domains with a pod that matches a required anti-affinity term.
    avoided: BTreeSet<Domain<'a>>,
    /// Domains with a pod whose own required anti-affinity selects the new pod.
    refused: BTreeSet<Domain<'a>>,
}

impl<'a> Domains<'a> {
    /// Looks at all pods of all nodes.
    pub(super) fn of(pod: &'a PodView<'a>, nodes: &'a [NodeView<'a>]) -> Self {
        let mut domains = Self { wanted: BTreeSet::new(), avoided: BTreeSet::new(), refused: BTreeSet::new() };
        for node in nodes {
            for existing in &node.pods {
                if selected_by_all(pod, existing) {
                    domains.wanted.extend(pod.affinity.required_pod.iter().filter_map(|term| domain(term, node)));
                }
                domains.avoided.extend(excluding(pod, existing).filter_map(|term| domain(term, node)));
                domains.refused.extend(excluding(existing, pod).filter_map(|term| domain(term, node)));
            }
        }
        domains
    }

    fn allow_affinity(&self, pod: &PodView<'_>, node: &NodeView<'_>) -> bool {
        let mut all_present = true;
        for term in &pod.affinity.required_pod {
            match domain(term, node) {
                Some(domain) => all_present &= self.wanted.contains(&domain),
                None => return false,
            }
        }
        // The first pod of a group that asks for its own kind would otherwise never start (PA-2).
        all_present || (self.wanted.is_empty() && selected_by_all(pod, pod))
    }

    fn allow_anti_affinity(&self, pod: &PodView<'_>, node: &NodeView<'_>) -> bool {
        !pod.affinity.required_anti.iter().filter_map(|term| domain(term, node)).any(|domain| self.avoided.contains(&domain))
    }

    fn allowed_by_existing(&self, node: &NodeView<'_>) -> bool {
        !self.refused.iter().any(|&(key, value)| selector::value_of(node.labels, key) == Some(value))
    }
}

/// Refuses nodes that break a required rule of the new pod or of a pod already there.
pub(super) fn filter(cycle: &Cycle<'_>, index: usize, reasons: &mut Vec<(usize, Reason)>) {
    let (pod, node, domains) = (cycle.pod, &cycle.nodes[index], &cycle.domains);
    if !domains.allow_affinity(pod, node) {
        reasons.push((index, Reason::PodAffinity));
    } else if !domains.allow_anti_affinity(pod, node) {
        reasons.push((index, Reason::PodAntiAffinity));
    } else if !domains.allowed_by_existing(node) {
        reasons.push((index, Reason::ExistingPodsAntiAffinity));
    }
}

/// The sum of the weights of the node's domains.
pub(super) fn score(cycle: &Cycle<'_>, feasible: &[usize], scores: &mut [i64]) {
    let weights = weights(cycle);
    for (score, &index) in scores.iter_mut().zip(feasible) {
        let labels = cycle.nodes[index].labels;
        let here = weights.iter().filter(|&(&(key, value), _)| selector::value_of(labels, key) == Some(value));
        *score = here.fold(0, |sum: i64, (_, &weight)| sum.saturating_add(weight));
    }
}

/// Sum of weights a domain.
fn weights<'a>(cycle: &Cycle<'a>) -> BTreeMap<Domain<'a>, i64> {
    let (pod, hard) = (cycle.pod, cycle.settings.hard_pod_affinity_weight);
    let mut sums: BTreeMap<Domain<'a>, i64> = BTreeMap::new();
    for node in cycle.nodes {
        let mut add = |term: &'a PodAffinityTerm, weight: i64, owner: &PodView<'_>, target: &PodView<'_>| {
            if let Some(domain) = domain(term, node).filter(|_| weight != 0 && selector::selects_pod(term, owner, target)) {
                let sum = sums.entry(domain).or_default();
                *sum = sum.saturating_add(weight);
            }
        };
        for existing in &node.pods {
            for (one, weight) in preferences(pod) {
                add(one, weight, pod, existing);
            }
            for term in &existing.affinity.required_pod {
                add(term, hard, existing, pod);
            }
            for (one, weight) in preferences(existing) {
                add(one, weight, existing, pod);
            }
        }
    }
    sums
}

/// A pod's preferred terms with their weights: positive for affinity, negative for anti-affinity.
fn preferences<'a>(pod: &PodView<'a>) -> impl Iterator<Item = (&'a PodAffinityTerm, i64)> {
    let near = pod.affinity.preferred_pod.iter().map(|one| (&one.term, one.weight));
    near.chain(pod.affinity.preferred_anti.iter().map(|one| (&one.term, one.weight.saturating_neg())))
}

/// 0 for the smallest sum, 100 for the largest, all 0 when they are equal: between their own extremes, as newer releases do (open
/// question 10 of the facts: older ones start at 0).
pub(super) fn normalise(_: &Cycle<'_>, scores: &mut [i64]) {
    let (Some(&low), Some(&high)) = (scores.iter().min(), scores.iter().max()) else { return };
    let range = high.saturating_sub(low) as f64;
    for score in scores {
        *score = if high > low { (MAX_SCORE as f64 * (score.saturating_sub(low) as f64 / range)) as i64 } else { 0 };
    }
}

fn domain<'a>(term: &'a PodAffinityTerm, node: &NodeView<'a>) -> Option<Domain<'a>> {
    selector::value_of(node.labels, &term.topology_key).map(|value| (term.topology_key.as_str(), value))
}

/// Required anti-affinity terms of `owner` that select `target`.
fn excluding<'a>(owner: &PodView<'a>, target: &PodView<'_>) -> impl Iterator<Item = &'a PodAffinityTerm> {
    owner.affinity.required_anti.iter().filter(|term| selector::selects_pod(term, owner, target))
}

fn selected_by_all(owner: &PodView<'_>, target: &PodView<'_>) -> bool {
    let terms = &owner.affinity.required_pod;
    !terms.is_empty() && terms.iter().all(|term| selector::selects_pod(term, owner, target))
}
