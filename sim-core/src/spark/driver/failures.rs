//! What the driver does when task attempts end and executors are lost.
//!
//! Task failures count by partition and task set, four abort the job (3.5, TF-1). What does not count: fetch failures
//! ([`super::fetch_failures`]), attempts that the driver killed because another one succeeded, and those of executors that it
//! dismissed itself. An executor's death fails its tasks (counted, because the exit is the application's), unregisters its
//! outputs and puts the partitions that a running map stage's task set had finished there back (EL-1). Too many dead executors end
//! the application from Spark 3.5 on (FC-2). There is no commit-denied failure, because the copy that loses is killed at once.

use super::{Location, barrier, complete_stage, fetch_failures, heap, offers, speculation, stages};
use crate::ids::{ExecutorId, NodeId, ShuffleId, StageId};
use crate::record::Cause;
use crate::record::{Ending, FailureReason, Incident, Level, Party};
use crate::shown::shown;
use crate::sim::Sim;
use crate::spark::executor::Executor;
use crate::spark::task::{self, Attempt, Failure};
use crate::spark::{failure_cap, inject, push_merge};
use crate::spec::{Platform, SinkSpec};
use crate::units::Bytes;

/// The driver learns that an attempt is over, however it ended. `read` tells what a successful one has read.
pub(crate) fn attempt_over(sim: &mut Sim, end: Attempt, read: Option<Bytes>) {
    let now = sim.now();
    sim.driver.count_in_pool(end.pool, false);
    let state = &mut sim.driver.stages[end.stage];
    if end.number != state.attempt() {
        return;
    }
    state.set.ended(end.partition);
    if let Some(copies) = state.set.copies.as_deref_mut() {
        let since = copies.ended(end.partition, end.executor);
        if let (Some(since), Some(read)) = (since, read) {
            copies.succeeded(now.since(since), read);
        }
    }
}

/// A task attempt succeeded.
pub(crate) fn on_task_succeeded(sim: &mut Sim, end: Attempt, node: NodeId, read: Bytes, written: Bytes) {
    let plan = sim.plan;
    let (stage, partition, executor) = (end.stage, end.partition, end.executor);
    let done = sim.tally.task_ok(stage, written);
    if !plan.spec().inject.is_empty() {
        inject::on_task_done(sim, stage, done);
    }
    attempt_over(sim, end, Some(read));
    let freed = kill_other_copies(sim, end);
    let state = &mut sim.driver.stages[stage];
    let current = end.number == state.attempt();
    // An earlier attempt's success spares the current one the partition, unless its rows may be others (FF-5).
    let counts = current || !plan.indeterminate[stage.index()];
    if counts {
        state.set.succeed(partition, current.then_some(executor));
    }
    if let Some(at) = state.cached_at.get_mut(partition as usize) {
        *at = Some(executor);
    }
    // Results count whichever attempt brings them; outputs of a failed map stage wait for its next submission.
    match plan.spec().app.stages[stage.index()].sink {
        SinkSpec::Shuffle(shuffle) => {
            if counts {
                let shuffle = ShuffleId::new(shuffle as u32);
                sim.driver.outputs[shuffle].register(partition, Location { executor, node }, written);
                push_merge::push(sim, shuffle, partition, executor, written);
            }
            if sim.driver.stages[stage].active && sim.driver.stages[stage].set.left() == 0 {
                map_set_done(sim, stage);
            }
        }
        SinkSpec::Result => {
            let first = state.finish_result(partition);
            if first {
                heap::collect(sim, stage, partition);
            }
            if first && sim.driver.is_complete(plan, stage) {
                complete(sim, stage);
            }
        }
    }
    if sim.ending.is_none() {
        speculation::plan_look(sim, stage);
        freed.into_iter().for_each(|executor| offers::offer(sim, executor));
    }
}

/// The first success of a task ends its other attempts in the same task set. Executors that have a slot free by that.
fn kill_other_copies(sim: &mut Sim, end: Attempt) -> Vec<ExecutorId> {
    let state = &sim.driver.stages[end.stage];
    let others = if end.number == state.attempt() { state.set.copies_of(end.partition) > 0 } else { sim.plan.spec().spark.scheduler.speculation.is_some() };
    if !others {
        return Vec::new();
    }
    task::kill_where(sim, |run| run.stage == end.stage && run.attempt == end.number && run.partition == end.partition)
}

/// All tasks of a map stage's set have succeeded. Outputs that were lost meanwhile are made again by a new attempt, at once.
fn map_set_done(sim: &mut Sim, stage: StageId) {
    if stages::waits_for_merging(sim, stage) {
        return settle(sim, stage);
    }
    if sim.driver.is_complete(sim.plan, stage) {
        return complete(sim, stage);
    }
    stages::close(sim, stage);
    let state = &mut sim.driver.stages[stage];
    state.failed_attempts = 0;
    let job = state.job;
    stages::submit(sim, stage, job);
    offers::offer_all(sim);
}

/// What was pushed of a stage's outputs is merged, or will not be: its children may start, if no output was lost meanwhile.
pub(crate) fn finalized(sim: &mut Sim, stage: StageId) {
    if sim.driver.is_complete(sim.plan, stage) {
        return complete(sim, stage);
    }
    let job = sim.driver.stages[stage].job;
    if sim.driver.jobs.get(job as usize).is_some_and(super::jobs::JobState::is_running) {
        stages::submit(sim, stage, job);
        offers::offer_all(sim);
    }
}

/// A stage's task set has done its part.
fn settle(sim: &mut Sim, stage: StageId) {
    note_exclusions(sim, stage);
    sim.driver.dequeue(stage);
    let state = &mut sim.driver.stages[stage];
    state.active = false;
    state.failed_attempts = 0;
    state.set.retire();
}

/// A stage has all its outputs or results.
pub(super) fn complete(sim: &mut Sim, stage: StageId) {
    let now = sim.now();
    sim.driver.forget_failed(stage);
    settle(sim, stage);
    let state = &mut sim.driver.stages[stage];
    state.waiting = false;
    let attempt = state.attempt();
    sim.tally.stage_ended(stage, now);
    sim.observer.stage_ended(now, stage.index() as u32, attempt, true);
    complete_stage(sim, stage);
}

/// Failures of a task set that succeeded count for the application.
fn note_exclusions(sim: &mut Sim, stage: StageId) {
    let now = sim.now();
    let state = &sim.driver.stages[stage];
    if let Some(exclusion) = state.set.exclusion.as_deref().filter(|_| state.active) {
        sim.driver.health.succeeded(stage, state.attempt(), exclusion, now);
        if let Some(at) = sim.driver.health.expire(now) {
            offers::revive_at(sim, at);
        }
    }
}

/// A task attempt failed on a living executor.
pub(crate) fn on_task_failed(sim: &mut Sim, end: Attempt, failure: Failure) {
    sim.tally.task_failed(end.stage);
    attempt_over(sim, end, None);
    match failure {
        Failure::Fetch(lost) => fetch_failures::on_fetch_failed(sim, end.stage, end.number, lost),
        Failure::NoSpace | Failure::OutOfMemory | Failure::Worker => {
            attempt_lost(sim, end, true);
            // The task may be kept from the executor where it failed, but not from an idle one.
            offers::offer_all(sim);
        }
    }
}

/// An attempt failed: its task is tried again. If it counts, the fourth failure aborts the job. Zombies' failures do not count.
fn attempt_lost(sim: &mut Sim, end: Attempt, counts: bool) {
    let (plan, now) = (sim.plan, sim.now());
    if plan.spec().app.stages[end.stage.index()].barrier {
        return barrier::fail(sim, end.stage, end.number);
    }
    let host = offers::host_of(sim, end.executor);
    let state = &mut sim.driver.stages[end.stage];
    if !state.active || end.number != state.attempt() {
        return;
    }
    if counts {
        if let Some(exclusion) = state.set.exclusion.as_deref_mut() {
            exclusion.failed(end.executor, host, end.partition, now);
        }
        if state.set.fail(end.partition) >= plan.spec().spark.scheduling.task_max_failures {
            return sim.end(Ending::Failed(FailureReason::TaskFailures));
        }
    }
    state.set.add(end.partition);
}

/// Forgets an executor's outputs.
pub(super) fn unregister(sim: &mut Sim, executor: ExecutorId) {
    let plan = sim.plan;
    for (shuffle, outputs) in sim.driver.outputs.iter_mut() {
        if plan.forgets(shuffle.index()) {
            outputs.unregister(executor);
        }
    }
}

/// The driver learns that an executor is gone.
pub(crate) fn on_executor_lost(sim: &mut Sim, executor: ExecutorId) {
    let now = sim.now();
    let dead = &sim.executors[executor];
    let (dismissed, silent) = (dead.dismissed, dead.silent.is_some());
    let counted = failure_cap::counts(dead.cause, sim.plan.spec().monitors_containers());
    // Kubernetes' backend removes a silent executor as one that it killed.
    let blameless = dismissed || silent && sim.plan.spec().cluster.platform == Platform::Kubernetes;
    put_back(sim, executor);
    for lost in std::mem::take(&mut sim.executors[executor].lost) {
        sim.tally.task_failed(lost.stage);
        attempt_over(sim, lost, None);
        attempt_lost(sim, lost, !blameless);
    }
    unregister(sim, executor);
    for state in sim.driver.stages.values_mut() {
        state.cached_at.iter_mut().filter(|at| **at == Some(executor)).for_each(|at| *at = None);
    }
    sim.driver.health.removed(executor);
    offers::find_levels(sim);
    if !dismissed && !silent && (counted && sim.driver.executor_failures.record(now) || retries_are_used_up(sim)) {
        sim.end(Ending::Failed(FailureReason::ExecutorFailures));
    }
    offers::offer_all(sim);
}

/// Running map stages run again what their task set had finished on a lost executor (EL-1), unless Spark knows that a shuffle service has it.
fn put_back(sim: &mut Sim, executor: ExecutorId) {
    let plan = sim.plan;
    for stage in sim.driver.queue.clone() {
        if let SinkSpec::Shuffle(shuffle) = plan.spec().app.stages[stage.index()].sink
            && plan.repeats(shuffle)
        {
            let undone = sim.driver.stages[stage].set.undo_on(executor);
            sim.tally.resubmitted(stage, undone);
        }
    }
}

/// Whether standalone's master ends the application: too many failures in a row, and no executor runs (1.9).
fn retries_are_used_up(sim: &mut Sim) -> bool {
    sim.driver.retries.failed() && !sim.executors.values().any(Executor::is_up)
}

/// A local directory is full: the tasks that write there fail, the executor lives (F5).
pub(crate) fn record_full_scratch(sim: &mut Sim, executor: ExecutorId, used: Bytes, limit: Bytes) {
    let Some(node) = sim.executors[executor].node else { return };
    let machine = &sim.machines[node];
    let victim = Party::Executor(executor.index() as u32 + 1);
    let incident = Incident {
        at: sim.now(),
        cause: Cause::ScratchFull,
        level: Level::Volume,
        shown: shown(sim.plan.spec(), &victim, Cause::ScratchFull, Level::Volume),
        victim,
        node: node.index() as u32,
        stage: sim.driver.running_stage(),
        used,
        limit,
        node_memory: machine.memory.node_level(machine.v(sim.now())),
        holders: Vec::new(),
    };
    sim.tally.full(incident);
}
