//! Hand-worked decisions. A row of scores is [`TaintToleration` · 3, `NodeAffinity` · 2, `NodeResourcesFit`,
//! `InterPodAffinity` · 2, `NodeResourcesBalancedAllocation`]; nodes are 15 740m and 59 174 MiB, executors 2000m and
//! 9011 MiB, unless said otherwise.

use super::fixture::{Node, Pod, executor, executors_here, executors_in_zone, node, pod, term};
use super::*;
use crate::spec::TaintEffect::{NoExecute, NoSchedule, PreferNoSchedule};
use crate::spec::Toleration;

type Row = [i64; 5];

/// One cycle under the default profile, the lowest identity winning ties.
pub(super) fn decide(pod: &Pod, nodes: &[Node]) -> Decision {
    decide_with(&KubeSchedulerSpec::default(), pod, nodes)
}

pub(super) fn decide_with(settings: &KubeSchedulerSpec, pod: &Pod, nodes: &[Node]) -> Decision {
    let views: Vec<NodeView<'_>> = nodes.iter().map(Node::view).collect();
    schedule(&pod.view(), &views, &Options { settings, start: 0, explain: true, without: None }, &mut |identity| !identity)
}

/// All nodes that some choice among ties gives.
pub(super) fn winners(pod: &Pod, nodes: &[Node]) -> Vec<usize> {
    decide(pod, nodes).tied
}

fn table(pod: &Pod, nodes: &[Node]) -> Vec<NodeScores> {
    let decision = decide(pod, nodes);
    assert!(decision.node.is_some(), "unschedulable: {:?}", decision.reasons);
    decision.table
}

fn reasons(pod: &Pod, nodes: &[Node]) -> Vec<(usize, String)> {
    let decision = decide(pod, nodes);
    assert_eq!(decision.node, None);
    decision.reasons.iter().map(|(node, reason)| (*node, reason.to_string())).collect()
}

/// Checks the rows of all nodes (none for a node that is filtered out) and who wins.
#[track_caller]
fn scored(pod: &Pod, nodes: &[Node], rows: &[Option<Row>], expected: &[usize]) {
    let table = table(pod, nodes);
    let mut actual = vec![None; nodes.len()];
    for scores in &table {
        let row: Vec<i64> = scores.by_plugin.iter().map(|score| score.weighted).collect();
        assert_eq!(row.iter().sum::<i64>(), scores.total);
        let [taints, affinity, fit, spread, pods, balance, image] = row[..] else { panic!("seven plugins") };
        // Spread and image are told in tables of their own.
        assert_eq!((spread, image), (0, 0));
        actual[scores.node] = Some([taints, affinity, fit, pods, balance]);
    }
    assert_eq!(actual, rows);
    assert_eq!(winners(pod, nodes), expected);
}

#[track_caller]
pub(super) fn refused(pod: &Pod, nodes: &[Node], expected: &[(usize, &str)]) {
    let expected: Vec<(usize, String)> = expected.iter().map(|&(node, reason)| (node, reason.to_owned())).collect();
    assert_eq!(reasons(pod, nodes), expected);
}

// Least allocated and balanced.

#[test]
fn a14_no_affinity_spreads() {
    // A, with one: cpu 11 740·100/15 740 = 74, memory 41 152·100/59 174 = 69 -> 71; 0.25413, 0.30456 -> 1 − 0.02521 -> 97.
    // B, empty: 87, 84 -> 85; 0.12706, 0.15228 -> 1 − 0.01261 -> 98.
    scored(&executor(), &[node("a", vec![executor()]), node("b", vec![])], &[Some([300, 0, 71, 0, 97]), Some([300, 0, 85, 0, 98])], &[1]);
}

#[test]
fn a14_three_on_one_node() {
    // A: cpu 7740·100/15 740 = 49, memory 23 130·100/59 174 = 39 -> 44; 0.50826, 0.60912 -> 1 − 0.05043 -> 94.
    let nodes = [node("a", vec![executor(); 3]), node("b", vec![])];
    scored(&executor(), &nodes, &[Some([300, 0, 44, 0, 94]), Some([300, 0, 85, 0, 98])], &[1]);
}

#[test]
fn nr2_bigger_node_keeps_a_larger_share_free() {
    // A, 31 580m and 120 000 MiB: 29 580·100/31 580 = 93, 110 989·100/120 000 = 92 -> 92; 0.06333, 0.07509 -> 1 − 0.00588 -> 99.
    let big = Node { cpu: 31_580, mib: 120_000, ..node("a", vec![]) };
    scored(&executor(), &[big, node("b", vec![])], &[Some([300, 0, 92, 0, 99]), Some([300, 0, 85, 0, 98])], &[0]);
}

#[test]
fn balance_decides_by_one_point() {
    // A, with 6000m and 1000 MiB: 49, 49 163·100/59 174 = 83 -> 66; 0.50826, 0.16918 -> 1 − 0.16954 -> 83: 449 in all.
    // B, with 1000m and 20 000 MiB: 80, 30 163·100/59 174 = 50 -> 65; 0.19060, 0.49027 -> 1 − 0.14983 -> 85: 450.
    let nodes = [node("a", vec![pod(6000, 1000)]), node("b", vec![pod(1000, 20_000)])];
    scored(&executor(), &nodes, &[Some([300, 0, 66, 0, 83]), Some([300, 0, 65, 0, 85])], &[1]);
}

#[test]
fn nr2_full_node_scores_zero_and_is_balanced() {
    // The pod takes all of A: 0 free, shares 1 and 1. B is twice as large: 50 and 50.
    let double = Node { cpu: 31_480, mib: 118_348, ..node("b", vec![]) };
    scored(&pod(15_740, 59_174), &[node("a", vec![]), double], &[Some([300, 0, 0, 0, 100]), Some([300, 0, 50, 0, 100])], &[1]);
}

#[test]
fn nr2_best_effort_counts_as_100m_and_200_mib() {
    // A, with one alike: 15 540·100/15 740 = 98, 58 774·100/59 174 = 99 -> 98. B: 15 640 -> 99, 58 974 -> 99 -> 99. Balanced skips it.
    let best_effort = Pod { best_effort: true, ..Pod::default() };
    let nodes = [node("a", vec![best_effort.clone()]), node("b", vec![])];
    scored(&best_effort, &nodes, &[Some([300, 0, 98, 0, 0]), Some([300, 0, 99, 0, 0])], &[1]);
}

#[test]
fn balanced_uses_real_requests_where_least_allocated_uses_defaults() {
    // Memory only. Fit: cpu 15 640·100/15 740 = 99, memory 84 -> 91. Balanced: 0, 0.15228 -> 1 − 0.07614 -> 92.
    let row = Some([300, 0, 91, 0, 92]);
    scored(&pod(0, 9011), &[node("a", vec![]), node("b", vec![])], &[row, row], &[0, 1]);
}

#[test]
fn nr1_over_committed_memory_does_not_refuse_a_pod_that_asks_for_none() {
    // A, with 2000m and 60 000 MiB: cpu 12 740·100/15 740 = 80, memory 0 -> 40; 0.19060, capped at 1 -> 1 − 0.40470 -> 59.
    // B: cpu 14 740·100/15 740 = 93, memory 99 -> 96; 0.06353, 0 -> 1 − 0.03177 -> 96.
    let nodes = [node("a", vec![pod(2000, 60_000)]), node("b", vec![])];
    scored(&pod(1000, 0), &nodes, &[Some([300, 0, 40, 0, 59]), Some([300, 0, 96, 0, 96])], &[1]);
}

#[test]
fn sc5_equal_nodes_are_a_tie_of_all() {
    let nodes = [node("a", vec![]), node("b", vec![executor()]), node("c", vec![]), node("d", vec![])];
    assert_eq!(winners(&executor(), &nodes), [0, 2, 3]);
}

#[test]
fn sc5_the_luckiest_of_the_best_gets_the_pod() {
    let nodes = [Node { identity: 7, ..node("a", vec![]) }, Node { identity: 9, ..node("b", vec![executor()]) }, Node { identity: 8, ..node("c", vec![]) }];
    let views: Vec<NodeView<'_>> = nodes.iter().map(Node::view).collect();
    let settings = KubeSchedulerSpec::default();
    let options = Options { settings: &settings, start: 0, explain: false, without: None };
    assert_eq!(schedule(&executor().view(), &views, &options, &mut |identity| identity).node, Some(2));
    assert_eq!(schedule(&executor().view(), &views, &options, &mut |identity| 100 - identity).node, Some(0));
}

#[test]
fn sc1_one_feasible_node_is_not_scored() {
    let full = Node { max_pods: 0, ..node("a", vec![]) };
    assert_eq!(table(&executor(), &[full, node("b", vec![])]), []);
}

// Inter-pod affinity, scores.

#[test]
fn a14_preferred_anti_affinity_dominates() {
    // Both terms: A −200, B 0 -> 0 and 100, times 2.
    let executor = executor().prefer_apart(100, executors_here());
    let nodes = [node("a", vec![executor.clone()]), node("b", vec![])];
    scored(&executor, &nodes, &[Some([300, 0, 71, 0, 97]), Some([300, 0, 85, 200, 98])], &[1]);
}

#[test]
fn pa6_preferred_anti_affinity_beats_a_nearly_full_node() {
    // B holds a pod of 13 000m and 45 000 MiB: cpu 740·100/15 740 = 4, memory 5163·100/59 174 = 8 -> 6; 0.95299, 0.91275 -> 1 − 0.02012 -> 97.
    let executor = executor().prefer_apart(100, executors_here());
    let nodes = [node("a", vec![executor.clone()]), node("b", vec![pod(13_000, 45_000)])];
    scored(&executor, &nodes, &[Some([300, 0, 71, 0, 97]), Some([300, 0, 6, 200, 97])], &[1]);
}

#[test]
fn pa5_preferred_affinity_attracts() {
    // A 50, B 0 -> 100 and 0.
    let incoming = executor().prefer_with(50, executors_here());
    let nodes = [node("a", vec![executor()]), node("b", vec![])];
    scored(&incoming, &nodes, &[Some([300, 0, 71, 200, 97]), Some([300, 0, 85, 0, 98])], &[0]);
}

#[test]
fn pa5_required_affinity_of_a_running_pod_attracts_with_weight_1() {
    // The newcomer has no rule of its own: A 1, B 0 -> 100 and 0.
    let nodes = [node("a", vec![executor().require_with(executors_here())]), node("b", vec![])];
    scored(&executor(), &nodes, &[Some([300, 0, 71, 200, 97]), Some([300, 0, 85, 0, 98])], &[0]);
}

#[test]
fn pa5_preferences_of_running_pods_count_both_ways() {
    // A's pod likes executors (+30), B's pod dislikes them (−10), C is empty: 30, −10, 0 -> 100, 0, 100·10/40 = 25, times 2.
    let likes = pod(2000, 9011).prefer_with(30, executors_here());
    let dislikes = pod(2000, 9011).prefer_apart(10, executors_here());
    let nodes = [node("a", vec![likes]), node("b", vec![dislikes]), node("c", vec![])];
    scored(&executor(), &nodes, &[Some([300, 0, 71, 200, 97]), Some([300, 0, 71, 0, 97]), Some([300, 0, 85, 50, 98])], &[0]);
}

#[test]
fn pa5_each_pod_counts_once_a_term() {
    // −20, −10, 0 -> 0, 50, 100.
    let incoming = executor().prefer_apart(10, executors_here());
    let nodes = [node("a", vec![executor(); 2]), node("b", vec![executor()]), node("c", vec![])];
    // A: cpu 9740·100/15 740 = 61, memory 32 141·100/59 174 = 54 -> 57; 0.38119, 0.45684 -> 1 − 0.03782 -> 96.
    scored(&incoming, &nodes, &[Some([300, 0, 57, 0, 96]), Some([300, 0, 71, 100, 97]), Some([300, 0, 85, 200, 98])], &[2]);
}

#[test]
fn pa5_normalisation_truncates() {
    // −30, −20, 0 -> 0, 100·10/30 = 33, 100.
    let incoming = executor().prefer_apart(10, executors_here());
    let nodes = [node("a", vec![executor(); 3]), node("b", vec![executor(); 2]), node("c", vec![])];
    scored(&incoming, &nodes, &[Some([300, 0, 44, 0, 94]), Some([300, 0, 57, 66, 96]), Some([300, 0, 85, 200, 98])], &[2]);
}

#[test]
fn pa5_extremes_are_those_of_the_data() {
    // −20 and −10: the better one gets 100, not the 50 of releases that start the maximum at 0.
    let incoming = executor().prefer_apart(10, executors_here());
    let nodes = [node("a", vec![executor(); 2]), node("b", vec![executor()])];
    scored(&incoming, &nodes, &[Some([300, 0, 57, 0, 96]), Some([300, 0, 71, 200, 97])], &[1]);
}

#[test]
fn pa5_zone_is_shared_by_its_nodes() {
    // 10 in the zone of A and B, 0 in C's, none for D, which has no zone.
    let incoming = executor().prefer_with(10, executors_in_zone());
    let nodes = [node("a", vec![executor()]).zone("1"), node("b", vec![]).zone("1"), node("c", vec![]).zone("2"), node("d", vec![])];
    let (near, far) = (Some([300, 0, 85, 200, 98]), Some([300, 0, 85, 0, 98]));
    scored(&incoming, &nodes, &[Some([300, 0, 71, 200, 97]), near, far, far], &[1]);
}

#[test]
fn pa5_terms_add_up() {
    // Same zone +50, same host −100: A −50, B 50, C 0 -> 0, 100, 50.
    let incoming = executor().prefer_with(50, executors_in_zone()).prefer_apart(100, executors_here());
    let nodes = [node("a", vec![executor()]).zone("1"), node("b", vec![]).zone("1"), node("c", vec![]).zone("2")];
    scored(&incoming, &nodes, &[Some([300, 0, 71, 0, 97]), Some([300, 0, 85, 200, 98]), Some([300, 0, 85, 100, 98])], &[1]);
}

#[test]
fn pa5_pods_on_infeasible_nodes_count_for_their_zone() {
    let incoming = executor().prefer_with(10, executors_in_zone());
    let full = Node { max_pods: 1, ..node("a", vec![executor()]).zone("1") };
    let nodes = [full, node("b", vec![]).zone("1"), node("c", vec![]).zone("2")];
    scored(&incoming, &nodes, &[None, Some([300, 0, 85, 200, 98]), Some([300, 0, 85, 0, 98])], &[1]);
}

// Node affinity and taints, scores.

#[test]
fn node_affinity_weights_are_scaled_to_the_best() {
    // 80, 20, 0 -> 100, 25, 0, times 2.
    let incoming = executor().prefer_node(80, "disk", "nvme").prefer_node(20, "disk", "ssd");
    let nodes = [node("a", vec![]).label("disk", "nvme"), node("b", vec![]).label("disk", "ssd"), node("c", vec![])];
    scored(&incoming, &nodes, &[Some([300, 200, 85, 0, 98]), Some([300, 50, 85, 0, 98]), Some([300, 0, 85, 0, 98])], &[0]);
}

#[test]
fn soft_taints_are_scaled_to_the_worst() {
    // 2, 1, 0 untolerated -> 0, 50, 100, times 3.
    let nodes =
        [node("a", vec![]).taint("x", PreferNoSchedule).taint("y", PreferNoSchedule), node("b", vec![]).taint("x", PreferNoSchedule), node("c", vec![])];
    scored(&executor(), &nodes, &[Some([0, 0, 85, 0, 98]), Some([150, 0, 85, 0, 98]), Some([300, 0, 85, 0, 98])], &[2]);
}

#[test]
fn tolerated_soft_taints_do_not_count() {
    // Tolerating x: 1, 0, 0 -> 0, 100, 100. A toleration for another effect does not help with y.
    let incoming = executor().tolerating("x", None).tolerating("y", Some(NoSchedule));
    let nodes =
        [node("a", vec![]).taint("x", PreferNoSchedule).taint("y", PreferNoSchedule), node("b", vec![]).taint("x", PreferNoSchedule), node("c", vec![])];
    scored(&incoming, &nodes, &[Some([0, 0, 85, 0, 98]), Some([300, 0, 85, 0, 98]), Some([300, 0, 85, 0, 98])], &[1, 2]);
}

#[test]
fn normalisation_looks_at_feasible_nodes_only() {
    // A has two soft taints but no room: among B and C the worst has one -> 0, not 50.
    let full = Node { max_pods: 0, ..node("a", vec![]).taint("x", PreferNoSchedule).taint("y", PreferNoSchedule) };
    let nodes = [full, node("b", vec![]).taint("x", PreferNoSchedule), node("c", vec![])];
    scored(&executor(), &nodes, &[None, Some([0, 0, 85, 0, 98]), Some([300, 0, 85, 0, 98])], &[2]);
}

// Filters.

#[test]
fn nr1_every_short_resource_is_named() {
    let incoming = Pod { ephemeral_mib: 101_000, ..executor() };
    let full = Node { max_pods: 1, ..node("a", vec![pod(14_000, 55_000)]) };
    let expected = [(0, "Too many pods"), (0, "Insufficient cpu"), (0, "Insufficient memory"), (0, "Insufficient ephemeral-storage")];
    refused(&incoming, &[full], &expected);
}

#[test]
fn nr1_requests_may_fill_a_node_exactly() {
    assert_eq!(winners(&pod(740, 174), &[node("a", vec![pod(15_000, 59_000)])]), [0]);
    refused(&pod(741, 174), &[node("a", vec![pod(15_000, 59_000)])], &[(0, "Insufficient cpu")]);
    refused(&pod(740, 175), &[node("a", vec![pod(15_000, 59_000)])], &[(0, "Insufficient memory")]);
}

#[test]
fn four_four_core_executors_do_not_fit_an_aks_16_core_node() {
    // 5.10: 15 740m allocatable, 16 000m asked.
    refused(&pod(4000, 9011), &[node("a", vec![pod(4000, 9011); 3])], &[(0, "Insufficient cpu")]);
    assert_eq!(winners(&pod(3900, 9011), &[node("a", vec![pod(3900, 9011); 3])]), [0]);
}

#[test]
fn hard_taints_refuse_unless_tolerated() {
    for effect in [NoSchedule, NoExecute] {
        let tainted = [node("a", vec![]).taint("pool", effect)];
        refused(&executor(), &tainted, &[(0, "node(s) had untolerated taint {pool: yes}")]);
        refused(&executor().tolerating("pool", Some(PreferNoSchedule)), &tainted, &[(0, "node(s) had untolerated taint {pool: yes}")]);
        for incoming in [executor().tolerating("pool", Some(effect)), executor().tolerating("pool", None), executor().tolerating("", None)] {
            assert_eq!(winners(&incoming, &tainted), [0]);
        }
    }
}

#[test]
fn equal_tolerations_compare_the_value() {
    let tainted = [node("a", vec![]).taint("pool", NoSchedule)];
    let tolerating = |value: &str| {
        let toleration = Toleration { key: "pool".to_owned(), exists: false, value: value.to_owned(), effect: None };
        Pod { tolerations: vec![toleration], ..executor() }
    };
    assert_eq!(winners(&tolerating("yes"), &tainted), [0]);
    refused(&tolerating("no"), &tainted, &[(0, "node(s) had untolerated taint {pool: yes}")]);
}

#[test]
fn ne5_memory_pressure_refuses_best_effort_only() {
    let conditions = NodeConditions { memory_pressure: true, disk_pressure: false };
    let pressed = [Node { conditions, ..node("a", vec![]) }];
    assert_eq!(winners(&executor(), &pressed), [0]);
    let best_effort = Pod { best_effort: true, ..Pod::default() };
    refused(&best_effort, &pressed, &[(0, "node(s) had untolerated taint {node.kubernetes.io/memory-pressure: }")]);
}

#[test]
fn ne5_disk_pressure_refuses_all() {
    let conditions = NodeConditions { memory_pressure: true, disk_pressure: true };
    let pressed = [Node { conditions, ..node("a", vec![]) }];
    refused(&executor(), &pressed, &[(0, "node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }")]);
    assert_eq!(winners(&executor().tolerating("node.kubernetes.io/disk-pressure", None), &pressed), [0]);
}

#[test]
fn required_node_affinity_needs_one_of_its_terms() {
    let incoming = executor().require_node("pool", "big").require_node("pool", "huge");
    let nodes = [node("a", vec![]).label("pool", "small"), node("b", vec![]).label("pool", "huge"), node("c", vec![])];
    assert_eq!(winners(&incoming, &nodes), [1]);
    let expected = [(0, "node(s) didn't match Pod's node affinity/selector")];
    refused(&incoming, &nodes[..1], &expected);
}

#[test]
fn the_first_plugin_that_refuses_gives_the_reason() {
    let incoming = executor().require_node("pool", "big").require_with(executors_here());
    let full = || Node { max_pods: 0, ..node("a", vec![]) };
    let nodes = [full().taint("pool", NoSchedule), full(), full().label("pool", "big"), node("d", vec![executor()])];
    let refusing = "node(s) didn't match Pod's node affinity/selector";
    refused(&incoming, &nodes, &[(0, "node(s) had untolerated taint {pool: yes}"), (1, refusing), (2, "Too many pods"), (3, refusing)]);
}

// Inter-pod affinity, filters.

#[test]
fn a14_required_affinity_leaves_one_node_and_no_scores() {
    let incoming = executor().require_with(executors_here());
    let nodes = [node("a", vec![executor()]), node("b", vec![])];
    assert_eq!(winners(&incoming, &nodes), [0]);
    assert_eq!(table(&incoming, &nodes), []);
}

#[test]
fn a15_first_pod_of_a_group_may_go_anywhere() {
    let incoming = executor().require_with(executors_here());
    assert_eq!(winners(&incoming, &[node("a", vec![]), node("b", vec![])]), [0, 1]);
}

#[test]
fn a15_second_pod_goes_to_the_first_and_waits_when_it_does_not_fit() {
    let incoming = executor().require_with(executors_here());
    let with = |count| node("a", vec![incoming.clone(); count]);
    assert_eq!(winners(&incoming, &[with(1), node("b", vec![])]), [0]);
    // Six take 54 066 of 59 174 MiB.
    refused(&incoming, &[with(6), node("b", vec![])], &[(0, "Insufficient memory"), (1, "node(s) didn't match pod affinity rules")]);
}

#[test]
fn pa2_a_pod_that_does_not_match_its_own_terms_waits() {
    let incoming = executor().require_with(term(super::fixture::HOSTNAME, "spark-role", "driver"));
    refused(&incoming, &[node("a", vec![])], &[(0, "node(s) didn't match pod affinity rules")]);
}

#[test]
fn pa2_the_first_pod_needs_a_node_with_the_topology_key() {
    let incoming = executor().require_with(executors_in_zone());
    assert_eq!(winners(&incoming, &[node("a", vec![]), node("b", vec![]).zone("1")]), [1]);
}

#[test]
fn pt2_executors_of_another_application_pin_the_group() {
    let mine = executor().label("spark-app-selector", "app-1").require_with(executors_here());
    let other = executor().label("spark-app-selector", "app-2");
    assert_eq!(winners(&mine, &[node("a", vec![]), node("b", vec![other.clone()])]), [1]);
    // With the application's own label the bootstrap rule holds again, and B is the fuller node.
    let careful = executor().label("spark-app-selector", "app-1").require_with(term(super::fixture::HOSTNAME, "spark-app-selector", "app-1"));
    assert_eq!(winners(&careful, &[node("a", vec![]), node("b", vec![other])]), [0]);
}

#[test]
fn pa1_one_pod_must_match_all_terms() {
    let incoming = executor().require_with(executors_here()).require_with(term(super::fixture::HOSTNAME, "app", "etl"));
    let neighbours = || vec![executor(), pod(100, 100).label("app", "etl")];
    // Nobody matches both, and the pod does not match `app` itself.
    refused(&incoming, &[node("a", neighbours())], &[(0, "node(s) didn't match pod affinity rules")]);
    assert_eq!(winners(&incoming, &[node("a", neighbours()), node("b", vec![executor().label("app", "etl")])]), [1]);
}

#[test]
fn pa1_terms_may_differ_in_topology() {
    let incoming = executor().require_with(executors_here()).require_with(executors_in_zone());
    let nodes = [node("a", vec![executor()]).zone("1"), node("b", vec![]).zone("1"), node("c", vec![executor()])];
    // B shares the zone but not the host; C has no zone.
    assert_eq!(winners(&incoming, &nodes), [0]);
}

#[test]
fn pa4_required_anti_affinity_refuses_the_domain() {
    let incoming = executor().require_apart(executors_here());
    assert_eq!(winners(&incoming, &[node("a", vec![executor()]), node("b", vec![])]), [1]);
    refused(&incoming, &[node("a", vec![executor()])], &[(0, "node(s) didn't match pod anti-affinity rules")]);
    let by_zone = executor().require_apart(executors_in_zone());
    let nodes = [node("a", vec![executor()]).zone("1"), node("b", vec![]).zone("1"), node("c", vec![])];
    // Without the key a node is in no domain, so nothing is there to avoid.
    assert_eq!(winners(&by_zone, &nodes), [2]);
}

#[test]
fn pa4_anti_affinity_of_running_pods_refuses_the_newcomer() {
    let exclusive = executor().require_apart(executors_here());
    assert_eq!(winners(&executor(), &[node("a", vec![exclusive.clone()]), node("b", vec![])]), [1]);
    refused(&executor(), &[node("a", vec![exclusive.clone()])], &[(0, "node(s) didn't satisfy existing pods anti-affinity rules")]);
    // A pod that the rule does not select may come.
    assert_eq!(winners(&pod(100, 100), &[node("a", vec![exclusive])]), [0]);
}

#[test]
fn pa7_a_group_without_survivors_may_move() {
    // Failed pods are not in the views: with all executors dead the fuller node no longer holds the group.
    let incoming = executor().require_with(executors_here());
    assert_eq!(winners(&incoming, &[node("a", vec![pod(4000, 20_000)]), node("b", vec![])]), [1]);
}

#[test]
fn no_nodes_no_reasons() {
    refused(&executor(), &[], &[]);
}
