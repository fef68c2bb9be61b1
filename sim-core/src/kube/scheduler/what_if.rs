//! Where a pod would go without one of the rules.
//!
//! Each rule is left out alone and the cycle is run again with the same luck: each plugin (its filter and its score), each term of the pod's
//! affinity, each spread constraint, each taint of a node. A term that the running pods have from the same template is left out there,
//! too: it is the rule that goes, not one pod's copy of it. What already runs stays where it is.

use super::{NodeView, Options, PodView, plugins, schedule};
use crate::spec::{Affinity, SpreadConstraint, Taint, TaintEffect};

/// What is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A plugin.
    Plugin(&'static str),
    /// A required or preferred term of pod affinity, by its place in the template.
    PodAffinity {
        /// Whether it is required.
        required: bool,
        /// Its place, 0 first.
        index: usize,
    },
    /// A term of pod anti-affinity.
    PodAntiAffinity {
        /// Whether it is required.
        required: bool,
        /// Its place, 0 first.
        index: usize,
    },
    /// Required node affinity and node selector, all terms: each alone is an alternative.
    RequiredNodeAffinity,
    /// A preferred term of node affinity.
    PreferredNodeAffinity(usize),
    /// A topology spread constraint, by its place.
    TopologySpread(usize),
    /// A taint, on all nodes that have it.
    Taint(Taint),
}

/// The outcome without a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// What was left out.
    pub rule: Rule,
    /// The node that the pod would have got.
    pub node: Option<usize>,
}

/// Runs the cycle without each rule.
pub fn without_each(pod: &PodView<'_>, nodes: &[NodeView<'_>], options: &Options<'_>, luck: &mut dyn FnMut(u64) -> u64) -> Vec<Alternative> {
    let mut alternatives: Vec<Alternative> = plugins()
        .into_iter()
        .map(|(name, _)| Alternative { rule: Rule::Plugin(name), node: schedule(pod, nodes, &Options { without: Some(name), ..*options }, luck).node })
        .collect();
    for (rule, affinity) in reduced(pod.affinity) {
        alternatives.push(Alternative { rule, node: with_affinity(pod, nodes, &affinity, options, luck) });
    }
    for index in 0..pod.spread.len() {
        let mut spread: Vec<SpreadConstraint> = pod.spread.to_vec();
        spread.remove(index);
        let node = schedule(&PodView { spread: &spread, ..*pod }, nodes, options, luck).node;
        alternatives.push(Alternative { rule: Rule::TopologySpread(index), node });
    }
    for taint in taints(nodes) {
        alternatives.push(Alternative { node: without_taint(pod, nodes, &taint, options, luck), rule: Rule::Taint(taint) });
    }
    alternatives
}

/// The affinity without each of its terms.
fn reduced(affinity: &Affinity) -> Vec<(Rule, Affinity)> {
    let mut all = Vec::new();
    let mut leave_out = |rule: Rule, change: &dyn Fn(&mut Affinity)| {
        let mut less = affinity.clone();
        change(&mut less);
        all.push((rule, less));
    };
    for index in 0..affinity.required_pod.len() {
        leave_out(Rule::PodAffinity { required: true, index }, &|less| drop(less.required_pod.remove(index)));
    }
    for index in 0..affinity.preferred_pod.len() {
        leave_out(Rule::PodAffinity { required: false, index }, &|less| drop(less.preferred_pod.remove(index)));
    }
    for index in 0..affinity.required_anti.len() {
        leave_out(Rule::PodAntiAffinity { required: true, index }, &|less| drop(less.required_anti.remove(index)));
    }
    for index in 0..affinity.preferred_anti.len() {
        leave_out(Rule::PodAntiAffinity { required: false, index }, &|less| drop(less.preferred_anti.remove(index)));
    }
    if !affinity.required_node.is_empty() {
        leave_out(Rule::RequiredNodeAffinity, &|less| less.required_node.clear());
    }
    for index in 0..affinity.preferred_node.len() {
        leave_out(Rule::PreferredNodeAffinity(index), &|less| drop(less.preferred_node.remove(index)));
    }
    all
}

fn with_affinity(pod: &PodView<'_>, nodes: &[NodeView<'_>], affinity: &Affinity, options: &Options<'_>, luck: &mut dyn FnMut(u64) -> u64) -> Option<usize> {
    let mut nodes: Vec<NodeView<'_>> = nodes.to_vec();
    for running in nodes.iter_mut().flat_map(|node| &mut node.pods).filter(|running| running.affinity == pod.affinity) {
        running.affinity = affinity;
    }
    schedule(&PodView { affinity, ..*pod }, &nodes, options, luck).node
}

/// The different taints, in the order of the nodes.
fn taints(nodes: &[NodeView<'_>]) -> Vec<Taint> {
    let mut different: Vec<Taint> = Vec::new();
    for taint in nodes.iter().flat_map(|node| node.taints) {
        if !different.contains(taint) {
            different.push(taint.clone());
        }
    }
    different
}

fn without_taint(pod: &PodView<'_>, nodes: &[NodeView<'_>], taint: &Taint, options: &Options<'_>, luck: &mut dyn FnMut(u64) -> u64) -> Option<usize> {
    let rest: Vec<Vec<Taint>> = nodes.iter().map(|node| node.taints.iter().filter(|&one| one != taint).cloned().collect()).collect();
    let nodes: Vec<NodeView<'_>> = nodes.iter().zip(&rest).map(|(node, taints)| NodeView { taints, ..node.clone() }).collect();
    schedule(pod, &nodes, options, luck).node
}

/// The Kubernetes name of an effect.
pub const fn effect_name(effect: TaintEffect) -> &'static str {
    match effect {
        TaintEffect::NoSchedule => "NoSchedule",
        TaintEffect::PreferNoSchedule => "PreferNoSchedule",
        TaintEffect::NoExecute => "NoExecute",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kube::scheduler::fixture::{HOSTNAME, Node, Pod, evenly, executor, executors_here, node};
    use crate::spec::KubeSchedulerSpec;

    fn alternatives(pod: &Pod, nodes: &[Node]) -> Vec<(Rule, Option<usize>)> {
        let views: Vec<NodeView<'_>> = nodes.iter().map(Node::view).collect();
        let settings = KubeSchedulerSpec::default();
        let options = Options { settings: &settings, start: 0, explain: false, without: None };
        without_each(&pod.view(), &views, &options, &mut |identity| !identity).into_iter().map(|one| (one.rule, one.node)).collect()
    }

    fn without(pod: &Pod, nodes: &[Node], rule: &Rule) -> Option<usize> {
        alternatives(pod, nodes).into_iter().find(|(one, _)| one == rule).expect("a rule of the pod").1
    }

    #[test]
    fn a15_without_its_affinity_the_pod_spreads() {
        let packed = || executor().require_with(executors_here());
        let nodes = [node("a", vec![packed()]), node("b", vec![])];
        assert_eq!(without(&packed(), &nodes, &Rule::PodAffinity { required: true, index: 0 }), Some(1));
        assert_eq!(without(&packed(), &nodes, &Rule::Plugin("InterPodAffinity")), Some(1));
        assert_eq!(without(&packed(), &nodes, &Rule::Plugin("NodeResourcesFit")), Some(0));
    }

    #[test]
    fn a_preference_goes_from_the_running_pods_too() {
        // A is emptier by resources but has an executor that shuns others with 100, as the newcomer does.
        let apart = || executor().prefer_apart(100, executors_here());
        let nodes = [node("a", vec![apart()]), node("b", vec![crate::kube::scheduler::fixture::pod(6000, 30_000)])];
        assert_eq!(without(&apart(), &nodes, &Rule::Plugin("NodeName")), Some(1));
        assert_eq!(without(&apart(), &nodes, &Rule::PodAntiAffinity { required: false, index: 0 }), Some(0));
    }

    #[test]
    fn spread_and_taints_are_rules() {
        let even = Pod { spread: vec![evenly(1, HOSTNAME, "spark-role", "executor")], ..executor() };
        let nodes = [node("a", vec![executor()]), Node { max_pods: 0, ..node("b", vec![]) }];
        assert_eq!(without(&even, &nodes, &Rule::TopologySpread(0)), Some(0));
        assert_eq!(without(&even, &nodes, &Rule::Plugin("PodTopologySpread")), Some(0));
        let tainted = [node("a", vec![executor()]), node("b", vec![]).taint("spot", TaintEffect::NoSchedule)];
        let taint = Taint { key: "spot".into(), value: "yes".into(), effect: TaintEffect::NoSchedule };
        assert_eq!(without(&executor(), &tainted, &Rule::Plugin("NodeName")), Some(0));
        assert_eq!(without(&executor(), &tainted, &Rule::Taint(taint)), Some(1));
        assert_eq!(without(&executor(), &tainted, &Rule::Plugin("TaintToleration")), Some(1));
    }

    #[test]
    fn every_plugin_and_every_term_is_left_out_once() {
        let pod = executor().require_with(executors_here()).prefer_apart(1, executors_here()).require_node("a", "b").prefer_node(1, "a", "b");
        // 11 filters, 5 of which score too, and 2 that only score; their weights 3, 2, 1, 2, 2, 1, 1; 4 terms.
        let plugins = plugins();
        assert_eq!(plugins.len(), 13);
        assert_eq!(plugins.iter().filter(|(_, weight)| weight.is_some()).map(|(_, weight)| weight.unwrap_or(0)).sum::<i64>(), 12);
        assert_eq!(alternatives(&pod, &[node("a", vec![])]).len(), 13 + 4);
    }
}
