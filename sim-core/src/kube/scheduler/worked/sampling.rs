//! Which nodes are looked at from 100 on (SC-2).

use crate::kube::scheduler::fixture::{Node, executor, node};
use crate::kube::scheduler::{NodeView, Options, enough, schedule};
use crate::spec::KubeSchedulerSpec;

#[test]
fn sc2_how_many_feasible_nodes_are_enough() {
    // Nodes, percentage (0: adaptive, 50 − n/125, at least 5): enough.
    let table = [
        (3, 0, 3),
        (99, 0, 99),
        (99, 10, 99),
        // 50 % of 100, but 100 at least.
        (100, 0, 100),
        (200, 0, 100),
        // 50 − 2 = 48 % of 250 = 120.
        (250, 0, 120),
        // 50 − 8 = 42 % of 1000.
        (1000, 0, 420),
        // 50 − 40 = 10 % of 5000.
        (5000, 0, 500),
        // 50 − 48 = 2, at least 5 % of 6000.
        (6000, 0, 300),
        (1000, 30, 300),
        (1000, 1, 100),
        (1000, 100, 1000),
    ];
    for (nodes, percentage, expected) in table {
        assert_eq!(enough(nodes, percentage), expected, "{nodes} nodes, {percentage} %");
    }
}

fn many(count: usize) -> Vec<Node> {
    (0..count).map(|index| node(&format!("n{index}"), vec![])).collect()
}

fn search(nodes: &[Node], start: usize) -> (Vec<usize>, usize) {
    let views: Vec<NodeView<'_>> = nodes.iter().map(Node::view).collect();
    let settings = KubeSchedulerSpec::default();
    let decision = schedule(&executor().view(), &views, &Options { settings: &settings, start, explain: true, without: None }, &mut |_| 0);
    (decision.table.iter().map(|row| row.node).collect(), decision.looked_at)
}

#[test]
fn sc2_the_search_ends_when_enough_are_found_and_goes_round() {
    let nodes = many(250);
    // 120 of 250, from 200 on: 200 to 249, then 0 to 69.
    let (scored, looked_at) = search(&nodes, 200);
    assert_eq!(looked_at, 120);
    assert_eq!(scored, (0..70).chain(200..250).collect::<Vec<_>>());
}

#[test]
fn sc2_refused_nodes_do_not_count_as_found() {
    // Of 350 nodes 50 − 2 = 48 %, 168, are enough; the first 150 are full, so 318 are looked at.
    let mut nodes = many(350);
    for node in &mut nodes[..150] {
        node.max_pods = 0;
    }
    let (scored, looked_at) = search(&nodes, 0);
    assert_eq!((scored.len(), looked_at), (168, 318));
    assert_eq!(scored[0], 150);
}

#[test]
fn sc2_small_clusters_are_looked_at_whole() {
    let (scored, looked_at) = search(&many(99), 57);
    assert_eq!((scored.len(), looked_at), (99, 99));
}
