//! `PodTopologySpread` as a filter, beyond the documentation's examples.

use crate::kube::scheduler::fixture::{Node, Pod, ZONE, evenly, node, pod};
use crate::kube::scheduler::tests::decide;
use crate::spec::{LabelSelector, SpreadConstraint};

fn bar() -> Pod {
    pod(100, 100).label("foo", "bar")
}

/// One node a zone with so many pods each.
fn zones(pods: &[usize]) -> Vec<Node> {
    pods.iter().enumerate().map(|(index, &count)| node(&format!("n{index}"), vec![bar(); count]).zone(&format!("z{index}"))).collect()
}

fn feasible(constraint: &SpreadConstraint, nodes: &[Node]) -> Vec<usize> {
    let decision = decide(&Pod { spread: vec![constraint.clone()], ..bar() }, nodes);
    let refused: Vec<usize> = decision.reasons.iter().map(|&(node, _)| node).collect();
    (0..nodes.len()).filter(|node| !refused.contains(node)).collect()
}

#[test]
fn skew_by_hand() {
    // Pods by zone, `maxSkew`, `minDomains`: zones where count + 1 − fewest <= skew.
    let table: [(&[usize], u32, u32, &[usize]); 10] = [
        (&[0, 0, 0], 1, 1, &[0, 1, 2]),
        (&[1, 0, 0], 1, 1, &[1, 2]),
        (&[1, 1, 0], 1, 1, &[2]),
        (&[1, 1, 1], 1, 1, &[0, 1, 2]),
        (&[5, 3, 4], 1, 1, &[1]),
        (&[5, 3, 4], 2, 1, &[1, 2]),
        (&[5, 3, 4], 3, 1, &[0, 1, 2]),
        // One zone alone is its own minimum.
        (&[9], 1, 1, &[0]),
        // Two zones where three are wanted: fewest is 0, so 0 + 1 <= 1 and 1 + 1 > 1.
        (&[1, 0], 1, 3, &[1]),
        (&[1, 1], 1, 3, &[]),
    ];
    for (pods, max_skew, min_domains, expected) in table {
        let constraint = SpreadConstraint { min_domains, ..evenly(max_skew, ZONE, "foo", "bar") };
        assert_eq!(feasible(&constraint, &zones(pods)), expected, "{pods:?} {max_skew} {min_domains}");
    }
}

#[test]
fn terminating_pods_and_other_namespaces_do_not_count() {
    let mut nodes = zones(&[0, 0]);
    nodes[0].pods = vec![Pod { terminating: true, ..bar() }, Pod { namespace: Some("other"), ..bar() }];
    assert_eq!(feasible(&evenly(1, ZONE, "foo", "bar"), &nodes), [0, 1]);
    nodes[0].pods.push(bar());
    assert_eq!(feasible(&evenly(1, ZONE, "foo", "bar"), &nodes), [1]);
}

#[test]
fn an_empty_selector_counts_nobody_and_an_absent_one_not_even_the_pod() {
    let nodes = zones(&[3, 0]);
    let with = |selector| SpreadConstraint { selector, ..evenly(1, ZONE, "foo", "bar") };
    // 0 + 1 − 0 = 1 everywhere; 0 + 0 − 0.
    assert_eq!(feasible(&with(LabelSelector::default()), &nodes), [0, 1]);
    assert_eq!(feasible(&with(LabelSelector::nothing()), &nodes), [0, 1]);
}

#[test]
fn match_label_keys_count_the_pods_own_revision_only() {
    let mut nodes = zones(&[0, 0]);
    nodes[0].pods = vec![bar().label("app", "yesterday"); 3];
    nodes[1].pods = vec![bar().label("app", "today")];
    let constraint = SpreadConstraint { match_label_keys: vec!["app".into()], ..evenly(1, ZONE, "foo", "bar") };
    let decision = decide(&Pod { spread: vec![constraint], ..bar().label("app", "today") }, &nodes);
    // Without the key 3 against 1; with it 0 against 1.
    assert_eq!(decision.node, Some(0));
}

#[test]
fn a_whole_application_is_spread_one_by_one() {
    // Eleven pods over three zones with skew 1: 4, 4, 3.
    let mut nodes = zones(&[0, 0, 0]);
    let incoming = Pod { spread: vec![evenly(1, ZONE, "foo", "bar")], ..bar() };
    super::place_all(&vec![incoming; 11], &mut nodes);
    let mut counts: Vec<usize> = nodes.iter().map(|node| node.pods.len()).collect();
    counts.sort_unstable();
    assert_eq!(counts, [3, 4, 4]);
}
