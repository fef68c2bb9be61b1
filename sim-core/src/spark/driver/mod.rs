//! The driver: jobs, stages, task sets, map outputs.
//!
//! Jobs run one after the other. A stage is submitted when all its parents' outputs are there; only missing
//! partitions are run (so a stage whose shuffle still exists is skipped, RT-2). A task set is one stage
//! attempt; after a fetch failure it becomes a zombie: its running tasks go on, no new ones start (FF-2).
//! What zombies still bring counts: results at once, outputs when their stage is submitted again. Offers go first to the
//! earliest stage (FIFO). What follows a failure is in [`failures`], what becomes of shuffles that nobody reads in [`cleaner`].

pub(crate) mod cleaner;
pub(crate) mod failures;
pub(crate) mod heap;
pub(crate) mod offers;
mod outputs;
mod stages;

use crate::day::Day;
use crate::event::Event;
use crate::ids::{ExecutorId, NodeId, ShuffleId, StageId};
use crate::kernel::{EventHandle, IdVec, Luck};
use crate::plan::SimPlan;
use crate::record::Ending;
use crate::sim::Sim;
use crate::spark::allocator;
use crate::spark::blocks::{self, CacheMap};
use crate::spark::executor::{Executor, Life};
use crate::spark::failure_cap::FailureCount;
use crate::spec::{Platform, SinkSpec};
use crate::units::{Bytes, SimTime};

pub(crate) use outputs::MapOutputs;
pub(crate) use stages::{Delay, StageState};

/// The driver's state.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) stages: IdVec<StageId, StageState>,
    pub(crate) outputs: IdVec<ShuffleId, MapOutputs>,
    /// By shuffle, the share of its largest partition where its readers tell.
    largest_shares: Vec<Option<f64>>,
    /// By shuffle, whether its files were removed.
    cleaned: Vec<bool>,
    cleaner_due: bool,
    /// When the context was made.
    up_at: SimTime,
    /// Where cached partitions are.
    pub(crate) cache: CacheMap,
    pub(crate) heap: heap::DriverHeap,
    /// Index of the running job.
    job: usize,
    started: bool,
    /// Whether the next job has yet to start after the one before.
    between_jobs: bool,
    /// Last stages of the running job that have completed.
    ended: Vec<StageId>,
    /// Stages that failed by a fetch and wait to be submitted again.
    failed: Vec<StageId>,
    resubmit_due: bool,
    pub(crate) allocation_due: bool,
    registered: u32,
    executor_failures: FailureCount,
    locality_timer: Option<EventHandle>,
    /// Executor at which the next round of offers begins.
    rotation: usize,
}

impl Driver {
    /// A driver that has done nothing yet.
    pub(crate) fn new(plan: &SimPlan, day: &Day, luck: &Luck) -> Self {
        let (app, conf) = (&plan.spec().app, &plan.spec().spark.scheduling);
        let mut stages = IdVec::new();
        for index in 0..app.stages.len() {
            stages.push(StageState::new(plan, StageId::new(index as u32), day, luck));
        }
        let mut outputs = IdVec::new();
        for shuffle in &app.shuffles {
            let maps = stages[StageId::new(shuffle.writer as u32)].tasks;
            outputs.push(MapOutputs::new(maps));
        }
        let largest_shares = (0..app.shuffles.len()).map(|shuffle| largest_share(plan, &stages, shuffle)).collect();
        Self {
            cache: CacheMap::new(plan, &stages),
            heap: heap::DriverHeap::default(),
            stages,
            outputs,
            largest_shares,
            cleaned: vec![false; app.shuffles.len()],
            cleaner_due: false,
            up_at: SimTime::ZERO,
            job: 0,
            started: false,
            between_jobs: false,
            ended: Vec::new(),
            failed: Vec::new(),
            resubmit_due: false,
            allocation_due: false,
            registered: 0,
            executor_failures: FailureCount::new(conf.executor_max_failures, conf.failures_validity),
            locality_timer: None,
            rotation: 0,
        }
    }

    /// The earliest stage that has a running task set, for incident reports.
    pub(crate) fn running_stage(&self) -> Option<u32> {
        self.stages.iter().find(|(_, s)| s.active).map(|(id, _)| id.index() as u32)
    }

    /// Whether the driver itself will go on: before the first job, between jobs, or with stages to submit again.
    pub(crate) fn is_about_to_act(&self) -> bool {
        !self.started || self.between_jobs || self.resubmit_due || self.stages.values().any(|s| s.delay == Delay::Running)
    }

    /// Whether free slots are refused for the sake of locality.
    pub(crate) fn waits_for_locality(&self) -> bool {
        self.locality_timer.is_some()
    }

    /// Share of the largest partition in the output of a stage: that of its reader's largest task, if that has a task for each
    /// partition; even ones else.
    pub(crate) fn largest_partition(&self, plan: &SimPlan, stage: StageId) -> f64 {
        let SinkSpec::Shuffle(shuffle) = plan.spec().app.stages[stage.index()].sink else { return 0.0 };
        let partitions = plan.spec().app.shuffles[shuffle].partitions;
        self.largest_shares[shuffle].unwrap_or(1.0 / f64::from(partitions.max(1)))
    }

    /// Registered bytes of some shuffles by node.
    pub(crate) fn bytes_by_node(&self, shuffles: &[usize], nodes: usize) -> Vec<Bytes> {
        let mut sums = vec![Bytes::ZERO; nodes];
        for &shuffle in shuffles {
            for (node, bytes) in self.outputs[ShuffleId::new(shuffle as u32)].by_node() {
                sums[node.index()] += bytes;
            }
        }
        sums
    }
}

/// The largest task's share of a shuffle's first reader that has a task for each partition.
fn largest_share(plan: &SimPlan, stages: &IdVec<StageId, StageState>, shuffle: usize) -> Option<f64> {
    let app = &plan.spec().app;
    let reader = app.stages.iter().position(|stage| stage.reads.contains(&shuffle))?;
    let state = &stages[StageId::new(reader as u32)];
    (state.tasks == app.shuffles[shuffle].partitions).then(|| state.shares.iter().copied().fold(0.0, f64::max))
}

/// The driver is up: executors are asked for, and the first job waits for enough of them.
pub(crate) fn on_driver_up(sim: &mut Sim) {
    sim.driver.up_at = sim.now();
    if sim.plan.spec().cluster.platform == Platform::Bare {
        allocator::start_bare(sim);
    } else {
        sim.driver.allocation_due = true;
        allocator::on_round(sim);
    }
    let wait = sim.plan.spec().spark.scheduling.max_registered_wait;
    sim.after(wait, Event::RegistrationTimeout);
}

/// An executor has registered: enough for the first job, or more slots for a running one.
pub(crate) fn on_executor_registered(sim: &mut Sim, id: ExecutorId) {
    sim.driver.registered += 1;
    let conf = &sim.plan.spec().spark;
    let enough = f64::from(sim.driver.registered) >= conf.scheduling.min_registered_ratio * f64::from(conf.executor.instances);
    if sim.driver.started {
        offers::offer(sim, id);
    } else if enough {
        start(sim);
    }
}

/// The driver stops waiting for executors.
pub(crate) fn on_registration_timeout(sim: &mut Sim) {
    if !sim.driver.started {
        start(sim);
    }
}

fn start(sim: &mut Sim) {
    sim.driver.started = true;
    on_job_starts(sim);
}

/// The next job starts: its last stages are submitted, which submit what they need.
pub(crate) fn on_job_starts(sim: &mut Sim) {
    let plan = sim.plan;
    sim.driver.between_jobs = false;
    for &end in &plan.ends[sim.driver.job] {
        stages::submit(sim, end);
    }
    offers::offer_all(sim);
}

/// The driver has done what it does before it submits a stage.
pub(crate) fn on_stage_ready(sim: &mut Sim, stage: StageId) {
    sim.driver.stages[stage].delay = Delay::Over;
    stages::submit(sim, stage);
    offers::offer_all(sim);
}

/// The next job, or the end of the application, when all last stages of this one are complete.
fn end_job_if_complete(sim: &mut Sim) -> bool {
    let plan = sim.plan;
    let job = sim.driver.job;
    if job >= plan.ends.len() || !plan.ends[job].iter().all(|end| sim.driver.ended.contains(end)) {
        return false;
    }
    sim.driver.job += 1;
    sim.driver.ended.clear();
    heap::release(sim);
    blocks::drop_broadcasts(sim);
    if sim.driver.job == plan.ends.len() {
        sim.end(Ending::Succeeded);
    } else {
        cleaner::job_ended(sim);
        sim.driver.between_jobs = true;
        sim.after(plan.spec().app.jobs[job].driver_gap, Event::JobStarts);
    }
    true
}

/// A stage is complete: its children may start, or its job is done.
fn on_stage_complete(sim: &mut Sim, stage: StageId) {
    let plan = sim.plan;
    let Some(ends) = plan.ends.get(sim.driver.job) else { return };
    // An end counts once it has completed, also when an executor's death takes its outputs away again before the others end.
    if ends.contains(&stage) && !sim.driver.ended.contains(&stage) {
        sim.driver.ended.push(stage);
    }
    if ends.contains(&stage) && end_job_if_complete(sim) {
        return;
    }
    // All stages, not only the job's own: an ancestor from an earlier job may be run again for this one.
    for child in sim.driver.stages.ids() {
        let waits = sim.driver.stages[child].waiting && plan.parents[child.index()].contains(&stage);
        if waits {
            stages::submit(sim, child);
        }
    }
    offers::offer_all(sim);
}

/// Failed stages are submitted again, all that have gathered (FF-3).
pub(crate) fn on_resubmit(sim: &mut Sim) {
    sim.driver.resubmit_due = false;
    let mut failed = std::mem::take(&mut sim.driver.failed);
    failed.sort_unstable();
    failed.dedup();
    for stage in failed {
        stages::submit(sim, stage);
    }
    offers::offer_all(sim);
}

/// Whether no executor has a node, and none will get one.
pub(crate) fn starved(executors: &IdVec<ExecutorId, Executor>) -> bool {
    executors.values().all(|e| matches!(e.life, Life::Pending | Life::Gone))
}

/// Where a map output lies: its executor and node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) executor: ExecutorId,
    pub(crate) node: NodeId,
}

#[cfg(test)]
mod tests {
    use super::failures::{on_task_failed, on_task_succeeded};
    use super::*;
    use crate::fixture;
    use crate::observe::Nobody;
    use crate::sim::RunKey;
    use crate::spark::task::Failure;
    use crate::spec::{JobSpec, SinkSpec, Spec};
    use crate::units::SimSpan;

    const KEY: RunKey = RunKey { seed: 1, replication: 0 };

    fn plan(change: impl Fn(&mut Spec)) -> SimPlan {
        let mut spec = fixture::case_study(true, true);
        spec.app = fixture::passes(spec.app.input, 6, 200);
        change(&mut spec);
        SimPlan::compile(&spec).expect("the fixture compiles")
    }
    fn stage(index: u32) -> StageId {
        StageId::new(index)
    }
    /// The current attempt of a stage delivers these partitions; nobody runs them, the driver only hears of it.
    fn deliver(sim: &mut Sim, id: StageId, attempt: u32, partitions: std::ops::Range<u32>) {
        for partition in partitions {
            on_task_succeeded(sim, id, attempt, partition, ExecutorId::new(0), NodeId::new(0), Bytes::mib(1));
        }
    }

    /// FF-2, FF-3: zombies of a failed map stage bring its last outputs before it is submitted again.
    #[test]
    fn a_map_stage_that_zombies_complete_lets_its_children_start() {
        let (plan, mut nobody) = (plan(|_| {}), Nobody);
        let mut sim = Sim::new(&plan, KEY, &mut nobody);
        sim.driver.job = 1;
        stages::submit(&mut sim, stage(7));
        assert!(sim.driver.stages[stage(1)].active && sim.driver.stages[stage(2)].waiting);
        on_task_failed(&mut sim, stage(1), 0, 0, Failure::Fetch(None));
        let tasks = sim.driver.stages[stage(1)].tasks;
        deliver(&mut sim, stage(1), 0, 0..tasks);
        assert!(!sim.driver.stages[stage(2)].active, "a failed map stage ends when it is submitted again, not before");
        on_resubmit(&mut sim);
        assert!(sim.driver.stages[stage(2)].active);
    }

    /// FF-2: a result counts whichever attempt brings it, and the job ends with the last, once.
    #[test]
    fn a_result_stage_that_a_zombie_completes_ends_its_job() {
        let (plan, mut nobody) = (plan(|_| {}), Nobody);
        let mut sim = Sim::new(&plan, KEY, &mut nobody);
        sim.driver.job = 1;
        for id in 1..7 {
            stages::submit(&mut sim, stage(id));
            let tasks = sim.driver.stages[stage(id)].tasks;
            deliver(&mut sim, stage(id), 0, 0..tasks);
        }
        let last = stage(7);
        let tasks = sim.driver.stages[last].tasks;
        stages::submit(&mut sim, last);
        deliver(&mut sim, last, 0, 2..tasks);
        on_task_failed(&mut sim, last, 0, 0, Failure::Fetch(None));
        on_resubmit(&mut sim);
        deliver(&mut sim, last, 1, 0..1);
        on_task_failed(&mut sim, last, 1, 1, Failure::Fetch(None));
        deliver(&mut sim, last, 0, 1..2);
        assert_eq!(sim.ending, Some(Ending::Succeeded));
        assert!(sim.driver.failed.is_empty(), "nothing is left to submit again");
    }

    /// FF-3, "recursively through ancestors": also those that belong to an earlier job only.
    #[test]
    fn lost_ancestors_of_an_earlier_job_are_run_again() {
        let change = |spec: &mut Spec| {
            let mut again = spec.app.stages[7].clone();
            again.sink = SinkSpec::Result;
            spec.app.stages.push(again);
            spec.app.jobs.push(JobSpec { stages: vec![8], driver_gap: SimSpan::ZERO });
        };
        let (plan, mut nobody) = (plan(change), Nobody);
        let mut sim = Sim::new(&plan, KEY, &mut nobody);
        sim.driver.job = 2;
        stages::submit(&mut sim, stage(8));
        for id in 1..7 {
            assert!(sim.driver.stages[stage(id)].active, "stage {id}");
            let tasks = sim.driver.stages[stage(id)].tasks;
            deliver(&mut sim, stage(id), 0, 0..tasks);
        }
        assert!(sim.driver.stages[stage(8)].active);
    }
}
