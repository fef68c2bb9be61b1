//! The driver: jobs, stages, task sets, map outputs.
//!
//! Jobs start in turn or beside each other ([`jobs`]). A stage is submitted when all its parents' outputs are there; only missing
//! partitions are run (so a stage whose shuffle still exists is skipped, RT-2). A task set is one stage
//! attempt; after a fetch failure it becomes a zombie: its running tasks go on, no new ones start (FF-2).
//! What zombies still bring counts: results at once, outputs when their stage is submitted again. Offers go to the task sets in
//! the order of [`pools`]. What follows a failure is in [`failures`] and [`fetch_failures`], what becomes of shuffles that nobody
//! reads in [`cleaner`].

mod barrier;
pub(crate) mod cleaner;
pub(crate) mod exclusion;
pub(crate) mod failures;
pub(crate) mod fetch_failures;
pub(crate) mod heap;
pub(crate) mod jobs;
pub(crate) mod offers;
mod outputs;
mod parts;
mod pools;
pub(crate) mod speculation;
mod stages;
pub(crate) mod task_set;

use crate::day::Day;
use crate::ids::{ExecutorId, NodeId, ShuffleId, StageId};
use crate::kernel::{EventHandle, IdVec, Luck};
use crate::plan::SimPlan;
use crate::sim::Sim;
use crate::spark::blocks::CacheMap;
use crate::spark::executor::{Executor, Life};
use crate::spark::failure_cap::{FailureCount, RetryCount};
use crate::spark::push_merge::{Merged, Merges};
use crate::spark::{allocator, resize, roll};
use crate::spec::SinkSpec;
use crate::units::{Bytes, SimTime};

pub(crate) use outputs::MapOutputs;
pub(crate) use parts::Part;
pub(crate) use stages::{Delay, StageState};

/// The driver's state.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) stages: IdVec<StageId, StageState>,
    pub(crate) outputs: IdVec<ShuffleId, MapOutputs>,
    /// By shuffle, the share of its largest partition where its readers tell.
    largest_shares: Vec<Option<f64>>,
    /// By shuffle, whether its files were removed.
    pub(crate) cleaned: Vec<bool>,
    cleaner_due: bool,
    /// When the context was made.
    pub(crate) up_at: SimTime,
    /// What push-based shuffle merges.
    pub(crate) merges: Merges,
    /// Where cached partitions are.
    pub(crate) cache: CacheMap,
    pub(crate) heap: heap::DriverHeap,
    pub(crate) jobs: Vec<jobs::JobState>,
    /// Stages whose task set takes offers, by job, then by stage.
    queue: Vec<StageId>,
    /// Pools, and the pool of each job; none under FIFO.
    pools: Vec<pools::Pool>,
    pool_of_job: Vec<u16>,
    started: bool,
    /// Stages that wait to be submitted again, and whether they failed themselves (or lost outputs to a failed reader).
    failed: Vec<(StageId, bool)>,
    resubmit_due: bool,
    registered: u32,
    executor_failures: FailureCount,
    /// Failures in a row, as standalone's master counts them.
    pub(crate) retries: RetryCount,
    /// When all slots are next offered again, if that is planned.
    revival: Option<(SimTime, EventHandle)>,
    /// When tasks that are too slow are next looked for, if that is planned.
    next_look: Option<(SimTime, EventHandle)>,
    /// What the application excludes.
    health: exclusion::Health,
    /// Stage attempts that may run nowhere and have been given some time.
    unschedulable: Vec<(StageId, u32)>,
    /// Executor at which the next round of offers begins.
    rotation: usize,
    /// The executors of an offer; kept for its allocation.
    offered: Vec<ExecutorId>,
}

impl Driver {
    /// A driver that has done nothing yet.
    pub(crate) fn new(plan: &SimPlan, day: &Day, luck: &Luck) -> Self {
        let (app, conf) = (&plan.spec().app, &plan.spec().spark.scheduling);
        let mut stages = IdVec::new();
        for index in 0..app.stages.len() {
            let stage = StageState::new(plan, StageId::new(index as u32), &stages, day, luck);
            stages.push(stage);
        }
        let mut outputs = IdVec::new();
        for shuffle in &app.shuffles {
            let maps = stages[StageId::new(shuffle.writer as u32)].tasks;
            outputs.push(MapOutputs::new(maps));
        }
        let largest_shares = (0..app.shuffles.len()).map(|shuffle| largest_share(plan, &stages, shuffle)).collect();
        let (pools, pool_of_job) = pools::pools(plan);
        Self {
            cache: CacheMap::new(plan, &stages),
            heap: heap::DriverHeap::default(),
            merges: Merges::new(plan, |shuffle| stages[StageId::new(app.shuffles[shuffle].writer as u32)].tasks),
            stages,
            outputs,
            largest_shares,
            cleaned: vec![false; app.shuffles.len()],
            cleaner_due: false,
            up_at: SimTime::ZERO,
            jobs: vec![jobs::JobState::default(); app.jobs.len()],
            queue: Vec::new(),
            pools,
            pool_of_job,
            started: false,
            failed: Vec::new(),
            resubmit_due: false,
            registered: 0,
            executor_failures: FailureCount::new(conf.executor_max_failures, conf.failures_validity),
            retries: RetryCount::new(plan.spec().spark.allocation.max_executor_retries),
            revival: None,
            next_look: None,
            health: exclusion::Health::default(),
            unschedulable: Vec::new(),
            rotation: 0,
            offered: Vec::new(),
        }
    }

    /// The earliest stage that has a running task set, for incident reports.
    pub(crate) fn running_stage(&self) -> Option<u32> {
        self.queue.iter().min().map(|id| id.index() as u32)
    }

    /// The jobs that run, by index.
    pub(crate) fn running_jobs(&self) -> impl Iterator<Item = usize> {
        self.jobs.iter().enumerate().filter(|(_, job)| job.is_running()).map(|(index, _)| index)
    }

    /// Whether the driver itself will go on: before the first job, between jobs, or with stages to submit again.
    pub(crate) fn is_about_to_act(&self) -> bool {
        !self.started
            || self.merges.is_about_to_act()
            || self.jobs.iter().any(jobs::JobState::is_due)
            || self.resubmit_due
            || self.stages.values().any(|s| s.delay == Delay::Running)
    }

    /// Whether free slots are refused until the next revival: for the sake of locality, or of a barrier stage.
    pub(crate) fn waits_for_revival(&self) -> bool {
        self.revival.is_some()
    }

    /// Share of the largest partition in the output of a stage: that of its reader's largest task, if that has a task for each
    /// partition; even ones else.
    pub(crate) fn largest_partition(&self, plan: &SimPlan, stage: StageId) -> f64 {
        let SinkSpec::Shuffle(shuffle) = plan.spec().app.stages[stage.index()].sink else { return 0.0 };
        let partitions = plan.spec().app.shuffles[shuffle].partitions;
        self.largest_shares[shuffle].unwrap_or(1.0 / f64::from(partitions.max(1)))
    }

    /// Where the registered bytes of some shuffles are. What is read merged counts for none of these places.
    pub(crate) fn bytes_by_node(&self, plan: &SimPlan, shuffles: &[usize], nodes: usize, merged: &[Merged]) -> Held {
        let mut held = Held { by_node: vec![Bytes::ZERO; nodes], served: Bytes::ZERO, in_fallback: Bytes::ZERO, merged: Bytes::ZERO };
        for &shuffle in shuffles {
            let id = ShuffleId::new(shuffle as u32);
            let outputs = &self.outputs[id];
            if plan.is_remote(shuffle) {
                held.served += outputs.bytes();
                continue;
            }
            let merged = merged.iter().find(|merged| merged.shuffle == id).map_or(Bytes::ZERO, |merged| merged.bytes);
            held.merged += merged;
            let left = 1.0 - merged.as_f64() / outputs.bytes().as_f64().max(1.0);
            let original = |bytes: Bytes| if merged.is_zero() { bytes } else { bytes.scale(left.max(0.0)) };
            held.in_fallback += original(outputs.in_fallback());
            for (node, bytes) in outputs.by_node() {
                held.by_node[node.index()] += original(bytes);
            }
        }
        held
    }

    /// Whether a stage waits to be submitted again.
    fn is_failed(&self, stage: StageId) -> bool {
        self.failed.iter().any(|(failed, _)| *failed == stage)
    }
    fn forget_failed(&mut self, stage: StageId) {
        self.failed.retain(|(failed, _)| *failed != stage);
    }
    /// A task set takes offers from now on.
    fn enqueue(&mut self, stage: StageId) {
        let stages = &self.stages;
        let key = (stages[stage].job, stage);
        let at = self.queue.partition_point(|&other| (stages[other].job, other) < key);
        self.queue.insert(at, stage);
    }
    /// A task set takes no more offers.
    fn dequeue(&mut self, stage: StageId) {
        self.queue.retain(|&queued| queued != stage);
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
    allocator::start(sim);
    resize::start(sim);
    roll::start(sim);
    let wait = sim.plan.spec().spark.scheduling.max_registered_wait;
    sim.after(wait, crate::event::Event::RegistrationTimeout);
    crate::spark::claims::resize::start(sim);
    if sim.allocator.initial == 0 {
        start(sim);
    }
}

/// An executor has registered: enough for the first job, or more slots for a running one.
pub(crate) fn on_executor_registered(sim: &mut Sim, id: ExecutorId) {
    sim.driver.registered += 1;
    let conf = &sim.plan.spec().spark;
    let enough = f64::from(sim.driver.registered) >= conf.scheduling.min_registered_ratio * f64::from(sim.allocator.initial);
    allocator::dynamic::on_executor_used(sim, id);
    if sim.driver.started {
        offers::find_levels(sim);
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
    jobs::begin(sim);
}

/// The driver has done what it does before it submits a stage.
pub(crate) fn on_stage_ready(sim: &mut Sim, stage: StageId) {
    let state = &mut sim.driver.stages[stage];
    state.delay = Delay::Over;
    let job = state.job;
    // Its job may have ended without it.
    if sim.driver.jobs[job as usize].is_running() {
        stages::submit(sim, stage, job);
        offers::offer_all(sim);
    }
}

/// A stage is complete: its children may start, or a job is done.
fn complete_stage(sim: &mut Sim, stage: StageId) {
    jobs::on_end_completed(sim, stage);
    if sim.ending.is_none() {
        wake_children(sim, stage);
    }
}

/// Stages that wait for this one are looked at again.
fn wake_children(sim: &mut Sim, stage: StageId) {
    let plan = sim.plan;
    // All stages, not only the job's own: an ancestor from an earlier job may be run again for this one.
    for child in sim.driver.stages.ids() {
        if sim.driver.stages[child].waiting && plan.parents[child.index()].contains(&stage) {
            sim.driver.stages[child].waiting = false;
            let job = sim.driver.stages[child].job;
            stages::submit(sim, child, job);
        }
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

/// Where the bytes are that a task reads.
#[derive(Debug)]
pub(crate) struct Held {
    /// Originals on executors, by node.
    pub(crate) by_node: Vec<Bytes>,
    /// With a remote shuffle service.
    pub(crate) served: Bytes,
    pub(crate) in_fallback: Bytes,
    /// In merged files.
    merged: Bytes,
}

impl Held {
    /// All of them.
    pub(crate) fn sum(&self) -> Bytes {
        self.by_node.iter().copied().sum::<Bytes>() + self.served + self.in_fallback + self.merged
    }
}

impl Location {
    /// In fallback storage: with nobody, and never lost.
    pub(crate) const FALLBACK: Self = Self { executor: ExecutorId::new(u32::MAX), node: NodeId::new(u32::MAX) };
}

#[cfg(test)]
mod tests;
