//! Taking input into operators: rounds as large as the memory that is granted.
//!
//! A stage without operators that hold rows (a plain scan or map) has nothing to consume into: its input is
//! read while it produces. Otherwise half of the task's CPU goes here and half into producing (assumption: the
//! log does not tell them apart).

use super::memory::{self, Grant};
use super::pieces::{self, Work};
use super::{Step, fetch, finish, produce};
use crate::ids::TaskId;
use crate::sim::Sim;
use crate::units::Bytes;

/// Share of the task's own CPU that consuming takes when it also produces into a shuffle.
const CONSUMING_SHARE: f64 = 0.5;

/// Begins with the input.
pub(super) fn begin(sim: &mut Sim, id: TaskId) {
    if !fetch::sources_ready(sim, id) {
        return;
    }
    hold(sim, id);
}

/// Takes the memory that cannot spill, then the first round.
pub(super) fn hold(sim: &mut Sim, id: TaskId) {
    match memory::hold_unspillable(sim, id) {
        Grant::Bytes(_) => first_round(sim, id),
        Grant::Blocked => sim.tasks[id].step = Step::BlockedAtStart,
        Grant::Refused => finish::fail(sim, id, finish::Failure::OutOfMemory),
    }
}

fn first_round(sim: &mut Sim, id: TaskId) {
    if sim.tasks[id].demand.operator.is_zero() { produce::round(sim, id) } else { round(sim, id) }
}

/// The next round, after asking for memory.
pub(super) fn round(sim: &mut Sim, id: TaskId) {
    let run = &sim.tasks[id];
    let remaining = run.demand.operator - run.operator.done;
    match memory::acquire(sim, id, remaining) {
        Grant::Blocked => sim.tasks[id].step = Step::Blocked(true),
        Grant::Bytes(granted) => {
            sim.tasks[id].operator.held += granted;
            start(sim, id, granted);
        }
        Grant::Refused if sim.tasks[id].operator.held.is_zero() => finish::fail(sim, id, finish::Failure::OutOfMemory),
        Grant::Refused => memory::spill_operator(sim, id, true),
    }
}

fn start(sim: &mut Sim, id: TaskId, bytes: Bytes) {
    let spec = sim.plan.spec();
    let run = &mut sim.tasks[id];
    run.step = Step::Consume(bytes);
    let demand = &run.demand;
    let share = bytes.as_f64() / demand.operator.as_f64();
    let cpu_share = if demand.writer.is_zero() { 1.0 } else { CONSUMING_SHARE };
    let decompress = demand.operator.as_gib() * spec.spark.shuffle.decompress_s_per_gib * f64::from(!demand.read.is_zero());
    let work = Work {
        cpu: share * (demand.cpu * cpu_share + decompress),
        allocated: demand.allocated.scale(share * cpu_share),
        input_share: share,
        ..Work::default()
    };
    pieces::start(sim, id, work);
}

/// A round has ended: more, or on to producing.
pub(super) fn round_done(sim: &mut Sim, id: TaskId) {
    let run = &sim.tasks[id];
    if run.operator.done < run.demand.operator {
        round(sim, id);
    } else if fetch::complete(sim, id) {
        fetch::drop_fetched(sim, id);
        produce::round(sim, id);
    }
}
