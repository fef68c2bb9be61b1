//! The end of a task attempt: success or failure, and what it gives back.
//!
//! A successful map task's output stays on its executor's scratch, its temporary files go. A failed one leaves
//! nothing (error handling deletes its spills and outputs, 2.7). Memory is released, the driver is told, and
//! the slot is offered again.

use super::{TaskRun, files, produce, stop_pieces};
use crate::ids::{ExecutorId, ShuffleId, TaskId};
use crate::linux::cgroup::Charge;
use crate::sim::Sim;
use crate::spark::allocator::dynamic;
use crate::spark::scratch::Stored;
use crate::spark::{blocks, driver, python, roll, scratch};
use crate::spec::SinkSpec;
use crate::units::Bytes;

/// Why a task attempt failed, other than by its executor's death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// `FetchFailed`: from this executor, or from outputs that are known to be missing.
    Fetch(Option<ExecutorId>),
    /// ENOSPC in a local directory (F5).
    NoSpace,
    /// `SparkOutOfMemoryError` (MEM-30).
    OutOfMemory,
    /// `MemoryError` in its Python worker.
    Worker,
}

/// The attempt has done all its work.
pub(super) fn succeed(sim: &mut Sim, id: TaskId) {
    let run = &sim.tasks[id];
    let (stage, executor, known_as, demand) = (run.stage, run.executor, run.known_as(), run.demand);
    let mut written = None;
    if let SinkSpec::Shuffle(shuffle) = sim.plan.spec().app.stages[stage.index()].sink {
        written = Some(demand.write);
        if !sim.plan.is_remote(shuffle) {
            keep_output(sim, id, shuffle);
        }
    }
    blocks::store_results(sim, id);
    let node = sim.tasks[id].node;
    roll::on_task_ends(sim, id, roll::End::Succeeded(written.unwrap_or(Bytes::ZERO)));
    release(sim, id);
    driver::failures::on_task_succeeded(sim, known_as, node, demand.input + demand.read, written.unwrap_or(Bytes::ZERO));
    driver::offers::offer(sim, executor);
}

/// The output of a map task stays on its executor's scratch.
fn keep_output(sim: &mut Sim, id: TaskId, shuffle: usize) {
    let run = &sim.tasks[id];
    let executor = run.executor;
    let files = run.demand.write + produce::index_files(sim, run);
    debug_assert!(run.temporary.sum() >= files);
    let output = Stored::at(&sim.plan.executor.scratch, files::output_dir(sim, run), files);
    let host = &mut sim.executors[executor];
    host.note_scratch();
    host.outputs[ShuffleId::new(shuffle as u32)] += &output;
    host.temporary -= &output;
    sim.tasks[id].temporary -= &output;
}

/// The attempt fails, its executor lives on.
pub(crate) fn fail(sim: &mut Sim, id: TaskId, failure: Failure) {
    stop_pieces(sim, id);
    let known_as = sim.tasks[id].known_as();
    roll::on_task_ends(sim, id, roll::End::Failed);
    release(sim, id);
    if matches!(failure, Failure::OutOfMemory | Failure::Worker) {
        sim.tally.task_oom(known_as.stage);
    }
    driver::failures::on_task_failed(sim, known_as, failure);
    driver::offers::offer(sim, known_as.executor);
}

/// The driver kills running attempts, which is no failure: what they hold is given back and their files go. Their executors.
pub(crate) fn kill_where(sim: &mut Sim, which: impl Fn(&TaskRun) -> bool) -> Vec<ExecutorId> {
    let running = sim.executors.values().flat_map(|executor| &executor.running);
    let chosen: Vec<(TaskId, u64)> = running.map(|&id| (id, &sim.tasks[id])).filter(|(_, run)| which(run)).map(|(id, run)| (id, run.serial)).collect();
    let mut freed = Vec::new();
    for (id, serial) in chosen {
        // What one gives back may let another one's round fill the heap, which ends all on that executor.
        if let Some(known_as) = sim.tasks.get(id, serial).map(TaskRun::known_as) {
            stop_pieces(sim, id);
            roll::on_task_ends(sim, id, roll::End::Killed);
            release(sim, id);
            driver::failures::attempt_over(sim, known_as, None);
            freed.push(known_as.executor);
        }
    }
    freed
}

/// Gives back memory, temporary files and the slot.
fn release(sim: &mut Sim, id: TaskId) {
    let now = sim.now();
    python::stop(sim, id);
    let run = &sim.tasks[id];
    let (executor, node, serial) = (run.executor, run.node, run.serial);
    let temporary = run.temporary.clone();
    let states = run.demand.states;
    let (unmanaged, direct, unused) = (run.demand.unmanaged, run.direct, run.memory.acquired_but_not_used());
    let host = &mut sim.executors[executor];
    host.note_scratch();
    host.memory.release_all(serial);
    if !sim.plan.executor.off_heap.is_zero() {
        host.native.release_all(serial);
    }
    host.unused -= unused;
    host.unmanaged -= unmanaged;
    host.states -= states;
    host.dead_states += states;
    host.direct -= direct;
    host.temporary -= &temporary;
    host.running.retain(|&task| task != id);
    host.blocked.retain(|&task| task != id);
    if let Some(slot) = host.slot {
        let machine = &mut sim.machines[node];
        let v = machine.v(now);
        machine.memory.uncharge(slot, Charge::Shmem, temporary.tmpfs, v);
        scratch::take(sim, executor, node, &temporary, true);
    }
    for handle in [sim.tasks[id].timer.take(), sim.tasks[id].gives_up.take()].into_iter().flatten() {
        sim.calendar.cancel(handle);
    }
    sim.forget_task(id);
    sim.touch(node);
    super::retry_blocked(sim, executor);
    dynamic::on_executor_used(sim, executor);
}
