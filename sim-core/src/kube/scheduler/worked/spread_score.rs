//! `PodTopologySpread` as a score: rounded Σ (pods · ln(domains + 2) + maxSkew − 1), then 100 · (max + min − sum) / max.
//!
//! ln 3 = 1.0986, ln 4 = 1.3863, ln 5 = 1.6094, ln 6 = 1.7918, ln 7 = 1.9459.

use super::column;
use crate::kube::scheduler::fixture::{HOSTNAME, Node, Pod, ZONE, node, pod, roughly, selecting};
use crate::kube::scheduler::system_defaults;
use crate::kube::scheduler::tests::decide;
use crate::spec::SpreadConstraint;

const PLUGIN: &str = "PodTopologySpread";

fn bar() -> Pod {
    pod(100, 100).label("foo", "bar")
}

fn hosts(pods: &[usize]) -> Vec<Node> {
    pods.iter().enumerate().map(|(index, &count)| node(&format!("n{index}"), vec![bar(); count])).collect()
}

fn zoned(pods: &[(&str, usize)]) -> Vec<Node> {
    pods.iter().enumerate().map(|(index, &(zone, count))| node(&format!("n{index}"), vec![bar(); count]).zone(zone)).collect()
}

fn with(constraints: &[SpreadConstraint]) -> Pod {
    Pod { spread: constraints.to_vec(), ..bar() }
}

fn check(constraints: &[SpreadConstraint], nodes: &[Node], expected: &[(i64, i64)]) {
    let expected: Vec<Option<(i64, i64)>> = expected.iter().copied().map(Some).collect();
    assert_eq!(column(PLUGIN, &with(constraints), nodes), expected);
}

#[test]
fn hosts_by_hand() {
    type Case = (&'static [usize], u32, &'static [(i64, i64)]);
    let table: [Case; 7] = [
        // Nobody anywhere: the largest sum is 0 and everyone gets 100.
        (&[0, 0, 0], 1, &[(0, 100), (0, 100), (0, 100)]),
        // 1 · ln 4 = 1.39 -> 1: equal, 100 · (1 + 1 − 1) / 1.
        (&[1, 1], 1, &[(1, 100), (1, 100)]),
        // ln 6: 3.58 -> 4, 1.79 -> 2, 0, 5.38 -> 5: 100 · (5 + 0 − x) / 5.
        (&[2, 1, 0, 3], 1, &[(4, 20), (2, 60), (0, 100), (5, 0)]),
        // ln 5: 3.22 -> 3, 1.61 -> 2, 1.61 -> 2: 100 · (3 + 2 − 3) / 3 = 66, 100.
        (&[2, 1, 1], 1, &[(3, 66), (2, 100), (2, 100)]),
        // `maxSkew` 3 adds 2 to all: 1.39 + 2 = 3.39 -> 3, 2: 100 · (3 + 2 − 3) / 3 = 66, 100.
        (&[1, 0], 3, &[(3, 66), (2, 100)]),
        // The same with 1: 1, 0 -> 0 and 100: a large skew waters the difference down.
        (&[1, 0], 1, &[(1, 0), (0, 100)]),
        // ln 7: 9.73 -> 10, 0, 1.95 -> 2, 3.89 -> 4, 5.84 -> 6.
        (&[5, 0, 1, 2, 3], 1, &[(10, 0), (0, 100), (2, 80), (4, 60), (6, 40)]),
    ];
    for (pods, max_skew, expected) in table {
        check(&[roughly(max_skew, HOSTNAME, "foo", "bar")], &hosts(pods), expected);
    }
}

#[test]
fn zones_by_hand() {
    let zone = |skew| [roughly(skew, ZONE, "foo", "bar")];
    // The documentation's cluster, A 2, B 1; ln 4: 2.77 -> 3, 1.39 -> 1: 100 · (3 + 1 − 3) / 3 = 33, 100.
    check(&zone(1), &zoned(&[("A", 1), ("A", 1), ("B", 1), ("B", 0)]), &[(3, 33), (3, 33), (1, 100), (1, 100)]);
    // Three zones 4, 2, 0; ln 5: 6.44 -> 6, 3.22 -> 3, 0: 0, 50, 100.
    check(&zone(1), &zoned(&[("A", 4), ("B", 2), ("C", 0)]), &[(6, 0), (3, 50), (0, 100)]);
    // `maxSkew` 5: 10, 7, 4: 100 · (10 + 4 − 10) / 10 = 40, 70, 100.
    check(&zone(5), &zoned(&[("A", 4), ("B", 2), ("C", 0)]), &[(10, 40), (7, 70), (4, 100)]);
}

#[test]
fn zone_and_host_add_up() {
    // A: 2 and 0, B: 1. Zones ln 4: A 2.77, B 1.39. Hosts ln 5: 3.22, 0, 1.61. Sums 5.99 -> 6, 2.77 -> 3, 3.00 -> 3.
    // 100 · (6 + 3 − 6) / 6 = 50, 100, 100.
    let both = [roughly(1, ZONE, "foo", "bar"), roughly(1, HOSTNAME, "foo", "bar")];
    check(&both, &zoned(&[("A", 2), ("A", 0), ("B", 1)]), &[(6, 50), (3, 100), (3, 100)]);
}

#[test]
fn nodes_without_a_key_get_nothing() {
    // D has no zone: −1, then 0. Zones A 1, B 0, ln 4: 1, 0 -> 0, 100.
    let mut nodes = zoned(&[("A", 1), ("B", 0)]);
    nodes.push(node("d", vec![]));
    check(&[roughly(1, ZONE, "foo", "bar")], &nodes, &[(1, 0), (0, 100), (-1, 0)]);
}

#[test]
fn infeasible_nodes_still_count_for_their_zone() {
    // A's first node is full with 3; A ln 4: 4.16 -> 4, B 0.
    let mut nodes = zoned(&[("A", 3), ("A", 0), ("B", 0)]);
    nodes[0].max_pods = 3;
    assert_eq!(column(PLUGIN, &with(&[roughly(1, ZONE, "foo", "bar")]), &nodes), [None, Some((4, 0)), Some((0, 100))]);
    // A zone that no candidate is in does not count as a domain: C is full, so ln(2 + 2) for A and B.
    let mut nodes = zoned(&[("A", 1), ("B", 0), ("C", 0)]);
    nodes[2].max_pods = 0;
    assert_eq!(column(PLUGIN, &with(&[roughly(1, ZONE, "foo", "bar")]), &nodes), [Some((1, 0)), Some((0, 100)), None]);
}

#[test]
fn without_soft_constraints_the_plugin_gives_nothing() {
    check(&[], &hosts(&[1, 0]), &[(0, 0), (0, 0)]);
    // System defaults: hostname 3, zone 5, for pods of a controller only. ln 5 on hosts, ln 4 on zones:
    // n0: 1.61 + 2 + 1.39 + 4 = 9.0 -> 9; n1: 2 + 1.39 + 4 = 7.39 -> 7; n2: 2 + 4 = 6. 100 · (9 + 6 − 9) / 9 = 66, 88, 100.
    let defaulted = Pod { spread_is_default: true, ..with(&system_defaults(&selecting("foo", "bar"))) };
    let nodes = zoned(&[("A", 1), ("A", 0), ("B", 0)]);
    assert_eq!(column(PLUGIN, &defaulted, &nodes), [Some((9, 66)), Some((7, 88)), Some((6, 100))]);
}

#[test]
fn system_defaults_spread_over_hosts_where_there_are_no_zones() {
    // No zones: all nodes are in one unnamed domain, which adds nothing. ln 4: 2.77 + 2 = 4.77 -> 5, 1.39 + 2 = 3.39 -> 3.
    // 100 · (5 + 3 − 5) / 5 = 60, 100.
    let defaulted = Pod { spread_is_default: true, ..with(&system_defaults(&selecting("foo", "bar"))) };
    assert_eq!(column(PLUGIN, &defaulted, &hosts(&[2, 1])), [Some((5, 60)), Some((3, 100))]);
}

#[test]
fn weight_two_beats_resources() {
    // Spread 0 and 200 against `LeastAllocated`, where n0 is the emptier one by a little.
    let mut nodes = hosts(&[1, 0]);
    nodes[1].pods.push(pod(4000, 20_000));
    let decision = decide(&with(&[roughly(1, HOSTNAME, "foo", "bar")]), &nodes);
    assert_eq!(decision.node, Some(1));
    let weighted: Vec<i64> = decision.table.iter().map(|row| row.by_plugin[3].weighted).collect();
    assert_eq!(weighted, [0, 200]);
}
