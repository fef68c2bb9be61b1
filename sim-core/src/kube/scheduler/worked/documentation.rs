//! The examples of Kubernetes' documentation: "Assigning Pods to Nodes" and "Pod Topology Spread Constraints".

use super::place_all;
use crate::kube::scheduler::fixture::{HOSTNAME, Node, Pod, ZONE, evenly, node, pod, term};
use crate::kube::scheduler::tests::{decide, refused, winners};
use crate::spec::{NodeSelectorTerm, Requirement, SelectorOp, TaintEffect};

fn labelled(key: &str, value: &str) -> Pod {
    pod(100, 100).label(key, value)
}

/// Four nodes, two a zone, with so many pods `foo=bar` each; further zones one node each.
fn zones(pods: &[usize]) -> Vec<Node> {
    let zone = |index: usize| ["A", "A", "B", "B", "C"][index];
    let bars = |count: usize| vec![labelled("foo", "bar"); count];
    pods.iter().enumerate().map(|(index, &count)| node(&format!("node{}", index + 1), bars(count)).zone(zone(index))).collect()
}

fn mypod(constraints: &[crate::spec::SpreadConstraint]) -> Pod {
    Pod { spread: constraints.to_vec(), ..labelled("foo", "bar") }
}

/// "Pod affinity example": required affinity to `security=S1` in the zone, preferred anti-affinity to `security=S2` in it.
#[test]
fn affinity_to_s1_and_away_from_s2() {
    let incoming = pod(100, 100).require_with(term(ZONE, "security", "S1")).prefer_apart(100, term(ZONE, "security", "S2"));
    let nodes = |s2_in_v: bool| {
        let v = if s2_in_v { vec![labelled("security", "S1"), labelled("security", "S2")] } else { vec![labelled("security", "S1")] };
        [
            node("a", v).zone("V"),
            node("b", vec![]).zone("V"),
            node("c", vec![labelled("security", "S1"), labelled("security", "S2")]).zone("R"),
            node("d", vec![]).zone("W"),
        ]
    };
    // V without S2 and R with it have S1, W has not: V is better, and there the emptier node.
    assert_eq!(winners(&incoming, &nodes(false)), [1]);
    // With S2 in both they are equal again, and the emptiest node of the two zones wins.
    assert_eq!(winners(&incoming, &nodes(true)), [1]);
    refused(&incoming, &nodes(false)[3..], &[(0, "node(s) didn't match pod affinity rules")]);
}

/// "More practical use-cases": three caches apart from each other, three web servers apart from each other and each with a cache.
#[test]
fn redis_caches_and_web_stores_share_nodes_in_pairs() {
    let cache = || labelled("app", "store").require_apart(term(HOSTNAME, "app", "store"));
    let server = || labelled("app", "web-store").require_apart(term(HOSTNAME, "app", "web-store")).require_with(term(HOSTNAME, "app", "store"));
    let mut nodes: Vec<Node> = ["node-1", "node-2", "node-3", "node-4"].iter().map(|name| node(name, vec![])).collect();
    let placed = place_all(&[cache(), cache(), cache(), server(), server(), server()], &mut nodes);
    let caches: std::collections::BTreeSet<_> = placed[..3].iter().flatten().collect();
    let servers: std::collections::BTreeSet<_> = placed[3..].iter().flatten().collect();
    assert_eq!((caches.len(), &servers), (3, &caches));
    // A fourth server has no cache without a server.
    assert_eq!(place_all(&[server()], &mut nodes), [None]);
}

/// "Example: one topology spread constraint": node1, node2 and node3 have a pod each; zone B has one fewer.
#[test]
fn one_constraint_sends_the_pod_to_zone_b() {
    assert_eq!(winners(&mypod(&[evenly(1, ZONE, "foo", "bar")]), &zones(&[1, 1, 1, 0])), [3]);
    let refusal = "node(s) didn't match pod topology spread constraints";
    let decision = decide(&mypod(&[evenly(1, ZONE, "foo", "bar")]), &zones(&[1, 1, 1, 0]));
    assert_eq!(decision.reasons.iter().map(|(node, why)| (*node, why.to_string())).collect::<Vec<_>>(), [(0, refusal.into()), (1, refusal.into())]);
    // Both nodes of B are feasible, also the one with a pod.
    assert_eq!(decision.table.iter().map(|row| row.node).collect::<Vec<_>>(), [2, 3]);
}

/// "Example: multiple topology spread constraints": over zones and over nodes; only node4 is left.
#[test]
fn two_constraints_leave_node4() {
    let both = [evenly(1, ZONE, "foo", "bar"), evenly(1, HOSTNAME, "foo", "bar")];
    let decision = decide(&mypod(&both), &zones(&[1, 1, 1, 0]));
    assert_eq!((decision.node, decision.table.len()), (Some(3), 0));
}

/// "Example: conflicting topology spread constraints": A has node1 with 2 and node2 with 1, B has node3 with 2. By zone only B, by node only
/// node2: `Pending`.
#[test]
fn conflicting_constraints_leave_the_pod_pending() {
    let cluster = zones(&[2, 1, 2]);
    let both = [evenly(1, ZONE, "foo", "bar"), evenly(1, HOSTNAME, "foo", "bar")];
    let refusal = "node(s) didn't match pod topology spread constraints";
    refused(&mypod(&both), &cluster, &[(0, refusal), (1, refusal), (2, refusal)]);
    assert_eq!(decide(&mypod(&both[..1]), &cluster).node, Some(2));
    assert_eq!(decide(&mypod(&both[1..]), &cluster).node, Some(1));
    // Its remedy: a larger skew.
    let looser = [evenly(2, ZONE, "foo", "bar"), evenly(1, HOSTNAME, "foo", "bar")];
    assert_eq!(decide(&mypod(&looser), &cluster).node, Some(1));
}

/// "Example: topology spread constraints with node affinity": zone C is excluded, so its 0 is no minimum and the pod goes to B.
#[test]
fn excluded_zones_are_no_domains() {
    let cluster = zones(&[1, 1, 1, 0, 0]);
    let constraint = evenly(1, ZONE, "foo", "bar");
    let not_c = Requirement { key: ZONE.into(), op: SelectorOp::NotIn, values: vec!["C".into()] };
    let mut incoming = mypod(std::slice::from_ref(&constraint));
    // Without the affinity: A 3 − 0, B 2 − 0, C 1 − 0.
    assert_eq!(decide(&incoming, &cluster).node, Some(4));
    incoming.affinity.required_node.push(NodeSelectorTerm { requirements: vec![not_c] });
    assert_eq!(decide(&incoming, &cluster).node, Some(3));
    // `nodeAffinityPolicy: Ignore`: C counts as a domain with 0, and nothing is left.
    incoming.spread[0].honor_affinity = false;
    assert_eq!(decide(&incoming, &cluster).node, None);
}

/// API reference, `maxSkew`: 2/2/1 with 1 leaves zone 3, with 2 every zone.
#[test]
fn max_skew_of_the_api_reference() {
    let cluster = zones(&[2, 0, 2, 0, 1]);
    let feasible = |skew| {
        let decision = decide(&mypod(&[evenly(skew, ZONE, "foo", "bar")]), &cluster);
        if decision.table.is_empty() { decision.tied } else { decision.table.iter().map(|row| row.node).collect() }
    };
    assert_eq!(feasible(1), [4]);
    assert_eq!(feasible(2), [0, 1, 2, 3, 4]);
}

/// API reference, `minDomains`: three zones with 2/2/2, `maxSkew` 2, `minDomains` 5: the minimum is taken as 0, 3 − 0 > 2.
#[test]
fn min_domains_of_the_api_reference() {
    let cluster = zones(&[2, 0, 2, 0, 2]);
    let with = |min_domains| mypod(&[crate::spec::SpreadConstraint { min_domains, ..evenly(2, ZONE, "foo", "bar") }]);
    assert_eq!(decide(&with(5), &cluster).node, None);
    assert_eq!(decide(&with(4), &cluster).node, None);
    assert!(decide(&with(3), &cluster).node.is_some());
}

/// "Implicit conventions": a pod whose labels its own selector does not match is placed all the same, and changes no count.
#[test]
fn a_pod_that_its_selector_does_not_match_changes_nothing() {
    let mut cluster = zones(&[1, 1, 1, 0]);
    let stranger = || Pod { spread: vec![evenly(1, ZONE, "foo", "bar")], ..labelled("foo", "other") };
    // A 2 − 1 = 1, B 1 − 1 = 0: both allowed, whatever number of them is there.
    assert_eq!(place_all(&vec![stranger(); 6], &mut cluster).iter().flatten().count(), 6);
    let decision = decide(&stranger(), &cluster);
    assert_eq!((decision.reasons, decision.table.len()), (vec![], 4));
}

/// "Implicit conventions": nodes without the key are bypassed, and their pods do not count.
#[test]
fn nodes_without_the_key_are_bypassed() {
    let mut cluster = zones(&[1, 1, 1, 0]);
    cluster.push(node("node5", vec![labelled("foo", "bar"); 7]).label("zone-typo", "C"));
    let decision = decide(&mypod(&[evenly(1, ZONE, "foo", "bar")]), &cluster);
    assert_eq!(decision.node, Some(3));
    assert!(decision.reasons.iter().any(|(node, why)| *node == 4 && why.to_string().ends_with("(missing required label)")));
}

/// `nodeTaintsPolicy`: by default a tainted zone counts as a domain although nobody can go there; `Honor` leaves it out.
#[test]
fn tainted_nodes_count_unless_honoured() {
    let mut cluster = zones(&[1, 1, 1, 1, 0]);
    cluster[4] = cluster[4].clone().taint("gpu", TaintEffect::NoSchedule);
    let ignoring = evenly(1, ZONE, "foo", "bar");
    // C has 0 and refuses: A and B would be 3 − 0.
    assert_eq!(decide(&mypod(std::slice::from_ref(&ignoring)), &cluster).node, None);
    let honouring = crate::spec::SpreadConstraint { honor_taints: true, ..ignoring };
    assert!(decide(&mypod(std::slice::from_ref(&honouring)), &cluster).node.is_some());
    // A pod that tolerates it is welcome in C either way.
    assert_eq!(decide(&mypod(&[honouring]).tolerating("gpu", None), &cluster).node, Some(4));
}

/// "Node affinity": required on two zones, preferred with weight 1 on a label, as in the manual's `with-node-affinity`.
#[test]
fn with_node_affinity() {
    let either = Requirement { key: ZONE.into(), op: SelectorOp::In, values: vec!["antarctica-east1".into(), "antarctica-west1".into()] };
    let mut incoming = pod(100, 100).prefer_node(1, "another-node-label-key", "another-node-label-value");
    incoming.affinity.required_node.push(NodeSelectorTerm { requirements: vec![either] });
    let nodes = [
        node("a", vec![]).zone("antarctica-east1"),
        node("b", vec![]).zone("antarctica-west1").label("another-node-label-key", "another-node-label-value"),
        node("c", vec![]).zone("europe").label("another-node-label-key", "another-node-label-value"),
    ];
    // 0, 1 -> 0 and 100.
    assert_eq!(super::column("NodeAffinity", &incoming, &nodes), [Some((0, 0)), Some((1, 100)), None]);
}

/// "Node affinity weight": preferences for `label-1=key-1` with 1 and `label-2=key-2` with 50.
#[test]
fn node_affinity_weight() {
    let incoming = pod(100, 100).prefer_node(1, "label-1", "key-1").prefer_node(50, "label-2", "key-2").require_node("kubernetes.io/os", "linux");
    let linux = |name: &str| node(name, vec![]).label("kubernetes.io/os", "linux");
    let nodes = [linux("a").label("label-1", "key-1"), linux("b").label("label-2", "key-2"), linux("c").label("label-1", "key-1").label("label-2", "key-2")];
    // 1, 50, 51 -> 100·1/51 = 1, 100·50/51 = 98, 100.
    assert_eq!(super::column("NodeAffinity", &incoming, &nodes), [Some((1, 1)), Some((50, 98)), Some((51, 100))]);
}

/// "Taints and Tolerations": three taints on node1, tolerations for the first two; the third is missing, so the pod cannot go there.
#[test]
fn three_taints_two_tolerations() {
    let tainted = node("node1", vec![]).taint("key1", TaintEffect::NoSchedule).taint("key1", TaintEffect::NoExecute).taint("key2", TaintEffect::NoSchedule);
    let incoming = pod(100, 100).tolerating("key1", Some(TaintEffect::NoSchedule)).tolerating("key1", Some(TaintEffect::NoExecute));
    refused(&incoming, &[tainted], &[(0, "node(s) had untolerated taint {key2: yes}")]);
}
