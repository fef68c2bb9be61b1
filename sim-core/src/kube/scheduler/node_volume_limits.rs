//! The `NodeVolumeLimits` plugin.
//!
//! Filter: a node takes so many attached volumes and no more. The CSI driver reports the limit; for managed disks it is the VM's
//! number of data disks, so a small shape with a claim an executor is full before its memory is. Assumptions: all attached volumes are
//! of one driver, each pod's are its own, and only the pods that we know have any. Source: `nodevolumelimits` of Kubernetes 1.30.

use super::Cycle;
use super::reason::Reason;

/// Refuses nodes where the pod's volumes would be too many.
pub(super) fn filter(cycle: &Cycle<'_>, index: usize, reasons: &mut Vec<(usize, Reason)>) {
    let (wanted, node) = (u64::from(cycle.pod.volumes.attached), &cycle.nodes[index]);
    let Some(limit) = node.max_volumes else { return };
    let attached: u64 = node.pods.iter().map(|pod| u64::from(pod.volumes.attached)).sum();
    if wanted > 0 && attached + wanted > u64::from(limit) {
        reasons.push((index, Reason::TooManyVolumes));
    }
}
