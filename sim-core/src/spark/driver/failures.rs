//! What the driver does when tasks end and executors are lost.
//!
//! Task failures count by partition and task set, four abort the job (3.5, TF-1). A fetch failure counts for
//! nothing but turns the task set into a zombie, unregisters the lost executor's outputs and submits the stage
//! and its incomplete parents again after 200 ms (FF-2, FF-3); too many in a row abort (FF-4). An executor's
//! death fails its tasks (counted, because the exit is the application's), unregisters its outputs and puts its
//! finished partitions of running map stages back (EL-1). Too many dead executors end the application from
//! Spark 3.5 on (FC-2).

use super::{Location, on_stage_complete};
use crate::event::Event;
use crate::ids::{ExecutorId, NodeId, ShuffleId, StageId};
use crate::record::Cause;
use crate::record::{Ending, FailureReason, Incident, Level, Party};
use crate::sim::Sim;
use crate::spark::fetch_retry::RESUBMIT_DELAY;
use crate::spark::inject;
use crate::spark::task::Failure;
use crate::spec::SinkSpec;
use crate::units::Bytes;

/// A task attempt succeeded.
pub(crate) fn on_task_succeeded(sim: &mut Sim, stage: StageId, attempt: u32, partition: u32, executor: ExecutorId, node: NodeId, written: Bytes) {
    let plan = sim.plan;
    let done = sim.tally.task_ok(stage, written);
    if !plan.spec().inject.is_empty() {
        inject::on_task_done(sim, stage, done);
    }
    if plan.spec().app.stages[stage.index()].sink == SinkSpec::Result {
        super::heap::collect(sim, stage, partition);
    }
    // Results count whichever attempt brings them; outputs of a failed map stage wait for its next submission.
    let may_end = match plan.spec().app.stages[stage.index()].sink {
        SinkSpec::Shuffle(shuffle) => {
            sim.driver.outputs[ShuffleId::new(shuffle as u32)].register(partition, Location { executor, node }, written);
            sim.driver.stages[stage].active
        }
        SinkSpec::Result => sim.driver.stages[stage].finish_result(partition),
    };
    let state = &mut sim.driver.stages[stage];
    if attempt != state.attempt() {
        // A zombie's success spares the current attempt the partition.
        state.pending.retain(|&p| p != partition);
    }
    if may_end && sim.driver.is_complete(plan, stage) {
        complete(sim, stage);
    }
}

/// A stage has all its outputs or results.
pub(super) fn complete(sim: &mut Sim, stage: StageId) {
    let now = sim.now();
    sim.driver.failed.retain(|&failed| failed != stage);
    let state = &mut sim.driver.stages[stage];
    state.active = false;
    state.waiting = false;
    state.fetch_failed_attempts = 0;
    let attempt = state.attempt();
    sim.driver.failed.retain(|&failed| failed != stage);
    sim.tally.stage_ended(stage, now);
    sim.observer.stage_ended(now, stage.index() as u32, attempt, true);
    on_stage_complete(sim, stage);
}

/// A task attempt failed on a living executor.
pub(crate) fn on_task_failed(sim: &mut Sim, stage: StageId, attempt: u32, partition: u32, failure: Failure) {
    sim.tally.task_failed(stage);
    match failure {
        Failure::Fetch(lost) => on_fetch_failed(sim, stage, attempt, lost),
        Failure::NoSpace | Failure::OutOfMemory | Failure::Worker => count_failure(sim, stage, attempt, partition),
    }
}

/// One more failure of a partition; the fourth aborts the job. Zombies' failures do not count.
fn count_failure(sim: &mut Sim, stage: StageId, attempt: u32, partition: u32) {
    let most = sim.plan.spec().spark.scheduling.task_max_failures;
    let state = &mut sim.driver.stages[stage];
    if !state.active || attempt != state.attempt() {
        return;
    }
    state.failures[partition as usize] += 1;
    if state.failures[partition as usize] >= most {
        sim.end(Ending::Failed(FailureReason::TaskFailures));
    } else {
        state.pending.push(partition);
    }
}

fn on_fetch_failed(sim: &mut Sim, stage: StageId, attempt: u32, lost: Option<ExecutorId>) {
    let requeued = lost.is_some_and(|executor| unregister(sim, executor));
    fail_attempt(sim, stage, attempt);
    if requeued {
        // Another running stage has tasks again, and any executor may have a free slot for them.
        super::offers::offer_all(sim);
    }
}

/// A stage attempt failed by a fetch, unless it had already.
fn fail_attempt(sim: &mut Sim, stage: StageId, attempt: u32) {
    let conf = &sim.plan.spec().spark.scheduling;
    let now = sim.now();
    let state = &mut sim.driver.stages[stage];
    if !state.active || attempt != state.attempt() {
        return;
    }
    state.active = false;
    state.pending.clear();
    state.fetch_failed_attempts += 1;
    let too_many = state.fetch_failed_attempts >= conf.stage_max_consecutive_attempts || conf.stage_max_attempts.is_some_and(|most| state.attempts >= most);
    sim.observer.stage_ended(now, stage.index() as u32, attempt, false);
    if too_many {
        return sim.end(Ending::Failed(FailureReason::StageAttempts));
    }
    sim.driver.failed.push(stage);
    if !sim.driver.resubmit_due {
        sim.driver.resubmit_due = true;
        sim.after(RESUBMIT_DELAY, Event::ResubmitStages);
    }
}

/// Forgets an executor's outputs; running map stages run theirs again in the same task set (EL-1). Whether any does.
fn unregister(sim: &mut Sim, executor: ExecutorId) -> bool {
    let plan = sim.plan;
    if plan.spec().spark.shuffle.service {
        return false;
    }
    let mut requeued = false;
    let node = sim.executors[executor].node;
    for (index, shuffle) in plan.spec().app.shuffles.iter().enumerate() {
        let outputs = &mut sim.driver.outputs[ShuffleId::new(index as u32)];
        let mut lost = outputs.unregister(executor);
        if let Some(node) = node.filter(|_| plan.spec().spark.scheduling.unregister_output_on_host) {
            lost += outputs.unregister_node(node);
        }
        if lost > 0 {
            let writer = StageId::new(shuffle.writer as u32);
            requeued |= sim.driver.stages[writer].active;
            requeue(sim, writer, ShuffleId::new(index as u32), lost);
        }
    }
    requeued
}

/// Puts lost partitions of a running map stage back, unless they are queued or running already.
fn requeue(sim: &mut Sim, stage: StageId, shuffle: ShuffleId, lost: u32) {
    if !sim.driver.stages[stage].active {
        return;
    }
    sim.tally.resubmitted(stage, lost);
    let mut missing: Vec<bool> = (0..sim.driver.stages[stage].tasks).map(|p| !sim.driver.outputs[shuffle].has(p)).collect();
    let state = &sim.driver.stages[stage];
    state.pending.iter().for_each(|&p| missing[p as usize] = false);
    for id in sim.tasks.ids() {
        let run = &sim.tasks[id];
        if run.stage == stage && run.attempt == state.attempt() {
            missing[run.partition as usize] = false;
        }
    }
    for executor in sim.executors.values() {
        let waiting = executor.lost.iter().filter(|l| l.stage == stage && l.attempt == state.attempt());
        waiting.for_each(|l| missing[l.partition as usize] = false);
    }
    let again = missing.iter().enumerate().filter(|(_, m)| **m).map(|(p, _)| p as u32);
    sim.driver.stages[stage].pending.extend(again);
}

/// The driver learns that an executor is gone.
pub(crate) fn on_executor_lost(sim: &mut Sim, executor: ExecutorId) {
    let now = sim.now();
    unregister(sim, executor);
    for lost in std::mem::take(&mut sim.executors[executor].lost) {
        sim.tally.task_failed(lost.stage);
        count_failure(sim, lost.stage, lost.attempt, lost.partition);
    }
    if sim.driver.executor_failures.record(now) {
        sim.end(Ending::Failed(FailureReason::ExecutorFailures));
    }
    super::offers::offer_all(sim);
}

/// A local directory is full: the tasks that write there fail, the executor lives (F5).
pub(crate) fn record_full_scratch(sim: &mut Sim, executor: ExecutorId, used: Bytes, limit: Bytes) {
    let Some(node) = sim.executors[executor].node else { return };
    let machine = &sim.machines[node];
    let incident = Incident {
        at: sim.now(),
        cause: Cause::ScratchFull,
        level: Level::Volume,
        victim: Party::Executor(executor.index() as u32 + 1),
        node: node.index() as u32,
        stage: sim.driver.running_stage(),
        used,
        limit,
        node_memory: machine.memory.node_level(machine.v(sim.now())),
        holders: Vec::new(),
    };
    sim.tally.full(incident);
}
