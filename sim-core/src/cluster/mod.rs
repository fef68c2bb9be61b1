//! The cluster at run time: machines, who lives on them, and where new pods go.
//!
//! Before the application starts, neighbours and the driver settle in. Executor pods wait in a queue and are
//! placed one at a time by the platform's rule: the Kubernetes scheduler's filters and scores, YARN's fit, or
//! the bare lab's pack and spread. The scheduler sees requests only, never usage (fact 6 of domain-facts 0.3).
//! An executor counts on its node until its death has been seen or its pod is closed (PA-7). On Kubernetes pods that do not fit wait in a
//! queue ([`queue`]) and may drive out others ([`preemption`]). Assumption: the driver starts in ten seconds and holds its memory from
//! then on.

pub(crate) mod autoscaler;
pub(crate) mod daemons;
pub(crate) mod neighbours;
mod placement;
pub(crate) mod preemption;
mod queue;
pub(crate) mod scale_down;
mod views;

#[cfg(test)]
mod scale_down_tests;
#[cfg(test)]
mod tests;

use self::autoscaler::Autoscaler;
use self::placement::{Candidate, Verdict};
use self::queue::Queue;
use crate::day::Day;
use crate::event::Event;
use crate::hardware::NodeDevices;
use crate::ids::{ExecutorId, NodeId, PodSlot};
use crate::kernel::{IdVec, Luck, Purpose, mix};
use crate::kube::{empty_dir, swap};
use crate::linux::cgroup::{Charge, NodeMemory};
use crate::machine::{Machine, Owner};
use crate::plan::SimPlan;
use crate::sim::Sim;
use crate::spark::{claims, driver, jvm, start};
use crate::spec::{Collector, DeployMode, Platform, Resources};
use crate::units::{Bytes, SimSpan, SimTime};

/// Seconds from submission until the driver asks for executors: pod, JVM and context (8.5).
const DRIVER_START: SimSpan = SimSpan::from_secs(10);

/// Address of the draw of the first search's start, away from those of pods.
const SEARCH_START: u64 = mix(u64::MAX, 1);

/// Queue and tenants.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// Executor pods that wait for a node, oldest first.
    pub(crate) pending: Vec<ExecutorId>,
    /// Neighbours' pods that wait for a node, oldest first.
    pending_neighbours: Vec<Candidate>,
    /// By neighbour, how many pods of it there have been.
    serials: Vec<u32>,
    /// Pods that were refused, and when they are tried again (Kubernetes only).
    queue: Queue,
    /// Pods for which victims have to go, with the node that they are going to get.
    nominated: Vec<(Candidate, NodeId)>,
    /// Neighbours that are being deleted.
    leaving: Vec<(NodeId, PodSlot)>,
    /// Nodes that are there, in the order in which they came.
    present: Vec<NodeId>,
    /// Nodes that may come.
    autoscaler: Autoscaler,
    /// Where the scheduler's next search begins (SC-2).
    search_from: usize,
    /// When they are tried again because a node's pressure may be over.
    retry_at: SimTime,
    /// Neighbours that run somewhere.
    pub(crate) tenants: Vec<neighbours::Tenant>,
    /// Where the driver is.
    pub(crate) driver: Option<(NodeId, PodSlot)>,
    /// Claims that all executors share.
    pub(crate) shared: Vec<claims::Shared>,
}

impl Cluster {
    /// Nobody there yet; the scheduler, which is older than the job, begins its search anywhere.
    pub(crate) fn new(plan: &SimPlan, luck: &Luck) -> Self {
        let present: Vec<NodeId> = (0..plan.nodes.len() as u32).map(NodeId::new).filter(|node| !plan.nodes[node.index()].spare).collect();
        let nodes = present.len() as u64;
        let search_from = if nodes > 1 { luck.stream(Purpose::SchedulerTie, SEARCH_START).below(nodes) as usize } else { 0 };
        Self {
            pending: Vec::new(),
            pending_neighbours: Vec::new(),
            serials: vec![0; plan.spec().cluster.neighbours.len()],
            queue: Queue::default(),
            nominated: Vec::new(),
            leaving: Vec::new(),
            present,
            autoscaler: Autoscaler::new(plan, luck),
            search_from,
            retry_at: SimTime::ZERO,
            tenants: Vec::new(),
            driver: None,
            shared: Vec::new(),
        }
    }

    /// The next pod of a neighbour.
    fn new_pod_of(&mut self, spec: u32) -> Candidate {
        let serial = self.serials[spec as usize];
        self.serials[spec as usize] += 1;
        Candidate::Neighbour { spec, serial }
    }

    /// All pods that wait: neighbours, which are older than the application, then executors.
    fn waiting(&self) -> impl Iterator<Item = Candidate> {
        self.pending_neighbours.iter().copied().chain(self.pending.iter().map(|&id| Candidate::Executor(id)))
    }

    /// Empty machines of this replication's speeds.
    pub(crate) fn machines(plan: &SimPlan, day: &Day) -> IdVec<NodeId, Machine> {
        let mut machines = IdVec::new();
        for (index, node) in plan.nodes.iter().enumerate() {
            let devices = NodeDevices::new(&node.shape, &day.speeds[index]);
            let memory = NodeMemory::new(node.shape.memory, node.kubepods_limit).with_kernel_memory().with_swap(plan.spec().cluster.swap);
            let mut machine = Machine::new(NodeId::new(index as u32), devices, memory, &node.shape.disks, plan.spec().cluster.cgroup);
            claims::open_ceiling(plan, index, &mut machine);
            machines.push(machine);
        }
        machines
    }
}

/// Settles system, neighbours and driver, and starts the periodic looks.
pub(crate) fn settle_in(sim: &mut Sim) {
    let plan = sim.plan;
    for place in 0..sim.cluster.present.len() {
        let node = sim.cluster.present[place];
        charge_system(sim, node);
    }
    claims::open_shared(sim);
    neighbours::settle(sim);
    let start = if plan.spec().cluster.platform == Platform::Bare { SimSpan::ZERO } else { DRIVER_START };
    if plan.spec().spark.deploy_mode == DeployMode::Cluster && plan.spec().cluster.platform != Platform::Bare {
        settle_driver(sim);
    }
    sim.after(start, Event::DriverUp);
    crate::spark::decommission::start(sim);
    match plan.spec().cluster.platform {
        Platform::Kubernetes => crate::kube::kubelet::start(sim),
        Platform::Yarn => crate::yarn::memory_monitor::start(sim),
        Platform::Standalone | Platform::Bare => {}
    }
}

/// Memory of a node's system and of its daemons, from its start on.
fn charge_system(sim: &mut Sim, node: NodeId) {
    let system = system_memory(sim, node);
    sim.machines[node].memory.charge_system(system);
    daemons::start_on(sim, node);
}

/// A node is gone, with its system and its daemons.
fn give_system_back(sim: &mut Sim, node: NodeId) {
    let (system, now) = (system_memory(sim, node) + daemons::end_on(sim, node), sim.now());
    let machine = &mut sim.machines[node];
    // Peaks are taken before what lowers them.
    let v = machine.v(now);
    machine.memory.note_node_peak(v);
    machine.memory.uncharge_system(system);
}

fn system_memory(sim: &Sim, node: NodeId) -> Bytes {
    Bytes::from_f64(sim.luck.draw(&sim.plan.nodes[node.index()].shape.system_memory, Purpose::SystemMemory, node.index() as u64))
}

/// The nodes that are there, in the order in which they came.
pub(crate) fn present<'a>(sim: &'a Sim<'_, '_>) -> &'a [NodeId] {
    &sim.cluster.present
}

fn settle_driver(sim: &mut Sim) {
    let plan = sim.plan;
    let conf = &plan.spec().spark.driver;
    let Verdict::Bound(node) = placement::place(sim, Candidate::Driver) else { return };
    let machine = &mut sim.machines[node];
    machine.has_image = true;
    let slot = machine.open_pod(Owner::Driver, plan.driver_limit, None);
    let non_heap = jvm::non_heap(conf.memory, jvm::threads(1), Bytes::ZERO, plan.spec().app.sql, Collector::G1);
    let limit = plan.driver_container.map_or(Bytes::MAX, |limit| machine.memory.usable(limit));
    let used = (conf.memory.scale(driver::heap::TOUCHED) + non_heap).min(limit.saturating_sub(Bytes::mib(1)));
    machine.memory.charge(slot, Charge::Process, used);
    limit_swap(sim, node, slot, &crate::linux::oom::driver_resources(sim), 0);
    sim.cluster.driver = Some((node, slot));
    sim.touch(node);
}

/// How much swap a pod may have: on Kubernetes what its kubelet sets, elsewhere there is no limit.
fn limit_swap(sim: &mut Sim, node: NodeId, slot: PodSlot, resources: &Resources, priority: i32) {
    let cluster = &sim.plan.spec().cluster;
    if cluster.platform == Platform::Kubernetes {
        let most = swap::swap_max(&cluster.swap, cluster.cgroup, resources, priority, sim.plan.nodes[node.index()].shape.memory);
        sim.machines[node].memory.limit_swap(slot, most);
    }
}

/// The node that a waiting executor would get now.
pub(crate) fn place_for_executor(sim: &Sim, id: ExecutorId) -> Option<NodeId> {
    placement::find(sim, Candidate::Executor(id))
}

/// Memory that the pods of a node beside one have been given.
pub(crate) fn requested_by_others(sim: &Sim, node: NodeId, own: PodSlot) -> Bytes {
    views::requested_by_others(sim, node, own)
}

/// An executor's name in reports.
pub(crate) fn pod_name(id: ExecutorId) -> String {
    placement::executor_name(id)
}

/// Why no node takes an executor that waits, in the scheduler's words.
#[cfg(test)]
pub(crate) fn refusals(sim: &Sim, id: ExecutorId) -> Vec<String> {
    placement::decide(sim, Candidate::Executor(id)).reasons.iter().map(|(_, reason)| reason.to_string()).collect()
}

/// Whether a node has a pod of an executor whose volumes are not torn down.
pub(crate) fn has_executors(sim: &Sim, node: NodeId) -> bool {
    let machine = &sim.machines[node];
    machine.owners.iter().zip(&machine.memory.pods).any(|(owner, pod)| pod.open && matches!(owner, Owner::Executor(_)))
}

/// Whether nothing has happened that could help a waiting executor, so that it must not fit anywhere: for the audit.
pub(crate) fn is_parked(sim: &Sim, id: ExecutorId) -> bool {
    sim.plan.spec().cluster.platform != Platform::Kubernetes || sim.cluster.queue.is_parked(Candidate::Executor(id))
}

/// A pod has left, or is about to: pods that wait may have room now.
pub(crate) fn pods_changed(sim: &mut Sim) {
    if sim.cluster.waiting().next().is_some() {
        sim.cluster.queue.unpark(true);
        sim.after(SimSpan::ZERO, Event::SchedulePods);
    }
}

/// Tries what is due; what does not fit stays (AL-5).
pub(crate) fn on_schedule(sim: &mut Sim) {
    let now = sim.now();
    let on_kubernetes = sim.plan.spec().cluster.platform == Platform::Kubernetes;
    if sim.cluster.retry_at == now {
        sim.cluster.queue.unpark(true);
    }
    sim.cluster.queue.flush(now);
    for pod in in_order(sim) {
        if on_kubernetes && !sim.cluster.queue.is_due(pod, now) {
            continue;
        }
        match placement::place(sim, pod) {
            Verdict::Bound(node) => bound(sim, pod, node),
            Verdict::Refused { minds_pods } if on_kubernetes => {
                sim.cluster.queue.refused(pod, now, minds_pods);
                preemption::look_for_victims(sim, pod);
            }
            Verdict::Refused { .. } => {}
        }
    }
    sim.tally.pending(sim.cluster.pending.len() as u32);
    if !sim.cluster.pending.is_empty() {
        retry_after_pressure(sim);
    }
    if on_kubernetes {
        plan_look(sim);
        autoscaler::plan_scan(sim);
    }
}

/// The waiting pods as the scheduler takes them: by priority, new ones as they came, then those that were refused by their last try (SC-3).
fn in_order(sim: &Sim) -> Vec<Candidate> {
    let mut pods: Vec<Candidate> = sim.cluster.waiting().collect();
    if sim.plan.spec().cluster.platform == Platform::Kubernetes {
        pods.sort_by_cached_key(|&pod| (std::cmp::Reverse(placement::view(sim, pod).0.priority), sim.cluster.queue.position(pod).map_or(0, |place| place + 1)));
    }
    pods
}

/// Forgets pods that are not wanted any more, and plans the next look at the others.
fn plan_look(sim: &mut Sim) {
    let cluster = &mut sim.cluster;
    let (executors, neighbours) = (&cluster.pending, &cluster.pending_neighbours);
    let wanted = |pod: Candidate| match pod {
        Candidate::Executor(id) => executors.contains(&id),
        _ => neighbours.contains(&pod),
    };
    cluster.queue.keep(wanted);
    cluster.nominated.retain(|&(pod, _)| wanted(pod));
    let now = sim.calendar.now();
    if let Some(span) = sim.cluster.queue.plan_look(now) {
        sim.after(span, Event::SchedulePods);
    }
}

/// A pod has its node: rules between pods may hold now for others.
fn bound(sim: &mut Sim, pod: Candidate, node: NodeId) {
    sim.cluster.nominated.retain(|&(other, _)| other != pod);
    sim.cluster.queue.forget(pod);
    match pod {
        Candidate::Executor(id) => {
            sim.cluster.pending.retain(|&waiting| waiting != id);
            bind(sim, id, node);
        }
        Candidate::Neighbour { spec, .. } => {
            sim.cluster.pending_neighbours.retain(|&waiting| waiting != pod);
            neighbours::bind(sim, spec, node);
        }
        Candidate::Driver => {}
    }
    sim.cluster.queue.unpark(false);
}

/// A node that takes its pressure taint off makes the scheduler look at unschedulable pods again (NE-5).
fn retry_after_pressure(sim: &mut Sim) {
    let now = sim.now();
    let ends = sim.machines.values().flat_map(|m| [m.memory_pressure_until, m.disk_pressure_until]);
    let Some(next) = ends.filter(|&end| end > now).min() else { return };
    if sim.cluster.retry_at <= now || next < sim.cluster.retry_at {
        sim.cluster.retry_at = next;
        sim.after(next.since(now), Event::SchedulePods);
    }
}

fn bind(sim: &mut Sim, id: ExecutorId, node: NodeId) {
    let plan = sim.plan;
    let scratch = &plan.executor.scratch;
    // Several mounts are each looked at when something is written there.
    let capacity = (scratch.tmpfs_dirs == 1).then(|| empty_dir::mount_size(plan, &plan.nodes[node.index()], scratch.tmpfs_size_limit));
    let slot = sim.machines[node].open_pod(Owner::Executor(id), plan.executor.limit, capacity);
    limit_swap(sim, node, slot, &plan.executor.resources, plan.spec().spark.kubernetes.pod_template.priority);
    claims::mount(sim, id, node);
    start::on_bound(sim, id, node, slot);
    let now: SimTime = sim.now();
    sim.observer.placed(now, id.index() as u32 + 1, node.index() as u32);
}
