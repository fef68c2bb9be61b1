//! The audit of a paranoid run: nothing is stuck, every byte has an owner, and all of them can be given back.
//!
//! First the books are compared with what the executors and tasks know of themselves: scratch files, tmpfs pages, fetch
//! buffers, live objects, dirty pages. Then everyone leaves: tasks are stopped, containers end, volumes are torn down. What
//! is then still charged must be the system's memory and nothing else. A difference is a defect of the model and panics.

use crate::hardware::FlowOwner;
use crate::ids::{ExecutorId, NodeId, PodSlot, TaskId};
use crate::plan::Carrier;
use crate::record::{Ending, Truncation};
use crate::sim::Sim;
use crate::spark::blocks::{Place, partition_id};
use crate::spark::executor::{Executor, Life};
use crate::spark::roll::Work;
use crate::spark::task_memory_manager::MemoryMode;
use crate::spark::{start, task};
use crate::units::{Bytes, SimSpan, SimTime};

/// Longer than any write-back takes.
const LONG: SimSpan = SimSpan::from_secs(1_000_000_000);

/// After every event: no slot is idle while a stage has tasks to give, unless it waits for locality.
pub(crate) fn no_slot_is_idle(sim: &Sim) {
    // Excluded slots may well be idle.
    if sim.ending.is_some() || sim.driver.waits_for_revival() || sim.plan.spec().spark.scheduler.exclusion.is_some() {
        return;
    }
    let waiting = sim.driver.stages.iter().find(|(_, stage)| stage.active && stage.set.waiting() > 0);
    let Some((stage, _)) = waiting else { return };
    let idle = sim.executors.iter().find(|(_, e)| e.free_slots() > 0);
    assert!(idle.is_none(), "{:?} is idle at {:?} although {stage:?} has tasks to give", idle.map(|(id, _)| id), sim.now());
}

/// A run that was cut off by its horizon was still going on: somebody had something to do, or waited for a reason.
fn nothing_is_stuck(sim: &Sim) {
    if !matches!(sim.ending, Some(Ending::Truncated(Truncation::Horizon | Truncation::Starved))) {
        return;
    }
    let going_on = sim.driver.is_about_to_act() || sim.driver.stages.iter().any(|(_, stage)| stage.active);
    assert!(going_on, "the driver waits for nothing");
    for (id, stage) in sim.driver.stages.iter().filter(|(_, stage)| stage.active) {
        let current = stage.attempt();
        let runs = sim.tasks.ids().into_iter().any(|task| sim.tasks[task].stage == id && sim.tasks[task].attempt == current);
        let lost = sim.executors.values().any(|e| e.lost.iter().any(|lost| lost.stage == id && lost.number == current));
        assert!(stage.set.waiting() > 0 || runs || lost, "{id:?} is active without a task");
    }
    assert!(!crate::spark::allocator::is_stuck(sim), "executors are missing and nobody asks for them");
    // A pressure that ends with the run would have placed pods in the event that was cut off.
    let horizon = SimTime::ZERO + sim.plan.spec().limits.horizon;
    let mut ends = sim.machines.values().flat_map(|m| [m.memory_pressure_until, m.disk_pressure_until]);
    let settled = ends.all(|end| end < horizon || end > sim.now());
    if let Some(&waiting) = sim.cluster.pending.iter().find(|&&id| settled && crate::cluster::is_parked(sim, id)) {
        let node = crate::cluster::place_for_executor(sim, waiting);
        assert!(node.is_none(), "executors are pending at {:?} although {node:?} has room: {:?}", sim.now(), sim.cluster.pending);
    }
}

/// Compares and tears down; panics where something does not add up.
pub(crate) fn audit(sim: &mut Sim) {
    nothing_is_stuck(sim);
    crate::cluster::autoscaler::check(sim);
    crate::spark::claims::attach::check(sim);
    crate::cluster::neighbours::check(sim);
    for id in sim.executors.ids().collect::<Vec<_>>() {
        tasks_of(sim, id);
        memory_of(sim, id);
    }
    files(sim);
    remote_shuffle(sim);
    cache(sim);
    for id in sim.executors.ids().collect::<Vec<_>>() {
        for task in std::mem::take(&mut sim.executors[id].running) {
            task::abort_at_death(sim, task);
        }
        start::cut_off(sim, id);
    }
    assert!(sim.tasks.ids().is_empty(), "tasks without an executor are left: {:?}", sim.tasks.ids());
    for node in sim.machines.ids().collect::<Vec<_>>() {
        sim.machines[node].devices.check_credit();
        tear_down(sim, node);
    }
    let until = sim.now() + LONG;
    if let Some(service) = &mut sim.remote {
        service.drain(until);
    }
}

/// What an executor holds for tasks is what its running tasks say.
fn tasks_of(sim: &Sim, id: ExecutorId) {
    let host = &sim.executors[id];
    assert!(host.work.failed <= host.work.ended, "{id:?} has more failures than attempts");
    assert!(host.work == Work::default() || sim.plan.spec().spark.allocation.roll.is_some(), "{id:?} counts for nobody");
    if !host.is_up() {
        assert!(host.running.is_empty(), "{id:?} is {:?} and has tasks", host.life);
        return;
    }
    assert!(host.running.len() <= host.announced.slots as usize, "{id:?} runs more tasks than it has slots");
    let of = |value: fn(&task::TaskRun) -> Bytes| host.running.iter().map(|&task: &TaskId| value(&sim.tasks[task])).sum::<Bytes>();
    assert_eq!(host.unmanaged, of(|run| run.demand.unmanaged), "live objects of {id:?}");
    assert_eq!(host.states, of(|run| run.demand.states), "states of {id:?}");
    assert_eq!(host.direct, of(|run| run.direct), "fetch buffers of {id:?}");
    assert_eq!(host.temporary.tmpfs, of(|run| run.temporary.tmpfs), "temporary files in tmpfs of {id:?}");
    for dir in 0..sim.plan.executor.scratch.dirs.len() {
        let of_tasks: Bytes = host.running.iter().map(|&task| sim.tasks[task].temporary.in_dir(dir)).sum();
        assert_eq!(host.temporary.in_dir(dir), of_tasks, "temporary files in directory {dir} of {id:?}");
    }
    assert_eq!(host.temporary.disk, of(|run| run.temporary.disk), "temporary files on disk of {id:?}");
    assert_eq!(host.unused, of(|run| run.memory.acquired_but_not_used()), "acquired and unused memory of {id:?}");
    for (pool, mode) in [(&host.memory, MemoryMode::OnHeap), (&host.native, MemoryMode::OffHeap)] {
        let held: Bytes = host.running.iter().map(|&task| pool.task_used(sim.tasks[task].serial)).sum();
        assert_eq!(pool.execution_used(), held, "{mode:?} execution memory of {id:?}");
        for run in host.running.iter().map(|&task| &sim.tasks[task]).filter(|run| run.memory.requester().is_none()) {
            assert_eq!(pool.task_used(run.serial), run.acquired(mode), "{mode:?} memory of the consumers of task {}", run.serial);
        }
    }
    assert!(host.blocked.iter().all(|task| host.running.contains(task)), "{id:?} keeps a task waiting that does not run");
}

/// What the driver takes for cached in memory is stored there.
fn cache(sim: &Sim) {
    for (stage, partition, place) in sim.driver.cache.iter() {
        let Place::Memory(at) = place else { continue };
        let (host, block) = (&sim.executors[at], partition_id(stage, partition));
        assert!(host.memory.holds_block(block) || host.native.holds_block(block), "partition {partition} of {stage:?} is not at {at:?}");
    }
}

/// The pod's charges are what its executor knows of.
fn memory_of(sim: &Sim, id: ExecutorId) {
    let host = &sim.executors[id];
    let (Some(node), Some(slot)) = (host.node, host.slot) else { return };
    let machine = &sim.machines[node];
    let still_there = machine.memory.pods[slot.index()].open && machine.owners[slot.index()] == crate::machine::Owner::Executor(id);
    if still_there {
        assert_eq!(machine.memory.settled_shmem(slot), host.scratch().tmpfs, "tmpfs files of {id:?}");
    } else {
        assert!(matches!(host.life, Life::Dead | Life::Gone), "{id:?} is {:?} without a pod", host.life);
    }
}

/// Files on a node's disks and claims are those of its executors and those that it merged, also by disk; a claim holds no more than
/// its size. What is on a shared claim is theirs and that of executors before them.
fn files(sim: &Sim) {
    let scratch = &sim.plan.executor.scratch;
    let in_places = |e: &Executor, which: &dyn Fn(Carrier) -> bool| -> Bytes {
        scratch.dirs.iter().enumerate().filter(|(_, dir)| which(dir.carrier)).map(|(number, _)| e.in_dir(number)).sum()
    };
    for (node, machine) in sim.machines.iter() {
        let here = |which: &dyn Fn(Carrier) -> bool| -> Bytes { sim.executors.values().filter(|e| e.node == Some(node)).map(|e| in_places(e, which)).sum() };
        let owned = here(&|place| !matches!(place, Carrier::Tmpfs | Carrier::Shared(_)));
        let merged = |disk: Option<u8>| sim.driver.merges.files_on(scratch, node, disk);
        assert_eq!(machine.files, owned + merged(None), "files on disks of {node:?}");
        assert_eq!(machine.files, machine.memory.file_bytes(), "files on disks of {node:?} by pod");
        for (disk, files) in machine.files_on.iter().enumerate() {
            let owned = here(&|place| place == Carrier::Disk(disk as u8) || disk == 0 && place == Carrier::EmptyDir);
            assert_eq!(*files, owned + merged(Some(disk as u8)), "files on disk {disk} of {node:?}");
        }
    }
    for (number, shared) in sim.cluster.shared.iter().enumerate() {
        let owned: Bytes = sim.executors.values().map(|e| in_places(e, &|place| place == Carrier::Shared(number as u8))).sum();
        assert!(
            shared.files >= owned && shared.files <= scratch.shared[number].size,
            "files on shared claim {number}: {} of {}, {owned} owned",
            shared.files,
            scratch.shared[number].size
        );
    }
    for (id, executor) in sim.executors.iter() {
        for (number, claim) in executor.claims.mounted.iter().enumerate() {
            let held = in_places(executor, &|place| place == Carrier::Claim(number as u8));
            assert!(held <= claim.size, "claim {number} of {id:?} holds {held} of {}", claim.size);
        }
    }
}

/// A remote shuffle service holds every copy of what was pushed and is registered, and no executor holds any of it.
fn remote_shuffle(sim: &Sim) {
    let (Some(service), Some(conf)) = (&sim.remote, &sim.plan.spec().spark.shuffle_storage.remote) else { return };
    service.check();
    for (shuffle, outputs) in sim.driver.outputs.iter().filter(|(shuffle, _)| sim.plan.is_remote(shuffle.index())) {
        let registered = outputs.bytes() * conf.copies();
        let removed = service.stored(shuffle).is_zero();
        assert!(removed || registered <= service.stored(shuffle), "{shuffle:?} has more registered than pushed");
        assert!(sim.executors.values().all(|e| e.outputs[shuffle].sum().is_zero()), "files of {shuffle:?} on executors");
    }
}

fn tear_down(sim: &mut Sim, node: NodeId) {
    let now = sim.now();
    let machine = &mut sim.machines[node];
    let v = machine.v(now);
    for index in 0..machine.memory.pods.len() {
        if machine.memory.pods[index].open {
            machine.memory.close_pod(PodSlot::new(index as u32), v);
        }
    }
    let system = machine.memory.system();
    assert_eq!(machine.memory.outstanding(), system, "memory of {node:?} after everyone has left");
    assert!(machine.memory.node_ramp().is_idle(), "{node:?} still has memory under way");
    machine.memory.check().unwrap_or_else(|imbalance| panic!("the books of {node:?} do not balance at the end: {imbalance}"));
    for device in machine.devices.all().collect::<Vec<_>>() {
        while let Some(owner) = machine.pop_done(now + LONG, device) {
            match owner {
                FlowOwner::WriteBack(index) => machine.written_back(index),
                FlowOwner::Task(..) | FlowOwner::Start(_) => panic!("a flow of {owner:?} is left on {device:?} of {node:?}"),
                FlowOwner::Migration(_) | FlowOwner::CachedMigration(_) | FlowOwner::MergePush(_) => {}
            }
        }
    }
    assert_eq!(machine.dirty, Bytes::ZERO, "dirty pages of {node:?} after write-back");
}
