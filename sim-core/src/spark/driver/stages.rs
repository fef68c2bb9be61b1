//! Stages and their attempts.
//!
//! Task counts and partition shares are fixed once a replication, so a stage that runs again does the same work. An attempt runs
//! the partitions that are missing when it is submitted, and starts the failure counts anew (TF-1); an indeterminate map stage runs
//! whole (FF-5). Reducers prefer the hosts of executors with a fifth of a shuffle, in small shuffles only; readers of a cache
//! prefer the executor that holds their partition. Assumption: one preference a stage, not one a reducer, which is
//! the same unless single maps are skewed. Source: 3.3, 3.5, RT-2; Spark's `getPreferredLocationsForShuffle`.

use super::exclusion::TaskSetExclusion;
use super::failures::complete;
use super::parts::{self, Part, Side};
use super::speculation::Copies;
use super::task_set::{Host, Prefs, TaskSet};
use super::{Driver, heap, offers};
use crate::day::Day;
use crate::event::Event;
use crate::ids::{ExecutorId, ShuffleId, StageId};
use crate::kernel::{IdVec, Luck, Purpose, mix};
use crate::plan::SimPlan;
use crate::record::{Ending, FailureReason};
use crate::sim::Sim;
use crate::spark::allocator::dynamic;
use crate::spark::push_merge;
use crate::spark::task::demand;
use crate::spec::{SinkSpec, StageSpec, TaskCount, TaskRow, TaskWork};
use crate::units::{Bytes, SimSpan};

/// A reducer prefers executors' hosts that hold at least this share of its input (Spark's reducer locality).
const PREFERRED_SHARE: f64 = 0.2;
/// Reducer locality is off beyond so many maps or reducers (Spark's reducer locality).
const PREFERENCE_LIMIT: u32 = 1000;

/// Whether the driver has done what it does before a stage's first submission ([`crate::spec::StageSpec::delay`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delay {
    /// It will.
    Due,
    /// It does.
    Running,
    /// It has, or there is nothing to do.
    Over,
}

/// A stage's state.
#[derive(Debug)]
pub(crate) struct StageState {
    /// Number of tasks in this replication.
    pub(crate) tasks: u32,
    /// Number of partitions that they are made of: as many, unless adaptive execution makes others.
    partitions: u32,
    /// What each task reads, if adaptive execution says it.
    parts: Option<Vec<Part>>,
    /// Each task's part of what the stage gives out, of a parametric total; sums to 1.
    pub(crate) shares: Vec<f64>,
    /// Whether the current attempt's task set takes offers.
    pub(crate) active: bool,
    /// Whether it waits for parents.
    pub(crate) waiting: bool,
    /// What the driver still does before its first attempt.
    pub(crate) delay: Delay,
    /// Attempts submitted; the current one is this minus one.
    pub(crate) attempts: u32,
    /// Attempts in a row that failed by a fetch (FF-4).
    pub(crate) failed_attempts: u32,
    /// The last of them: several failures of one attempt count once.
    pub(super) last_failed: Option<u32>,
    /// The tasks of the current attempt.
    pub(crate) set: TaskSet,
    /// The first running job that needs it, which decides its place in the queue.
    pub(crate) job: u32,
    /// The pool that its task set is in.
    pub(crate) pool: u16,
    /// Serialised results of the current task set that the driver has counted.
    pub(crate) result_bytes: Bytes,
    /// Where the partitions that it caches are; empty when it caches none.
    pub(crate) cached_at: Vec<Option<ExecutorId>>,
    /// Result partitions that are done.
    pub(crate) done: Vec<bool>,
    done_count: u32,
}

impl StageState {
    pub(super) fn new(plan: &SimPlan, id: StageId, earlier: &IdVec<StageId, Self>, day: &Day, luck: &Luck) -> Self {
        let stage = &plan.spec().app.stages[id.index()];
        let tasks = match stage.tasks {
            TaskCount::Fixed(n) => n,
            TaskCount::InputSplit(split) => input(&stage.work, day).get().div_ceil(split.get()).clamp(1, 1_000_000) as u32,
        };
        let skew = &plan.spec().uncertainty.partition_skew;
        let mut shares: Vec<f64> = if matches!(stage.work, TaskWork::Parametric(_)) && !skew.is_constant() && !stage.reads.is_empty() {
            (0..tasks).map(|p| luck.draw(skew, Purpose::PartitionSkew, mix(id.index() as u64, u64::from(p))).max(0.0)).collect()
        } else {
            vec![1.0; tasks as usize]
        };
        let sum: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share = if sum > 0.0 { *share / sum } else { 1.0 / f64::from(tasks) });
        let partitions = tasks;
        let parts = adaptive_parts(plan, stage, &shares, earlier, day);
        let tasks = parts.as_ref().map_or(tasks, |parts| parts.len() as u32);
        if let Some(parts) = &parts {
            shares = parts.iter().map(|part| part.share * part.write).collect();
        }
        Self {
            tasks,
            partitions,
            parts,
            shares,
            active: false,
            waiting: false,
            delay: if stage.delay == SimSpan::ZERO { Delay::Over } else { Delay::Due },
            attempts: 0,
            failed_attempts: 0,
            last_failed: None,
            set: TaskSet::none(),
            job: 0,
            pool: 0,
            result_bytes: Bytes::ZERO,
            cached_at: if stage.cached.is_zero() { Vec::new() } else { vec![None; tasks as usize] },
            done: vec![false; tasks as usize],
            done_count: 0,
        }
    }

    /// Partitions of the stage.
    pub(crate) fn partitions(&self) -> u32 {
        self.partitions
    }
    /// What a task reads.
    pub(crate) fn part(&self, task: u32) -> Part {
        let whole = || Part { first: task, end: task + 1, share: self.shares[task as usize], read: 1.0, write: 1.0 };
        self.parts.as_ref().map_or_else(whole, |parts| parts[task as usize])
    }

    /// The current attempt.
    pub(crate) fn attempt(&self) -> u32 {
        self.attempts.saturating_sub(1)
    }

    /// Marks a result partition as done; whether it was not before.
    pub(crate) fn finish_result(&mut self, partition: u32) -> bool {
        let first = !std::mem::replace(&mut self.done[partition as usize], true);
        self.done_count += u32::from(first);
        first
    }

    /// Whether any result is there.
    pub(super) fn has_results(&self) -> bool {
        self.done_count > 0
    }
    /// All results are void.
    pub(super) fn forget_results(&mut self) {
        self.done.fill(false);
        self.done_count = 0;
    }
}

/// The tasks that adaptive execution makes of a stage's partitions, where it may.
fn adaptive_parts(plan: &SimPlan, stage: &StageSpec, shares: &[f64], earlier: &IdVec<StageId, StageState>, day: &Day) -> Option<Vec<Part>> {
    let conf = plan.spec().spark.adaptive.as_ref()?;
    let role = stage.adaptive?;
    let app = &plan.spec().app;
    let side = |&shuffle: &usize| {
        let writer = app.shuffles[shuffle].writer;
        let bytes = demand::written(&app.stages[writer].work).as_f64() * demand::stored(day, &plan.spec().spark.shuffle);
        Side { bytes, maps: earlier.get(StageId::new(writer as u32)).map_or(1, |writer| writer.tasks) }
    };
    let sides: Vec<Side> = stage.reads.iter().map(side).collect();
    let sizes = demand::partition_sizes(&stage.work, shares);
    Some(parts::plan(&sizes, &sides, conf, role))
}

/// Bytes that a stage reads from storage on this day.
fn input(work: &TaskWork, day: &Day) -> Bytes {
    let bytes: Bytes = match work {
        TaskWork::Parametric(total) => total.input,
        TaskWork::Recorded(rows) => rows.iter().map(|row: &TaskRow| row.input).sum(),
    };
    bytes.scale(day.volume)
}

impl Driver {
    /// Whether all outputs or results of a stage are there.
    pub(crate) fn is_complete(&self, plan: &SimPlan, stage: StageId) -> bool {
        match plan.spec().app.stages[stage.index()].sink {
            SinkSpec::Shuffle(shuffle) => {
                let shuffle = ShuffleId::new(shuffle as u32);
                self.outputs[shuffle].complete() && !self.merges.is_open(shuffle)
            }
            SinkSpec::Result => self.stages[stage].done_count == self.stages[stage].tasks,
        }
    }

    /// Whether a partition of a stage still has to be run.
    fn is_missing(&self, plan: &SimPlan, stage: StageId, partition: u32) -> bool {
        match plan.spec().app.stages[stage.index()].sink {
            SinkSpec::Shuffle(shuffle) => !self.outputs[ShuffleId::new(shuffle as u32)].has(partition),
            SinkSpec::Result => !self.stages[stage].done[partition as usize],
        }
    }
}

/// Submits a stage for a job: its incomplete parents first, else its missing partitions as a new attempt. A stage that zombies
/// have completed meanwhile has none: it ends at once, so that its children go on.
pub(super) fn submit(sim: &mut Sim, stage: StageId, job: u32) {
    let plan = sim.plan;
    let other = sim.driver.stages[stage].job;
    let needed = sim.driver.jobs.get(other as usize).is_some_and(super::jobs::JobState::is_running);
    // A running task set keeps the place that it was given.
    if !sim.driver.stages[stage].active && (!needed || job < other) {
        sim.driver.stages[stage].job = job;
    }
    let state = &sim.driver.stages[stage];
    if state.active || state.waiting || state.delay == Delay::Running || sim.driver.is_failed(stage) {
        return;
    }
    if waits_for_merging(sim, stage) {
        return;
    }
    if sim.driver.is_complete(plan, stage) {
        return complete(sim, stage);
    }
    let conf = &plan.spec().spark.scheduling;
    let most = conf.stage_max_attempts.map(|most| most.max(conf.stage_max_consecutive_attempts));
    if most.is_some_and(|most| sim.driver.stages[stage].attempts >= most) {
        return sim.end(Ending::Failed(FailureReason::StageAttempts));
    }
    for &parent in &plan.parents[stage.index()] {
        if !sim.driver.is_complete(plan, parent) {
            sim.driver.stages[stage].waiting = true;
            submit(sim, parent, job);
        }
    }
    if sim.driver.stages[stage].waiting {
        return;
    }
    if sim.driver.stages[stage].delay == Delay::Due {
        sim.driver.stages[stage].delay = Delay::Running;
        sim.after(plan.spec().app.stages[stage.index()].delay, Event::StageReady(stage));
    } else {
        start_attempt(sim, stage);
    }
}

/// Whether a map stage has all its outputs and the driver still waits for what is pushed of them.
pub(super) fn waits_for_merging(sim: &mut Sim, stage: StageId) -> bool {
    let Some(shuffle) = push_merge::written_by(sim.plan, stage).filter(|&shuffle| sim.driver.merges.is_open(shuffle)) else { return false };
    sim.driver.outputs[shuffle].complete() && push_merge::ends(sim, shuffle)
}

/// The current attempt is over without the stage being complete: it takes no more offers; what runs goes on.
pub(super) fn close(sim: &mut Sim, stage: StageId) {
    let now = sim.now();
    if !std::mem::take(&mut sim.driver.stages[stage].active) {
        return;
    }
    sim.driver.dequeue(stage);
    let state = &mut sim.driver.stages[stage];
    state.set.retire();
    let attempt = state.attempt();
    sim.observer.stage_ended(now, stage.index() as u32, attempt, false);
}

fn start_attempt(sim: &mut Sim, stage: StageId) {
    let plan = sim.plan;
    let now = sim.now();
    let spec = &plan.spec().app.stages[stage.index()];
    if let (SinkSpec::Shuffle(shuffle), true) = (spec.sink, plan.indeterminate[stage.index()]) {
        // Another run may give other rows: what is there does not belong to them.
        let shuffle = ShuffleId::new(shuffle as u32);
        sim.driver.outputs[shuffle].clear();
        push_merge::void(sim, shuffle);
    }
    if let (SinkSpec::Shuffle(shuffle), 0) = (spec.sink, sim.driver.stages[stage].attempts) {
        push_merge::begin(sim, shuffle);
    }
    let missing: Vec<bool> = (0..sim.driver.stages[stage].tasks).map(|p| sim.driver.is_missing(plan, stage, p)).collect();
    let mut set = TaskSet::new(&missing, preferences(sim, stage), now);
    let conf = &plan.spec().spark.scheduler;
    set.copies = conf.speculation.map(|conf| Box::new(Copies::new(set.size(), plan.executor.usual.slots, &conf)));
    set.exclusion = conf.exclusion.map(|conf| Box::new(TaskSetExclusion::new(conf)));
    let state = &mut sim.driver.stages[stage];
    state.attempts += 1;
    state.active = true;
    state.set = set;
    state.result_bytes = Bytes::ZERO;
    let first = state.attempts == 1;
    state.pool = sim.driver.pool_of_job.get(state.job as usize).copied().unwrap_or(0);
    let attempt = state.attempt();
    sim.driver.enqueue(stage);
    offers::find_levels_of(sim, stage);
    let writes = matches!(spec.sink, SinkSpec::Shuffle(_));
    let fullest = sim.fullest_node_memory();
    sim.tally.stage_started(stage, now, writes, fullest);
    sim.observer.stage_started(now, stage.index() as u32, attempt);
    if first {
        heap::build_broadcast(sim, stage);
    }
    dynamic::on_stage_submitted(sim);
}

/// Where a stage's tasks would like to run.
fn preferences(sim: &Sim, stage: StageId) -> Prefs {
    if let Some(cache) = sim.plan.cached_by[stage.index()] {
        let at = sim.driver.stages[cache].cached_at.iter();
        let at: Vec<_> = at.map(|at| at.map(|executor| (executor, offers::host_of(sim, executor)))).collect();
        if at.len() == sim.driver.stages[stage].tasks as usize && at.iter().any(Option::is_some) {
            return Prefs::Executors(at);
        }
    }
    let hosts = reducer_hosts(sim, stage);
    if hosts.is_empty() { Prefs::None } else { Prefs::Hosts(hosts) }
}

/// Hosts of executors that hold a fifth of a shuffle that the stage reads; of several shuffles those that all have in common, if
/// there are any, as Spark's zipped partitions have it.
fn reducer_hosts(sim: &Sim, stage: StageId) -> Vec<Host> {
    let reads = &sim.plan.spec().app.stages[stage.index()].reads;
    if !sim.plan.spec().spark.scheduler.locality.reducers || sim.driver.stages[stage].tasks >= PREFERENCE_LIMIT {
        return Vec::new();
    }
    let mut common: Option<Vec<Host>> = None;
    let mut any: Vec<Host> = Vec::new();
    for &shuffle in reads {
        let outputs = &sim.driver.outputs[ShuffleId::new(shuffle as u32)];
        let small = outputs.maps() < PREFERENCE_LIMIT;
        let mut hosts: Vec<Host> = outputs.holders_of(PREFERRED_SHARE).filter(|_| small).map(|executor| offers::host_of(sim, executor)).collect();
        hosts.sort_unstable();
        hosts.dedup();
        any.extend(&hosts);
        common = Some(match common {
            None => hosts,
            Some(before) => before.into_iter().filter(|host| hosts.contains(host)).collect(),
        });
    }
    any.sort_unstable();
    any.dedup();
    common.filter(|hosts| !hosts.is_empty()).unwrap_or(any)
}
