//! Jobs in order, and whose time was whose.
//!
//! The model runs one job after the other. Jobs that overlapped in time, and jobs without a result stage (adaptive
//! execution submits each map stage as a job of its own), become one job with the one after them; how they really lay is kept as evidence.
//! The time of a run is divided in three: tasks ran, which is work and scales; the cluster took it (a lost executor and what
//! failed because of it), which is not repeated; the rest is the driver's: planning, submitting, broadcasting the task's code,
//! handling results. The driver's time before a stage's first launch becomes that stage's `delay`, its time between two jobs the job's `driver_gap`.
//! Waiting for the first executor is neither.

use std::collections::{BTreeMap, BTreeSet};

use sim_core::units::SimSpan;

use super::log::{JobRecord, Log};
use crate::profile::{Job, JobEvidence, MAX_INPUT, Sink, Stage};

/// Time between two jobs is the driver's up to this; beyond it somebody was thinking (a notebook).
const LONGEST_GAP_MS: u64 = 3_600_000;
/// A job's times are kept up to ten years after the first one's start.
const LONGEST_RUN_MS: u64 = 10 * 365 * 24 * 3_600_000;

/// Times of the kept stages, milliseconds since 1970.
pub(super) struct Timeline {
    /// When the first executor was there.
    executor: u64,
    stages: Vec<StageTimes>,
}

#[derive(Clone, Copy, Default)]
struct StageTimes {
    began: Option<u64>,
    finished: Option<u64>,
    after_loss: u64,
}

impl Timeline {
    /// The times of the stages `ids`.
    pub(super) fn of(log: &Log, ids: &[u64]) -> Self {
        let times = |id: &u64| {
            let stage = log.stages.get(id)?;
            Some(StageTimes { began: stage.began_ms(), finished: stage.finished_ms, after_loss: stage.after_loss_ms })
        };
        Self { executor: first_executor(log), stages: ids.iter().map(|id| times(id).unwrap_or_default()).collect() }
    }

    fn finished(&self, stages: &[usize]) -> Option<u64> {
        stages.iter().filter_map(|&stage| self.stages[stage].finished).max()
    }
}

fn first_executor(log: &Log) -> u64 {
    log.executors.values().filter_map(|executor| executor.added_ms).min().unwrap_or(0)
}

/// When work could begin: the first job had started and the first executor was there.
pub(super) fn started_ms(log: &Log) -> Option<u64> {
    log.jobs.values().map(|job| job.start).filter(|start| *start > 0).min().map(|start| start.max(first_executor(log)))
}

/// Spark's own jobs, with their overlap.
pub(super) fn evidence(log: &Log) -> Vec<JobEvidence> {
    let first = log.jobs.values().map(|job| job.start).filter(|start| *start > 0).min().unwrap_or(0);
    let since = |time: u64| SimSpan::from_ms(time.saturating_sub(first).min(LONGEST_RUN_MS));
    let job =
        |(id, job): (&u64, &JobRecord)| JobEvidence { id: (*id).min(MAX_INPUT), started: since(job.start), ended: job.end.map(since), failed: job.failed };
    log.jobs.iter().map(job).collect()
}

/// Jobs that are taken together.
pub(super) struct Group {
    stages: Vec<usize>,
    /// Time of the driver after it.
    gap: SimSpan,
    /// When its first job started, milliseconds.
    start: u64,
    executions: Vec<u64>,
}

/// Jobs in order; those that overlapped in time are one group.
pub(super) fn group(log: &Log, index: &BTreeMap<u64, usize>, times: &Timeline) -> Vec<Group> {
    let mut owned = BTreeSet::new();
    let mut merged: Vec<Group> = Vec::new();
    let mut busy_until: Option<u64> = None;
    for job in log.jobs.values() {
        let stages: Vec<usize> = job.stages.iter().filter_map(|id| index.get(id)).copied().filter(|stage| owned.insert(*stage)).collect();
        if stages.is_empty() {
            continue;
        }
        match merged.last_mut() {
            Some(last) if busy_until.is_none_or(|end| job.start < end) => {
                last.stages.extend(stages);
                last.executions.extend(job.execution);
            }
            last => {
                if let Some(last) = last {
                    // From its last task on: what the driver then did with the results is its time, too.
                    let idle = times.finished(&last.stages).or(busy_until).unwrap_or(job.start);
                    last.gap = SimSpan::from_ms(job.start.saturating_sub(idle).min(LONGEST_GAP_MS));
                }
                merged.push(Group { stages, gap: SimSpan::ZERO, start: job.start, executions: job.execution.into_iter().collect() });
            }
        }
        busy_until = job.end.map(|end| end.max(busy_until.unwrap_or(0)));
    }
    let rest: Vec<usize> = index.values().copied().filter(|stage| !owned.contains(stage)).collect();
    if !rest.is_empty() {
        // Tasks of a job whose start is missing from the log.
        merged.push(Group { stages: rest, gap: SimSpan::ZERO, start: 0, executions: Vec::new() });
    }
    merged
}

/// Jobs that end with a result stage: a group that does not is joined with the next one. The last of a log that breaks off
/// may end with a shuffle; then `true` beside them. An aborted stage ends its job, too. Each stage gets the time that the driver took
/// before it; the time that the cluster took comes back.
pub(super) fn finish(groups: Vec<Group>, stages: &mut [Stage], times: &Timeline) -> (Vec<Job>, bool, SimSpan) {
    let mut jobs: Vec<Job> = Vec::new();
    let mut open: Option<Group> = None;
    let mut partial = false;
    let mut lost_ms = 0u64;
    let mut groups = in_order(groups).into_iter().peekable();
    while let Some(group) = groups.next() {
        let mut group = match open.take() {
            Some(earlier) => join(earlier, group),
            None => group,
        };
        group.stages.sort_unstable();
        let Some(last) = group.stages.last().copied() else { continue };
        let ends = stages[last].sink == Sink::Result || stages[last].aborted;
        if !ends && groups.peek().is_some() {
            open = Some(group);
            continue;
        }
        partial |= !ends;
        lost_ms = lost_ms.saturating_add(delays(&group, stages, times));
        group.executions.sort_unstable();
        group.executions.dedup();
        jobs.push(Job { name: format!("job-{}", jobs.len()), stages: group.stages, driver_gap: group.gap, executions: group.executions });
    }
    (jobs, partial, SimSpan::from_ms(lost_ms.min(LONGEST_RUN_MS)))
}

/// Two groups as one, which starts with the first and is followed by what followed the second.
fn join(first: Group, second: Group) -> Group {
    let start = if first.start == 0 { second.start } else { first.start };
    let mut joined = Group { start, gap: second.gap, ..first };
    joined.stages.extend(second.stages);
    joined.executions.extend(second.executions);
    joined
}

/// What the driver did between the instant at which a stage could start and its first launch; the time in between that the
/// cluster took comes back, milliseconds.
fn delays(group: &Group, stages: &mut [Stage], times: &Timeline) -> u64 {
    let mut lost = 0u64;
    for &stage in &group.stages {
        let own = times.stages[stage];
        let Some(began) = own.began else { continue };
        let parents: Vec<usize> = stages[stage].reads.iter().copied().filter(|parent| group.stages.contains(parent)).collect();
        let ready = times.finished(&parents).unwrap_or(0).max(group.start);
        if ready > 0 {
            let ready = ready.max(times.executor).min(began);
            let healed = own.after_loss.clamp(ready, began);
            lost = lost.saturating_add(healed - ready);
            stages[stage].delay = SimSpan::from_ms((began - healed).min(LONGEST_GAP_MS));
        }
    }
    lost
}

/// Joins groups that are entangled: no stage of a later group may come before a stage of an earlier one.
fn in_order(groups: Vec<Group>) -> Vec<Group> {
    let mut ordered: Vec<Group> = Vec::new();
    for group in groups {
        let first = group.stages.iter().min().copied().unwrap_or(0);
        let mut joined = group;
        while ordered.last().is_some_and(|last| last.stages.iter().any(|stage| *stage > first)) {
            let Some(earlier) = ordered.pop() else { break };
            joined = join(earlier, joined);
        }
        ordered.push(joined);
    }
    ordered
}
