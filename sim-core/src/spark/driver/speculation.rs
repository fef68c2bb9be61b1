//! Speculative execution: a second copy of a task that takes too long, on another host.
//!
//! Once a quantile of a set's tasks is done, a task that has run longer than a multiple of their median time gets one copy; the
//! first success counts, and the other attempt is killed (which is no failure). Since 3.4 a task that reads at the pace of the
//! others is just large and is left alone, until it takes twice as long again; its pace is known from heartbeats (every 10 s,
//! on a common grid here), and before the first of them it counts as zero, as in Spark. The driver looks every
//! `spark.speculation.interval`; here it looks on that grid only when a task could have become too slow. Source: 3.6; Spark's
//! `TaskSetManager.checkSpeculatableTasks`.

use super::task_set::Host;
use crate::event::Event;
use crate::ids::{ExecutorId, StageId, TaskId};
use crate::sim::Sim;
use crate::spark::task;
use crate::spec::SpeculationConf;
use crate::units::{Bytes, SimSpan, SimTime};

/// `spark.executor.heartbeatInterval`: how often a running task's progress is known anew.
const HEARTBEAT: SimSpan = SimSpan::from_secs(10);

/// An attempt that the driver believes to run.
#[derive(Clone, Copy, Debug)]
struct Run {
    partition: u32,
    executor: ExecutorId,
    /// The attempt, and its serial number, because places are used again.
    task: TaskId,
    serial: u64,
    since: SimTime,
}

/// What a task set knows of its attempts when speculation is on.
#[derive(Debug)]
pub(crate) struct Copies {
    /// Successes that it needs before the median counts.
    enough: usize,
    /// Whether the set fits on one executor, for the fixed threshold.
    small: bool,
    only_one: bool,
    runs: Vec<Run>,
    /// Every host on which a task was tried.
    tried: Vec<(u32, Host)>,
    /// Times of successful attempts, in order.
    durations: Vec<SimSpan>,
    /// Bytes read by successful attempts, and how long they took.
    read: (Bytes, SimSpan),
    /// Tasks that are to get a copy.
    queued: Vec<u32>,
}

impl Copies {
    /// For a set of so many tasks on executors of so many slots.
    pub(crate) fn new(tasks: u32, slots: u32, conf: &SpeculationConf) -> Self {
        let enough = (libm::floor(conf.quantile * f64::from(tasks)) as usize).max(1);
        Self {
            enough,
            small: tasks <= slots,
            only_one: tasks == 1,
            runs: Vec::new(),
            tried: Vec::new(),
            durations: Vec::new(),
            read: (Bytes::ZERO, SimSpan::ZERO),
            queued: Vec::new(),
        }
    }
    /// Whether a copy waits for a slot.
    pub(crate) fn wanted(&self) -> bool {
        !self.queued.is_empty()
    }
    /// An attempt was launched.
    pub(crate) fn launched(&mut self, partition: u32, executor: ExecutorId, host: Host, (task, serial): (TaskId, u64), now: SimTime) {
        self.runs.push(Run { partition, executor, task, serial, since: now });
        self.tried.push((partition, host));
    }
    /// An attempt ended without success.
    pub(crate) fn ended(&mut self, partition: u32, executor: ExecutorId) -> Option<SimTime> {
        let at = self.runs.iter().position(|run| run.partition == partition && run.executor == executor)?;
        Some(self.runs.swap_remove(at).since)
    }
    /// An attempt succeeded, having read so many bytes.
    pub(crate) fn succeeded(&mut self, took: SimSpan, read: Bytes) {
        let at = self.durations.partition_point(|known| *known <= took);
        self.durations.insert(at, took);
        self.read = (self.read.0 + read, self.read.1 + took);
    }
    /// Takes a task that is to get a copy: `running` once and not done, `allowed` there, not tried on the host.
    pub(crate) fn take(&mut self, host: Host, running: impl Fn(u32) -> bool, allowed: impl Fn(u32) -> bool) -> Option<u32> {
        self.queued.retain(|&partition| running(partition));
        let tried = &self.tried;
        let fits = |partition: u32| allowed(partition) && !tried.contains(&(partition, host));
        let at = self.queued.iter().rposition(|&partition| fits(partition))?;
        Some(self.queued.remove(at))
    }
    /// How long a task may take, if that is known by now; and whether it is the fixed threshold.
    fn threshold(&self, conf: &SpeculationConf) -> Option<(SimSpan, bool)> {
        if self.only_one && conf.threshold.is_none() {
            return None;
        }
        if self.durations.len() >= self.enough {
            let median = self.durations[self.durations.len() / 2];
            return Some((median.scale(conf.multiplier).max(conf.min_runtime), false));
        }
        conf.threshold.filter(|threshold| self.small && !threshold.is_zero()).map(|threshold| (threshold, true))
    }
}

/// Looks again when a task of the set could have become too slow.
pub(crate) fn plan_look(sim: &mut Sim, stage: StageId) {
    let Some(conf) = sim.plan.spec().spark.scheduler.speculation else { return };
    let state = &sim.driver.stages[stage];
    let Some(copies) = state.set.copies.as_deref().filter(|_| state.active) else { return };
    let Some((threshold, _)) = copies.threshold(&conf) else { return };
    let may = |run: &&Run| state.set.copies_of(run.partition) == 1 && !state.set.is_done(run.partition) && !copies.queued.contains(&run.partition);
    if let Some(first) = copies.runs.iter().filter(may).map(|run| run.since).min() {
        look_at(sim, first + threshold);
    }
}

/// A look on the grid of the interval, after `at` and after now.
fn look_at(sim: &mut Sim, at: SimTime) {
    let Some(conf) = sim.plan.spec().spark.scheduler.speculation else { return };
    let interval = conf.interval.as_ns().max(1);
    let due = SimTime::from_ns((at.max(sim.now()).as_ns() / interval + 1) * interval);
    if let Some((planned, handle)) = sim.driver.next_look {
        if planned <= due && planned > sim.now() {
            return;
        }
        sim.calendar.cancel(handle);
    }
    let handle = sim.after(due.since(sim.now()), Event::SpeculationLook);
    sim.driver.next_look = Some((due, handle));
}

/// The driver looks for tasks that are too slow.
pub(crate) fn on_look(sim: &mut Sim) {
    sim.driver.next_look = None;
    let mut found = false;
    for stage in sim.driver.queue.clone() {
        found |= look(sim, stage);
    }
    if found {
        super::offers::offer_all(sim);
    }
}

/// Looks at one task set, and plans the next look at it; whether any of its tasks is to get a copy.
fn look(sim: &mut Sim, stage: StageId) -> bool {
    let Some(conf) = sim.plan.spec().spark.scheduler.speculation else { return false };
    let now = sim.now();
    let set = &sim.driver.stages[stage].set;
    let Some(copies) = set.copies.as_deref().filter(|_| !sim.plan.spec().app.stages[stage.index()].barrier) else { return false };
    let Some((threshold, fixed)) = copies.threshold(&conf) else { return false };
    let mut slow = Vec::new();
    // The pace of a task is next known at a heartbeat.
    let heartbeat = SimTime::from_ns((now.as_ns() / HEARTBEAT.as_ns() + 1) * HEARTBEAT.as_ns());
    let long = conf.efficiency.map_or(1.0, |efficiency| efficiency.long_run_factor.max(1.0));
    let mut next: Option<SimTime> = None;
    for run in &copies.runs {
        let candidate = set.copies_of(run.partition) == 1 && !set.is_done(run.partition) && !copies.queued.contains(&run.partition);
        let took = now.since(run.since);
        if !candidate {
            continue;
        }
        let again = if took <= threshold {
            run.since + threshold
        } else if fixed || is_worth_it(sim, run, took, threshold, copies.read, &conf) {
            slow.push(run.partition);
            continue;
        } else {
            heartbeat.min(run.since + threshold.scale(long))
        };
        next = Some(next.map_or(again, |at| at.min(again)));
    }
    if let Some(at) = next {
        look_at(sim, at);
    }
    let found = !slow.is_empty();
    if let Some(copies) = sim.driver.stages[stage].set.copies.as_deref_mut() {
        copies.queued.extend(slow);
    }
    found
}

/// Whether a task that is too slow works more slowly than the others, or has taken long beyond doubt (SPARK-32170, since 3.4).
fn is_worth_it(sim: &Sim, run: &Run, took: SimSpan, threshold: SimSpan, (read, time): (Bytes, SimSpan), conf: &SpeculationConf) -> bool {
    let Some(efficiency) = conf.efficiency else { return true };
    if took > threshold.scale(efficiency.long_run_factor) {
        return true;
    }
    let mean = if time.is_zero() { 0.0 } else { read.as_f64() / time.as_secs_f64() };
    let heartbeat = SimTime::from_ns(sim.now().as_ns() / HEARTBEAT.as_ns() * HEARTBEAT.as_ns());
    let known = heartbeat > run.since;
    let rate = if known { task::bytes_read(sim, run.task, run.serial).as_f64() / took.as_secs_f64() } else { 0.0 };
    rate < mean * efficiency.rate_multiplier
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_successes(tasks: u32, seconds: &[u64], conf: &SpeculationConf) -> Copies {
        let mut copies = Copies::new(tasks, 4, conf);
        seconds.iter().for_each(|&s| copies.succeeded(SimSpan::from_secs(s), Bytes::mib(1)));
        copies
    }

    /// 3.6: quantile 0.75 and multiplier 1.5 of 3.x, 0.9 and 3.0 of 4.x; ten tasks.
    #[test]
    fn the_threshold_is_a_multiple_of_the_median_once_a_quantile_is_done() {
        let three = SpeculationConf::default();
        let four = SpeculationConf { quantile: 0.9, multiplier: 3.0, ..three };
        let times = [4, 2, 3, 5, 4, 4, 10, 4, 4];
        assert_eq!(with_successes(10, &times[..6], &three).threshold(&three), None, "six of ten are less than 7.5, taken down to 7");
        assert_eq!(with_successes(10, &times[..7], &three).threshold(&three), Some((SimSpan::from_secs(6), false)));
        assert_eq!(with_successes(10, &times[..8], &four).threshold(&four), None);
        assert_eq!(with_successes(10, &times, &four).threshold(&four), Some((SimSpan::from_secs(12), false)));
    }

    #[test]
    fn short_tasks_and_small_sets_have_their_own_thresholds() {
        let conf = SpeculationConf { min_runtime: SimSpan::from_secs(60), threshold: Some(SimSpan::from_secs(90)), ..SpeculationConf::default() };
        assert_eq!(with_successes(4, &[1, 1, 1], &conf).threshold(&conf), Some((SimSpan::from_secs(60), false)));
        assert_eq!(with_successes(4, &[], &conf).threshold(&conf), Some((SimSpan::from_secs(90), true)));
        assert_eq!(with_successes(5, &[], &conf).threshold(&conf), None, "five tasks do not fit on four slots");
        let plain = SpeculationConf::default();
        assert_eq!(with_successes(1, &[1], &plain).threshold(&plain), None, "one task has no other to compare with");
    }
}
