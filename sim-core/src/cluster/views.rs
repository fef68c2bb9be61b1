//! The scheduler's views of a running cluster.
//!
//! A pod counts on its node from its binding until its death has been seen or it is closed (PA-7). Executors are alike but for the time of
//! their binding and the place of their volumes; the driver and the neighbours have requests, labels and a priority, and no rules but the default spread of
//! controllers. The driver's priority is above all: it is never preempted. A node that is taken back or has vanished takes no pod,
//! whatever it tolerates. Source: 5.1; PT-2, PT-3.

use super::placement::{Candidate, view};
use crate::ids::{ExecutorId, NodeId, PodSlot};
use crate::kube::scheduler::{NodeConditions, NodeView, PodView, VolumesView};
use crate::machine::{Machine, Owner};
use crate::sim::Sim;
use crate::spark::claims::place;
use crate::spark::executor::Life;
use crate::spec::NeighbourPlacement;
use crate::units::Bytes;

/// All nodes that are there as the scheduler sees them for a pod: others that are nominated stand on their nodes unless it is more important.
pub(super) fn nodes<'a>(sim: &'a Sim, pod: Candidate) -> Vec<NodeView<'a>> {
    let mut nodes = present(sim);
    for &(other, at) in sim.cluster.nominated.iter().filter(|&&(other, _)| other != pod) {
        let nominated = view(sim, other).0;
        if nominated.priority >= view(sim, pod).0.priority {
            stand(sim, &mut nodes, other, at);
        }
    }
    nodes
}

/// Puts a pod on a node that is there.
pub(super) fn stand<'a>(sim: &'a Sim, nodes: &mut [NodeView<'a>], pod: Candidate, at: NodeId) {
    if let Some(place) = sim.cluster.present.iter().position(|&node| node == at) {
        nodes[place].pods.push(view(sim, pod).0);
    }
}

/// The nodes that are there.
pub(super) fn present<'a>(sim: &'a Sim) -> Vec<NodeView<'a>> {
    sim.cluster.present.iter().map(|&id| node(sim, id)).collect()
}

/// Pods of a node in the order of their views.
pub(super) fn residents(sim: &Sim, node: NodeId) -> Vec<(PodSlot, Owner)> {
    let machine = &sim.machines[node];
    let slots = machine.owners.iter().enumerate().filter(|&(slot, owner)| assigned(sim, machine, slot, *owner).is_some());
    slots.map(|(slot, owner)| (PodSlot::new(slot as u32), *owner)).collect()
}

/// Whether a pod of the node is being deleted.
pub(super) fn somebody_leaves(sim: &Sim, at: NodeId) -> bool {
    node(sim, at).pods.iter().any(|pod| pod.terminating)
}

/// A node.
pub(super) fn node<'a>(sim: &'a Sim, id: NodeId) -> NodeView<'a> {
    let plan = &sim.plan.nodes[id.index()];
    let machine = &sim.machines[id];
    let now = sim.now();
    NodeView {
        name: &plan.name,
        identity: plan.identity,
        labels: &plan.labels,
        taints: &plan.taints,
        unschedulable: machine.cordoned,
        gone: machine.cordoned,
        allocatable_cpu: plan.allocatable_cpu,
        allocatable_memory: plan.allocatable_memory,
        allocatable_ephemeral: plan.shape.disks[0].size.saturating_sub(plan.shape.disks[0].used),
        max_pods: plan.shape.max_pods,
        max_volumes: plan.max_volumes,
        local_sets: place::local_sets_left(sim, id),
        has_image: machine.has_image,
        pods: machine.owners.iter().enumerate().filter_map(|(slot, owner)| assigned(sim, machine, slot, *owner)).collect(),
        conditions: NodeConditions { memory_pressure: machine.memory_pressure_until > now, disk_pressure: machine.disk_pressure_until > now },
    }
}

/// The view of a pod that still counts on its node.
fn assigned<'a>(sim: &'a Sim, machine: &Machine, slot: usize, owner: Owner) -> Option<PodView<'a>> {
    if !machine.memory.pods[slot].open {
        return None;
    }
    match owner {
        Owner::Executor(id) => {
            let it = &sim.executors[id];
            let counts = it.life != Life::Gone || it.restarts_in_place;
            let new = executor(sim, Some(id));
            let memory_request = new.memory_request + it.growth.asked;
            counts.then_some(PodView { memory_request, started: it.created_at, terminating: it.terminating, ..new })
        }
        Owner::Neighbour(index) => {
            let leaving = &sim.cluster.leaving;
            let terminating = !leaving.is_empty() && leaving.contains(&(machine.id, PodSlot::new(slot as u32)));
            Some(PodView { terminating, ..neighbour(sim, index) })
        }
        Owner::Driver => Some(driver(sim)),
    }
}

/// Memory that the other pods of a node have been given: an executor's as its kubelet has taken it.
pub(super) fn requested_by_others(sim: &Sim, node: NodeId, own: PodSlot) -> Bytes {
    let machine = &sim.machines[node];
    let request = |(slot, owner): (usize, &Owner)| {
        let view = assigned(sim, machine, slot, *owner)?;
        let deferred = match *owner {
            Owner::Executor(id) => sim.executors[id].growth.asked - sim.executors[id].growth.taken,
            Owner::Driver | Owner::Neighbour(_) => Bytes::ZERO,
        };
        Some(view.memory_request - deferred)
    };
    machine.owners.iter().enumerate().filter(|(slot, _)| *slot != own.index()).filter_map(request).sum()
}

/// An executor, or what all executors have in common. Claims that are used again, or that were bound at once, have their place already.
pub(super) fn executor<'a>(sim: &'a Sim, id: Option<ExecutorId>) -> PodView<'a> {
    let place = id.map(|id| &sim.executors[id].claims.place);
    let unbound = place.is_none_or(|place| !place.made);
    let pods = &sim.plan.pods;
    let plan = &sim.plan.executor;
    let conf = &sim.plan.spec().spark.kubernetes;
    let template = &conf.pod_template;
    PodView {
        namespace: &conf.namespace,
        ephemeral_request: plan.resources.ephemeral_request,
        best_effort: false,
        affinity: &template.affinity,
        tolerations: &template.tolerations,
        spread: &template.spread,
        host_ports: &template.host_ports,
        node_name: template.node_name.as_deref(),
        volumes: VolumesView {
            attached: pods.executor_volumes,
            bound_to: place.map_or(&[][..], |place| &place.bound_to),
            exclusive_claims: &pods.exclusive_claims,
            unbound_in: if unbound { &pods.topologies } else { &[] },
            local: unbound && pods.local,
        },
        image: sim.plan.spec().cluster.scheduler.cold_image,
        priority: template.priority,
        ..PodView::bare(plan.resources.cpu_request, plan.resources.memory_request, &plan.labels)
    }
}

/// The driver.
pub(super) fn driver<'a>(sim: &'a Sim) -> PodView<'a> {
    let namespace = &sim.plan.spec().spark.kubernetes.namespace;
    let pod = PodView::bare(sim.plan.spec().spark.driver.cpu, driver_memory(sim), &sim.plan.pods.driver_labels);
    PodView { namespace, image: sim.plan.spec().cluster.scheduler.cold_image, priority: i32::MAX, ..pod }
}

pub(super) fn driver_memory(sim: &Sim) -> Bytes {
    sim.plan.driver_container.unwrap_or_default()
}

/// A pod of a neighbour.
pub(super) fn neighbour<'a>(sim: &'a Sim, index: u32) -> PodView<'a> {
    let spec = &sim.plan.spec().cluster.neighbours[index as usize];
    let pods = &sim.plan.pods.neighbours[index as usize];
    PodView {
        namespace: &spec.namespace,
        ephemeral_request: spec.resources.ephemeral_request,
        spread: &pods.spread,
        spread_is_default: matches!(spec.placement, NeighbourPlacement::Replicas(_)),
        priority: spec.priority,
        ..PodView::bare(spec.resources.cpu_request, spec.resources.memory_request, &pods.labels)
    }
}
