//! The `NodeName` plugin.
//!
//! Filter: a pod that names its node goes there or nowhere. Assumption: the real scheduler never sees such a pod, because the
//! kubelet of that node takes it directly, and fails it when it does not fit; here it waits for room. Source: 5.1; `nodename` of
//! Kubernetes 1.30.

use super::Cycle;
use super::reason::Reason;

/// Refuses all nodes but the one that the pod names.
pub(super) fn filter(cycle: &Cycle<'_>, index: usize, reasons: &mut Vec<(usize, Reason)>) {
    if cycle.pod.node_name.is_some_and(|name| name != cycle.nodes[index].name) {
        reasons.push((index, Reason::NodeName));
    }
}
