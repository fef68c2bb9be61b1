//! Dealing with a limit that is reached: whom the kernel kills, and what then happens.
//!
//! A container at its limit loses its own processes. `kubepods` or the node at theirs lose the process with the
//! most badness points ([`super::oom_badness`]): resident memory plus `oom_score_adj`, so tmpfs counts for
//! nothing (VS-3) and system-critical daemons are spared. Where there is swap pages go there first ([`super::swap`]). Each kill frees anonymous memory at once, and one in eleven of a
//! cgroup takes another process along (measured, docs/model/kernel.md); the check
//! is repeated until everything fits or no process is left (only tmpfs of dead pods, which waits for its tear-down). A full
//! tmpfs mount fails the task that writes next with ENOSPC. Where the kernel does not kill whole containers (cgroup v1, kubelets before 1.28,
//! `singleProcessOOMKill`) a Python worker that is larger than its JVM dies alone, and its task fails (QO-4). Assumptions: a
//! neighbour's memory is spread evenly over its processes. Daemons outside `kubepods` that the scenario names are candidates when the node itself is full
//! (NO-2, `cluster::daemons`); what is not named there is never chosen.

use super::limits::Over;
use super::oom_badness::Candidate;
use crate::cluster::daemons;
use crate::ids::{ExecutorId, NodeId, PodSlot, TaskId};
use crate::kernel::Purpose;
use crate::kube::qos;
use crate::linux::cgroup::Charge;
use crate::machine::{Machine, Owner};
use crate::record::{Cause, Ending, FailureReason, Incident, Level, Party};
use crate::shown::shown;
use crate::sim::Sim;
use crate::spark::driver::failures;
use crate::spark::executor::{self, Death};
use crate::spark::python;
use crate::spark::task::{self, Failure, paging};
use crate::spec::{CgroupVersion, Platform, Resources};
use crate::units::Bytes;

/// Kills of a cgroup with several processes that took a second one within a third of a second: 12 of 131 (measured, docs/model/kernel.md).
const SECOND_VICTIM: f64 = 12.0 / 131.0;

/// Looks at one node; `true` when a limit was reached and something was done about it.
pub(crate) fn relieve(sim: &mut Sim, node: NodeId) -> bool {
    let machine = &sim.machines[node];
    let v = machine.v(sim.now());
    let Some(over) = machine.memory.over_limit(v) else { return false };
    let (used, limit) = machine.memory.used_and_limit(over, v);
    let (cause, level) = match over {
        Over::Tmpfs(slot) => return no_space(sim, node, slot),
        Over::Container(_) | Over::Pod(_) => (Cause::Container, Level::Pod),
        Over::Kubepods => (Cause::Node, Level::Kubepods),
        Over::Node => (Cause::Node, Level::Node),
    };
    if paging::make_room(sim, node, over) {
        return true;
    }
    let death = Death { cause, level, used, limit };
    let killed = kill_worst(sim, node, over, death);
    if killed && takes_another(sim, over) {
        kill_worst(sim, node, over, death);
    }
    killed
}

/// Kills the process with the most points under a limit; `false` when there is none, or it is dead already.
fn kill_worst(sim: &mut Sim, node: NodeId, over: Over, death: Death) -> bool {
    let (places, processes) = processes(sim, node);
    let victim = sim.machines[node].memory.victim(over, &processes);
    victim.is_some_and(|index| kill(sim, node, places[index], death))
}

/// Whether a kill takes another process along. A memory cgroup's OOM looks for victims among processes with live threads (`css_task_iter`, Linux 6.x), and
/// the last thread of a victim is no longer one while it still frees the memory: another charge that fails in that moment kills the next. The node's own OOM
/// looks at all processes and waits for the one that exits. Nodes of bare cgroups are cgroups themselves.
fn takes_another(sim: &Sim, over: Over) -> bool {
    let is_cgroup = over != Over::Node || sim.plan.spec().cluster.platform == Platform::Bare;
    is_cgroup && sim.luck.stream(Purpose::SecondVictim, sim.tally.incidents() as u64).unit() < SECOND_VICTIM
}

/// Where a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The main process of a pod's container, with which the container ends.
    Main(PodSlot),
    /// The largest worker beside it.
    Worker(PodSlot),
    /// A daemon outside `kubepods`, by its place on the node.
    Daemon(usize),
}

/// Processes: where they are, and how the kernel sees them.
type Processes = (Vec<Place>, Vec<(Option<PodSlot>, Candidate)>);

/// The processes of a node that the kernel may choose: the largest of each kind in each pod.
fn processes(sim: &Sim, node: NodeId) -> Processes {
    let machine = &sim.machines[node];
    let v = machine.v(sim.now());
    let (mut places, mut out) = (Vec::new(), Vec::new());
    let mut push = |place, slot, rss: Bytes, adj| {
        if !rss.is_zero() {
            places.push(place);
            out.push((slot, Candidate::resident(rss, adj)));
        }
    };
    // Older than every pod; of equal ones the kernel takes the last.
    for (place, daemon) in machine.daemons.iter().enumerate() {
        push(Place::Daemon(place), None, daemon.held(), sim.plan.spec().cluster.daemons[daemon.spec as usize].oom_score_adj);
    }
    for (index, owner) in machine.owners.iter().enumerate().filter(|(i, _)| machine.memory.pods[*i].open) {
        let slot = PodSlot::new(index as u32);
        let held = |class| machine.memory.held(slot, class, v);
        match *owner {
            Owner::Executor(id) if sim.executors[id].is_up() => {
                let adj = adj_executor(sim, node);
                push(Place::Main(slot), Some(slot), held(Charge::Heap) + held(Charge::NonHeap), adj);
                push(Place::Worker(slot), Some(slot), python::largest(sim, id), adj);
            }
            Owner::Executor(_) => {}
            Owner::Driver => push(Place::Main(slot), Some(slot), held(Charge::Process), adj_driver(sim, node)),
            Owner::Neighbour(neighbour) => {
                let spec = &sim.plan.spec().cluster.neighbours[neighbour as usize];
                let one = Bytes::new(held(Charge::Process).get() / u64::from(spec.memory.processes.max(1)));
                push(Place::Main(slot), Some(slot), one, adj(sim, node, &spec.resources, spec.priority));
            }
        }
    }
    (places, out)
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

/// Kills a process. `true` when that freed anything.
fn kill(sim: &mut Sim, node: NodeId, place: Place, death: Death) -> bool {
    let slot = match place {
        Place::Main(slot) | Place::Worker(slot) => slot,
        Place::Daemon(place) => {
            let spec = sim.machines[node].daemons[place].spec;
            record(sim, node, Party::Daemon(sim.plan.spec().cluster.daemons[spec as usize].name.clone()), death);
            daemons::on_killed(sim, node, place);
            return true;
        }
    };
    match sim.machines[node].owners[slot.index()] {
        Owner::Executor(id) if matches!(place, Place::Worker(_)) && !kills_groups(sim) => {
            // No executor dies: it counts as the task's failure, as a `MemoryError` does.
            python::kill_largest(sim, id);
            true
        }
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

/// Whether one victim takes its whole container along (QO-4).
fn kills_groups(sim: &Sim) -> bool {
    matches!(sim.plan.spec().cluster.cgroup, CgroupVersion::V2 { group_kill: true })
}

fn kill_neighbour(sim: &mut Sim, node: NodeId, slot: PodSlot, neighbour: u32, death: Death) {
    let spec = &sim.plan.spec().cluster.neighbours[neighbour as usize];
    record(sim, node, Party::Neighbour(spec.name.clone()), death);
    // Without group kill one worker of several dies; its main process starts another with the same memory later.
    let whole = kills_groups(sim) || spec.memory.processes <= 1 || death.level == Level::Pod;
    crate::cluster::neighbours::on_killed(sim, node, slot, if whole { 1 } else { spec.memory.processes });
}

fn record(sim: &mut Sim, node: NodeId, victim: Party, death: Death) {
    let now = sim.now();
    let holders = sim.holders(node, None);
    let machine = &sim.machines[node];
    let incident = Incident {
        shown: shown(sim.plan.spec(), &victim, death.cause, death.level),
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
    use crate::record::Outcome;
    use crate::sim::{RunKey, Simulator};
    use crate::spec::{Dist, Language};

    /// Measured: a kill at `kubepods` takes another executor along in 9 of 100 cases; one at a limit of their own never.
    #[test]
    fn one_kill_of_a_cgroup_in_eleven_takes_another_along() {
        let plan = SimPlan::compile(&fixture::case_study(true, true)).expect("the fixture compiles");
        let (mut kills, mut seconds) = (0, 0);
        for replication in 0..600 {
            let incidents = Simulator::new(&plan).run(RunKey { seed: 1, replication }).incidents;
            let at: Vec<_> = incidents.iter().filter(|i| i.level == Level::Kubepods).map(|i| i.at).collect();
            seconds += at.windows(2).filter(|pair| pair[0] == pair[1]).count();
            kills += at.len();
        }
        let share = seconds as f64 / (kills - seconds) as f64;
        assert!(kills > 500 && (0.06..0.12).contains(&share), "{seconds} of {kills}");
    }

    /// QO-4: where the kernel does not kill whole containers, a Python worker that outgrows its JVM dies alone: its task fails, four
    /// times at most, and no executor is lost. With group kill the container goes.
    #[test]
    fn qo_4_a_worker_dies_alone_without_group_kill() {
        let with = |cgroup| -> Outcome {
            let mut spec = fixture::case_study(false, true);
            spec.spark.language = Language::Python;
            spec.cluster.cgroup = cgroup;
            spec.limits.paranoid = true;
            spec.app.stages.iter_mut().for_each(|stage| stage.memory.worker = Bytes::gib(20));
            let plan = SimPlan::compile(&spec).expect("the fixture compiles");
            Simulator::new(&plan).run(RunKey { seed: 1, replication: 0 })
        };
        for cgroup in [CgroupVersion::V1, CgroupVersion::V2 { group_kill: false }] {
            let alone = with(cgroup);
            assert_eq!((alone.ending, alone.executors_lost), (Ending::Failed(FailureReason::TaskFailures), 0));
            assert!(!alone.oom() && alone.task_ooms >= 4);
        }
        let group = with(CgroupVersion::V2 { group_kill: true });
        assert!(group.oom() && group.executors_lost > 0 && group.task_ooms == 0);
    }

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
