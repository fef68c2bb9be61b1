//! Which node a new pod gets, by platform.
//!
//! Kubernetes: the default scheduler's filters and scores over views of the nodes. YARN: containers go where
//! most memory is free. Standalone: spread out over the workers. Bare: pack all on one node when the template
//! requires pod affinity, else the node with the fewest executors. Ties are broken at random by seed on
//! Kubernetes (SC-5), by index elsewhere.

use crate::ids::{NodeId, PodSlot};
use crate::kernel::{Purpose, mix};
use crate::kube::scheduler::{self, Decision, NodeConditions, NodeView, PodView};
use crate::machine::{Machine, Owner};
use crate::sim::Sim;
use crate::spark::executor::Life;
use crate::spec::{Affinity, Label, NeighbourSpec, Platform, Toleration};
use crate::units::{Bytes, CoreMillis, SimTime};
use crate::yarn::{placement as yarn, sizing};

/// Of pods other than executors: daemons are put on their nodes directly.
const NO_TOLERATIONS: &[Toleration] = &[];

/// A node for a new executor.
pub(super) fn executor(sim: &Sim) -> Option<NodeId> {
    match sim.plan.spec().cluster.platform {
        Platform::Kubernetes => on_kubernetes(sim, &executor_view(sim), sim.tally.placements()),
        Platform::Yarn => on_yarn(sim, sim.plan.executor.container()),
        Platform::Standalone => fewest(sim, true),
        Platform::Bare => on_bare(sim),
    }
}

/// A node for the driver.
pub(super) fn driver(sim: &Sim) -> Option<NodeId> {
    match sim.plan.spec().cluster.platform {
        Platform::Kubernetes => on_kubernetes(sim, &driver_view(sim), u64::MAX),
        Platform::Yarn => on_yarn(sim, driver_memory(sim)),
        Platform::Standalone | Platform::Bare => Some(NodeId::new(0)),
    }
}

/// A node for a neighbour's replica.
pub(super) fn neighbour(sim: &Sim, spec: &NeighbourSpec) -> Option<NodeId> {
    match sim.plan.spec().cluster.platform {
        Platform::Kubernetes => on_kubernetes(sim, &neighbour_view(spec), mix(7, sim.cluster.tenants.len() as u64)),
        Platform::Yarn | Platform::Standalone | Platform::Bare => fewest(sim, false),
    }
}

fn on_kubernetes(sim: &Sim, pod: &PodView<'_>, entity: u64) -> Option<NodeId> {
    let open: Vec<NodeId> = sim.machines.ids().filter(|&node| !sim.machines[node].cordoned).collect();
    let nodes: Vec<NodeView<'_>> = open.iter().map(|&node| node_view(sim, node)).collect();
    let mut stream = sim.luck.stream(Purpose::SchedulerTie, entity);
    match scheduler::schedule(pod, &nodes, false, &mut |candidates| stream.below(candidates as u64) as usize) {
        Decision::Bound { node, .. } => Some(open[node]),
        Decision::Unschedulable { .. } => None,
    }
}

fn node_view<'a>(sim: &'a Sim, id: NodeId) -> NodeView<'a> {
    let plan = &sim.plan.nodes[id.index()];
    let machine = &sim.machines[id];
    let now: SimTime = sim.now();
    NodeView {
        name: &plan.name,
        labels: &plan.labels,
        taints: &plan.taints,
        allocatable_cpu: plan.allocatable_cpu,
        allocatable_memory: plan.allocatable_memory,
        allocatable_ephemeral: plan.shape.disks[0].size.saturating_sub(plan.shape.disks[0].used),
        max_pods: plan.shape.max_pods,
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
        Owner::Executor(id) => (sim.executors[id].life != Life::Gone || sim.executors[id].restarts_in_place).then(|| {
            let mut view = executor_view(sim);
            view.memory_request += sim.executors[id].growth.asked;
            view
        }),
        Owner::Neighbour(index) => Some(neighbour_view(&sim.plan.spec().cluster.neighbours[index as usize])),
        Owner::Driver => Some(driver_view(sim)),
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

fn executor_view<'a>(sim: &'a Sim) -> PodView<'a> {
    let executor = &sim.plan.executor;
    let template = &sim.plan.spec().spark.kubernetes.pod_template;
    PodView {
        cpu_request: executor.resources.cpu_request,
        memory_request: executor.resources.memory_request,
        ephemeral_request: executor.resources.ephemeral_request,
        best_effort: false,
        labels: &executor.labels,
        affinity: &template.affinity,
        tolerations: &template.tolerations,
    }
}

fn driver_view<'a>(sim: &'a Sim) -> PodView<'a> {
    bare_view(sim.plan.spec().spark.driver.cpu, driver_memory(sim), &[])
}

fn driver_memory(sim: &Sim) -> Bytes {
    sim.plan.driver_container.unwrap_or_default()
}

fn neighbour_view(spec: &NeighbourSpec) -> PodView<'_> {
    bare_view(spec.resources.cpu_request, spec.resources.memory_request, &spec.labels)
}

fn bare_view(cpu: CoreMillis, memory: Bytes, labels: &[Label]) -> PodView<'_> {
    static NO_AFFINITY: Affinity = Affinity::NONE;
    PodView {
        cpu_request: cpu,
        memory_request: memory,
        ephemeral_request: Bytes::ZERO,
        best_effort: cpu == CoreMillis::ZERO && memory == Bytes::ZERO,
        labels,
        affinity: &NO_AFFINITY,
        tolerations: NO_TOLERATIONS,
    }
}

/// Executors that count on a node.
fn executors_on(sim: &Sim, node: NodeId) -> u64 {
    sim.executors.iter().filter(|(_, e)| e.node == Some(node) && e.life != Life::Gone).count() as u64
}

fn on_yarn(sim: &Sim, container: Bytes) -> Option<NodeId> {
    let views: Vec<yarn::NodeView> = (0..sim.machines.len())
        .map(|n| {
            let node = NodeId::new(n as u32);
            let driver = if sim.cluster.driver.is_some_and(|(at, _)| at == node) { driver_memory(sim) } else { Bytes::ZERO };
            let capacity = sizing::node_capacity(sim.plan.nodes[n].shape.memory, &sim.plan.spec().cluster.yarn);
            let capacity = if sim.machines[node].cordoned { Bytes::ZERO } else { capacity };
            yarn::NodeView { capacity, allocated: sim.plan.executor.container() * executors_on(sim, node) + driver }
        })
        .collect();
    yarn::place(container, &views).map(|n| NodeId::new(n as u32))
}

/// The node with the fewest executors; with `fit`, only nodes whose RAM holds one more executor heap.
fn fewest(sim: &Sim, fit: bool) -> Option<NodeId> {
    let heap = sim.plan.executor.heap;
    sim.machines
        .ids()
        .filter(|&node| !sim.machines[node].cordoned)
        .filter(|&node| !fit || sim.plan.nodes[node.index()].shape.memory >= heap * (executors_on(sim, node) + 1))
        .min_by_key(|&node| (executors_on(sim, node), node))
}

fn on_bare(sim: &Sim) -> Option<NodeId> {
    let packed = !sim.plan.spec().spark.kubernetes.pod_template.affinity.required_pod.is_empty();
    if packed { Some(NodeId::new(0)) } else { fewest(sim, false) }
}
