//! Filters on ports, names, cordons and volumes.

use crate::kube::scheduler::fixture::{Node, Pod, ZONE, executor, node, node_term};
use crate::kube::scheduler::tests::{decide, refused};
use crate::spec::{HostPort, TaintEffect};

fn port(port: u16, protocol: &str, ip: &str) -> Pod {
    Pod { host_ports: vec![HostPort { port, protocol: protocol.into(), ip: ip.into() }], ..executor() }
}

#[test]
fn host_ports_by_hand() {
    let any = "0.0.0.0";
    let table = [
        (port(7078, "TCP", any), port(7078, "TCP", any), true),
        (port(7078, "TCP", any), port(7079, "TCP", any), false),
        (port(7078, "TCP", any), port(7078, "UDP", any), false),
        (port(7078, "TCP", "10.0.0.1"), port(7078, "TCP", "10.0.0.2"), false),
        (port(7078, "TCP", "10.0.0.1"), port(7078, "TCP", "10.0.0.1"), true),
        (port(7078, "TCP", any), port(7078, "TCP", "10.0.0.1"), true),
        (port(7078, "TCP", "10.0.0.1"), port(7078, "TCP", any), true),
        (port(7078, "TCP", any), executor(), false),
    ];
    for (running, incoming, conflict) in table {
        let nodes = [node("a", vec![running])];
        if conflict {
            refused(&incoming, &nodes, &[(0, "node(s) didn't have free ports for the requested pod ports")]);
        } else {
            assert_eq!(decide(&incoming, &nodes).node, Some(0));
        }
    }
}

#[test]
fn executors_with_a_host_port_never_share_a_node() {
    let mut nodes = [node("a", vec![]), node("b", vec![])];
    let placed = super::place_all(&vec![port(7078, "TCP", "0.0.0.0"); 3], &mut nodes);
    assert_eq!(placed.iter().flatten().count(), 2);
    assert_eq!(nodes.map(|node| node.pods.len()), [1, 1]);
}

#[test]
fn a_named_node_is_the_only_one() {
    let incoming = Pod { node_name: Some("b"), ..executor() };
    let nodes = [node("a", vec![]), node("b", vec![executor(); 3])];
    assert_eq!(decide(&incoming, &nodes).node, Some(1));
    refused(&incoming, &nodes[..1], &[(0, "node(s) didn't match the requested node name")]);
}

#[test]
fn cordoned_nodes_refuse_unless_everything_is_tolerated() {
    let cordoned = [Node { unschedulable: true, ..node("a", vec![]) }];
    refused(&executor(), &cordoned, &[(0, "node(s) were unschedulable")]);
    assert_eq!(decide(&executor().tolerating("", None), &cordoned).node, Some(0));
    assert_eq!(decide(&executor().tolerating("node.kubernetes.io/unschedulable", Some(TaintEffect::NoSchedule)), &cordoned).node, Some(0));
    assert_eq!(decide(&executor().tolerating("node.kubernetes.io/unschedulable", Some(TaintEffect::NoExecute)), &cordoned).node, None);
}

#[test]
fn a_node_that_is_gone_takes_nobody() {
    let gone = [Node { gone: true, ..node("a", vec![]) }];
    refused(&executor().tolerating("", None), &gone, &[(0, "node(s) were unschedulable")]);
}

#[test]
fn pods_of_a_cordoned_node_still_keep_others_away() {
    let guarded = executor().require_apart(crate::kube::scheduler::fixture::executors_in_zone());
    let nodes = [Node { unschedulable: true, ..node("a", vec![guarded]).zone("1") }, node("b", vec![]).zone("1"), node("c", vec![]).zone("2")];
    assert_eq!(decide(&executor(), &nodes).node, Some(2));
}

#[test]
fn attached_volumes_by_hand() {
    let disks = |attached| Pod { attached, ..executor() };
    // Limit, attached already, wanted: fits while the sum is within the limit; no volume wanted always fits.
    let table = [
        (None, 99, 9, true),
        (Some(4), 0, 4, true),
        (Some(4), 0, 5, false),
        (Some(4), 3, 1, true),
        (Some(4), 4, 1, false),
        (Some(4), 4, 0, true),
        (Some(0), 0, 1, false),
    ];
    for (max_volumes, attached, wanted, fits) in table {
        let nodes = [Node { max_volumes, ..node("a", vec![disks(attached)]) }];
        if fits {
            assert_eq!(decide(&disks(wanted), &nodes).node, Some(0));
        } else {
            refused(&disks(wanted), &nodes, &[(0, "node(s) exceed max volume count")]);
        }
    }
}

#[test]
fn bound_volumes_pin_to_their_zone_or_node() {
    let nodes = [node("a", vec![]).zone("1"), node("b", vec![executor()]).zone("2"), node("c", vec![])];
    let zonal = Pod { bound_to: vec![node_term(ZONE, "2")], ..executor() };
    assert_eq!(decide(&zonal, &nodes).node, Some(1));
    refused(&zonal, &nodes[..1], &[(0, "node(s) had volume node affinity conflict")]);
    let local = Pod { bound_to: vec![node_term("kubernetes.io/hostname", "c")], ..executor() };
    assert_eq!(decide(&local, &nodes).node, Some(2));
    // Two volumes in two zones: nowhere.
    let torn = Pod { bound_to: vec![node_term(ZONE, "1"), node_term(ZONE, "2")], ..executor() };
    assert_eq!(decide(&torn, &nodes).node, None);
    // Not bound yet: anywhere.
    assert!(decide(&executor(), &nodes).node.is_some());
}

#[test]
fn a_read_write_once_pod_claim_has_one_user() {
    let user = |namespace| Pod { exclusive_claims: vec!["scratch".into()], namespace: Some(namespace), ..executor() };
    let nodes = [node("a", vec![user("default")]), node("b", vec![])];
    let refusal = "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode";
    refused(&user("default"), &nodes, &[(0, refusal), (1, refusal)]);
    // The same name in another namespace is another claim.
    assert_eq!(decide(&user("etl"), &nodes).node, Some(1));
}
