//! Replications folded into what a forecast says about one trial.
//!
//! A trial's clock may start with its first job and stop at a time-out that cancels the job; what a replication does after that did not
//! happen. The single answers are those that the scores ask for: the share of replications with a memory death, the level of the first
//! death that most replications agree on, medians elsewhere, because a median has the least absolute error.

use crate::plan::SimPlan;
use crate::record::{Ending, Incident, Level, Outcome, Party};
use crate::study::{Estimate, Summary};
use crate::units::SimTime;

/// How a trial measures time and memory.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TrialClock {
    /// Whether it starts with the first job, not with the submission of the application.
    pub from_first_job: bool,
    /// Seconds of it before the driver starts the first job: the user's program plans its query.
    pub before_s: f64,
    /// Seconds after which the job is cancelled.
    pub timeout_s: Option<f64>,
    /// Bytes of a node's memory that its observer did not count: the kernel's own.
    pub uncounted: f64,
}

/// What is forecast of one trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// At least one heap, container or node memory death.
    pub p_oom: Estimate,
    /// The job fails, or is cancelled.
    pub p_job_failure: Estimate,
    /// Whose limit is met first in most replications; none when most lose nobody and fill no volume.
    pub level: Option<Level>,
    /// Executors that die.
    pub executors_lost: Summary,
    /// Anonymous and shmem memory of the fullest node's executors, bytes.
    pub node_peak: Summary,
    /// Seconds on the trial's clock, failed replications included.
    pub duration_s: Summary,
}

impl Forecast {
    /// Folds a plan's replications.
    pub fn fold(plan: &SimPlan, outcomes: &[Outcome], clock: &TrialClock, confidence: f64) -> Self {
        let ends: Vec<End> = outcomes.iter().map(|outcome| End::of(plan, outcome, clock)).collect();
        let n = ends.len() as u64;
        let share = |of: &dyn Fn(&End) -> bool| Estimate::proportion(ends.iter().filter(|end| of(end)).count() as u64, n, confidence);
        let summary = |of: &dyn Fn(&End) -> f64| Summary::of(ends.iter().map(of).collect(), confidence);
        Self {
            p_oom: share(&|end| end.oom),
            p_job_failure: share(&|end| end.failed),
            level: agreed(&ends),
            executors_lost: summary(&|end| end.lost as f64),
            node_peak: summary(&|end| end.node_peak),
            duration_s: summary(&|end| end.duration_s),
        }
    }
}

/// One replication as the trial's observer would have seen it.
struct End {
    oom: bool,
    failed: bool,
    level: Option<Level>,
    lost: usize,
    node_peak: f64,
    duration_s: f64,
}

impl End {
    fn of(plan: &SimPlan, outcome: &Outcome, clock: &TrialClock) -> Self {
        let start = if clock.from_first_job { first_job_s(plan, outcome) - clock.before_s } else { 0.0 };
        let ran = outcome.duration.as_secs_f64() - start;
        let limit = clock.timeout_s.unwrap_or(f64::INFINITY);
        let cancelled = ran > limit;
        let seen: Vec<&Incident> = outcome.incidents.iter().filter(|i| i.at.since(SimTime::ZERO).as_secs_f64() - start <= limit).collect();
        let ours = |i: &&&Incident| i.victim.is_ours();
        let dead = |i: &&&Incident| matches!(i.victim, Party::Executor(_)) && i.level != Level::Volume;
        Self {
            oom: seen.iter().filter(ours).any(|i| i.cause.is_oom()),
            failed: cancelled || outcome.ending != Ending::Succeeded,
            level: seen.iter().find(|i| ours(i)).map(|i| whose(i.level)),
            lost: seen.iter().filter(dead).count(),
            node_peak: (outcome.node_peak.as_f64() - clock.uncounted).max(0.0),
            duration_s: ran.min(limit),
        }
    }
}

/// When the first job starts, seconds after submission.
fn first_job_s(plan: &SimPlan, outcome: &Outcome) -> f64 {
    let stages = outcome.stages.iter().zip(&plan.spec().app.stages).filter(|(stage, _)| stage.attempts > 0);
    let start =
        |(stage, spec): (&crate::record::StageRecord, &crate::spec::StageSpec)| stage.started.since(SimTime::ZERO).as_secs_f64() - spec.delay.as_secs_f64();
    stages.map(start).fold(outcome.duration.as_secs_f64(), f64::min)
}

/// Whose limit a level is, in the words of those who look from outside: `kubepods` is the node's.
pub fn whose(level: Level) -> Level {
    if level == Level::Kubepods { Level::Node } else { level }
}

/// The first death's level on which most replications agree; on a tie, the one that comes first in [`Level`].
fn agreed(ends: &[End]) -> Option<Level> {
    const LEVELS: [Option<Level>; 6] = [None, Some(Level::Heap), Some(Level::Pod), Some(Level::Node), Some(Level::Eviction), Some(Level::Volume)];
    let count = |level: &Option<Level>| ends.iter().filter(|end| end.level == *level).count();
    LEVELS.into_iter().rev().max_by_key(count).flatten()
}
