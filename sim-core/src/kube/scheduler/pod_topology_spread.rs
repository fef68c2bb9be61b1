//! The `PodTopologySpread` plugin.
//!
//! A constraint counts the pods that its selector selects by the domains of a node label. Filter, for `DoNotSchedule`: with the new pod a
//! domain may have at most `maxSkew` more than the emptiest one. Only nodes with all keys make domains, and of those only the ones that the
//! pod's node affinity (unless ignored) and taints (if honoured) leave; an empty node pool that the scheduler cannot see is no
//! domain, so scaling from zero piles up. With fewer domains than `minDomains` the emptiest has 0. Score, for `ScheduleAnyway`: the sum
//! over constraints of matching pods × ln(domains + 2) + `maxSkew` − 1, rounded; the smaller the better, weight 2. Pods of a
//! controller get system defaults (hostname 3, zone 5, score only); executors have none (PT-3). Source: 5.5; `podtopologyspread` of
//! Kubernetes 1.30.

use std::collections::BTreeMap;

use super::reason::Reason;
use super::{Cycle, MAX_SCORE, NodeView, PodView, node_affinity, selector, taint_toleration};
use crate::spec::{LabelSelector, SpreadConstraint, WhenUnsatisfiable};

const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

/// Matching pods by domain, for each hard constraint of the new pod.
pub(super) struct Counts<'a> {
    constraints: Vec<&'a SpreadConstraint>,
    by_domain: Vec<BTreeMap<&'a str, u64>>,
}

impl<'a> Counts<'a> {
    /// Counts the pods of all nodes that take part.
    pub(super) fn of(pod: &'a PodView<'a>, nodes: &'a [NodeView<'a>]) -> Self {
        let constraints: Vec<&SpreadConstraint> = of_kind(pod, WhenUnsatisfiable::DoNotSchedule).collect();
        let mut by_domain = vec![BTreeMap::new(); constraints.len()];
        for node in nodes.iter().filter(|node| !constraints.is_empty() && has_all_keys(node, &constraints)) {
            for (constraint, counts) in constraints.iter().zip(&mut by_domain) {
                if let Some(value) = selector::value_of(node.labels, &constraint.topology_key).filter(|_| takes_part(constraint, pod, node)) {
                    *counts.entry(value).or_default() += matching(constraint, pod, node);
                }
            }
        }
        Self { constraints, by_domain }
    }
}

/// The constraints that pods of a controller with these labels have unless they bring their own.
pub fn system_defaults(selector: &LabelSelector) -> Vec<SpreadConstraint> {
    let constraint = |max_skew, key: &str| SpreadConstraint {
        max_skew,
        topology_key: key.to_owned(),
        when_unsatisfiable: WhenUnsatisfiable::ScheduleAnyway,
        selector: selector.clone(),
        min_domains: 1,
        honor_affinity: true,
        honor_taints: false,
        match_label_keys: Vec::new(),
    };
    vec![constraint(3, HOSTNAME), constraint(5, ZONE)]
}

/// Refuses nodes without a key, and nodes whose domain would have too many.
pub(super) fn filter(cycle: &Cycle<'_>, index: usize, reasons: &mut Vec<(usize, Reason)>) {
    let (pod, node) = (cycle.pod, &cycle.nodes[index]);
    for (constraint, counts) in cycle.spread.constraints.iter().zip(&cycle.spread.by_domain) {
        let Some(value) = selector::value_of(node.labels, &constraint.topology_key) else {
            return reasons.push((index, Reason::MissingTopologyLabel));
        };
        let domains = counts.len() as u64;
        let fewest = if domains < u64::from(constraint.min_domains) { 0 } else { counts.values().copied().min().unwrap_or(u64::MAX) };
        let with_pod = counts.get(value).copied().unwrap_or(0) + u64::from(selects(constraint, pod, pod));
        if with_pod.saturating_sub(fewest) > u64::from(constraint.max_skew) {
            return reasons.push((index, Reason::TopologySpread));
        }
    }
}

/// The sum over the soft constraints; −1 for nodes without one of the keys, which are no candidates of the normalisation.
pub(super) fn score(cycle: &Cycle<'_>, feasible: &[usize], scores: &mut [i64]) {
    let (pod, nodes) = (cycle.pod, cycle.nodes);
    let constraints: Vec<&SpreadConstraint> = of_kind(pod, WhenUnsatisfiable::ScheduleAnyway).collect();
    scores.fill(0);
    if constraints.is_empty() {
        return;
    }
    let counted = |node: &NodeView<'_>| pod.spread_is_default || has_all_keys(node, &constraints);
    let candidates: Vec<&NodeView<'_>> = feasible.iter().map(|&index| &nodes[index]).filter(|node| counted(node)).collect();
    let mut sums = vec![0.0; feasible.len()];
    for constraint in &constraints {
        let on_hosts = constraint.topology_key == HOSTNAME;
        let value = |node: &NodeView<'_>| selector::value_of(node.labels, &constraint.topology_key).map(str::to_owned).unwrap_or_default();
        let mut domains: BTreeMap<String, u64> = candidates.iter().map(|node| (value(node), 0)).collect();
        for node in nodes.iter().filter(|node| !on_hosts && counted(node) && takes_part(constraint, pod, node)) {
            if let Some(count) = domains.get_mut(&value(node)) {
                *count += matching(constraint, pod, node);
            }
        }
        let weight = libm::log((if on_hosts { candidates.len() } else { domains.len() }) as f64 + 2.0);
        for (sum, &index) in sums.iter_mut().zip(feasible) {
            let node = &nodes[index];
            if counted(node) && selector::value_of(node.labels, &constraint.topology_key).is_some() {
                let pods = if on_hosts { matching(constraint, pod, node) } else { domains.get(&value(node)).copied().unwrap_or(0) };
                *sum += pods as f64 * weight + f64::from(constraint.max_skew - 1);
            }
        }
    }
    for ((score, sum), &index) in scores.iter_mut().zip(sums).zip(feasible) {
        *score = if counted(&nodes[index]) { libm::round(sum) as i64 } else { NO_CANDIDATE };
    }
}

/// The score of a node that lacks a key, before it is scaled.
const NO_CANDIDATE: i64 = -1;

/// 100 for the smallest sum: `100 · (max + min − sum) / max`. All 0 without a soft constraint, all 100 when nothing matches anywhere.
pub(super) fn normalise(cycle: &Cycle<'_>, scores: &mut [i64]) {
    if of_kind(cycle.pod, WhenUnsatisfiable::ScheduleAnyway).next().is_none() {
        return;
    }
    let sums = || scores.iter().copied().filter(|&sum| sum != NO_CANDIDATE);
    let (low, high) = (sums().min().unwrap_or(0), sums().max().unwrap_or(0));
    for score in scores {
        *score = match (*score, high) {
            (NO_CANDIDATE, _) => 0,
            (_, 0) => MAX_SCORE,
            (sum, high) => MAX_SCORE * (high + low - sum) / high,
        };
    }
}

fn of_kind<'a>(pod: &PodView<'a>, kind: WhenUnsatisfiable) -> impl Iterator<Item = &'a SpreadConstraint> {
    pod.spread.iter().filter(move |constraint| constraint.when_unsatisfiable == kind)
}

fn has_all_keys(node: &NodeView<'_>, constraints: &[&SpreadConstraint]) -> bool {
    constraints.iter().all(|constraint| selector::value_of(node.labels, &constraint.topology_key).is_some())
}

fn takes_part(constraint: &SpreadConstraint, pod: &PodView<'_>, node: &NodeView<'_>) -> bool {
    let affinity = !constraint.honor_affinity || node_affinity::allows(pod, node);
    affinity && (!constraint.honor_taints || taint_toleration::untolerated(pod, node).is_none())
}

/// Pods of the node that count. A selector without requirements counts nobody, although it selects the new pod.
fn matching(constraint: &SpreadConstraint, pod: &PodView<'_>, node: &NodeView<'_>) -> u64 {
    if constraint.selector.requirements.is_empty() && constraint.match_label_keys.is_empty() {
        return 0;
    }
    let staying = node.pods.iter().filter(|other| !other.terminating && other.namespace == pod.namespace);
    staying.filter(|other| selects(constraint, pod, other)).count() as u64
}

fn selects(constraint: &SpreadConstraint, pod: &PodView<'_>, target: &PodView<'_>) -> bool {
    selector::selects(&constraint.selector, target.labels) && selector::shares(&constraint.match_label_keys, pod.labels, target.labels)
}
