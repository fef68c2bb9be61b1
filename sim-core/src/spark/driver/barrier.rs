//! Barrier stages: all tasks start together, and the failure of one fails them all (FF-6).
//!
//! A barrier stage is launched only by an offer with a free slot for each of its tasks. A job with a barrier stage that needs more
//! slots than there are is tried again every 15 s, forty times. When a task fails, for whatever reason, the others are killed,
//! the stage's outputs are dropped, and all of it runs again 200 ms later, up to `spark.stage.maxConsecutiveAttempts`; a fetch
//! failure of a barrier stage that gives a result aborts. Assumption: a barrier stage does not wait for local slots. Source:
//! Spark's `TaskSchedulerImpl.resourceOffers`, `DAGScheduler.handleTaskCompletion`.

use super::{fetch_failures, offers, stages};
use crate::event::Event;
use crate::ids::{ExecutorId, ShuffleId, StageId};
use crate::record::{Ending, FailureReason};
use crate::sim::Sim;
use crate::spark::driver::task_set::Level;
use crate::spark::executor::Life;
use crate::spark::task;
use crate::spec::SinkSpec;
use crate::units::SimSpan;

/// `spark.scheduler.barrier.maxConcurrentTasksCheck.interval`.
const CHECK_INTERVAL: SimSpan = SimSpan::from_secs(15);
/// `spark.scheduler.barrier.maxConcurrentTasksCheck.maxFailures`.
const MOST_CHECKS: u32 = 40;

/// Whether the cluster has the slots for a job's barrier stages; if not, the job is tried again later.
pub(super) fn has_slots(sim: &mut Sim, job: usize) -> bool {
    let app = &sim.plan.spec().app;
    let barriers = app.jobs[job].stages.iter().filter(|&&stage| app.stages[stage].barrier);
    let needed = barriers.map(|&stage| sim.driver.stages[StageId::new(stage as u32)].tasks).max().unwrap_or(0);
    if needed == 0 {
        return true;
    }
    let slots: u32 = sim.executors.values().filter(|e| matches!(e.life, Life::Registered | Life::Dead)).map(|e| e.announced.slots).sum();
    if slots >= needed {
        return true;
    }
    let state = &mut sim.driver.jobs[job];
    state.slot_checks += 1;
    if state.slot_checks > MOST_CHECKS {
        sim.end(Ending::Failed(FailureReason::Unschedulable));
    } else {
        state.try_again();
        sim.after(CHECK_INTERVAL, Event::JobStarts(job as u32));
    }
    false
}

/// Launches all tasks of a barrier stage if the offer has room for them; else the next revival tries again.
pub(super) fn offer(sim: &mut Sim, stage: StageId, offered: &[ExecutorId]) {
    let waiting = sim.driver.stages[stage].set.waiting();
    if waiting == 0 {
        return;
    }
    let free: u32 = offered.iter().map(|&executor| sim.executors[executor].free_slots()).sum();
    if free < waiting {
        let now = sim.now();
        return offers::revive_at(sim, now);
    }
    while sim.driver.stages[stage].set.waiting() > 0 {
        for &executor in offered {
            let host = offers::host_of(sim, executor);
            if sim.executors[executor].free_slots() == 0 {
                continue;
            }
            if let Some((partition, _)) = sim.driver.stages[stage].set.take(executor, host, Level::Any) {
                offers::launch(sim, stage, executor, partition, false);
            }
        }
    }
}

/// A task of a barrier stage has failed or was lost.
pub(super) fn fail(sim: &mut Sim, stage: StageId, attempt: u32) {
    let state = &sim.driver.stages[stage];
    if attempt != state.attempt() || !state.active {
        return;
    }
    stages::close(sim, stage);
    let freed = task::kill_where(sim, |run| run.stage == stage);
    drop_results(sim, stage);
    fetch_failures::attempt_failed(sim, stage, attempt);
    freed.into_iter().for_each(|executor| offers::offer(sim, executor));
}

/// All outputs or results of a barrier stage are void.
pub(super) fn drop_results(sim: &mut Sim, stage: StageId) {
    match sim.plan.spec().app.stages[stage.index()].sink {
        SinkSpec::Shuffle(shuffle) => sim.driver.outputs[ShuffleId::new(shuffle as u32)].clear(),
        SinkSpec::Result => sim.driver.stages[stage].forget_results(),
    }
}
