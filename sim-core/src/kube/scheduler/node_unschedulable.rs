//! The `NodeUnschedulable` plugin.
//!
//! Filter: a cordoned node takes no pod, unless the pod tolerates `node.kubernetes.io/unschedulable:NoSchedule`. Its pods stay, and
//! count for the rules of others. A template that tolerates everything (`operator: Exists` without a key) is placed on a cordoned
//! node, but not on one that is gone. Source: 5.1; `nodeunschedulable` of Kubernetes 1.30.

use super::reason::Reason;
use super::{Cycle, taint_toleration};
use crate::spec::TaintEffect;

const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// Refuses cordoned nodes.
pub(super) fn filter(cycle: &Cycle<'_>, index: usize, reasons: &mut Vec<(usize, Reason)>) {
    let tolerated = || taint_toleration::tolerates(cycle.pod.tolerations, UNSCHEDULABLE, "", TaintEffect::NoSchedule);
    let node = &cycle.nodes[index];
    if node.gone || node.unschedulable && !tolerated() {
        reasons.push((index, Reason::Unschedulable));
    }
}
