//! Where the volumes of a pod's claims are, and what that asks of the nodes of whoever mounts them.
//!
//! A volume of a class that waits for its first consumer is made where the pod goes: a zonal disk in the node's zone, a local one on the
//! node. One of a class that binds at once is made with the claim, in any zone that has nodes and that the class allows, whatever
//! else the pod asks for (the provisioner goes round the zones by a hash of the claim's name). A claim that is used again stays where it is,
//! so its pod fits the nodes there and no other. A node outside any zone leaves its disks unbound. Assumption: provisioning never fails
//! but for the zones. Source: `volumebinding` of Kubernetes 1.30; the topology rules of external-provisioner 5.

use crate::ids::{ExecutorId, NodeId};
use crate::kernel::{Purpose, mix};
use crate::plan::HOSTNAME;
use crate::sim::Sim;
use crate::spec::{ClaimSpec, NodeSelectorTerm, Reach, Requirement, SelectorOp};

/// Where the volumes of a pod's claims are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    /// What they ask of a node.
    pub(crate) bound_to: Vec<NodeSelectorTerm>,
    /// Whether all are made.
    pub(crate) made: bool,
    /// The node that has local ones.
    local_on: Option<NodeId>,
}

/// A pod is created with new claims: those that bind at once have their place.
pub(crate) fn on_created(sim: &mut Sim, id: ExecutorId) {
    let claims = &sim.plan.executor.scratch.claims;
    if !claims.iter().any(|claim| claim.class.immediate) {
        return;
    }
    let mut place = Place { made: claims.iter().all(|claim| claim.class.immediate), ..Place::default() };
    for (number, claim) in claims.iter().enumerate().filter(|(_, claim)| claim.class.immediate) {
        let luck = |choices: usize| sim.luck.stream(Purpose::ClaimPlace, mix(id.index() as u64, number as u64)).below(choices as u64) as usize;
        match claim.class.reach {
            Reach::Region => {}
            Reach::Zone => place.bound_to.extend(any_zone(sim, claim, luck)),
            Reach::Node => {
                let nodes: Vec<NodeId> = crate::cluster::present(sim).iter().copied().filter(|&node| local_sets_left(sim, node) != Some(0)).collect();
                let node = if nodes.is_empty() { None } else { Some(nodes[luck(nodes.len())]) };
                place.local_on = node;
                place.bound_to.push(on_node(sim, node));
            }
        }
    }
    sim.executors[id].claims.place = place;
}

/// One of the zones that have a node and that the class allows. In a cluster without zones a disk is bound to none; where no zone is allowed,
/// nothing is made and no node will do.
fn any_zone(sim: &Sim, claim: &ClaimSpec, luck: impl Fn(usize) -> usize) -> Option<NodeSelectorTerm> {
    let mut zones: Vec<usize> = crate::cluster::present(sim).iter().filter_map(|node| sim.plan.nodes[node.index()].zone).collect();
    zones.sort_unstable();
    zones.dedup();
    let known = !zones.is_empty();
    zones.retain(|&zone| claim.class.zones.has(zone));
    match zones.len() {
        0 => known.then(|| on_node(sim, None)),
        several => Some(sim.plan.pods.in_zone[zones[luck(several)]].clone()),
    }
}

/// The pod has its node: volumes that waited for it are made there.
pub(crate) fn on_bound(sim: &mut Sim, id: ExecutorId, node: NodeId) {
    if sim.executors[id].claims.place.made {
        return;
    }
    let mut place = std::mem::take(&mut sim.executors[id].claims.place);
    for claim in sim.plan.executor.scratch.claims.iter().filter(|claim| !claim.class.immediate) {
        match claim.class.reach {
            Reach::Region => {}
            Reach::Zone => place.bound_to.extend(sim.plan.nodes[node.index()].zone.map(|zone| sim.plan.pods.in_zone[zone].clone())),
            Reach::Node => {
                place.local_on = Some(node);
                place.bound_to.push(on_node(sim, Some(node)));
            }
        }
    }
    place.made = true;
    sim.executors[id].claims.place = place;
}

/// A local volume's node affinity; without a node one that holds nowhere.
fn on_node(sim: &Sim, node: Option<NodeId>) -> NodeSelectorTerm {
    let values = node.map(|node| sim.plan.nodes[node.index()].name.clone()).into_iter().collect();
    NodeSelectorTerm { requirements: vec![Requirement { key: HOSTNAME.to_owned(), op: SelectorOp::In, values }] }
}

/// For how many more pods a node has local volumes, where there is a limit.
pub(crate) fn local_sets_left(sim: &Sim, node: NodeId) -> Option<u32> {
    let most = sim.plan.pods.local_sets?;
    let here = |place: &Place| place.local_on == Some(node);
    let of_pods = sim.executors.values().filter(|e| here(&e.claims.place)).count();
    Some(most.saturating_sub((of_pods + super::reuse::left(sim).filter(|place| here(place)).count()) as u32))
}
