//! The audit at the end of a paranoid run: every byte has an owner, and all of them can be given back.
//!
//! First the books are compared with what the executors and tasks know of themselves: scratch files, tmpfs pages, fetch
//! buffers, live objects, dirty pages. Then everyone leaves: tasks are stopped, containers end, volumes are torn down. What
//! is then still charged must be the system's memory and nothing else. A difference is a defect of the model and panics.

use crate::hardware::{Device, FlowOwner};
use crate::ids::{ExecutorId, NodeId, PodSlot, TaskId};
use crate::sim::Sim;
use crate::spark::executor::Life;
use crate::spark::task;
use crate::units::{Bytes, SimSpan};

/// Longer than any write-back takes.
const LONG: SimSpan = SimSpan::from_secs(1_000_000_000);

/// Compares and tears down; panics where something does not add up.
pub(crate) fn audit(sim: &mut Sim) {
    for id in sim.executors.ids().collect::<Vec<_>>() {
        tasks_of(sim, id);
        memory_of(sim, id);
    }
    files(sim);
    for id in sim.executors.ids().collect::<Vec<_>>() {
        for task in std::mem::take(&mut sim.executors[id].running) {
            task::abort_at_death(sim, task);
        }
    }
    assert!(sim.tasks.ids().is_empty(), "tasks without an executor are left: {:?}", sim.tasks.ids());
    for node in sim.machines.ids().collect::<Vec<_>>() {
        tear_down(sim, node);
    }
}

/// What an executor holds for tasks is what its running tasks say.
fn tasks_of(sim: &Sim, id: ExecutorId) {
    let host = &sim.executors[id];
    if !host.is_up() {
        assert!(host.running.is_empty(), "{id:?} is {:?} and has tasks", host.life);
        return;
    }
    assert!(host.running.len() <= sim.plan.executor.slots as usize, "{id:?} runs more tasks than it has slots");
    let of = |value: fn(&task::TaskRun) -> Bytes| host.running.iter().map(|&task: &TaskId| value(&sim.tasks[task])).sum::<Bytes>();
    assert_eq!(host.unmanaged, of(|run| run.demand.unmanaged), "live objects of {id:?}");
    assert_eq!(host.direct, of(|run| run.direct), "fetch buffers of {id:?}");
    assert_eq!(host.temporary.tmpfs, of(|run| run.temporary.tmpfs), "temporary files in tmpfs of {id:?}");
    assert_eq!(host.temporary.disk, of(|run| run.temporary.disk), "temporary files on disk of {id:?}");
    let serials = host.running.iter().map(|&task| host.memory.task_used(sim.tasks[task].serial)).sum::<Bytes>();
    assert_eq!(host.memory.execution_used(), serials, "execution memory of {id:?}");
    assert!(host.blocked.iter().all(|task| host.running.contains(task)), "{id:?} keeps a task waiting that does not run");
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

/// Files on a node's disks are those of its executors; dirty pages are those whose write-back is under way.
fn files(sim: &Sim) {
    for (node, machine) in sim.machines.iter() {
        let owned: Bytes = sim.executors.values().filter(|e| e.node == Some(node)).map(|e| e.scratch().disk).sum();
        assert_eq!(machine.files, owned, "files on disks of {node:?}");
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
    let disks = sim.plan.nodes[node.index()].shape.disks.len();
    for device in [Device::Cpu, Device::NicIn, Device::NicOut].into_iter().chain((0..disks).map(|d| Device::Disk(d as u8))) {
        while let Some(owner) = machine.pop_done(now + LONG, device) {
            match owner {
                FlowOwner::WriteBack(bytes) => machine.dirty -= bytes,
                FlowOwner::Task(task, _) => panic!("a flow of {task:?} is left on {device:?} of {node:?}"),
            }
        }
    }
    assert_eq!(machine.dirty, Bytes::ZERO, "dirty pages of {node:?} after write-back");
}
