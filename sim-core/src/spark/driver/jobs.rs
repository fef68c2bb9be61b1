//! Jobs: when they start, when they have ended, and what then is left over.
//!
//! A job starts in turn, after given jobs, or beside one ([`crate::spec::JobStart`]), so several may run at the same time. It
//! submits its last stages, which submit what they need, and ends when those have completed. Stages that only it needed and that
//! still run (maps lost again whose readers are through) are cancelled, and attempts of its result stages that are left are
//! killed. The application ends with its last job, or with the first that fails. Source: Spark's `DAGScheduler`
//! (`handleTaskCompletion`, `cancelRunningIndependentStages`).

use super::{barrier, cleaner, heap, offers, stages};
use crate::event::Event;
use crate::ids::StageId;
use crate::record::Ending;
use crate::sim::Sim;
use crate::spark::{blocks, task};
use crate::spec::{JobStart, SinkSpec};
use crate::units::SimSpan;

/// A job's state.
#[derive(Clone, Debug, Default)]
pub(crate) struct JobState {
    pub(crate) started: bool,
    pub(crate) ended: bool,
    /// Whether its start is scheduled.
    due: bool,
    /// Its last stages that have completed.
    done: Vec<StageId>,
    /// How often it had too few slots for a barrier stage.
    pub(super) slot_checks: u32,
}

impl JobState {
    /// Whether its start is scheduled.
    pub(crate) fn is_due(&self) -> bool {
        self.due
    }
    /// It is tried again after a span.
    pub(super) fn try_again(&mut self) {
        self.due = true;
    }
    /// Whether it runs.
    pub(crate) fn is_running(&self) -> bool {
        self.started && !self.ended
    }
}

/// The driver may work: jobs that wait for no other start.
pub(super) fn begin(sim: &mut Sim) {
    let plan = sim.plan;
    for (job, spec) in plan.spec().app.jobs.iter().enumerate() {
        match &spec.start {
            JobStart::InTurn if job == 0 => on_job_starts(sim, 0),
            JobStart::After { jobs, gap } if jobs.is_empty() => schedule(sim, job, *gap),
            JobStart::InTurn | JobStart::After { .. } | JobStart::With { .. } => {}
        }
    }
}

fn schedule(sim: &mut Sim, job: usize, span: SimSpan) {
    sim.driver.jobs[job].due = true;
    sim.after(span, Event::JobStarts(job as u32));
}

/// A job starts: its last stages are submitted, which submit what they need.
pub(crate) fn on_job_starts(sim: &mut Sim, job: u32) {
    let plan = sim.plan;
    let index = job as usize;
    sim.driver.jobs[index].due = false;
    if !barrier::has_slots(sim, index) {
        return;
    }
    sim.driver.jobs[index].started = true;
    for (other, spec) in plan.spec().app.jobs.iter().enumerate() {
        if let JobStart::With { job: beside, offset } = spec.start {
            if beside == index {
                schedule(sim, other, offset);
            }
        }
    }
    for &end in &plan.ends[index] {
        stages::submit(sim, end, job);
    }
    offers::offer_all(sim);
}

/// A stage has completed: jobs that end with it may be done.
pub(super) fn on_end_completed(sim: &mut Sim, stage: StageId) {
    let plan = sim.plan;
    for &job in &plan.ended_by[stage.index()] {
        let state = &mut sim.driver.jobs[job as usize];
        // An end counts once it has completed, also when an executor's death takes its outputs away again before the others end.
        if state.is_running() && !state.done.contains(&stage) {
            state.done.push(stage);
            if state.done.len() == plan.ends[job as usize].len() {
                end(sim, job as usize);
            }
        }
    }
}

fn end(sim: &mut Sim, job: usize) {
    let plan = sim.plan;
    sim.driver.jobs[job].ended = true;
    if !sim.driver.jobs.iter().any(JobState::is_running) {
        heap::release(sim);
    }
    blocks::drop_broadcasts(sim);
    if sim.driver.jobs.iter().all(|job| job.ended) {
        return sim.end(Ending::Succeeded);
    }
    clear_up(sim, job);
    cleaner::job_ended(sim);
    for (other, spec) in plan.spec().app.jobs.iter().enumerate() {
        match &spec.start {
            JobStart::InTurn if other == job + 1 => schedule(sim, other, plan.spec().app.jobs[job].driver_gap),
            JobStart::After { jobs, gap } if jobs.contains(&job) && jobs.iter().all(|&before| sim.driver.jobs[before].ended) => schedule(sim, other, *gap),
            JobStart::InTurn | JobStart::After { .. } | JobStart::With { .. } => {}
        }
    }
}

/// Cancels what only an ended job needed.
fn clear_up(sim: &mut Sim, job: usize) {
    let plan = sim.plan;
    let busy = |sim: &Sim, stage: StageId| {
        let state = &sim.driver.stages[stage];
        state.active || state.waiting || sim.driver.is_failed(stage)
    };
    let left: Vec<StageId> = sim.driver.stages.ids().filter(|&stage| busy(sim, stage)).collect();
    let unneeded: Vec<StageId> = if left.is_empty() {
        left
    } else {
        let needed = needed(sim);
        left.into_iter().filter(|stage| !needed[stage.index()]).collect()
    };
    for &stage in &unneeded {
        stages::close(sim, stage);
        sim.driver.stages[stage].waiting = false;
        sim.driver.forget_failed(stage);
    }
    // A map stage that ends a job goes on: it may have lost outputs since, and run again for a job that is not through.
    let result = |stage: StageId| plan.spec().app.stages[stage.index()].sink == SinkSpec::Result;
    let over = |stage: StageId| unneeded.contains(&stage) || plan.ends[job].contains(&stage) && result(stage);
    let freed = task::kill_where(sim, |run| over(run.stage));
    freed.into_iter().for_each(|executor| offers::offer(sim, executor));
}

/// Stages that running jobs need, directly or through others.
fn needed(sim: &Sim) -> Vec<bool> {
    let plan = sim.plan;
    let mut needed = vec![false; sim.driver.stages.len()];
    let mut open: Vec<StageId> = Vec::new();
    for (job, _) in sim.driver.jobs.iter().enumerate().filter(|(_, state)| state.is_running()) {
        open.extend(&plan.ends[job]);
    }
    while let Some(stage) = open.pop() {
        if !std::mem::replace(&mut needed[stage.index()], true) {
            open.extend(&plan.parents[stage.index()]);
        }
    }
    needed
}
