//! Folding outcomes into one point's result.
//!
//! Every outcome counts, cut-off ones too; durations are of replications that succeeded, because failed ones end early. P(OOM)
//! is about executors and the driver; probabilities by cause include neighbours. The first outcome with a death is the example.

use super::{Estimate, Summary};
use crate::record::{Cause, Ending, FailureReason, Incident, Level, Outcome, Truncation};
use crate::shown::{Reason, Shown};

/// An estimate for each cause, in [`Cause::ALL`] order.
pub type CauseEstimates = [Estimate; Cause::ALL.len()];

/// What is known of one point after its replications: the result object of the command line, as data.
#[derive(Clone, Debug, PartialEq)]
pub struct PointResult {
    /// Replications done.
    pub replications: u64,
    /// At least one heap, container or node memory death of an executor or the driver.
    pub p_oom: Estimate,
    /// The job failed or was cut off.
    pub p_job_failure: Estimate,
    /// At least one incident of each cause.
    pub p_by_cause: CauseEstimates,
    /// Share of replications whose *first* incident has each cause; with survivors they add to 1.
    pub first_cause: [u64; Cause::ALL.len()],
    /// Level of the first memory death: count by [`Level`] key.
    pub first_level: Vec<(Level, u64)>,
    /// How the first end of an executor or the driver shows: counts, in order of what is shown.
    pub first_shown: Vec<(Shown, u64)>,
    /// Executors lost a replication.
    pub executors_lost: Summary,
    /// Deaths and evictions of neighbours a replication.
    pub neighbours_lost: Summary,
    /// Deaths of daemons outside `kubepods` a replication.
    pub daemons_lost: Summary,
    /// Executors that waited for a node.
    pub executors_pending: Summary,
    /// Seconds from submission to the end, of replications that succeeded (failed ones end early and would flatter it).
    pub duration_s: Summary,
    /// Bytes.
    pub node_peak: Summary,
    /// Bytes.
    pub node_before_shuffle: Summary,
    /// Anonymous + shmem memory of the node at the first memory death, bytes; only replications with one.
    pub node_at_first_kill: Summary,
    /// Bytes.
    pub pod_peak: Summary,
    /// Bytes.
    pub scratch_peak: Summary,
    /// Bytes.
    pub shuffle_write: Summary,
    /// Bytes.
    pub spill: Summary,
    /// Replications cut off, by reason: horizon, events, starved.
    pub truncated: [u64; 3],
    /// Bytes that went to swap.
    pub swap_out: Summary,
    /// Task attempts that failed with `SparkOutOfMemoryError`; their executors lived on.
    pub task_ooms: Summary,
    /// Replications that failed, by reason, in [`FailureReason::ALL`] order.
    pub failed: [u64; FailureReason::ALL.len()],
    /// Every replication's node peak, in index order, for fans and histograms.
    pub node_peaks: Vec<f64>,
    /// A replication that shows the typical death: the first with an OOM, if any.
    pub example: Option<u64>,
    /// Its first incident.
    pub example_incident: Option<Incident>,
    /// Events processed over all replications.
    pub events: u64,
}

impl PointResult {
    /// Folds outcomes, which must be in index order.
    ///
    /// # Panics
    /// When `outcomes` is empty: an estimate needs at least one replication.
    pub fn fold(outcomes: &[Outcome], confidence: f64) -> Self {
        assert!(!outcomes.is_empty(), "an estimate needs at least one replication");
        let share =
            |test: &dyn Fn(&Outcome) -> bool| Estimate::proportion(outcomes.iter().filter(|o| test(o)).count() as u64, outcomes.len() as u64, confidence);
        let over = |value: &dyn Fn(&Outcome) -> Option<f64>| Summary::of(outcomes.iter().filter_map(value).collect(), confidence);
        let example = outcomes.iter().find(|o| o.oom());
        Self {
            replications: outcomes.len() as u64,
            p_oom: share(&Outcome::oom),
            p_job_failure: share(&Outcome::job_failed),
            p_by_cause: Cause::ALL.map(|cause| share(&|o| o.has(cause))),
            first_cause: Cause::ALL.map(|cause| outcomes.iter().filter(|o| o.incidents.first().is_some_and(|i| i.cause == cause)).count() as u64),
            first_level: first_levels(outcomes),
            first_shown: first_shown(outcomes),
            executors_lost: over(&|o| Some(f64::from(o.executors_lost))),
            neighbours_lost: over(&|o| Some(f64::from(o.neighbours_lost()))),
            daemons_lost: over(&|o| Some(f64::from(o.daemons_lost()))),
            executors_pending: over(&|o| Some(f64::from(o.executors_pending))),
            duration_s: over(&|o| (!o.job_failed()).then(|| o.duration.as_secs_f64())),
            node_peak: over(&|o| Some(o.node_peak.as_f64())),
            node_before_shuffle: over(&|o| Some(o.node_before_shuffle.as_f64())),
            node_at_first_kill: over(&|o| first_death(o).map(|i| i.node_memory.as_f64())),
            pod_peak: over(&|o| Some(o.pod_peak.as_f64())),
            scratch_peak: over(&|o| Some(o.scratch_peak.as_f64())),
            shuffle_write: over(&|o| Some(o.shuffle_write.as_f64())),
            spill: over(&|o| Some(o.spill.as_f64())),
            truncated: [Truncation::Horizon, Truncation::Events, Truncation::Starved].map(|t| count(outcomes, Ending::Truncated(t))),
            swap_out: over(&|o| Some(o.swap_out.as_f64())),
            task_ooms: over(&|o| Some(f64::from(o.task_ooms))),
            failed: FailureReason::ALL.map(|r| count(outcomes, Ending::Failed(r))),
            node_peaks: outcomes.iter().map(|o| o.node_peak.as_f64()).collect(),
            example: example.map(|o| o.replication),
            example_incident: example.and_then(first_death).cloned(),
            events: outcomes.iter().map(|o| o.events).sum(),
        }
    }
}

fn count(outcomes: &[Outcome], ending: Ending) -> u64 {
    outcomes.iter().filter(|o| o.ending == ending).count() as u64
}

fn first_death(outcome: &Outcome) -> Option<&Incident> {
    outcome.incidents.iter().find(|i| i.cause.is_oom())
}

fn first_shown(outcomes: &[Outcome]) -> Vec<(Shown, u64)> {
    let first = |o: &Outcome| o.incidents.iter().find(|i| i.victim.is_ours() && i.shown.reason != Reason::Nothing).map(|i| i.shown);
    let mut counts = std::collections::BTreeMap::new();
    outcomes.iter().filter_map(first).for_each(|shown| *counts.entry(shown).or_insert(0) += 1);
    counts.into_iter().collect()
}

fn first_levels(outcomes: &[Outcome]) -> Vec<(Level, u64)> {
    let levels = [Level::Heap, Level::Pod, Level::Kubepods, Level::Node];
    let count = |level| outcomes.iter().filter(|o| first_death(o).is_some_and(|i| i.level == level)).count() as u64;
    levels.into_iter().map(|level| (level, count(level))).filter(|(_, n)| *n > 0).collect()
}
