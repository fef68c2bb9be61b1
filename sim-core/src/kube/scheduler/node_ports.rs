//! The `NodePorts` plugin.
//!
//! Filter: two pods on a node cannot have the same `hostPort` of the same protocol on the same address; `0.0.0.0` is every address.
//! Executors with a host port therefore never share a node, like under required anti-affinity. Source: 5.1; `nodeports` of
//! Kubernetes 1.30.

use super::Cycle;
use super::reason::Reason;
use crate::spec::HostPort;

const ANY_ADDRESS: &str = "0.0.0.0";

/// Refuses nodes where a port is taken.
pub(super) fn filter(cycle: &Cycle<'_>, index: usize, reasons: &mut Vec<(usize, Reason)>) {
    let wanted = cycle.pod.host_ports;
    let taken = |other: &HostPort| wanted.iter().any(|port| conflicts(port, other));
    if !wanted.is_empty() && cycle.nodes[index].pods.iter().flat_map(|pod| pod.host_ports).any(taken) {
        reasons.push((index, Reason::NodePorts));
    }
}

fn conflicts(one: &HostPort, other: &HostPort) -> bool {
    let addresses = one.ip == other.ip || one.ip == ANY_ADDRESS || other.ip == ANY_ADDRESS;
    one.port == other.port && one.protocol == other.protocol && addresses
}
