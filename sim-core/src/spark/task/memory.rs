//! A task's execution memory: asking, spilling, waiting.
//!
//! A round asks for a page by the rules of the task's memory manager ([`crate::spark::task_memory_manager`]), which may block it
//! (1.3) or make consumers spill (1.4), and then takes what else there is, at most its share beside the tasks that run now, so a spill
//! comes after as many bytes as Spark would have collected. Blocked tasks ask again, in order, at every release and when N grows.
//! Granted pages that the heap cannot hold stay acquired while consumers are made to spill (MEM-31); on YARN the JVM is killed
//! instead, because `-XX:OnOutOfMemoryError` runs whether or not the error is caught, and so do `-XX:+ExitOnOutOfMemoryError` and its kind.

use super::consumers::{self, BUILD, ConsumerState, WRITER};
use super::pieces::{self, Work};
use super::{Step, collect, consume, produce};
use crate::event::Event;
use crate::ids::{ExecutorId, TaskId};
use crate::linux::cgroup::Charge;
use crate::sim::Sim;
use crate::spark::blocks;
use crate::spark::jvm;
use crate::spark::task_memory_manager::{ConsumerId, MemoryMode, Progress};
use crate::units::{Bytes, SimSpan};

/// Exit code of Spark's own handler of uncaught errors, `SparkExitCode.OOM`.
const HANDLED_EXIT: u8 = 52;

/// Answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grant {
    /// So many bytes, at least a page or all that was asked.
    Bytes(Bytes),
    /// A consumer spills, or the task is blocked: the answer comes later.
    Wait,
    /// `SparkOutOfMemoryError`: nobody can release anything (MEM-30).
    OutOfMemory,
}

/// Asks for execution memory for a consumer, a page at least.
pub(super) fn acquire(sim: &mut Sim, id: TaskId, consumer: ConsumerId, wanted: Bytes) -> Grant {
    let page = sim.executors[sim.tasks[id].executor].announced.page;
    acquire_at_least(sim, id, consumer, wanted.min(page), wanted)
}

/// Asks for execution memory for a consumer: for `least` by the manager's rules, up to `wanted` of what there is.
pub(super) fn acquire_at_least(sim: &mut Sim, id: TaskId, consumer: ConsumerId, least: Bytes, wanted: Bytes) -> Grant {
    let run = &mut sim.tasks[id];
    (run.filling, run.least, run.wanted) = (consumer, least, wanted.max(least));
    let executor = run.executor;
    let host = &mut sim.executors[executor];
    let pool = host.pool(run.memory.mode(consumer));
    let active = pool.active_tasks();
    let progress = run.memory.acquire(pool, consumer, least);
    let entered = pool.active_tasks() > active;
    if entered && !host.blocked.is_empty() {
        wake_blocked(sim, executor);
    }
    go_on(sim, id, progress)
}

/// Takes a request as far as it goes without time passing.
fn go_on(sim: &mut Sim, id: TaskId, mut progress: Progress) -> Grant {
    let executor = sim.tasks[id].executor;
    blocks::evicted(sim, executor);
    loop {
        let run = &mut sim.tasks[id];
        let (filling, least, wanted) = (run.filling, run.least, run.wanted);
        let host = &mut sim.executors[executor];
        let pool = host.pool(run.memory.mode(filling));
        match progress {
            Progress::Blocked => {
                run.step = Step::Blocked;
                host.blocked.push(id);
                return Grant::Wait;
            }
            Progress::Spill { consumer, .. } => {
                let operators = sim.plan.spec().app.stages[run.stage.index()].memory.operators;
                if consumers::spills_for(consumer, filling, operators) {
                    spill(sim, id, consumer);
                    return Grant::Wait;
                }
                progress = run.memory.spilled(pool, Bytes::ZERO);
            }
            Progress::Granted(got) if got < least => {
                run.memory.release(pool, filling, got);
                return Grant::OutOfMemory;
            }
            Progress::Granted(got) => {
                let more = (wanted - got).min(share(sim, id));
                let run = &mut sim.tasks[id];
                let pool = sim.executors[executor].pool(run.memory.mode(filling));
                let all = got + run.memory.take_available(pool, filling, more);
                let held = held_by_heap(sim, id, all);
                blocks::evicted(sim, executor);
                off_heap(sim, executor);
                if held >= least {
                    return Grant::Bytes(held);
                }
                let run = &mut sim.tasks[id];
                let pool = sim.executors[executor].pool(run.memory.mode(filling));
                run.memory.release(pool, filling, held);
                progress = run.memory.acquire(pool, filling, least);
            }
        }
    }
}

/// What the task could still grow to. Spark's task asks a page at a time, so all the tasks that run beside it are in the pool long
/// before it has taken what N = 1 would leave it (MEM-23): counted are those whose operators or writer hold rows.
fn share(sim: &mut Sim, id: TaskId) -> Bytes {
    let run = &sim.tasks[id];
    let (executor, serial, mode) = (run.executor, run.serial, run.memory.mode(run.filling));
    let holds = |&&other: &&TaskId| produce::holds_rows(sim, &sim.tasks[other]);
    let beside = sim.executors[executor].running.iter().filter(holds).count();
    let pool = sim.executors[executor].pool(mode);
    pool.max_share(beside.max(pool.active_tasks())).saturating_sub(pool.task_used(serial))
}

/// How much of a grant the heap can hold; the rest stays acquired but not used (MEM-31). All of it when the heap is too full without
/// the grant, or on YARN: then the JVM dies where the round starts.
fn held_by_heap(sim: &mut Sim, id: TaskId, granted: Bytes) -> Bytes {
    let run = &mut sim.tasks[id];
    let host = &mut sim.executors[run.executor];
    let usable = jvm::usable_heap(sim.plan.executor.heap, sim.plan.spec().spark.executor.collector);
    let over = host.live_heap().saturating_sub(usable);
    let dies = over > granted || sim.plan.spec().spark.executor.heap_exit != HANDLED_EXIT;
    if over.is_zero() || dies || run.memory.mode(run.filling) == MemoryMode::OffHeap {
        return granted;
    }
    run.memory.cannot_use(run.filling, over);
    host.unused += over;
    granted - over
}

/// Brings the charge of off-heap memory up to date: with `spark.memory.offHeap.enabled` Tungsten pages are native memory (MEM-8).
pub(crate) fn off_heap(sim: &mut Sim, executor: ExecutorId) {
    if sim.plan.executor.off_heap.is_zero() {
        return;
    }
    let host = &mut sim.executors[executor];
    let (used, charged) = (host.native.execution_used() + host.native.storage_used(), host.off_heap);
    host.off_heap = used;
    if let (Some(node), Some(slot)) = (host.node, host.slot) {
        let machine = &mut sim.machines[node];
        let v = machine.v(sim.calendar.now());
        machine.memory.charge(slot, Charge::NonHeap, used.saturating_sub(charged));
        machine.memory.uncharge(slot, Charge::NonHeap, charged.saturating_sub(used), v);
        sim.touch(node);
    }
}

/// A consumer's rows go to a spill file: the writer's until the merge (US-4, US-7), an operator's until the task ends (2.8).
pub(super) fn spill(sim: &mut Sim, id: TaskId, consumer: ConsumerId) {
    let plan = sim.plan;
    let conf = &plan.spec().spark.shuffle;
    let run = &mut sim.tasks[id];
    run.step = Step::Spill(consumer);
    let state = run.state_mut(consumer);
    let (held, freed) = (std::mem::take(&mut state.rows_held), std::mem::take(&mut state.pages));
    let (rows, file, compresses) = if consumer == WRITER {
        let rest = run.demand.write - run.state(WRITER).spilled;
        (held, held.scale(run.demand.writer_ratio()).min(rest), conf.compress)
    } else {
        let read = consumers::read_share(consumer, run.filling, run.state(run.filling).done, &run.demand);
        let rows = held.scale(1.0 - read);
        (rows, rows.scale(run.demand.operator_ratio(conf.spill_compress)), conf.spill_compress)
    };
    let state: &mut ConsumerState = run.state_mut(consumer);
    state.spilled += file;
    state.unread += file;
    state.files += 1;
    let cpu = if compresses { rows.as_gib() * conf.compress_s_per_gib } else { 0.0 };
    let stage = run.stage;
    sim.tally.spilled(stage, freed, file);
    pieces::start(sim, id, Work { cpu, write: file, ..Work::default() });
}

/// A consumer spills although nobody asked.
pub(super) fn flush(sim: &mut Sim, id: TaskId, consumer: ConsumerId) {
    let run = &mut sim.tasks[id];
    (run.filling, run.wanted) = (consumer, Bytes::ZERO);
    spill(sim, id, consumer);
}

/// The spill file is written: its memory is free, waiting tasks come first, then the request goes on.
pub(super) fn spilled(sim: &mut Sim, id: TaskId, consumer: ConsumerId) {
    let run = &mut sim.tasks[id];
    let (executor, serial) = (run.executor, run.serial);
    let pool = sim.executors[executor].pool(run.memory.mode(consumer));
    let released = run.memory.release(pool, consumer, Bytes::MAX);
    retry_blocked(sim, executor);
    // What was released may have gone to a blocked task whose next round filled the heap, or failed its stage: then this task is gone too.
    if sim.executors[executor].is_up() && sim.tasks.get(id, serial).is_some() {
        let run = &mut sim.tasks[id];
        if run.memory.requester().is_none() {
            // A threshold made it spill, or the end of its input, not a request.
            return if run.filling == WRITER { produce::round(sim, id) } else { consume::round(sim, id) };
        }
        let pool = sim.executors[executor].pool(run.memory.mode(run.filling));
        let progress = run.memory.spilled(pool, released);
        answer(sim, id, progress);
    }
}

/// Goes on with a request and with what waited for it.
fn answer(sim: &mut Sim, id: TaskId, progress: Progress) {
    let grant = go_on(sim, id, progress);
    if grant == Grant::Wait {
        return;
    }
    if sim.tasks[id].filling == BUILD { consume::granted(sim, id, grant) } else { collect::granted(sim, id, grant) }
}

/// Something was released: blocked tasks ask again, in the order in which they began to wait.
pub(crate) fn retry_blocked(sim: &mut Sim, executor: ExecutorId) {
    off_heap(sim, executor);
    for id in std::mem::take(&mut sim.executors[executor].blocked) {
        // A task's new round may kill the executor (heap), which ends all of them.
        if !sim.executors[executor].is_up() {
            return;
        }
        if sim.executors[executor].running.contains(&id) && sim.tasks[id].step == Step::Blocked {
            ask_again(sim, id);
        }
    }
}

fn ask_again(sim: &mut Sim, id: TaskId) {
    let run = &mut sim.tasks[id];
    if let Some(alarm) = run.timer.take() {
        sim.calendar.cancel(alarm);
    }
    let pool = sim.executors[run.executor].pool(run.memory.mode(run.filling));
    let progress = run.memory.retry(pool);
    answer(sim, id, progress);
}

/// Another task has entered the pool: the least share of those that wait is smaller now (MEM-21), so they ask again in this instant.
fn wake_blocked(sim: &mut Sim, executor: ExecutorId) {
    for index in 0..sim.executors[executor].blocked.len() {
        let id = sim.executors[executor].blocked[index];
        if sim.tasks[id].timer.is_none() {
            let timer = sim.after(SimSpan::ZERO, Event::TaskTimer(id));
            sim.tasks[id].timer = Some(timer);
        }
    }
}

/// A blocked task was woken.
pub(super) fn woken(sim: &mut Sim, id: TaskId) {
    let executor = sim.tasks[id].executor;
    sim.executors[executor].blocked.retain(|&task| task != id);
    ask_again(sim, id);
}
