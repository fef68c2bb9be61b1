//! Which node a new pod gets, by platform.
//!
//! Kubernetes: the default scheduler's filters and scores over views of the nodes. YARN: containers go where
//! most memory is free. Standalone: spread out over the workers with cores and memory left (byte code of `Master` 3.5). Bare: pack all on one node when the template
//! requires pod affinity, else the node with the fewest executors. Ties are broken at random by seed on
//! Kubernetes (SC-5), by index elsewhere.

use super::views::{self, driver_memory};
use crate::ids::{ExecutorId, NodeId};
use crate::kernel::{Purpose, mix};
use crate::kube::scheduler::{self, Decision, Options, PodView};
use crate::observe::Explained;
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
    /// A pod of the neighbour with this index.
    Neighbour {
        /// Index of the neighbour.
        spec: u32,
        /// Which of its pods.
        serial: u32,
    },
}

/// What the scheduler says of a pod that it tried.
#[derive(Clone, Copy, Debug)]
pub(super) enum Verdict {
    /// It goes there.
    Bound(NodeId),
    /// It waits; whether the rules between pods refused it somewhere.
    Refused {
        /// Whether a pod that is bound may help it.
        minds_pods: bool,
    },
}

/// The node that a pod would get now.
pub(super) fn find(sim: &Sim, pod: Candidate) -> Option<NodeId> {
    match (sim.plan.spec().cluster.platform, pod) {
        (Platform::Kubernetes, _) => decide(sim, pod).node.map(|index| id(sim, index)),
        (Platform::Yarn, Candidate::Executor(_)) => on_yarn(sim, sim.plan.executor.container(), sim.plan.spec().spark.executor.cores),
        (Platform::Yarn, Candidate::Driver) => on_yarn(sim, driver_memory(sim), driver_vcores(sim)),
        (Platform::Standalone, Candidate::Executor(_)) => fewest(sim, |node, more| worker_has_room(sim, node, more)),
        (Platform::Bare, Candidate::Executor(_)) => on_bare(sim),
        (Platform::Standalone | Platform::Bare, Candidate::Driver) => Some(NodeId::new(0)),
        (Platform::Yarn | Platform::Standalone | Platform::Bare, Candidate::Neighbour { .. }) => fewest(sim, |_, _| true),
    }
}

/// Finds a node for a pod; the scheduler's next search begins where this one ended (SC-2).
pub(super) fn place(sim: &mut Sim, pod: Candidate) -> Verdict {
    if sim.plan.spec().cluster.platform != Platform::Kubernetes {
        return find(sim, pod).map_or(Verdict::Refused { minds_pods: false }, Verdict::Bound);
    }
    let explained = sim.observer.wants_placements().then(|| explain(sim, pod));
    let decision = decide(sim, pod);
    if let Some((name, explained)) = explained {
        let now = sim.now();
        sim.observer.scheduled(now, name, explained);
    }
    sim.cluster.search_from = (sim.cluster.search_from + decision.looked_at) % sim.cluster.present.len().max(1);
    let minds_pods = decision.reasons.iter().any(|(_, reason)| matches!(reason.plugin(), "InterPodAffinity" | "PodTopologySpread"));
    decision.node.map(|index| id(sim, index)).map_or(Verdict::Refused { minds_pods }, Verdict::Bound)
}

/// The same decision for an observer, with all that led to it.
fn explain(sim: &Sim, pod: Candidate) -> (String, Explained) {
    let (view, entity) = view(sim, pod);
    let nodes = views::nodes(sim, pod);
    let options = Options { explain: true, ..options(sim) };
    let mut luck = |node| luck(sim, entity, node);
    let mut decision = scheduler::schedule(&view, &nodes, &options, &mut luck);
    let mut without = scheduler::without_each(&view, &nodes, &options, &mut luck);
    by_node(sim, &mut decision, &mut without);
    (name(sim, pod), Explained { cpu: view.cpu_request, memory: view.memory_request, decision, without })
}

/// Places among the nodes that are there become places among all.
fn by_node(sim: &Sim, decision: &mut Decision, without: &mut [scheduler::Alternative]) {
    let of = |index: usize| id(sim, index).index();
    let alternatives = without.iter_mut().filter_map(|one| one.node.as_mut());
    let scored = decision.table.iter_mut().map(|row| &mut row.node);
    let places = decision.node.iter_mut().chain(&mut decision.tied).chain(scored).chain(decision.reasons.iter_mut().map(|(node, _)| node));
    places.chain(alternatives).for_each(|place| *place = of(*place));
}

fn name(sim: &Sim, pod: Candidate) -> String {
    match pod {
        Candidate::Executor(id) => executor_name(id),
        Candidate::Driver => "driver".to_owned(),
        Candidate::Neighbour { spec, serial } => format!("{}-{serial}", sim.plan.spec().cluster.neighbours[spec as usize].name),
    }
}

/// An executor's name in reports.
pub(super) fn executor_name(id: ExecutorId) -> String {
    format!("executor-{}", id.index() + 1)
}

/// How cycles are run now.
pub(super) fn options<'a>(sim: &'a Sim) -> Options<'a> {
    Options { settings: &sim.plan.spec().cluster.scheduler, start: sim.cluster.search_from, explain: false, without: None }
}

fn luck(sim: &Sim, entity: u64, node: u64) -> u64 {
    sim.luck.stream(Purpose::SchedulerTie, mix(entity, node)).next_u64()
}

/// The node of a view.
fn id(sim: &Sim, index: usize) -> NodeId {
    sim.cluster.present[index]
}

pub(super) fn decide(sim: &Sim, pod: Candidate) -> Decision {
    let (view, entity) = view(sim, pod);
    scheduler::schedule(&view, &views::nodes(sim, pod), &options(sim), &mut |node| luck(sim, entity, node))
}

/// Who makes room for a pod that no node can take: a node and its residents, by their place among them.
pub(super) fn victims(sim: &Sim, pod: Candidate) -> Option<(NodeId, Vec<usize>)> {
    let (view, entity) = view(sim, pod);
    if !sim.plan.spec().cluster.scheduler.preemption || sim.plan.pods.lowest_priority >= view.priority {
        return None;
    }
    let template = &sim.plan.spec().spark.kubernetes.pod_template;
    if matches!(pod, Candidate::Executor(_)) && template.never_preempts {
        return None;
    }
    let nodes = views::nodes(sim, pod);
    let mut luck = |node| luck(sim, entity, node);
    let decision = scheduler::schedule(&view, &nodes, &options(sim), &mut luck);
    let preemption = scheduler::preempt(&view, &nodes, &options(sim), &decision.reasons, &mut luck)?;
    // Nominated pods stand behind those that are there; they are no victims.
    let node = id(sim, preemption.node);
    let residents = views::residents(sim, node).len();
    Some((node, preemption.victims.into_iter().filter(|&index| index < residents).collect()))
}

/// A pod as the scheduler sees it, and the number by which its ties are broken.
pub(super) fn view<'a>(sim: &'a Sim, pod: Candidate) -> (PodView<'a>, u64) {
    match pod {
        Candidate::Executor(id) => (views::executor(sim, Some(id)), id.index() as u64),
        Candidate::Driver => (views::driver(sim), u64::MAX),
        Candidate::Neighbour { spec, serial } => (views::neighbour(sim, spec), mix(mix(7, u64::from(spec)), u64::from(serial))),
    }
}

/// Executors that count on a node.
fn executors_on(sim: &Sim, node: NodeId) -> u64 {
    sim.executors.iter().filter(|(_, e)| e.node == Some(node) && e.life != Life::Gone).count() as u64
}

fn on_yarn(sim: &Sim, container: Bytes, vcores: u32) -> Option<NodeId> {
    let views: Vec<yarn::NodeView> = (0..sim.machines.len()).map(|n| yarn_node(sim, NodeId::new(n as u32))).collect();
    yarn::place(container, vcores, &views).map(|n| NodeId::new(n as u32))
}

/// What YARN's scheduler knows of a node: nothing is left where it may not place.
fn yarn_node(sim: &Sim, node: NodeId) -> yarn::NodeView {
    let (spec, shape) = (sim.plan.spec(), &sim.plan.nodes[node.index()].shape);
    let settings = &spec.cluster.yarn;
    let executors = executors_on(sim, node);
    let driver = sim.cluster.driver.is_some_and(|(at, _)| at == node);
    let closed = sim.machines[node].cordoned || sim.machines[node].unhealthy;
    let capacity = if closed { Bytes::ZERO } else { sizing::node_capacity(shape.memory, settings) };
    let allocated = sim.plan.executor.container() * executors + if driver { driver_memory(sim) } else { Bytes::ZERO };
    let used = u64::from(spec.spark.executor.cores) * executors + if driver { u64::from(driver_vcores(sim)) } else { 0 };
    let all = u64::from(settings.node_vcores.unwrap_or(shape.cpu.as_cores() as u32));
    yarn::NodeView { capacity, allocated, vcores: settings.counts_vcores.then(|| all.saturating_sub(used) as u32) }
}

/// Vcores of the application master that carries the driver (`spark.driver.cores`).
fn driver_vcores(sim: &Sim) -> u32 {
    sim.plan.spec().spark.driver.cpu.as_cores().ceil() as u32
}

/// What a standalone worker leaves to the operating system (`WorkerArguments.inferDefaultMemory`).
const WORKER_LEAVES: Bytes = Bytes::gib(1);

/// Whether a standalone worker has cores and memory for so many executors. Their memory is the heap and nothing else (1.9).
fn worker_has_room(sim: &Sim, node: NodeId, executors: u64) -> bool {
    let shape = &sim.plan.nodes[node.index()].shape;
    let memory = shape.memory.saturating_sub(WORKER_LEAVES).max(WORKER_LEAVES);
    let cores = shape.cpu.as_cores() as u64;
    memory >= sim.plan.executor.heap * executors && cores >= u64::from(sim.plan.spec().spark.executor.cores) * executors
}

/// The node with the fewest executors, among those that `hold` one more.
fn fewest(sim: &Sim, hold: impl Fn(NodeId, u64) -> bool) -> Option<NodeId> {
    sim.machines
        .ids()
        .filter(|&node| !sim.machines[node].cordoned)
        .filter(|&node| hold(node, executors_on(sim, node) + 1))
        .min_by_key(|&node| (executors_on(sim, node), node))
}

fn on_bare(sim: &Sim) -> Option<NodeId> {
    let packed = !sim.plan.spec().spark.kubernetes.pod_template.affinity.required_pod.is_empty();
    if packed { Some(NodeId::new(0)) } else { fewest(sim, |_, _| true) }
}
