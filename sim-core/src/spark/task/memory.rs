//! A task's execution memory: asking, spilling, waiting.
//!
//! Requests go to the executor's unified memory ([`crate::spark::unified_memory`]): full, partial, refused, or
//! blocked until others release (1.3). A round asks for all that it still needs and takes what it gets, so a
//! spill comes after as many bytes as Spark would have collected. A grant below one page counts as refused
//! (a page that is not fully granted is not used). Blocked tasks are retried, in order, at every release. Assumptions:
//! off-heap pages are charged when they are granted, not when they are written; memory that cannot spill fails instead of
//! waiting; a dropped cached block costs nothing to read again.

use super::pieces::{self, Work};
use super::{Step, consume, produce};
use crate::ids::{ExecutorId, TaskId};
use crate::linux::cgroup::Charge;
use crate::sim::Sim;
use crate::spark::execution_pool::Acquire;
use crate::units::Bytes;

/// Answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grant {
    /// So many bytes, at least a page or all that was asked.
    Bytes(Bytes),
    /// Not even a page.
    Refused,
    /// Wait for a release.
    Blocked,
}

/// Asks for execution memory.
pub(super) fn acquire(sim: &mut Sim, id: TaskId, bytes: Bytes) -> Grant {
    let (executor, serial) = (sim.tasks[id].executor, sim.tasks[id].serial);
    let smallest = bytes.min(sim.plan.executor.page);
    let host = &mut sim.executors[executor];
    let answer = host.memory.acquire_execution(serial, bytes);
    // Cached blocks that had to go are no longer live; reading them again costs no device time here.
    host.memory.take_evicted();
    match answer {
        Acquire::Granted(granted) if granted >= smallest => {
            off_heap(sim, executor);
            Grant::Bytes(granted)
        }
        Acquire::Granted(granted) => {
            host.memory.release_execution(serial, granted);
            Grant::Refused
        }
        Acquire::Blocked => {
            host.blocked.push(id);
            Grant::Blocked
        }
    }
}

/// Memory that cannot spill (a hash join's build side) is needed whole, or the task fails (F10). Like any request it first
/// waits until the task can have its least share.
pub(super) fn hold_unspillable(sim: &mut Sim, id: TaskId) -> Grant {
    let run = &sim.tasks[id];
    let (bytes, executor, serial) = (run.demand.unspillable, run.executor, run.serial);
    if bytes.is_zero() {
        return Grant::Bytes(bytes);
    }
    let answer = sim.executors[executor].memory.acquire_execution(serial, bytes);
    sim.executors[executor].memory.take_evicted();
    off_heap(sim, executor);
    match answer {
        Acquire::Granted(granted) if granted == bytes => Grant::Bytes(bytes),
        Acquire::Granted(_) => Grant::Refused,
        Acquire::Blocked => {
            sim.executors[executor].blocked.push(id);
            Grant::Blocked
        }
    }
}

/// Brings the charge of off-heap pages up to date: with `spark.memory.offHeap.enabled` Tungsten pages are native memory (MEM-8).
pub(crate) fn off_heap(sim: &mut Sim, executor: ExecutorId) {
    if sim.plan.executor.off_heap.is_zero() {
        return;
    }
    let host = &mut sim.executors[executor];
    let (used, charged) = (host.memory.execution_used(), host.off_heap);
    host.off_heap = used;
    if let (Some(node), Some(slot)) = (host.node, host.slot) {
        let machine = &mut sim.machines[node];
        let v = machine.v(sim.calendar.now());
        machine.memory.charge(slot, Charge::NonHeap, used.saturating_sub(charged));
        machine.memory.uncharge(slot, Charge::NonHeap, charged.saturating_sub(used), v);
        sim.touch(node);
    }
}

/// The operators' rows go to a spill file, which lives until the task ends (2.8).
pub(super) fn spill_operator(sim: &mut Sim, id: TaskId, consuming: bool) {
    let conf = &sim.plan.spec().spark.shuffle;
    let run = &mut sim.tasks[id];
    run.step = Step::SpillOperator(consuming);
    let file = run.operator.held.scale(run.demand.operator_ratio(conf.spill_compress));
    run.operator.spilled += file;
    run.operator.files += 1;
    let cpu = if conf.spill_compress { run.operator.held.as_gib() * conf.compress_s_per_gib } else { 0.0 };
    let (stage, memory) = (run.stage, run.operator.held);
    sim.tally.spilled(stage, memory, file);
    pieces::start(sim, id, Work { cpu, write: file, ..Work::default() });
}

/// The operators' spill file is written: their memory is free.
pub(super) fn operator_spilled(sim: &mut Sim, id: TaskId) {
    let run = &mut sim.tasks[id];
    let (held, executor, serial) = (std::mem::take(&mut run.operator.held), run.executor, run.serial);
    sim.executors[executor].memory.release_execution(serial, held);
    retry_blocked(sim, executor);
}

/// Something was released: blocked tasks ask again, in the order in which they began to wait.
pub(crate) fn retry_blocked(sim: &mut Sim, executor: ExecutorId) {
    off_heap(sim, executor);
    for id in std::mem::take(&mut sim.executors[executor].blocked) {
        // A task's new round may kill the executor (heap), which ends all of them.
        if !sim.executors[executor].is_up() {
            return;
        }
        match sim.tasks[id].step {
            Step::BlockedAtStart => consume::hold(sim, id),
            Step::Blocked(true) => consume::round(sim, id),
            Step::Blocked(false) => produce::round(sim, id),
            _ => {}
        }
    }
}
