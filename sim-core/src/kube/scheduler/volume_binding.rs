//! The `VolumeBinding` plugin, with what is left of `VolumeZone`.
//!
//! Filter: a claim that is bound already can be used only where its volume's node affinity holds: a zonal disk in its zone, a local
//! volume on its node. A claim of a class with `WaitForFirstConsumer` is not bound before the pod has its node, and refuses none; its
//! volume is made in that node's zone. `VolumeZone` reads the same from labels of old volumes and gives the same answer. Assumption:
//! provisioning never fails, and no storage class restricts topologies. Source: `volumebinding`, `volumezone` of Kubernetes 1.30.

use super::reason::Reason;
use super::{Cycle, selector};

/// Refuses nodes where a bound volume cannot be used.
pub(super) fn filter(cycle: &Cycle<'_>, index: usize, reasons: &mut Vec<(usize, Reason)>) {
    let labels = cycle.nodes[index].labels;
    if !cycle.pod.volumes.bound_to.iter().all(|term| selector::matches_node(term, labels)) {
        reasons.push((index, Reason::VolumeNodeAffinity));
    }
}
