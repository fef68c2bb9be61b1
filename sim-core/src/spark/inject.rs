//! Kills that the user asked for ([`crate::spec::Injection`]).
//!
//! A kill at a time is an event from the start; one at a task's end becomes an event of that instant, so that the task's own end
//! is dealt with first. The executor dies as from any SIGKILL; the death is counted apart and is no incident, because the model
//! did not find it. Without injections nothing is looked at. Source: the user.

use super::executor;
use crate::event::Event;
use crate::ids::{ExecutorId, StageId};
use crate::record::Cause;
use crate::sim::Sim;
use crate::spec::Moment;
use crate::units::SimSpan;

/// Schedules the kills whose time is known.
pub(crate) fn start(sim: &mut Sim) {
    let plan = sim.plan;
    for (index, injection) in plan.spec().inject.iter().enumerate() {
        if let Moment::At(span) = injection.when {
            sim.after(span, Event::Injected(index as u32));
        }
    }
}

/// A task of a stage has ended well; `done` of them have by now.
pub(crate) fn on_task_done(sim: &mut Sim, stage: StageId, done: u32) {
    let plan = sim.plan;
    for (index, injection) in plan.spec().inject.iter().enumerate() {
        if injection.when == (Moment::TasksDone { stage: stage.index(), tasks: done }) {
            sim.after(SimSpan::ZERO, Event::Injected(index as u32));
        }
    }
}

/// A kill is due.
pub(crate) fn on_due(sim: &mut Sim, index: u32) {
    let number = sim.plan.spec().inject[index as usize].executor;
    let target = ExecutorId::new(number.saturating_sub(1));
    if target.index() < sim.executors.len() && sim.executors[target].is_up() {
        sim.tally.injected();
        // Exit 137, as from a container's limit.
        executor::kill(sim, target, Cause::Container);
    }
}
