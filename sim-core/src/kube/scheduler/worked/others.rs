//! `ImageLocality`, `TaintToleration`, `NodeAffinity` and `NodeResourcesBalancedAllocation`, scores.

use super::column;
use crate::kube::scheduler::fixture::{Node, Pod, executor, node, pod};
use crate::spec::TaintEffect::PreferNoSchedule;

#[test]
fn image_locality_by_hand() {
    // Image in MiB, nodes with it of all: (size · share − 23) · 100 / 977, between 0 and 100.
    let table = [
        // 500 · 1/4 = 125: 10 200 / 977 = 10.4.
        (500, 1, 4, 10),
        // 500 · 2/4 = 250: 22 700 / 977 = 23.2.
        (500, 2, 4, 23),
        // 500 · 4/4: 47 700 / 977 = 48.8.
        (500, 4, 4, 48),
        // 1500 · 1/2 = 750: 72 700 / 977 = 74.4.
        (1500, 1, 2, 74),
        // 2048 · 1/2 = 1024: above the largest.
        (2048, 1, 2, 100),
        // 80 · 1/4 = 20: below the smallest.
        (80, 1, 4, 0),
        // 1000 · 1/1 of two nodes: 500.
        (1000, 1, 2, 48),
    ];
    for (mib, warm, all, expected) in table {
        let nodes: Vec<Node> = (0..all).map(|index| Node { has_image: index < warm, ..node(&format!("n{index}"), vec![]) }).collect();
        let incoming = Pod { image_mib: Some(mib), ..executor() };
        let scores: Vec<i64> = column("ImageLocality", &incoming, &nodes).into_iter().flatten().map(|(_, score)| score).collect();
        let by_hand: Vec<i64> = (0..all).map(|index| if index < warm { expected } else { 0 }).collect();
        assert_eq!(scores, by_hand, "{mib} MiB on {warm} of {all}");
    }
}

#[test]
fn an_image_that_is_everywhere_or_unknown_decides_nothing() {
    let nodes = [Node { has_image: true, ..node("a", vec![]) }, Node { has_image: true, ..node("b", vec![]) }];
    assert_eq!(column("ImageLocality", &executor(), &nodes), [Some((0, 0)), Some((0, 0))]);
    // 900: 87 700 / 977 = 89.8 on both.
    assert_eq!(column("ImageLocality", &Pod { image_mib: Some(900), ..executor() }, &nodes), [Some((89, 89)), Some((89, 89))]);
}

#[test]
fn soft_taints_by_hand() {
    let tainted = |name: &str, count: usize| (0..count).fold(node(name, vec![]), |node, index| node.taint(&format!("t{index}"), PreferNoSchedule));
    // Untolerated 0, 1, 3: 100, 100 − 33 = 67, 0.
    let nodes = [tainted("a", 0), tainted("b", 1), tainted("c", 3)];
    assert_eq!(column("TaintToleration", &executor(), &nodes), [Some((0, 100)), Some((1, 67)), Some((3, 0))]);
    // Tolerating t0: 0, 0, 2.
    assert_eq!(column("TaintToleration", &executor().tolerating("t0", None), &nodes), [Some((0, 100)), Some((0, 100)), Some((2, 0))]);
}

#[test]
fn preferred_node_terms_by_hand() {
    let incoming = executor().prefer_node(30, "pool", "spot").prefer_node(10, "arch", "arm64").prefer_node(20, "arch", "amd64");
    let nodes = [
        node("a", vec![]).label("pool", "spot").label("arch", "arm64"),
        node("b", vec![]).label("pool", "spot").label("arch", "amd64"),
        node("c", vec![]).label("arch", "arm64"),
        node("d", vec![]),
    ];
    // 40, 50, 10, 0 of 50.
    assert_eq!(column("NodeAffinity", &incoming, &nodes), [Some((40, 80)), Some((50, 100)), Some((10, 20)), Some((0, 0))]);
    // Without any preference all are 0.
    assert_eq!(column("NodeAffinity", &executor(), &nodes[..2]), [Some((0, 0)), Some((0, 0))]);
}

#[test]
fn balance_by_hand() {
    // 8000m and 10 000 MiB; (1 − |cpu − memory| / 2) · 100, truncated, with 1000m and 1000 MiB on top.
    let used = |cpu, mib| Node { cpu: 8000, mib: 10_000, ..node("n", vec![pod(cpu, mib)]) };
    let table = [
        // 0.125, 0.100: 1 − 0.0125 = 0.9875.
        ((0, 0), 98),
        // 0.875, 0.100: 1 − 0.3875 = 0.6125.
        ((6000, 0), 61),
        // 0.375, 0.900: 1 − 0.2625 = 0.7375.
        ((2000, 8000), 73),
        // 0.500, 0.500.
        ((3000, 4000), 100),
        // 1.000, 0.200: 0.6.
        ((7000, 1000), 60),
    ];
    for ((cpu, mib), expected) in table {
        let scores = column("NodeResourcesBalancedAllocation", &pod(1000, 1000), &[used(cpu, mib), node("b", vec![])]);
        assert_eq!(scores[0], Some((expected, expected)), "{cpu}m, {mib} MiB");
    }
}
