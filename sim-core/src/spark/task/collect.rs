//! Rounds of consumers that hold rows: as many rows as the memory that is granted holds.
//!
//! Sorters, maps and shuffle writers ask for the memory of all rows that are left, as far as the executor could ever give it, and for
//! what the next row needs at least ([`super::row_memory`]). What a refusal makes to spill, the requester in the end, is decided by the
//! task's memory manager (1.4). A buffer holds one group after the other: each is dropped when the next one begins, and when one
//! has fitted, so do all that follow, because groups are alike.

use super::consumers::{BUFFER, WRITER};
use super::memory::{self, Grant};
use super::row_memory::{self, Holder, Rows};
use super::{TaskRun, consume, finish, produce};
use crate::ids::TaskId;
use crate::sim::Sim;
use crate::spark::task_memory_manager::ConsumerId;
use crate::units::Bytes;

/// How a consumer of a task holds its rows.
fn holder(sim: &Sim, run: &TaskRun, consumer: ConsumerId) -> Holder {
    if consumer == WRITER {
        return produce::writer_kind(sim, run).and_then(Holder::of_writer).unwrap_or(Holder::Serialized);
    }
    let spec = sim.plan.spec();
    Holder::of_operator(spec.app.sql, spec.app.stages[run.stage.index()].memory.operators, consumer, &spec.spark.sql)
}

/// Rows of a consumer: those that it holds, and those with what it could take in beside them.
fn rows<'a>(sim: &Sim, run: &'a TaskRun, consumer: ConsumerId) -> Rows<'a> {
    let (demand, state) = (&run.demand, run.state(consumer));
    let held = demand.records_in(consumer, state.rows_held);
    let left = demand.records(consumer) - demand.records_in(consumer, state.done).min(demand.records(consumer));
    let next = if consumer == BUFFER { left.min(demand.group_records.saturating_sub(state.in_group)) } else { left };
    Rows { holder: holder(sim, run, consumer), consumer, demand, held, all: held + next, ends: next == left }
}

/// The next round of a consumer that has rows to take in.
pub(super) fn round(sim: &mut Sim, id: TaskId, consumer: ConsumerId) {
    if consumer == BUFFER {
        drop_group(sim, id);
    }
    let plan = sim.plan;
    let run = &sim.tasks[id];
    let rows = rows(sim, run, consumer);
    let pool = sim.executors[run.executor].pool(run.memory.mode(consumer)).max();
    let goal = row_memory::fill(rows, pool, plan);
    if let Ok(goal) = goal
        && goal.records <= rows.held
        && row_memory::forced(rows, plan)
    {
        return memory::flush(sim, id, consumer);
    }
    let used = run.memory.used(consumer);
    let least = row_memory::next(rows, used, plan);
    let wanted = goal.map_or(pool, |goal| goal.peak).saturating_sub(used);
    let grant = memory::acquire_at_least(sim, id, consumer, least, wanted);
    granted(sim, id, grant);
}

/// A group that is whole is given up before the next one.
fn drop_group(sim: &mut Sim, id: TaskId) {
    let run = &sim.tasks[id];
    if run.state(BUFFER).in_group >= run.demand.group_records {
        let (all, executor) = (run.memory.used(BUFFER), run.executor);
        let state = sim.tasks[id].state_mut(BUFFER);
        (state.in_group, state.rows_held, state.pages) = (0, Bytes::ZERO, Bytes::ZERO);
        release(sim, id, BUFFER, all);
        if sim.executors[executor].is_up() {
            memory::retry_blocked(sim, executor);
        }
    }
}

/// The answer to a round's request.
pub(super) fn granted(sim: &mut Sim, id: TaskId, grant: Grant) {
    // A task that waits may have failed already, on a full disk as it began to spill.
    match grant {
        Grant::Bytes(_) if produce::pushes(sim, &sim.tasks[id]) => produce::all_at_once(sim, id),
        Grant::OutOfMemory if produce::pushes(sim, &sim.tasks[id]) => finish::fail(sim, id, finish::Failure::OutOfMemory),
        Grant::Bytes(bytes) => take_in(sim, id, bytes),
        Grant::Wait => {}
        Grant::OutOfMemory => do_with_less(sim, id),
    }
}

/// Rows go in as far as the memory reaches. What is not needed then, the copy of the pointer array or too little for another page,
/// is given back.
fn take_in(sim: &mut Sim, id: TaskId, granted: Bytes) {
    let run = &sim.tasks[id];
    let (executor, consumer) = (run.executor, run.filling);
    let rows = rows(sim, run, consumer);
    let total = run.memory.used(consumer);
    let filled = row_memory::fill(rows, total, sim.plan).ok().filter(|filled| filled.records > rows.held);
    let Some(filled) = filled else {
        // What the request made to spill is this consumer, whose next request is smaller; or there are more pages than a task may have.
        release(sim, id, consumer, granted);
        return do_with_less(sim, id);
    };
    let rest = run.demand.of(consumer) - run.state(consumer).done;
    let held = run.state(consumer).rows_held;
    // A group that fits whole stands for all that follow.
    let fits = consumer == BUFFER && filled.records == run.demand.group_records;
    let last = fits || rows.ends && filled.records == rows.all;
    let taken = if last { rest } else { run.demand.bytes_of(consumer, filled.records).saturating_sub(held).min(rest) };
    let share = taken.as_f64() / run.demand.of(consumer).as_f64();
    let held_now = if fits { run.demand.bytes_of(consumer, filled.records) } else { held + taken };
    let in_group = filled.records - rows.held;
    let state = sim.tasks[id].state_mut(consumer);
    (state.rows_held, state.pages, state.in_group) = (held_now, filled.pages, state.in_group + in_group);
    let unused = total.saturating_sub(filled.held);
    release(sim, id, consumer, unused);
    if consumer == WRITER {
        produce::start(sim, id, taken, share);
    } else {
        consume::start(sim, id, taken);
    }
    if !unused.is_zero() && sim.executors[executor].is_up() {
        memory::retry_blocked(sim, executor);
    }
}

/// Gives memory of a consumer back; who waits for it is told later.
fn release(sim: &mut Sim, id: TaskId, consumer: ConsumerId, bytes: Bytes) {
    let run = &mut sim.tasks[id];
    let executor = run.executor;
    let pool = sim.executors[executor].pool(run.memory.mode(consumer));
    run.memory.release(pool, consumer, bytes);
    memory::off_heap(sim, executor);
}

/// Nobody can release what was asked for. An empty consumer goes on with what an array and a page need, then with a page as small as
/// a row; after that the task fails (MEM-30).
fn do_with_less(sim: &mut Sim, id: TaskId) {
    let run = &sim.tasks[id];
    let consumer = run.filling;
    let rows = rows(sim, run, consumer);
    let steps = [row_memory::next(Rows { held: 0, ..rows }, Bytes::ZERO, sim.plan), row_memory::smallest(rows, sim.plan)];
    match steps.into_iter().find(|&step| step < run.least) {
        Some(least) if rows.held == 0 => {
            let grant = memory::acquire_at_least(sim, id, consumer, least, least);
            granted(sim, id, grant);
        }
        Some(_) | None => finish::fail(sim, id, finish::Failure::OutOfMemory),
    }
}
