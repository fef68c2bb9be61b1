//! Taking input into operators: rounds as large as the memory that is granted.
//!
//! A join's build side comes first, then the inputs of the operators, one after the other, as Spark's iterators pull them. A stage
//! without operators that hold rows (a plain scan or map) has nothing to consume into: its input is read while it produces.
//! Otherwise half of the task's CPU goes here and half into producing (assumption: the log does not tell them apart).

use super::consumers::BUILD;
use super::memory::{self, Grant};
use super::pieces::{self, Work};
use super::{Step, collect, consumers, fetch, finish, produce};
use crate::ids::TaskId;
use crate::sim::Sim;
use crate::spark::python;
use crate::spark::task_memory_manager::ConsumerId;
use crate::units::Bytes;

/// Share of the task's own CPU that consuming takes when it also produces into a shuffle.
const CONSUMING_SHARE: f64 = 0.5;

/// Begins with the input.
pub(super) fn begin(sim: &mut Sim, id: TaskId) {
    if !fetch::sources_ready(sim, id) {
        return;
    }
    if python::start(sim, id) { round(sim, id) } else { finish::fail(sim, id, finish::Failure::Worker) }
}

/// The next round, after asking for memory; producing when all input is in.
pub(super) fn round(sim: &mut Sim, id: TaskId) {
    let run = &sim.tasks[id];
    let operators = sim.plan.spec().app.stages[run.stage.index()].memory.operators;
    let unfilled = consumers::INPUTS.into_iter().map(|slot| (slot, run.demand.of(slot) - run.state(slot).done)).find(|(_, rest)| !rest.is_zero());
    match unfilled {
        Some((BUILD, rest)) => {
            let grant = memory::acquire(sim, id, BUILD, rest);
            granted(sim, id, grant);
        }
        Some((slot, _)) => collect::round(sim, id, slot),
        None if consumers::leaves_its_map(run, operators) => memory::flush(sim, id, consumers::FIRST),
        None if run.demand.consumed().is_zero() => produce::round(sim, id),
        None if fetch::complete(sim, id) => {
            fetch::drop_fetched(sim, id);
            produce::round(sim, id);
        }
        None => {}
    }
}

/// The answer to a build side's request.
pub(super) fn granted(sim: &mut Sim, id: TaskId, grant: Grant) {
    match grant {
        Grant::Bytes(bytes) => start(sim, id, bytes),
        Grant::Wait => {}
        Grant::OutOfMemory => finish::fail(sim, id, finish::Failure::OutOfMemory),
    }
}

/// Starts a round of so many bytes of operator memory.
pub(super) fn start(sim: &mut Sim, id: TaskId, bytes: Bytes) {
    let spec = sim.plan.spec();
    let run = &mut sim.tasks[id];
    run.step = Step::Consume(bytes);
    let demand = &run.demand;
    let share = bytes.as_f64() / demand.consumed().as_f64();
    let cpu_share = if demand.writer.is_zero() { 1.0 } else { CONSUMING_SHARE };
    let decompress = demand.consumed().as_gib() * spec.spark.shuffle.decompress_s_per_gib * f64::from(!demand.read.is_zero());
    let work = Work {
        cpu: share * (demand.cpu * cpu_share + decompress),
        allocated: demand.allocated.scale(share * cpu_share),
        input_share: share,
        ..Work::default()
    };
    pieces::start(sim, id, work);
}

/// A round has ended: more, or on to producing.
pub(super) fn round_done(sim: &mut Sim, id: TaskId, slot: ConsumerId, bytes: Bytes) {
    sim.tasks[id].state_mut(slot).done += bytes;
    round(sim, id);
}
