//! Forecasts against what happened: the result object, the table and the charts of `validate`.
//!
//! The scores themselves are [`sim_core::study::score`]'s. Trials whose run calibrated the others are replays: they are listed, and
//! scored apart, because a forecast of a run from its own log proves little.

mod card;
mod json;
mod reason;
mod table;

pub use card::{card, scores};
pub use json::{per_trial, result_object};
pub use reason::reason;
pub use table::table;

use sim_core::study::score::{Scores, Trial};

use crate::figures::{self, Figure, NamedFigure};
use crate::{OutputFile, svg};

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
    /// All trials in the file's order; those before the interruption when there was one.
    pub trials: Vec<ScoredTrial>,
    /// Whether it was stopped before all trials were forecast.
    pub interrupted: bool,
}

/// The charts: reliability, and forecast against observation.
pub fn figures(validation: &Validation) -> Vec<NamedFigure> {
    let named = |(name, figure): (&str, Figure)| NamedFigure { name: name.to_owned(), figure };
    let reliability = figures::reliability::figure(validation).map(|figure| ("reliability", figure));
    reliability.into_iter().chain(figures::agreement::figures(validation)).map(named).collect()
}

/// Everything that an output directory holds: the result object, one object a trial, the report card, and each chart with its data.
pub fn files(validation: &Validation, object: &str) -> Vec<OutputFile> {
    let file = |name: String, text: String| OutputFile { name, contents: text.into_bytes() };
    let lines: String = validation.trials.iter().map(|trial| per_trial(trial).to_string() + "\n").collect();
    let mut files = vec![file("validation.json".into(), object.to_owned()), file("trials.jsonl".into(), lines)];
    let figures = figures(validation);
    let pictures: Vec<String> = figures.iter().map(|named| format!("![{}]({}.svg)\n\n", named.figure.title, named.name)).collect();
    files.push(file(
        "report-card.md".into(),
        format!("# Report card: {}\n\n`{}`\n\n{}{}", validation.source, validation.command, pictures.concat(), card(validation)),
    ));
    for named in &figures {
        files.push(file(format!("{}.svg", named.name), svg::render(&named.figure)));
        files.push(file(format!("{}.csv", named.name), named.figure.data_csv()));
    }
    files
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
