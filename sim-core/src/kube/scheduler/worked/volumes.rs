//! Volumes that are yet to be made: topologies that their class allows, and local volumes that are left.

use crate::kube::scheduler::fixture::{Node, Pod, ZONE, executor, node, node_term};
use crate::kube::scheduler::tests::{decide, refused};
use crate::spec::{NodeSelectorTerm, Requirement, SelectorOp};

const NONE_TO_BIND: &str = "node(s) didn't find available persistent volumes to bind";
const CONFLICT: &str = "node(s) had volume node affinity conflict";

fn allowed(zones: &[&str]) -> Vec<NodeSelectorTerm> {
    let values = zones.iter().map(|&zone| zone.to_owned()).collect();
    vec![NodeSelectorTerm { requirements: vec![Requirement { key: ZONE.to_owned(), op: SelectorOp::In, values }] }]
}

#[test]
fn allowed_topologies_leave_nodes_out() {
    let nodes = [node("a", vec![]).zone("1"), node("b", vec![]).zone("2"), node("c", vec![])];
    // Zones that the class allows, and the nodes that can make its volumes.
    for (zones, fits) in [(vec!["1"], vec![0]), (vec!["2", "3"], vec![1]), (vec!["3"], vec![])] {
        let pod = Pod { unbound_in: allowed(&zones), ..executor() };
        let decision = decide(&pod, &nodes);
        assert_eq!(decision.node, fits.first().copied(), "{zones:?}");
        let refused: Vec<(usize, String)> = decision.reasons.iter().map(|(node, reason)| (*node, reason.to_string())).collect();
        let expected: Vec<(usize, String)> = (0..3).filter(|node| !fits.contains(node)).map(|node| (node, NONE_TO_BIND.to_owned())).collect();
        assert_eq!(refused, expected, "{zones:?}; a node outside any zone is in none that is allowed");
    }
}

#[test]
fn local_volumes_by_hand() {
    let wants = |local| Pod { local, ..executor() };
    // Left on the node, pods there that are about to take one, whether the pod wants one, whether it fits.
    let table = [
        (None, 9, true, true),
        (Some(2), 0, true, true),
        (Some(2), 1, true, true),
        (Some(2), 2, true, false),
        (Some(0), 0, true, false),
        (Some(0), 0, false, true),
    ];
    for (local_sets, there, local, fits) in table {
        let nodes = [Node { local_sets, ..node("a", (0..there).map(|_| wants(true)).collect()) }];
        // 9 executors of 9011 MiB would not fit for their memory.
        let nodes = nodes.map(|node| Node { cpu: 100_000, mib: 1_000_000, ..node });
        if fits {
            assert_eq!(decide(&wants(local), &nodes).node, Some(0), "{local_sets:?} {there}");
        } else {
            refused(&wants(local), &nodes, &[(0, NONE_TO_BIND)]);
        }
    }
}

#[test]
fn a_bound_and_an_unbound_volume_both_speak() {
    let nodes = [node("a", vec![]).zone("1")];
    let pod = Pod { bound_to: vec![node_term(ZONE, "2")], unbound_in: allowed(&["3"]), ..executor() };
    refused(&pod, &nodes, &[(0, CONFLICT), (0, NONE_TO_BIND)]);
}

/// Deleting pods frees no claim, so nobody is driven out for one.
#[test]
fn a_missing_volume_is_not_resolved_by_preemption() {
    use crate::kube::scheduler::Reason;
    assert!(!Reason::NoVolumeToBind.may_be_resolved() && !Reason::VolumeNodeAffinity.may_be_resolved());
    assert_eq!(Reason::NoVolumeToBind.plugin(), "VolumeBinding");
}
