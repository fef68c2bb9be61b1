//! The `VolumeBinding` plugin, with what is left of `VolumeZone`.
//!
//! Filter: a claim that is bound already can be used only where its volume's node affinity holds: a zonal disk in its zone, a local
//! volume on its node. A claim of a class with `WaitForFirstConsumer` is not bound before the pod has its node; its volume is made there,
//! which a node refuses that the class's `allowedTopologies` leave out, or that has no local volume left. `VolumeZone` reads the same from
//! labels of old volumes and gives the same answer. Assumption: provisioning never fails. Source: `volumebinding`, `volumezone` of
//! Kubernetes 1.30; deleting pods frees no claim, so neither refusal can be resolved by preemption there.

use super::reason::Reason;
use super::{Cycle, selector};

/// Refuses nodes where a bound volume cannot be used, or one that is missing cannot be made.
pub(super) fn filter(cycle: &Cycle<'_>, index: usize, reasons: &mut Vec<(usize, Reason)>) {
    let (node, volumes) = (&cycle.nodes[index], &cycle.pod.volumes);
    let matches = |term| selector::matches_node(term, node.labels);
    if !volumes.bound_to.iter().all(matches) {
        reasons.push((index, Reason::VolumeNodeAffinity));
    }
    let taken = || node.pods.iter().filter(|pod| pod.volumes.local).count();
    let has_local = !volumes.local || node.local_sets.is_none_or(|sets| taken() < sets as usize);
    if !volumes.unbound_in.iter().all(matches) || !has_local {
        reasons.push((index, Reason::NoVolumeToBind));
    }
}
