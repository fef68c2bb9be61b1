//! Dealing with a limit that is reached: whom the kernel kills, and what then happens.
//!
//! A container at its limit loses its own processes. `kubepods` or the node at theirs lose the process with the
//! most badness points ([`super::oom_badness`]): resident memory plus `oom_score_adj`, so tmpfs counts for
//! nothing (VS-3) and system-critical daemons are spared. Each kill frees anonymous memory at once; the check
//! is repeated until everything fits or no process is left (only tmpfs of dead pods, which waits for its tear-down). A full
//! tmpfs mount fails the task that writes next with ENOSPC. Assumptions: an executor is one process, so its Python workers die with the
//! JVM whatever the cgroup version (QO-4); a neighbour's memory is spread evenly over its processes; no swap (AK-4).

use super::limits::Over;
use super::oom_badness::{self, Candidate};
use crate::ids::{ExecutorId, NodeId, PodSlot, TaskId};
use crate::kube::qos;
use crate::linux::cgroup::Charge;
use crate::machine::{Machine, Owner};
use crate::record::{Cause, Ending, FailureReason, Incident, Level, Party};
use crate::sim::Sim;
use crate::spark::driver::failures;
use crate::spark::executor::{self, Death};
use crate::spark::task::{self, Failure};
use crate::spec::{CgroupVersion, Platform, Resources};
use crate::units::Bytes;

/// Looks at one node; `true` when a limit was reached and something was done about it.
pub(crate) fn relieve(sim: &mut Sim, node: NodeId) -> bool {
    let now = sim.now();
    let machine = &sim.machines[node];
    let v = machine.v(now);
    let memory = &machine.memory;
    match memory.over_limit(v) {
        None => false,
        Some(Over::Pod(slot)) => {
            let (used, limit) = (memory.level(slot, v), memory.pods[slot.index()].limit.unwrap_or(Bytes::MAX));
            kill(sim, node, slot, Death { cause: Cause::Container, level: Level::Pod, used, limit })
        }
        Some(Over::Kubepods) => {
            let (used, limit) = (memory.pods_level(v), memory.kubepods_limit.unwrap_or(Bytes::MAX));
            kill_worst(sim, node, Death { cause: Cause::Node, level: Level::Kubepods, used, limit })
        }
        Some(Over::Node) => {
            let (used, limit) = (memory.node_level(v), memory.capacity);
            kill_worst(sim, node, Death { cause: Cause::Node, level: Level::Node, used, limit })
        }
        Some(Over::Tmpfs(slot)) => no_space(sim, node, slot),
    }
}

/// Kills the process with the most points on the node.
fn kill_worst(sim: &mut Sim, node: NodeId, death: Death) -> bool {
    let candidates = candidates(sim, node);
    let scores: Vec<Candidate> = candidates.iter().map(|(_, c)| *c).collect();
    match oom_badness::victim(&scores, death.limit) {
        Some(index) => kill(sim, node, candidates[index].0, death),
        None => false,
    }
}

/// The largest process of each pod on a node.
fn candidates(sim: &Sim, node: NodeId) -> Vec<(PodSlot, Candidate)> {
    let machine = &sim.machines[node];
    let v = machine.v(sim.now());
    let mut out = Vec::new();
    for (index, owner) in machine.owners.iter().enumerate().filter(|(i, _)| machine.memory.pods[*i].open) {
        let slot = PodSlot::new(index as u32);
        let held = |class| machine.memory.held(slot, class, v);
        let (rss, oom_score_adj) = match *owner {
            Owner::Executor(id) if sim.executors[id].is_up() => (held(Charge::Heap) + held(Charge::NonHeap), adj_executor(sim, node)),
            Owner::Executor(_) => continue,
            Owner::Driver => (held(Charge::Process), adj_driver(sim, node)),
            Owner::Neighbour(neighbour) => {
                let spec = &sim.plan.spec().cluster.neighbours[neighbour as usize];
                let processes = u64::from(spec.memory.processes.max(1));
                let adj = adj(sim, node, &spec.resources, spec.priority);
                (Bytes::new(held(Charge::Process).get() / processes), adj)
            }
        };
        if !rss.is_zero() {
            out.push((slot, Candidate { rss, page_tables: page_tables(rss), oom_score_adj }));
        }
    }
    out
}

/// Page tables of a process: 8 bytes a 4 KiB page.
fn page_tables(rss: Bytes) -> Bytes {
    Bytes::new(rss.get() / 512)
}

fn adj(sim: &Sim, node: NodeId, resources: &Resources, priority: i32) -> i32 {
    if sim.plan.spec().cluster.platform != Platform::Kubernetes {
        return 0;
    }
    let memory = sim.plan.nodes[node.index()].shape.memory;
    qos::oom_score_adj(qos::qos_class(resources), resources.memory_request, memory, priority)
}

fn adj_executor(sim: &Sim, node: NodeId) -> i32 {
    adj(sim, node, &sim.plan.executor.resources, sim.plan.spec().spark.kubernetes.pod_template.priority)
}

fn adj_driver(sim: &Sim, node: NodeId) -> i32 {
    adj(sim, node, &driver_resources(sim), 0)
}

/// The driver pod's requests and limits (POD-10).
pub(crate) fn driver_resources(sim: &Sim) -> Resources {
    let limit = sim.plan.driver_container;
    Resources { cpu_request: sim.plan.spec().spark.driver.cpu, memory_request: limit.unwrap_or_default(), memory_limit: limit, ..Resources::default() }
}

/// Kills a pod's process. `true` when that freed anything.
fn kill(sim: &mut Sim, node: NodeId, slot: PodSlot, death: Death) -> bool {
    match sim.machines[node].owners[slot.index()] {
        Owner::Executor(id) if sim.executors[id].is_up() => {
            executor::die(sim, id, death);
            true
        }
        // The container is dead already and only its tmpfs is left: nothing to kill.
        Owner::Executor(_) => false,
        Owner::Neighbour(neighbour) => {
            let v = sim.machines[node].v(sim.now());
            let alive = !sim.machines[node].memory.held(slot, Charge::Process, v).is_zero();
            if alive {
                kill_neighbour(sim, node, slot, neighbour, death);
            }
            alive
        }
        Owner::Driver => {
            kill_driver(sim, death);
            true
        }
    }
}

/// The driver dies, and the application with it.
///
/// A driver outside the cluster is noted at the first node, where it holds nothing.
pub(crate) fn kill_driver(sim: &mut Sim, death: Death) {
    let node = sim.cluster.driver.map_or(NodeId::new(0), |(node, _)| node);
    record(sim, node, Party::Driver, death);
    if let Some((node, slot)) = sim.cluster.driver {
        let v = sim.machines[node].v(sim.now());
        sim.machines[node].memory.container_died(slot, v);
    }
    sim.end(Ending::Failed(FailureReason::DriverLost));
}

fn kill_neighbour(sim: &mut Sim, node: NodeId, slot: PodSlot, neighbour: u32, death: Death) {
    let spec = &sim.plan.spec().cluster.neighbours[neighbour as usize];
    record(sim, node, Party::Neighbour(spec.name.clone()), death);
    let single = matches!(sim.plan.spec().cluster.cgroup, CgroupVersion::V1 | CgroupVersion::V2 { group_kill: false });
    // Without group kill one worker of several dies; its main process starts another with the same memory later.
    let whole = !single || spec.memory.processes <= 1 || death.level == Level::Pod;
    crate::cluster::neighbours::on_killed(sim, node, slot, if whole { 1 } else { spec.memory.processes });
}

fn record(sim: &mut Sim, node: NodeId, victim: Party, death: Death) {
    let now = sim.now();
    let holders = sim.holders(node, None);
    let machine = &sim.machines[node];
    let incident = Incident {
        at: now,
        cause: death.cause,
        level: death.level,
        victim,
        node: node.index() as u32,
        stage: sim.driver.running_stage(),
        used: death.used,
        limit: death.limit,
        node_memory: machine.memory.node_level(machine.v(now)),
        holders,
    };
    sim.tally.incident(incident);
}

/// A tmpfs mount is full: the task that writes there next fails. Its files go, and with their room the others go on.
fn no_space(sim: &mut Sim, node: NodeId, slot: PodSlot) -> bool {
    let Owner::Executor(id) = sim.machines[node].owners[slot.index()] else { return false };
    let machine = &sim.machines[node];
    let (used, limit) = (machine.memory.held(slot, Charge::Shmem, machine.v(sim.now())), machine.memory.pods[slot.index()].tmpfs_capacity);
    failures::record_full_scratch(sim, id, used, limit.unwrap_or(Bytes::MAX));
    let writer = fastest_writer(sim, id);
    if let Some(task) = writer {
        task::fail(sim, task, Failure::NoSpace);
    }
    writer.is_some()
}

/// The task of an executor that writes to tmpfs at the greatest rate: most likely the next to write. Of equal ones the first.
fn fastest_writer(sim: &Sim, id: ExecutorId) -> Option<TaskId> {
    let rate = |task: &TaskId| sim.tasks[*task].ramp.map_or(0.0, |ramp| ramp.shmem_slope());
    let writers = sim.executors[id].running.iter().copied().filter(|task| rate(task) > 0.0);
    writers.reduce(|fastest, task| if rate(&task) > rate(&fastest) { task } else { fastest })
}

/// What a machine's slot is, for reports.
pub(crate) fn party(sim: &Sim, machine: &Machine, slot: PodSlot) -> Party {
    match machine.owners[slot.index()] {
        Owner::Executor(id) => Party::Executor(id.index() as u32 + 1),
        Owner::Driver => Party::Driver,
        Owner::Neighbour(index) => Party::Neighbour(sim.plan.spec().cluster.neighbours[index as usize].name.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::observe::Nobody;
    use crate::plan::SimPlan;
    use crate::sim::RunKey;
    use crate::spec::Dist;

    /// A neighbour whose tmpfs alone is beyond its limit lives just under it (ED-3: it could not have written more), and a pod
    /// that holds tmpfs only gives the kernel nothing to kill (6.4): no kill without an end.
    #[test]
    fn a_neighbour_with_more_tmpfs_than_its_limit_is_not_killed_for_ever() {
        let mut spec = fixture::case_study(true, true);
        spec.cluster.neighbours[1].resources.memory_limit = Some(Bytes::gib(1));
        spec.cluster.neighbours[1].memory.shmem = Dist::Constant(2.0 * f64::from(1 << 30));
        let plan = SimPlan::compile(&spec).expect("the fixture compiles");
        let mut nobody = Nobody;
        let mut sim = Sim::new(&plan, RunKey { seed: 1, replication: 0 }, &mut nobody);
        crate::cluster::settle_in(&mut sim);
        let node = NodeId::new(0);
        assert!(!relieve(&mut sim, node));
        let slot = sim.cluster.tenants.iter().find(|t| t.node == node && t.spec == 1).expect("it lives there").slot;
        sim.machines[node].memory.charge(slot, Charge::Shmem, Bytes::gib(1));
        assert!(!relieve(&mut sim, node), "there is no process to kill");
    }
}
