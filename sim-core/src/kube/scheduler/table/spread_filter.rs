//! `PodTopologySpread` as a filter: with the pod its domain may have at most `maxSkew` more than the emptiest.

use super::{Case, case, feasible};
use crate::kube::scheduler::fixture::{HOSTNAME, Node, Pod, ZONE, evenly, node, pod};
use crate::spec::{NodeSelectorTerm, Requirement, SelectorOp, SpreadConstraint, TaintEffect};

const PLUGIN: &str = "PodTopologySpread";

fn bar() -> Pod {
    pod(100, 100).label("foo", "bar")
}

/// The documentation's cluster: zone A is node1 and node2, B node3 and node4, C node5.
fn cluster(pods: &[usize]) -> Vec<Node> {
    let zone = |index: usize| ["A", "A", "B", "B", "C"][index];
    pods.iter().enumerate().map(|(index, &count)| node(&format!("node{}", index + 1), vec![bar(); count]).zone(zone(index))).collect()
}

fn mypod(constraints: Vec<SpreadConstraint>) -> Pod {
    Pod { spread: constraints, ..bar() }
}

fn zone(max_skew: u32) -> SpreadConstraint {
    evenly(max_skew, ZONE, "foo", "bar")
}

fn host() -> SpreadConstraint {
    evenly(1, HOSTNAME, "foo", "bar")
}

fn not_in_c(mut pod: Pod) -> Pod {
    let requirement = Requirement { key: ZONE.into(), op: SelectorOp::NotIn, values: vec!["C".into()] };
    pod.affinity.required_node.push(NodeSelectorTerm { requirements: vec![requirement] });
    pod
}

pub(super) fn documented() -> Vec<Case> {
    let min_domains = |min_domains| mypod(vec![SpreadConstraint { min_domains, ..zone(2) }]);
    vec![
        // A 2 + 1 − 1 = 2 > 1; B 1 + 1 − 1.
        case("docs: one constraint", PLUGIN, mypod(vec![zone(1)]), cluster(&[1, 1, 1, 0]), feasible(&[2, 3])),
        // Node4 alone is in B and empty: node3 1 + 1 − 0 > 1.
        case("docs: two constraints", PLUGIN, mypod(vec![zone(1), host()]), cluster(&[1, 1, 1, 0]), feasible(&[3])),
        // A 3, B 2: by zone only B. By node 2, 1, 2: only node2.
        case("docs: constraints in conflict", PLUGIN, mypod(vec![zone(1), host()]), cluster(&[2, 1, 2]), feasible(&[])),
        case("docs: the conflict, by zone alone", PLUGIN, mypod(vec![zone(1)]), cluster(&[2, 1, 2]), feasible(&[2])),
        case("docs: the conflict, by node alone", PLUGIN, mypod(vec![host()]), cluster(&[2, 1, 2]), feasible(&[1])),
        // The remedy: A 3 + 1 − 2 = 2.
        case("docs: the conflict with a larger skew", PLUGIN, mypod(vec![zone(2), host()]), cluster(&[2, 1, 2]), feasible(&[1])),
        // C counts with 0: A 3, B 2, C 1.
        case("docs: a third zone without pods", PLUGIN, mypod(vec![zone(1)]), cluster(&[1, 1, 1, 0, 0]), feasible(&[4])),
        // 2/2/1.
        case("docs: maxSkew 1 with 2/2/1", PLUGIN, mypod(vec![zone(1)]), cluster(&[2, 0, 2, 0, 1]), feasible(&[4])),
        case("docs: maxSkew 2 with 2/2/1", PLUGIN, mypod(vec![zone(2)]), cluster(&[2, 0, 2, 0, 1]), feasible(&[0, 1, 2, 3, 4])),
        // Three zones where five are wanted: the least is taken as 0, 2 + 1 − 0 > 2.
        case("docs: minDomains 5 with 2/2/2", PLUGIN, min_domains(5), cluster(&[2, 0, 2, 0, 2]), feasible(&[])),
        case("docs: minDomains 3 with 2/2/2", PLUGIN, min_domains(3), cluster(&[2, 0, 2, 0, 2]), feasible(&[0, 1, 2, 3, 4])),
    ]
}

pub(super) fn by_hand() -> Vec<Case> {
    let with_c_tainted = || {
        let mut nodes = cluster(&[1, 1, 1, 1, 0]);
        nodes[4] = nodes[4].clone().taint("gpu", TaintEffect::PreferNoSchedule);
        nodes
    };
    let revision = |app: &str| bar().label("app", app);
    let mut revisions = cluster(&[0, 0, 0, 0]);
    revisions[0].pods = vec![revision("old"); 3];
    revisions[2].pods = vec![revision("new")];
    let by_revision = SpreadConstraint { match_label_keys: vec!["app".into()], ..zone(1) };
    let of_two_namespaces = || {
        let mut nodes = cluster(&[0, 0, 0, 0]);
        nodes[0].pods = vec![Pod { namespace: Some("etl"), ..bar() }; 2];
        nodes[2].pods = vec![Pod { terminating: true, ..bar() }, bar()];
        nodes
    };
    let mut ignoring = not_in_c(mypod(vec![zone(2)]));
    ignoring.spread[0].honor_affinity = false;
    let mut lame = cluster(&[1, 1, 1]);
    lame[1].labels.retain(|label| label.key != ZONE);
    vec![
        // A soft taint keeps nobody away and leaves C a domain with 0.
        case("hand: a zone with a soft taint is a domain", PLUGIN, mypod(vec![zone(1)]), with_c_tainted(), feasible(&[4])),
        // `Ignore`: C counts with 0 although the pod cannot go there: A 2 + 1 − 0 > 2, B 1 + 1 − 0.
        case("hand: nodeAffinityPolicy Ignore", PLUGIN, ignoring, cluster(&[1, 1, 1, 0]), feasible(&[0, 1, 2, 3])),
        // Three old ones in A do not count; one new one in B does: A 0 + 1 − 0, B 1 + 1 − 0.
        case("docs: matchLabelKeys", PLUGIN, Pod { spread: vec![by_revision], ..revision("new") }, revisions.clone(), feasible(&[0, 1])),
        // Without the key: A 3, B 1.
        case("hand: without matchLabelKeys", PLUGIN, Pod { spread: vec![zone(1)], ..revision("new") }, revisions, feasible(&[2, 3])),
        // A has only pods of another namespace, B one that stays: A 0 + 1 − 0, B 1 + 1 − 0.
        case("hand: other namespaces and leaving pods do not count", PLUGIN, mypod(vec![zone(1)]), of_two_namespaces(), feasible(&[0, 1])),
        // The pod is no `foo=bar`: A 3 + 0 − 1 > 1, B 1 − 1.
        case(
            "docs: a pod that its selector does not match",
            PLUGIN,
            Pod { spread: vec![zone(1)], ..pod(100, 100).label("foo", "other") },
            cluster(&[2, 1, 1, 0]),
            feasible(&[2, 3]),
        ),
        // Node2 has no zone: it is refused and its pod does not count: A 1 + 1 − 1, B 1 + 1 − 1.
        case("docs: a node without the key is bypassed", PLUGIN, mypod(vec![zone(1)]), lame, feasible(&[0, 2])),
    ]
}
