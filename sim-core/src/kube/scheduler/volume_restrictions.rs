//! The `VolumeRestrictions` plugin.
//!
//! Filter: a claim with access mode `ReadWriteOncePod` has one user in the whole cluster. `ReadWriteOnce` is no business of the
//! scheduler: a second node is chosen without objection, and the volume then fails to attach there (`Multi-Attach error`), which
//! holds the pod in `ContainerCreating`. What keeps a pod on the node of its data is the node affinity of a local volume. Source:
//! `volumerestrictions` of Kubernetes 1.30; in-tree disk types, which refuse a second pod on a node, are left out.

use super::Cycle;
use super::reason::Reason;

/// Refuses all nodes while another pod uses an exclusive claim.
pub(super) fn filter(cycle: &Cycle<'_>, index: usize, reasons: &mut Vec<(usize, Reason)>) {
    let (pod, wanted) = (cycle.pod, cycle.pod.volumes.exclusive_claims);
    if wanted.is_empty() {
        return;
    }
    let uses = |node: &super::NodeView<'_>| {
        let same_namespace = node.pods.iter().filter(|other| other.namespace == pod.namespace);
        same_namespace.flat_map(|other| other.volumes.exclusive_claims).any(|claim| wanted.contains(claim))
    };
    if cycle.nodes.iter().any(uses) {
        reasons.push((index, Reason::ClaimInUse));
    }
}
