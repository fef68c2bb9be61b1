//! Which node a new pod gets, by platform.
//!
//! Kubernetes: the default scheduler's filters and scores over views of the nodes. YARN: containers go where
//! most memory is free. Standalone: spread out over the workers. Bare: pack all on one node when the template
//! requires pod affinity, else the node with the fewest executors. Ties are broken at random by seed on
//! Kubernetes (SC-5), by index elsewhere.

use super::views::{self, driver_memory};
use crate::ids::{ExecutorId, NodeId};
use crate::kernel::{Purpose, mix};
use crate::kube::scheduler::{self, Decision, Options, PodView};
use crate::sim::Sim;
use crate::spark::executor::Life;
use crate::spec::Platform;
use crate::units::Bytes;
use crate::yarn::{placement as yarn, sizing};

/// The pod that wants a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Candidate {
    /// An executor.
    Executor(ExecutorId),
    /// The driver.
    Driver,
    /// A replica of the neighbour with this index.
    Neighbour(u32),
}

/// The node that a pod would get now.
pub(super) fn find(sim: &Sim, pod: Candidate) -> Option<NodeId> {
    match (sim.plan.spec().cluster.platform, pod) {
        (Platform::Kubernetes, _) => on_kubernetes(sim, pod).node.map(id),
        (Platform::Yarn, Candidate::Executor(_)) => on_yarn(sim, sim.plan.executor.container()),
        (Platform::Yarn, Candidate::Driver) => on_yarn(sim, driver_memory(sim)),
        (Platform::Standalone, Candidate::Executor(_)) => fewest(sim, true),
        (Platform::Bare, Candidate::Executor(_)) => on_bare(sim),
        (Platform::Standalone | Platform::Bare, Candidate::Driver) => Some(NodeId::new(0)),
        (Platform::Yarn | Platform::Standalone | Platform::Bare, Candidate::Neighbour(_)) => fewest(sim, false),
    }
}

/// Finds a node for a pod; the scheduler's next search begins where this one ended (SC-2).
pub(super) fn place(sim: &mut Sim, pod: Candidate) -> Option<NodeId> {
    if sim.plan.spec().cluster.platform != Platform::Kubernetes {
        return find(sim, pod);
    }
    let decision = on_kubernetes(sim, pod);
    sim.cluster.search_from = (sim.cluster.search_from + decision.looked_at) % sim.machines.len().max(1);
    decision.node.map(id)
}

fn id(index: usize) -> NodeId {
    NodeId::new(index as u32)
}

fn on_kubernetes(sim: &Sim, pod: Candidate) -> Decision {
    let (view, entity) = view(sim, pod);
    let options = Options { settings: &sim.plan.spec().cluster.scheduler, start: sim.cluster.search_from, explain: false, without: None };
    scheduler::schedule(&view, &views::nodes(sim), &options, &mut |node| sim.luck.stream(Purpose::SchedulerTie, mix(entity, node)).next_u64())
}

/// A pod as the scheduler sees it, and the number by which its ties are broken.
fn view<'a>(sim: &'a Sim, pod: Candidate) -> (PodView<'a>, u64) {
    match pod {
        Candidate::Executor(id) => (views::executor(sim), id.index() as u64),
        Candidate::Driver => (views::driver(sim), u64::MAX),
        Candidate::Neighbour(index) => {
            let before = sim.cluster.tenants.iter().filter(|tenant| tenant.spec == index).count() as u64;
            (views::neighbour(sim, index), mix(mix(7, u64::from(index)), before))
        }
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
