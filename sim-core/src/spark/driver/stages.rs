//! Stages and their attempts.
//!
//! Task counts and partition shares are fixed once a replication, so a stage that runs again does the same work. An attempt runs
//! the partitions that are missing when it is submitted, and starts the failure counts anew (TF-1). Preferred nodes are those
//! with a fifth of the stage's input, for small stages only. Assumption: one preference a stage, not one a reducer, which is
//! the same unless single maps are skewed. Source: 3.3, 3.5, RT-2; Spark's reducer locality.

use super::failures::complete;
use super::{Driver, heap};
use crate::day::Day;
use crate::event::Event;
use crate::ids::{NodeId, ShuffleId, StageId};
use crate::kernel::{Luck, Purpose, mix};
use crate::plan::SimPlan;
use crate::sim::Sim;
use crate::spec::{SinkSpec, TaskCount, TaskRow, TaskWork};
use crate::units::{Bytes, SimSpan, SimTime};

/// A reducer prefers nodes that hold at least this share of its input (Spark's reducer locality).
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
    /// Each partition's part of a parametric total; sums to 1.
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
    pub(crate) fetch_failed_attempts: u32,
    /// Partitions of the current attempt that wait for a slot, next last.
    pub(crate) pending: Vec<u32>,
    /// Failures of each partition in the current task set (TF-1).
    pub(crate) failures: Vec<u32>,
    /// Serialised results of the current task set that the driver has counted.
    pub(crate) result_bytes: Bytes,
    /// Result partitions that are done.
    pub(crate) done: Vec<bool>,
    done_count: u32,
    /// Nodes that hold much of the input.
    pub(crate) preferred: Vec<NodeId>,
    /// When a free slot was first refused because its node is not preferred.
    pub(crate) refused_since: Option<SimTime>,
}

impl StageState {
    pub(super) fn new(plan: &SimPlan, id: StageId, day: &Day, luck: &Luck) -> Self {
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
        Self {
            tasks,
            shares,
            active: false,
            waiting: false,
            delay: if stage.delay == SimSpan::ZERO { Delay::Over } else { Delay::Due },
            attempts: 0,
            fetch_failed_attempts: 0,
            pending: Vec::new(),
            failures: Vec::new(),
            result_bytes: Bytes::ZERO,
            done: vec![false; tasks as usize],
            done_count: 0,
            preferred: Vec::new(),
            refused_since: None,
        }
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
            SinkSpec::Shuffle(shuffle) => self.outputs[ShuffleId::new(shuffle as u32)].complete(),
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

/// Submits a stage: its incomplete parents first, else its missing partitions as a new attempt. A stage that zombies have
/// completed meanwhile has none: it ends at once, so that its children go on.
pub(super) fn submit(sim: &mut Sim, stage: StageId) {
    let plan = sim.plan;
    if sim.driver.stages[stage].active || sim.driver.stages[stage].delay == Delay::Running {
        return;
    }
    if sim.driver.is_complete(plan, stage) {
        return complete(sim, stage);
    }
    sim.driver.stages[stage].waiting = false;
    for &parent in &plan.parents[stage.index()] {
        if !sim.driver.is_complete(plan, parent) {
            sim.driver.stages[stage].waiting = true;
            submit(sim, parent);
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

fn start_attempt(sim: &mut Sim, stage: StageId) {
    let plan = sim.plan;
    let now = sim.now();
    let tasks = sim.driver.stages[stage].tasks;
    let pending: Vec<u32> = (0..tasks).rev().filter(|&p| sim.driver.is_missing(plan, stage, p)).collect();
    let preferred = preferred_nodes(sim, stage);
    let state = &mut sim.driver.stages[stage];
    state.attempts += 1;
    state.active = true;
    state.pending = pending;
    state.failures = vec![0; tasks as usize];
    state.result_bytes = Bytes::ZERO;
    let first = state.attempts == 1;
    state.preferred = preferred;
    state.refused_since = None;
    let attempt = state.attempt();
    let writes = matches!(plan.spec().app.stages[stage.index()].sink, SinkSpec::Shuffle(_));
    let fullest = sim.fullest_node_memory();
    sim.tally.stage_started(stage, now, writes, fullest);
    sim.observer.stage_started(now, stage.index() as u32, attempt);
    if first {
        heap::build_broadcast(sim, stage);
    }
}

/// Nodes that hold a fifth or more of the stage's shuffle input.
fn preferred_nodes(sim: &Sim, stage: StageId) -> Vec<NodeId> {
    let spec = &sim.plan.spec().app.stages[stage.index()];
    let maps: u32 = spec.reads.iter().map(|&s| sim.driver.stages[StageId::new(sim.plan.spec().app.shuffles[s].writer as u32)].tasks).sum();
    if spec.reads.is_empty() || maps >= PREFERENCE_LIMIT || sim.driver.stages[stage].tasks >= PREFERENCE_LIMIT {
        return Vec::new();
    }
    let by_node = sim.driver.bytes_by_node(&spec.reads, sim.machines.len());
    let total: u64 = by_node.iter().map(|b| b.get()).sum();
    let enough = |bytes: &Bytes| bytes.as_f64() >= PREFERRED_SHARE * total as f64 && total > 0;
    by_node.iter().enumerate().filter(|(_, bytes)| enough(bytes)).map(|(n, _)| NodeId::new(n as u32)).collect()
}
