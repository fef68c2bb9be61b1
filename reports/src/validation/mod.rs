//! Forecasts against what happened: the result object, the table and the charts of `validate`.
//!
//! The scores themselves are [`sim_core::study::score`]'s. Trials whose run calibrated the others are replays: they are listed, and
//! scored apart, because a forecast of a run from its own log proves little.

mod json;
mod reason;
mod table;

pub use json::{per_trial, result_object};
pub use reason::reason;
pub use table::table;

use sim_core::study::score::{Scores, Trial};

use crate::OutputFile;

/// A scored trial with its names.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredTrial {
    /// What it is called.
    pub name: String,
    /// Kind of workload.
    pub workload: String,
    /// Its log or scenario.
    pub group: String,
    /// What is special about it, in a line.
    pub setup: String,
    /// Whether it is the run that calibrated the others.
    pub calibration: bool,
    /// Forecast and observation.
    pub trial: Trial,
}

/// What `validate` found.
#[derive(Clone, Debug, PartialEq)]
pub struct Validation {
    /// Version of spillcast.
    pub version: String,
    /// What was scored: the file's name.
    pub source: String,
    /// Master seed.
    pub seed: u64,
    /// Replications of each trial.
    pub replications: u64,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// How to get it again.
    pub command: String,
    /// All trials in the file's order.
    pub trials: Vec<ScoredTrial>,
}

/// Everything that an output directory holds.
pub fn files(validation: &Validation, object: &str) -> Vec<OutputFile> {
    let _ = validation;
    vec![OutputFile { name: "validation.json".to_owned(), contents: object.as_bytes().to_vec() }]
}

impl Validation {
    /// The trials that count, or the replays.
    pub fn of(&self, calibration: bool) -> Vec<Trial> {
        self.trials.iter().filter(|trial| trial.calibration == calibration).map(|trial| trial.trial.clone()).collect()
    }
    /// Scores of the trials that count.
    pub fn scores(&self) -> Scores {
        Scores::of(&self.of(false), self.confidence)
    }
    /// Scores of the replays.
    pub fn replays(&self) -> Scores {
        Scores::of(&self.of(true), self.confidence)
    }
    /// The trials that count, the worst forecast first.
    pub fn worst(&self) -> Vec<&ScoredTrial> {
        let mut trials: Vec<&ScoredTrial> = self.trials.iter().filter(|trial| !trial.calibration).collect();
        trials.sort_by(|a, b| b.trial.badness().total_cmp(&a.trial.badness()));
        trials
    }
}
