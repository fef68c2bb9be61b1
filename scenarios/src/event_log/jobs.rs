//! Jobs in order, and whose time was whose.
//!
//! A profile of a log has its jobs one after the other. Jobs that overlapped in time, and jobs without a result stage (adaptive
//! execution submits each map stage as a job of its own), become one job with the one after them; how they really lay is kept as evidence.
//! The time of a run is divided in three: tasks ran, which is work and scales; the cluster took it (a lost executor and what
//! failed because of it), which is not repeated; the rest is the driver's: planning, submitting, broadcasting the task's code,
//! handling results. The driver's time before a stage's first launch becomes that stage's `delay`, its time between two jobs the job's `driver_gap`.
//! Waiting for the first executor is neither.

use std::collections::{BTreeMap, BTreeSet};

use sim_core::spec::JobStart;
use sim_core::units::SimSpan;

use super::log::Log;
use super::stages::JobRecord;
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
    /// Executors that died with tasks on them: from when to when each was missing, and its part of all slots then.
    missing: Vec<(u64, u64, f64)>,
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
        let stages: Vec<StageTimes> = ids.iter().map(|id| times(id).unwrap_or_default()).collect();
        let ended = stages.iter().filter_map(|stage| stage.finished).max().unwrap_or(0);
        Self { executor: first_executor(log), stages, missing: missing(log, ended) }
    }

    fn finished(&self, stages: &[usize]) -> Option<u64> {
        stages.iter().filter_map(|&stage| self.stages[stage].finished).max()
    }
}

/// Executors that died with tasks on them, each until the next one that registered after its death, at the longest until `ended`.
fn missing(log: &Log, ended: u64) -> Vec<(u64, u64, f64)> {
    let executors: Vec<_> = log.executors.values().filter_map(|executor| Some((executor, executor.added_ms?))).collect();
    let mut spares: Vec<u64> = executors.iter().map(|(_, added)| *added).collect();
    spares.sort_unstable();
    let mut dead: Vec<_> =
        executors.iter().filter(|(executor, _)| log.died.contains(&executor.id)).filter_map(|(e, _)| Some((e.removed_ms?, e.cores))).collect();
    dead.sort_unstable();
    let gap = |(removed, cores): (u64, u64)| {
        let there = executors.iter().filter(|(e, added)| *added <= removed && e.removed_ms.is_none_or(|at| at >= removed));
        let slots = there.fold(0u64, |sum, (e, _)| sum.saturating_add(e.cores)).max(1);
        let next = spares.iter().position(|added| *added > removed).map(|at| spares.remove(at));
        (removed, next.unwrap_or(ended).min(ended), (cores as f64 / slots as f64).min(1.0))
    };
    dead.into_iter().map(gap).filter(|(from, to, _)| from < to).collect()
}

/// Milliseconds that missing executors made a run longer beside `lost`, the spans that were lost anyway: their part of the slots, as
/// if the work had been spread evenly.
fn thinned_ms(missing: &[(u64, u64, f64)], lost: &[(u64, u64)]) -> u64 {
    let overlap = |from: u64, to: u64| lost.iter().fold(0u64, |sum, (start, end)| sum.saturating_add(to.min(*end).saturating_sub(from.max(*start))));
    missing.iter().fold(0u64, |sum, (from, to, part)| sum.saturating_add(((to - from).saturating_sub(overlap(*from, *to)) as f64 * part) as u64))
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
    let mut lost = Vec::new();
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
        lost.extend(delays(&group, stages, times));
        group.executions.sort_unstable();
        group.executions.dedup();
        jobs.push(Job {
            name: format!("job-{}", jobs.len()),
            stages: group.stages,
            driver_gap: group.gap,
            start: JobStart::InTurn,
            pool: None,
            executions: group.executions,
        });
    }
    let lost_ms = lost.iter().fold(thinned_ms(&times.missing, &lost), |sum, (from, to)| sum.saturating_add(to - from));
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

/// What the driver did between the instant at which a stage could start and its first launch; the spans in between that the
/// cluster took come back, milliseconds.
fn delays(group: &Group, stages: &mut [Stage], times: &Timeline) -> Vec<(u64, u64)> {
    let mut lost = Vec::new();
    for &stage in &group.stages {
        let own = times.stages[stage];
        let Some(began) = own.began else { continue };
        // A group's stages are in order by now.
        let parents: Vec<usize> = stages[stage].reads.iter().copied().filter(|parent| group.stages.binary_search(parent).is_ok()).collect();
        let ready = times.finished(&parents).unwrap_or(0).max(group.start);
        if ready > 0 {
            let ready = ready.max(times.executor).min(began);
            let healed = own.after_loss.clamp(ready, began);
            if healed > ready {
                lost.push((ready, healed));
            }
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
