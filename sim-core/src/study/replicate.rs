//! Running replications in rounds over a thread pool.
//!
//! A round has 64 replications whatever the threads, and the stopping rule looks between rounds, so that neither depends on the
//! machine. Stopping at a width of the interval looks at the data more than once, which can cost a little coverage; a fixed
//! number of replications does not. An interrupted round keeps its gap-free prefix.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::{Estimate, PointResult};
use crate::plan::SimPlan;
use crate::record::Outcome;
use crate::sim::{RunKey, Simulator};

/// How much to run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Study {
    /// Master seed.
    pub seed: u64,
    /// Number of replications; with `precision`, the largest number.
    pub replications: u64,
    /// Stop when half the width of P(OOM)'s interval is at most this.
    pub precision: Option<f64>,
    /// Confidence of all intervals.
    pub confidence: f64,
}

/// Why a study stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StudyEnd {
    /// All replications were run.
    Complete,
    /// The interval became narrow enough.
    Precise,
    /// It was told to stop.
    Interrupted,
}

/// What came of a study of one point.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyResult {
    /// The point's result; `None` when interrupted before the first round ended.
    pub result: Option<PointResult>,
    /// Why it stopped.
    pub end: StudyEnd,
    /// The outcomes, in index order.
    pub outcomes: Vec<Outcome>,
}

/// Hears of finished replications, from any thread.
pub trait Progress: Sync {
    /// So many more replications are done.
    fn done(&self, replications: u64);
}

impl Progress for () {
    fn done(&self, _replications: u64) {}
}

/// Replications a round: rounds are the same whatever the number of threads, so that stopping rules are too.
const ROUND: u64 = 64;

/// Runs one point. Call it inside a rayon pool (`pool.install`) to choose the number of threads.
///
/// `stop` is looked at between rounds and before each replication; what a stopped round has done in a gap-free
/// prefix is kept.
pub fn run_study(plan: &SimPlan, study: &Study, stop: &AtomicBool, progress: &dyn Progress) -> StudyResult {
    let mut outcomes = Vec::new();
    let mut end = StudyEnd::Complete;
    while (outcomes.len() as u64) < study.replications {
        let first = outcomes.len() as u64;
        let last = (first + ROUND).min(study.replications);
        let round = run_round(plan, study.seed, first..last, stop, progress);
        let complete = round.len() as u64 == last - first;
        outcomes.extend(round);
        if !complete {
            end = StudyEnd::Interrupted;
            break;
        }
        if study.precision.is_some_and(|target| precise(&outcomes, study.confidence, target)) {
            end = StudyEnd::Precise;
            break;
        }
    }
    let result = (!outcomes.is_empty()).then(|| PointResult::fold(&outcomes, study.confidence));
    StudyResult { result, end, outcomes }
}

/// Runs a range of replications; a stop leaves the gap-free prefix.
fn run_round(plan: &SimPlan, seed: u64, range: Range<u64>, stop: &AtomicBool, progress: &dyn Progress) -> Vec<Outcome> {
    let done: Vec<Option<Outcome>> = range
        .into_par_iter()
        .map_init(
            || Simulator::new(plan),
            |simulator, replication| {
                if stop.load(Ordering::Relaxed) {
                    return None;
                }
                let outcome = simulator.run(RunKey { seed, replication });
                progress.done(1);
                Some(outcome)
            },
        )
        .collect();
    done.into_iter().map_while(|outcome| outcome).collect()
}

fn precise(outcomes: &[Outcome], confidence: f64, target: f64) -> bool {
    let hits = outcomes.iter().filter(|o| o.oom()).count() as u64;
    Estimate::proportion(hits, outcomes.len() as u64, confidence).half_width() <= target
}
