//! Pods that make room for one of higher priority.
//!
//! A pod that no node can take looks for victims ([`crate::kube::scheduler::preempt`]). They are deleted with their termination grace
//! of 30 s, and the pod is nominated for their node: others of its priority or lower see it there already. An executor gets SIGTERM, which ends it,
//! or begins its decommission; nothing of that counts as a failure (3.5). A neighbour takes its whole grace; its controller makes
//! another, which waits in the queue (that of a DaemonSet has no other node, and is not modelled). Assumption: the driver is never a victim.
//! Source: 5.6, DT-4.

use super::placement::{self, Candidate};
use super::{neighbours, views};
use crate::event::Event;
use crate::ids::NodeId;
use crate::machine::Owner;
use crate::sim::Sim;
use crate::spark::{allocator, decommission};
use crate::units::SimSpan;

/// `terminationGracePeriodSeconds` unless a pod says otherwise (DT-4).
const GRACE: SimSpan = SimSpan::from_secs(30);

/// Looks for victims of a pod that was refused, and has them deleted.
pub(super) fn look_for_victims(sim: &mut Sim, pod: Candidate) {
    // Its last victims are still on their way out.
    if sim.cluster.nominated.iter().any(|&(other, node)| other == pod && views::somebody_leaves(sim, node)) {
        return;
    }
    let Some((node, victims)) = placement::victims(sim, pod) else { return };
    sim.cluster.nominated.retain(|&(other, _)| other != pod);
    sim.cluster.nominated.push((pod, node));
    let residents = views::residents(sim, node);
    for (slot, owner) in victims.into_iter().map(|index| residents[index]) {
        match owner {
            Owner::Executor(id) => {
                sim.executors[id].terminating = true;
                decommission::notify(sim, id, Some(GRACE));
                allocator::wake_if_missing(sim);
            }
            Owner::Neighbour(_) if !sim.cluster.leaving.contains(&(node, slot)) => {
                sim.cluster.leaving.push((node, slot));
                sim.after(GRACE, Event::NeighbourLeaves(node, slot.index() as u32));
            }
            Owner::Neighbour(_) | Owner::Driver => {}
        }
    }
}

/// A preempted neighbour's grace is over.
pub(crate) fn on_neighbour_leaves(sim: &mut Sim, node: NodeId, slot: u32) {
    let Some(index) = sim.cluster.leaving.iter().position(|&(at, its)| at == node && its.index() as u32 == slot) else { return };
    let (_, slot) = sim.cluster.leaving.remove(index);
    neighbours::move_out(sim, node, slot);
    super::pods_changed(sim);
}
