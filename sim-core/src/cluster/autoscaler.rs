//! The cluster autoscaler: nodes that come when pods have found no room. Off unless a pool has a `max` above its `count`. How they go is
//! in [`super::scale_down`].
//!
//! Every 10 s, while there are pods that the scheduler refused, each is tried on the nodes that are there or coming. For those that are
//! left each pool is asked how many new nodes, with the neighbours that run on every node, would take how many of them, by the
//! scheduler's own filters, so a pod that waits for company on a full host brings no node. One pool grows in a scan. A node comes
//! after a drawn time and pods are tried again; one that takes too long is given up, and its pool is left alone for 5 min, doubled up to 30.
//! Assumptions: no quota and no sold-out shape. Source: 5.6; the autoscaler's FAQ, `core/scaleup`,
//! `estimator`, `expander` and `clusterstate` of release 1.30.

use super::placement::{self, Candidate};
use super::scale_down::{self, ScaleDown};
use super::{neighbours, views};
use crate::event::Event;
use crate::ids::NodeId;
use crate::kernel::{Luck, Purpose, mix};
use crate::kube::kubelet;
use crate::kube::scheduler::{self, NodeView, Options, PodView};
use crate::plan::SimPlan;
use crate::sim::Sim;
use crate::spec::Expander;
use crate::units::{SimSpan, SimTime};

/// Pods below this priority bring no nodes (`expendable-pods-priority-cutoff`).
const EXPENDABLE_BELOW: i32 = -10;
/// How long a pool is left alone after a node of it did not come.
const FIRST_BACKOFF: SimSpan = SimSpan::from_secs(300);
/// The longest that it is left alone.
const LAST_BACKOFF: SimSpan = SimSpan::from_secs(1800);

/// Addresses of what is drawn: the phase of the scans, the choice of a pool, a node's time to start.
const PHASE: u64 = 1;
const CHOICE: u64 = 2;
const START: u64 = 3;

/// Nodes that may come.
#[derive(Debug, Default)]
pub(super) struct Autoscaler {
    /// Nobody has asked for them.
    spare: Vec<NodeId>,
    /// Asked for and not there yet.
    coming: Vec<NodeId>,
    /// How often each node was asked for, by index.
    asked: Vec<u32>,
    /// By pool: failures in a row, and until when it is left alone.
    failures: Vec<(u32, SimTime)>,
    /// When the first scan is.
    phase: SimSpan,
    /// Nodes that may go.
    pub(super) down: ScaleDown,
    next_scan: Option<SimTime>,
}

impl Autoscaler {
    /// Nothing is asked for yet.
    pub(super) fn new(plan: &SimPlan, luck: &Luck) -> Self {
        let spare: Vec<NodeId> = (0..plan.nodes.len() as u32).map(NodeId::new).filter(|node| plan.nodes[node.index()].spare).collect();
        let shrinks = plan.spec().cluster.pools.iter().any(|pool| pool.min_count.is_some_and(|min| min < pool.count));
        if spare.is_empty() && !shrinks {
            return Self { down: ScaleDown::new(plan.nodes.len()), ..Self::default() };
        }
        Self {
            spare,
            asked: vec![0; plan.nodes.len()],
            failures: vec![(0, SimTime::ZERO); plan.spec().cluster.pools.len()],
            phase: SimSpan::from_ns(luck.stream(Purpose::Autoscaler, PHASE).below(interval(plan).as_ns())),
            down: ScaleDown::new(plan.nodes.len()),
            ..Self::default()
        }
    }

    /// A node is not there any more: it may be asked for again.
    pub(super) fn put_back(&mut self, node: NodeId) {
        self.spare.push(node);
        self.spare.sort_unstable();
    }
}

#[cfg(test)]
impl Autoscaler {
    /// How often nodes were asked for.
    pub(super) fn asked(&self) -> u32 {
        self.asked.iter().sum()
    }
}

/// Between two scans; never none.
fn interval(plan: &SimPlan) -> SimSpan {
    plan.spec().cluster.autoscaler.scan_interval.max(SimSpan::from_secs(1))
}

/// What a pool could do.
struct Growth<'a> {
    nodes: Vec<NodeId>,
    helped: Vec<PodView<'a>>,
}

/// Plans the next scan while pods are refused and nodes could come, or nodes could go.
pub(super) fn plan_scan(sim: &mut Sim) {
    let cluster = &sim.cluster;
    let grows = || !cluster.autoscaler.spare.is_empty() && refused(sim).next().is_some();
    if cluster.autoscaler.next_scan.is_some() || !(grows() || scale_down::looks(sim)) {
        return;
    }
    let interval = interval(sim.plan).as_ns();
    let since = (sim.now().as_ns() + interval - cluster.autoscaler.phase.as_ns() % interval) % interval;
    let span = SimSpan::from_ns(interval - since);
    sim.cluster.autoscaler.next_scan = Some(sim.now() + span);
    sim.after(span, Event::AutoscalerScan);
}

/// Asks for the nodes on which refused pods would fit.
pub(crate) fn on_scan(sim: &mut Sim) {
    sim.cluster.autoscaler.next_scan = None;
    let nodes = decide(sim);
    if nodes.is_empty() {
        scale_down::scan(sim);
    } else {
        sim.cluster.autoscaler.down.grew_at = Some(sim.now());
    }
    for node in nodes {
        ask_for(sim, node);
    }
    plan_scan(sim);
}

fn ask_for(sim: &mut Sim, node: NodeId) {
    let autoscaler = &mut sim.cluster.autoscaler;
    autoscaler.spare.retain(|&spare| spare != node);
    autoscaler.coming.push(node);
    let tries = &mut autoscaler.asked[node.index()];
    let entity = mix(START, mix(node.index() as u64, u64::from(*tries)));
    *tries += 1;
    let settings = &sim.plan.spec().cluster.autoscaler;
    let start = SimSpan::from_secs_f64(sim.luck.draw(&settings.scale_up_s, Purpose::Autoscaler, entity).max(0.0));
    if start <= settings.max_node_provision {
        sim.after(start, Event::NodeJoins(node));
    } else {
        sim.after(settings.max_node_provision, Event::NodeNotProvisioned(node));
    }
}

/// Pods that were refused at least once and are worth a node; those that will get their victims' room are not among them.
fn refused<'a>(sim: &'a Sim) -> impl Iterator<Item = Candidate> + 'a {
    let cluster = &sim.cluster;
    cluster.waiting().filter(|&pod| cluster.queue.position(pod).is_some() && !cluster.nominated.iter().any(|&(other, _)| other == pod))
}

/// The nodes to ask for now: those of one pool.
fn decide(sim: &Sim) -> Vec<NodeId> {
    let (nodes, pods) = left_over(sim);
    if pods.is_empty() {
        return Vec::new();
    }
    let pools = 0..sim.plan.spec().cluster.pools.len();
    let grown: Vec<Growth<'_>> = pools.filter_map(|pool| estimate(sim, pool, &nodes, &pods)).collect();
    choose(sim, grown)
}

/// The cluster with those that fit where they are going to, and the pods that do not.
fn left_over<'a>(sim: &'a Sim) -> (Vec<NodeView<'a>>, Vec<PodView<'a>>) {
    let mut nodes = views::present(sim);
    for &(pod, at) in &sim.cluster.nominated {
        views::stand(sim, &mut nodes, pod, at);
    }
    nodes.extend(sim.cluster.autoscaler.coming.iter().map(|&node| fresh(sim, node)));
    let (options, mut left) = (placement::options(sim), Vec::new());
    let mut pods: Vec<(Candidate, PodView<'a>)> = refused(sim).map(|pod| (pod, placement::view(sim, pod).0)).collect();
    pods.retain(|(_, view)| view.priority >= EXPENDABLE_BELOW);
    pods.sort_by_key(|(_, view)| std::cmp::Reverse(view.priority));
    // Executors without a volume are alike: while nothing has changed none fits when one does not.
    let mut executors_fit = true;
    for (pod, view) in pods {
        let is_executor = matches!(pod, Candidate::Executor(_)) && view.volumes.bound_to.is_empty();
        if (executors_fit || !is_executor) && put(&mut nodes, 0, &view, &options) {
            executors_fit = true;
        } else {
            executors_fit &= !is_executor;
            left.push(view);
        }
    }
    (nodes, left)
}

/// Puts a pod on the first of the nodes from an index on that takes it.
fn put<'a>(nodes: &mut [NodeView<'a>], from: usize, pod: &PodView<'a>, options: &Options<'_>) -> bool {
    let place = scheduler::first_fit(pod, nodes, options, from..nodes.len());
    if let Some(index) = place {
        nodes[index].pods.push(*pod);
    }
    place.is_some()
}

/// How many new nodes of a pool would take how many pods, the largest pods first; none when it helps nobody.
fn estimate<'a>(sim: &'a Sim, pool: usize, nodes: &[NodeView<'a>], pods: &[PodView<'a>]) -> Option<Growth<'a>> {
    let autoscaler = &sim.cluster.autoscaler;
    let mut spare = autoscaler.spare.iter().copied().filter(|node| sim.plan.nodes[node.index()].pool == pool).peekable();
    spare.peek().filter(|_| autoscaler.failures[pool].1 <= sim.now())?;
    let (first, options) = (nodes.len(), placement::options(sim));
    let (mut nodes, mut growth) = (nodes.to_vec(), Growth { nodes: Vec::new(), helped: Vec::new() });
    for pod in largest_first(sim, pool, pods) {
        let mut helped = put(&mut nodes, first, &pod, &options);
        if !helped && let Some(&next) = spare.peek() {
            nodes.push(fresh(sim, next));
            helped = put(&mut nodes, first + growth.nodes.len(), &pod, &options);
            if helped {
                growth.nodes.extend(spare.next());
            } else {
                nodes.pop();
            }
        }
        growth.helped.extend(helped.then_some(pod));
    }
    (!growth.nodes.is_empty()).then_some(growth)
}

fn largest_first<'a>(sim: &Sim, pool: usize, pods: &[PodView<'a>]) -> Vec<PodView<'a>> {
    let shape = &sim.plan.spec().cluster.pools[pool].shape;
    let share = |pod: &PodView<'_>| share(pod.cpu_request.get(), shape.cpu.get()) + share(pod.memory_request.get(), shape.memory.get());
    let mut pods = pods.to_vec();
    pods.sort_by(|a, b| share(b).total_cmp(&share(a)));
    pods
}

fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// The expander's choice among the pools.
fn choose(sim: &Sim, mut grown: Vec<Growth<'_>>) -> Vec<NodeId> {
    if sim.plan.spec().cluster.autoscaler.expander == Expander::LeastWaste {
        let least = grown.iter().map(|growth| waste(sim, growth)).fold(f64::INFINITY, f64::min);
        grown.retain(|growth| waste(sim, growth) <= least);
    }
    let chosen = match grown.len() as u64 {
        0 => return Vec::new(),
        1 => 0,
        several => sim.luck.stream(Purpose::Autoscaler, mix(CHOICE, sim.now().as_ns())).below(several) as usize,
    };
    grown.swap_remove(chosen).nodes
}

/// Shares of the new nodes' CPU and memory that the pods leave over, added.
fn waste(sim: &Sim, growth: &Growth<'_>) -> f64 {
    let shapes = || growth.nodes.iter().map(|node| &sim.plan.nodes[node.index()].shape);
    let cpu = share(growth.helped.iter().map(|pod| pod.cpu_request.get()).sum(), shapes().map(|shape| shape.cpu.get()).sum());
    let memory = share(growth.helped.iter().map(|pod| pod.memory_request.get()).sum(), shapes().map(|shape| shape.memory.get()).sum());
    2.0 - cpu - memory
}

/// A node as it will be when it comes: with those that run on every node.
fn fresh<'a>(sim: &'a Sim, node: NodeId) -> NodeView<'a> {
    let mut view = views::node(sim, node);
    view.pods.extend(neighbours::daemons(sim).map(|index| views::neighbour(sim, index)));
    view
}

/// A node is there.
pub(crate) fn on_joins(sim: &mut Sim, node: NodeId) {
    sim.cluster.autoscaler.coming.retain(|&coming| coming != node);
    sim.cluster.autoscaler.failures[sim.plan.nodes[node.index()].pool] = (0, SimTime::ZERO);
    sim.cluster.present.push(node);
    sim.machines[node].away = false;
    super::charge_system(sim, node);
    sim.touch(node);
    let daemons: Vec<u32> = neighbours::daemons(sim).collect();
    for index in daemons {
        neighbours::bind(sim, index, node);
    }
    kubelet::start_on(sim, node);
    super::pods_changed(sim);
}

/// A node has not come in time: the autoscaler gives it up and leaves its pool alone for a while.
pub(crate) fn on_not_provisioned(sim: &mut Sim, node: NodeId) {
    let now = sim.now();
    let autoscaler = &mut sim.cluster.autoscaler;
    autoscaler.coming.retain(|&coming| coming != node);
    autoscaler.put_back(node);
    let (failures, until) = &mut autoscaler.failures[sim.plan.nodes[node.index()].pool];
    // Nodes that were asked for together fail together, and once.
    if *until <= now {
        *until = now + (FIRST_BACKOFF * (1 << (*failures).min(4))).min(LAST_BACKOFF);
        *failures += 1;
    }
    plan_scan(sim);
}

/// For the audit: every node is there, comes, or may come, those that are not there hold nothing, and pods that were refused are looked at.
pub(crate) fn check(sim: &Sim) {
    let autoscaler = &sim.cluster.autoscaler;
    let absent = || autoscaler.spare.iter().chain(&autoscaler.coming);
    let mut all: Vec<NodeId> = sim.cluster.present.iter().chain(absent()).copied().collect();
    all.sort_unstable();
    assert!(all.iter().copied().eq(sim.machines.ids()), "nodes are neither there nor away: {all:?}");
    for &node in absent() {
        let machine = &sim.machines[node];
        assert!(machine.memory.pods.iter().all(|pod| !pod.open) && machine.memory.outstanding().is_zero(), "{node:?} is not there and holds memory");
    }
    scale_down::check(sim);
    let looked_at = autoscaler.spare.is_empty() || autoscaler.next_scan.is_some() || refused(sim).next().is_none();
    assert!(looked_at, "pods are refused at {:?} and nobody looks whether a node would help", sim.now());
}
