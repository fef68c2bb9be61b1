//! What follows a fetch failure: what is forgotten, what is submitted again, and when the application gives up.
//!
//! A fetch failure of the current attempt ends the attempt: its task set becomes a zombie (FF-2). The executor's outputs are
//! forgotten, all of its host's where a shuffle service serves them and `unRegisterOutputOnHost` is on (FF-3). The stage and the
//! map stage are submitted again after 200 ms, with only what is missing, and so are their incomplete ancestors. Four attempts of
//! a stage in a row abort (FF-4), but for failures to fetch from executors that leave; its completion begins the count anew. If the map stage is indeterminate, all that depends on it
//! runs again in full; a result stage that has committed partitions cannot, and aborts (FF-5, since SPARK-25341 in 3.0; before,
//! any part of a successor that was there aborted). Source: Spark's `DAGScheduler.handleTaskCompletion`.

use super::{barrier, failures, stages};
use crate::event::Event;
use crate::ids::{ExecutorId, ShuffleId, StageId};
use crate::record::{Ending, FailureReason};
use crate::sim::Sim;
use crate::spark::fetch_retry::RESUBMIT_DELAY;
use crate::spec::{SinkSpec, SparkVersion};

/// A task failed to fetch from an executor, or found outputs missing.
pub(super) fn on_fetch_failed(sim: &mut Sim, stage: StageId, attempt: u32, lost: Option<ExecutorId>) {
    // Attempts that are over have been dealt with.
    if attempt != sim.driver.stages[stage].attempt() {
        return;
    }
    let map = map_stage(sim, stage, lost);
    stages::close(sim, stage);
    if let Some(map) = map.filter(|map| sim.plan.spec().app.stages[map.index()].barrier) {
        barrier::drop_results(sim, map);
    }
    if sim.plan.spec().app.stages[stage.index()].barrier {
        barrier::drop_results(sim, stage);
        if sim.plan.spec().app.stages[stage.index()].sink == SinkSpec::Result {
            return sim.end(Ending::Failed(FailureReason::Rollback));
        }
    }
    let first = !sim.driver.is_failed(stage);
    if lost.is_some_and(|executor| is_excused(sim, executor)) {
        submit_again(sim, stage);
    } else {
        attempt_failed(sim, stage, attempt);
    }
    if sim.ending.is_some() {
        return;
    }
    if let Some(map) = map {
        if !sim.driver.is_failed(map) {
            sim.driver.failed.push((map, false));
        }
        if first && sim.plan.indeterminate[map.index()] {
            roll_back(sim, map);
        }
    }
    if let Some(executor) = lost {
        forget_outputs(sim, executor);
    }
}

/// Whether a failure to fetch from an executor does not count, because it leaves or has left (3.7).
fn is_excused(sim: &Sim, executor: ExecutorId) -> bool {
    sim.plan.spec().spark.scheduling.ignore_decommission_fetch_failure && sim.executors[executor].leaving
}

/// Counts a failed attempt of a stage, once; the stage is submitted again, or there were too many.
pub(super) fn attempt_failed(sim: &mut Sim, stage: StageId, attempt: u32) {
    let most = sim.plan.spec().spark.scheduling.stage_max_consecutive_attempts;
    let state = &mut sim.driver.stages[stage];
    if state.last_failed != Some(attempt) {
        state.last_failed = Some(attempt);
        state.failed_attempts += 1;
    }
    if state.failed_attempts >= most {
        return sim.end(Ending::Failed(FailureReason::StageAttempts));
    }
    submit_again(sim, stage);
}

/// A failed stage is submitted again with the others that gather.
fn submit_again(sim: &mut Sim, stage: StageId) {
    match sim.driver.failed.iter_mut().find(|(failed, _)| *failed == stage) {
        Some((_, own)) => *own = true,
        None => sim.driver.failed.push((stage, true)),
    }
    if !sim.driver.resubmit_due {
        sim.driver.resubmit_due = true;
        sim.after(RESUBMIT_DELAY, Event::ResubmitStages);
    }
}

/// The stage whose output could not be had.
fn map_stage(sim: &Sim, stage: StageId, lost: Option<ExecutorId>) -> Option<StageId> {
    let app = &sim.plan.spec().app;
    let missing = |shuffle: &&usize| {
        if sim.plan.is_remote(**shuffle) {
            return false;
        }
        let outputs = &sim.driver.outputs[ShuffleId::new(**shuffle as u32)];
        match lost {
            Some(executor) => outputs.hosts().any(|host| host == executor),
            None => !outputs.complete(),
        }
    };
    let reads = &app.stages[stage.index()].reads;
    // A second failure finds the executor's outputs forgotten.
    let shuffle = reads.iter().find(missing).or_else(|| reads.iter().find(|&&s| !sim.driver.outputs[ShuffleId::new(s as u32)].complete()))?;
    Some(StageId::new(app.shuffles[*shuffle].writer as u32))
}

/// With a shuffle service a fetch failure speaks against the files of the executor, or of its host; without it, the executor is gone.
fn forget_outputs(sim: &mut Sim, executor: ExecutorId) {
    let conf = &sim.plan.spec().spark;
    if !conf.shuffle.service {
        return failures::unregister(sim, executor);
    }
    let host = sim.executors[executor].node.filter(|_| conf.scheduling.unregister_output_on_host);
    for outputs in sim.driver.outputs.values_mut() {
        match host {
            Some(node) => outputs.unregister_node(node),
            None => outputs.unregister(executor),
        };
    }
}

/// A map stage that would give other rows is run again: so is everything after it that has begun.
fn roll_back(sim: &mut Sim, map: StageId) {
    let plan = sim.plan;
    let two = plan.spec().spark.version < SparkVersion { major: 3, minor: 0, patch: 0 };
    let mut after = vec![false; sim.driver.stages.len()];
    after[map.index()] = true;
    for stage in sim.driver.stages.ids() {
        after[stage.index()] |= plan.parents[stage.index()].iter().any(|parent| after[parent.index()]);
    }
    for stage in sim.driver.stages.ids().filter(|stage| after[stage.index()]) {
        let state = &sim.driver.stages[stage];
        let needed = sim.driver.jobs.get(state.job as usize).is_some_and(super::jobs::JobState::is_running);
        let begun = match plan.spec().app.stages[stage.index()].sink {
            SinkSpec::Result => state.has_results(),
            SinkSpec::Shuffle(shuffle) => two && !sim.driver.outputs[ShuffleId::new(shuffle as u32)].is_empty(),
        };
        // Map stages drop what they have when they are submitted again.
        if needed && begun {
            return sim.end(Ending::Failed(FailureReason::Rollback));
        }
    }
}

/// Failed stages are submitted again, all that have gathered (FF-3).
pub(crate) fn on_resubmit(sim: &mut Sim) {
    sim.driver.resubmit_due = false;
    let mut failed = std::mem::take(&mut sim.driver.failed);
    failed.sort_unstable();
    for (stage, own) in failed {
        // A map stage that is there again lets its readers start; a stage that failed itself ends here if zombies have completed it.
        if own || !sim.driver.is_complete(sim.plan, stage) {
            let job = sim.driver.stages[stage].job;
            stages::submit(sim, stage, job);
        } else {
            super::wake_children(sim, stage);
        }
    }
    super::offers::offer_all(sim);
}
