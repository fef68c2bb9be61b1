//! The cluster at run time: machines, who lives on them, and where new pods go.
//!
//! Before the application starts, neighbours and the driver settle in. Executor pods wait in a queue and are
//! placed one at a time by the platform's rule: the Kubernetes scheduler's filters and scores, YARN's fit, or
//! the bare lab's pack and spread. The scheduler sees requests only, never usage (fact 6 of domain-facts 0.3).
//! An executor counts on its node until its death has been seen or its pod is closed (PA-7). Assumptions: the driver starts in
//! ten seconds and holds its memory from then on; unschedulable pods are tried again whenever a pod is created or lost, without
//! back-off (SC-4).

pub(crate) mod neighbours;
mod placement;

use crate::day::Day;
use crate::event::Event;
use crate::hardware::NodeDevices;
use crate::ids::{ExecutorId, NodeId, PodSlot};
use crate::kernel::{IdVec, Purpose};
use crate::kube::empty_dir;
use crate::linux::cgroup::{Charge, NodeMemory};
use crate::machine::{Machine, Owner};
use crate::plan::SimPlan;
use crate::sim::Sim;
use crate::spark::{claims, driver, executor, jvm};
use crate::spec::{Collector, DeployMode, Platform};
use crate::units::{Bytes, SimSpan, SimTime};

/// Seconds from submission until the driver asks for executors: pod, JVM and context (8.5).
const DRIVER_START: SimSpan = SimSpan::from_secs(10);

/// Queue and tenants.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// Executor pods that wait for a node, oldest first.
    pub(crate) pending: Vec<ExecutorId>,
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
    pub(crate) fn new() -> Self {
        Self { pending: Vec::new(), retry_at: SimTime::ZERO, tenants: Vec::new(), driver: None, shared: Vec::new() }
    }

    /// Empty machines of this replication's speeds.
    pub(crate) fn machines(plan: &SimPlan, day: &Day) -> IdVec<NodeId, Machine> {
        let mut machines = IdVec::new();
        for (index, node) in plan.nodes.iter().enumerate() {
            let devices = NodeDevices::new(&node.shape, &day.speeds[index]);
            let memory = NodeMemory::new(node.shape.memory, node.kubepods_limit);
            let mut machine = Machine::new(NodeId::new(index as u32), devices, memory, &node.shape.disks);
            claims::open_ceiling(plan, index, &mut machine);
            machines.push(machine);
        }
        machines
    }
}

/// Settles system, neighbours and driver, and starts the periodic looks.
pub(crate) fn settle_in(sim: &mut Sim) {
    let plan = sim.plan;
    for (index, node) in plan.nodes.iter().enumerate() {
        let system = sim.luck.draw(&node.shape.system_memory, Purpose::SystemMemory, index as u64);
        sim.machines[NodeId::new(index as u32)].memory.charge_system(Bytes::from_f64(system));
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

fn settle_driver(sim: &mut Sim) {
    let plan = sim.plan;
    let conf = &plan.spec().spark.driver;
    let Some(node) = placement::driver(sim) else { return };
    let machine = &mut sim.machines[node];
    let slot = machine.open_pod(Owner::Driver, plan.driver_container, None);
    let non_heap = jvm::non_heap(conf.memory, jvm::threads(1), Bytes::ZERO, plan.spec().app.sql, Collector::G1);
    let limit = plan.driver_container.unwrap_or(Bytes::MAX);
    let used = (conf.memory.scale(driver::heap::TOUCHED) + non_heap).min(limit.saturating_sub(Bytes::mib(1)));
    machine.memory.charge(slot, Charge::Process, used);
    sim.cluster.driver = Some((node, slot));
    sim.touch(node);
}

/// The node that a new executor would get now.
pub(crate) fn place_for_executor(sim: &Sim) -> Option<NodeId> {
    placement::executor(sim)
}

/// Memory that the pods of a node beside one have been given.
pub(crate) fn requested_by_others(sim: &Sim, node: NodeId, own: PodSlot) -> Bytes {
    placement::requested_by_others(sim, node, own)
}

/// Places what waits, oldest first; what does not fit stays (AL-5).
pub(crate) fn on_schedule(sim: &mut Sim) {
    let waiting = std::mem::take(&mut sim.cluster.pending);
    for id in waiting {
        match placement::executor(sim) {
            Some(node) => bind(sim, id, node),
            None => sim.cluster.pending.push(id),
        }
    }
    sim.tally.pending(sim.cluster.pending.len() as u32);
    if !sim.cluster.pending.is_empty() {
        retry_after_pressure(sim);
    }
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
    claims::mount(sim, id, node);
    executor::on_bound(sim, id, node, slot);
    let now: SimTime = sim.now();
    sim.observer.placed(now, id.index() as u32 + 1, node.index() as u32);
}
