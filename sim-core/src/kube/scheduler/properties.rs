//! Laws that hold for any cluster.

use proptest::prelude::*;

use super::fixture::{HOSTNAME, Node, Pod, ZONE, evenly, executor, executors_here, executors_in_zone, node, pod, roughly};
use super::*;
use crate::spec::TaintEffect::{NoSchedule, PreferNoSchedule};

/// Executors with some of the rules, and pods without any.
fn any_pod() -> impl Strategy<Value = Pod> {
    let rules = (0..3u8, 0..2u8, 0..2u8, 0..3u8, any::<bool>());
    (rules, 1..6u64, 1..4u64, any::<bool>()).prop_map(|((with, apart, near, far, tolerant), cores, size, is_executor)| {
        if !is_executor {
            return pod(500 * cores, 2000 * size);
        }
        let mut pod = Pod { cpu: 500 * cores, mib: 3000 * size, ..executor() };
        pod = match with {
            1 => pod.require_with(executors_here()),
            2 => pod.require_with(executors_in_zone()),
            _ => pod,
        };
        pod = if apart == 1 { pod.require_apart(executors_here()) } else { pod };
        pod = if near == 1 { pod.prefer_with(7, executors_in_zone()) } else { pod };
        pod = if far > 0 { pod.prefer_apart(10 * i64::from(far), executors_here()) } else { pod };
        if tolerant { pod.tolerating("spot", None) } else { pod }
    })
}

/// The same with spread constraints and host ports.
fn any_spreading_pod() -> impl Strategy<Value = Pod> {
    let constraint =
        (1..4u32, any::<bool>(), any::<bool>(), 1..4u32, any::<bool>(), any::<bool>()).prop_map(|(skew, zone, hard, min_domains, affinity, taints)| {
            let key = if zone { ZONE } else { HOSTNAME };
            let constraint = if hard { evenly(skew, key, "spark-role", "executor") } else { roughly(skew, key, "spark-role", "executor") };
            crate::spec::SpreadConstraint { min_domains, honor_affinity: affinity, honor_taints: taints, ..constraint }
        });
    (any_pod(), prop::collection::vec(constraint, 0..3), 0..4u8).prop_map(|(pod, spread, port)| {
        let ports = (port == 0).then(|| crate::spec::HostPort { port: 7078, protocol: "TCP".into(), ip: "0.0.0.0".into() });
        Pod { spread, host_ports: ports.into_iter().collect(), ..pod }
    })
}

fn any_node() -> impl Strategy<Value = Node> {
    let shape = (4..32u64, 8..64u64, 0..6u32);
    (shape, prop::collection::vec(any_pod(), 0..4), 0..3u8, 0..3u8).prop_map(|((cores, gib, room), pods, zone, taint)| {
        let fits = pods.len() as u32 + room;
        let mut node = Node { cpu: 1000 * cores, mib: 1024 * gib, max_pods: fits, ..node("", pods) };
        if zone > 0 {
            node = node.zone(if zone == 1 { "1" } else { "2" });
        }
        match taint {
            1 => node.taint("spot", NoSchedule),
            2 => node.taint("spot", PreferNoSchedule),
            _ => node,
        }
    })
}

/// One to six nodes with names of their own.
fn any_cluster() -> impl Strategy<Value = Vec<Node>> {
    prop::collection::vec(any_node(), 1..7)
        .prop_map(|nodes| nodes.into_iter().enumerate().map(|(index, node)| Node { identity: index as u64, ..named(node, &format!("node-{index}")) }).collect())
}

fn named(mut node: Node, name: &str) -> Node {
    name.clone_into(&mut node.name);
    for label in node.labels.iter_mut().filter(|label| label.key == HOSTNAME) {
        name.clone_into(&mut label.value);
    }
    node
}

/// Names of the nodes that a draw among ties can give, with their scores; or reasons by node name. Sorted.
#[derive(Debug, PartialEq)]
struct Verdict {
    winner: Option<String>,
    winners: Vec<String>,
    scores: Vec<(String, i64)>,
    reasons: Vec<(String, Reason)>,
}

fn verdict(pod: &Pod, nodes: &[Node], rename: impl Fn(&str) -> String) -> Verdict {
    let decision = decide(pod, nodes);
    let name = |node: usize| rename(&nodes[node].name);
    let mut verdict = Verdict {
        winner: decision.node.map(name),
        winners: decision.tied.iter().map(|&node| name(node)).collect(),
        scores: decision.table.iter().map(|row| (name(row.node), row.total)).collect(),
        reasons: decision.reasons.into_iter().map(|(node, reason)| (name(node), reason)).collect(),
    };
    verdict.winners.sort();
    verdict.scores.sort();
    verdict.reasons.sort();
    verdict
}

/// The default profile, with luck by identity.
fn decide(pod: &Pod, nodes: &[Node]) -> Decision {
    let views: Vec<NodeView<'_>> = nodes.iter().map(Node::view).collect();
    let settings = KubeSchedulerSpec::default();
    let options = Options { settings: &settings, start: 0, explain: true, without: None };
    schedule(&pod.view(), &views, &options, &mut |identity| crate::kernel::mix(5, identity))
}

fn host_of<'a>(node: &'a Node, term: &crate::spec::PodAffinityTerm) -> Option<&'a str> {
    node.labels.iter().find(|label| label.key == term.topology_key).map(|label| label.value.as_str())
}

/// Every selector of these tests selects executors.
fn is_executor(pod: &Pod) -> bool {
    !pod.labels.is_empty()
}

/// Required rules checked pair by pair, straight from their meaning.
fn obeys_rules(incoming: &Pod, index: usize, nodes: &[Node]) -> Result<(), String> {
    let here = &nodes[index];
    let shares = |other: &Node, term: &crate::spec::PodAffinityTerm| host_of(here, term).is_some() && host_of(here, term) == host_of(other, term);
    let others = || nodes.iter().flat_map(|node| node.pods.iter().map(move |pod| (node, pod)));
    for term in &incoming.affinity.required_anti {
        if others().any(|(node, pod)| is_executor(pod) && shares(node, term)) {
            return Err(format!("{term:?} of the newcomer"));
        }
    }
    for (node, pod) in others() {
        if is_executor(incoming) && pod.affinity.required_anti.iter().any(|term| shares(node, term)) {
            return Err("anti-affinity of a running pod".to_owned());
        }
    }
    for term in &incoming.affinity.required_pod {
        let found = others().any(|(node, pod)| is_executor(pod) && shares(node, term));
        let nobody = !others().any(|(node, pod)| is_executor(pod) && host_of(node, term).is_some());
        if !found && !nobody {
            return Err(format!("{term:?} wants company"));
        }
    }
    let cpu: u64 = here.pods.iter().map(|pod| pod.cpu).sum();
    let mib: u64 = here.pods.iter().map(|pod| pod.mib).sum();
    if cpu + incoming.cpu > here.cpu || mib + incoming.mib > here.mib || here.pods.len() as u32 + 1 > here.max_pods {
        return Err("does not fit".to_owned());
    }
    Ok(())
}

/// Hard spread constraints from their definition: with the pod its domain has at most `maxSkew` more than any domain that takes part.
fn obeys_spread(incoming: &Pod, index: usize, nodes: &[Node]) -> Result<(), String> {
    let hard: Vec<_> = incoming.spread.iter().filter(|one| one.when_unsatisfiable == crate::spec::WhenUnsatisfiable::DoNotSchedule).collect();
    let label = |node: &Node, key: &str| node.labels.iter().find(|label| label.key == key).map(|label| label.value.clone());
    // No pod of these tests has node affinity; the only taint is `spot`, with `NoSchedule` or softly.
    let tolerated = |node: &Node| !incoming.tolerations.is_empty() || node.taints.iter().all(|taint| taint.effect == PreferNoSchedule);
    for constraint in &hard {
        let takes_part = |node: &&Node| hard.iter().all(|one| label(node, &one.topology_key).is_some()) && (!constraint.honor_taints || tolerated(node));
        let taking_part: Vec<&Node> = nodes.iter().filter(takes_part).collect();
        let mine = label(&nodes[index], &constraint.topology_key).ok_or("no key")?;
        let count = |domain: &str| {
            let there = taking_part.iter().filter(|node| label(node, &constraint.topology_key).as_deref() == Some(domain));
            there.flat_map(|node| &node.pods).filter(|pod| is_executor(pod)).count()
        };
        let mut domains: Vec<String> = taking_part.iter().filter_map(|node| label(node, &constraint.topology_key)).collect();
        domains.sort();
        domains.dedup();
        let fewest = if domains.len() < constraint.min_domains as usize { 0 } else { domains.iter().map(|domain| count(domain)).min().unwrap_or(usize::MAX) };
        if (count(&mine) + usize::from(is_executor(incoming))).saturating_sub(fewest) > constraint.max_skew as usize {
            return Err(format!("{constraint:?} in {mine}"));
        }
    }
    Ok(())
}

fn empty(cluster: &mut [Node]) {
    for node in cluster {
        node.pods.clear();
    }
}

proptest! {
    #[test]
    fn order_and_names_of_nodes_change_nothing(incoming in any_spreading_pod(), cluster in any_cluster(), seed in any::<u64>()) {
        let expected = verdict(&incoming, &cluster, str::to_owned);
        // A rotation, sometimes reversed, and names that sort the other way.
        let mut shuffled = cluster.clone();
        let turn = (seed % 7) as usize % shuffled.len();
        shuffled.rotate_left(turn);
        if seed % 2 == 0 {
            shuffled.reverse();
        }
        prop_assert_eq!(&verdict(&incoming, &shuffled, str::to_owned), &expected);
        let reversed = |name: &str| name.chars().rev().collect::<String>();
        let renamed: Vec<Node> = shuffled.into_iter().map(|node| { let name = reversed(&node.name); named(node, &name) }).collect();
        prop_assert_eq!(&verdict(&incoming, &renamed, reversed), &expected);
    }

    #[test]
    fn an_infeasible_node_changes_nothing_for_the_others(incoming in any_pod(), cluster in any_cluster(), at in 0..7usize, zone in any::<bool>()) {
        let expected = verdict(&incoming, &cluster, str::to_owned);
        let mut larger = cluster.clone();
        let full = Node { max_pods: 0, identity: 99, ..node("full", vec![]).taint("soft", PreferNoSchedule) };
        larger.insert(at.min(cluster.len()), if zone { full.zone("1") } else { full });
        let mut actual = verdict(&incoming, &larger, str::to_owned);
        actual.reasons.retain(|(name, _)| name != "full");
        prop_assert_eq!(actual, expected);
    }

    #[test]
    fn every_winner_obeys_every_required_rule(incoming in any_spreading_pod(), cluster in any_cluster()) {
        for winner in verdict(&incoming, &cluster, str::to_owned).winners {
            let index = cluster.iter().position(|node| node.name == winner).expect("a node of the cluster");
            prop_assert_eq!(obeys_rules(&incoming, index, &cluster), Ok(()));
            prop_assert_eq!(obeys_spread(&incoming, index, &cluster), Ok(()));
        }
    }

    #[test]
    fn every_node_that_obeys_every_rule_of_spread_is_feasible(incoming in any_spreading_pod(), cluster in any_cluster()) {
        for (node, reason) in decide(&incoming, &cluster).reasons {
            if reason.plugin() == "PodTopologySpread" {
                prop_assert!(obeys_spread(&incoming, node, &cluster).is_err(), "{reason}");
            }
        }
    }

    #[test]
    fn an_infeasible_node_without_zone_or_pods_changes_no_soft_spread_over_zones(
        plain in any_pod(), skew in 1..4u32, cluster in any_cluster(), at in 0..7usize
    ) {
        let incoming = Pod { spread: vec![roughly(skew, ZONE, "spark-role", "executor")], ..plain };
        let expected = verdict(&incoming, &cluster, str::to_owned);
        let mut larger = cluster.clone();
        larger.insert(at.min(cluster.len()), Node { max_pods: 0, identity: 99, ..node("full", vec![]) });
        let mut actual = verdict(&incoming, &larger, str::to_owned);
        actual.reasons.retain(|(name, _)| name != "full");
        prop_assert_eq!(actual, expected);
    }

    #[test]
    fn victims_are_enough_and_none_of_them_is_too_many(priorities in prop::collection::vec((0..4i32, 1..5u64), 1..7), wanted in 1..9u64) {
        let pods = priorities.iter().map(|&(priority, cores)| Pod { priority, ..pod(1000 * cores, 100) }).collect();
        let full = Node { cpu: 8000, ..node("a", pods) };
        let incoming = Pod { priority: 2, ..pod(1000 * wanted, 100) };
        let (view, views) = (incoming.view(), [full.view()]);
        let settings = KubeSchedulerSpec::default();
        let options = Options { settings: &settings, start: 0, explain: false, without: None };
        let decision = schedule(&view, &views, &options, &mut |identity| identity);
        let fits = |gone: &[usize]| {
            let used: u64 = (0..priorities.len()).filter(|index| !gone.contains(index)).map(|index| 1000 * priorities[index].1).sum();
            used + 1000 * wanted <= 8000
        };
        let lower: Vec<usize> = (0..priorities.len()).filter(|&index| priorities[index].0 < 2).collect();
        match preempt(&view, &views, &options, &decision.reasons, &mut |identity| identity) {
            Some(found) => {
                prop_assert!(found.victims.iter().all(|victim| lower.contains(victim)) && fits(&found.victims));
                for victim in &found.victims {
                    let fewer: Vec<usize> = found.victims.iter().copied().filter(|other| other != victim).collect();
                    prop_assert!(!fits(&fewer));
                }
            }
            None => prop_assert!(decision.node.is_some() || !fits(&lower)),
        }
    }

    #[test]
    fn required_anti_affinity_never_co_locates(mut cluster in any_cluster(), count in 1..9usize, draw in any::<u64>()) {
        empty(&mut cluster);
        let exclusive = executor().require_apart(executors_here());
        for number in 0..count {
            // The last ones carry no rule: those that are there refuse them.
            let incoming = if number < 4 { exclusive.clone() } else { executor() };
            let views: Vec<NodeView<'_>> = cluster.iter().map(Node::view).collect();
            let settings = KubeSchedulerSpec::default();
            let options = Options { settings: &settings, start: 0, explain: false, without: None };
            if let Some(node) = schedule(&incoming.view(), &views, &options, &mut |identity| crate::kernel::mix(draw, identity)).node {
                cluster[node].pods.push(incoming);
            }
        }
        for node in &cluster {
            let exclusives = node.pods.iter().filter(|pod| !pod.affinity.required_anti.is_empty()).count();
            prop_assert!(exclusives == 0 || node.pods.len() == 1, "{} holds {}", node.name, node.pods.len());
        }
    }

    #[test]
    fn required_self_affinity_keeps_a_group_on_one_node(mut cluster in any_cluster(), count in 2..9usize) {
        empty(&mut cluster);
        let clingy = executor().require_with(executors_here());
        for _ in 0..count {
            if let Some(node) = decide(&clingy, &cluster).node {
                cluster[node].pods.push(clingy.clone());
            }
        }
        prop_assert!(cluster.iter().filter(|node| !node.pods.is_empty()).count() <= 1);
    }
}
