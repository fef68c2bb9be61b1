//! Trials: what was run for real, where, and what was seen.
//!
//! Two kinds of files hold them. A `.jsonl` has one recorded trial of executors in memory cgroups a line (`lab`): its configuration, the
//! name of the event log of a calibration run of the same workload, and what happened. A `.toml` is a team's own list of incidents
//! (`incidents`): a scenario each, and what was seen of it. Both become a [`Trial`]: a specification to forecast from, made without looking at what
//! happened, and an [`Observed`] to hold against the forecast. Formats: docs/guide/validate.md.

mod incidents;
mod lab;
mod logs;
mod model;
mod world;

use std::path::Path;

use sim_core::spec::Spec;
use sim_core::study::score::{Observed, TrialClock};

use crate::diag::{Diagnostic, Diagnostics};

pub use lab::{LabConfig, Recorded};
pub use model::TrialModel;

/// A trial, ready to be forecast.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What it is called: its line, or the incident's name.
    pub name: String,
    /// Kind of workload: trials of one are left out together.
    pub workload: String,
    /// Trials that share a log or a scenario are not independent of each other.
    pub group: String,
    /// Whether it is the run whose log calibrates the others: a replay, not a forecast.
    pub calibration: bool,
    /// One line that says what is special about it.
    pub setup: String,
    /// What to simulate.
    pub spec: Spec,
    /// How its observer measured time.
    pub clock: TrialClock,
    /// What the spreadsheet's rule says.
    pub spreadsheet: Option<bool>,
    /// What happened.
    pub observed: Observed,
}

/// What to read trials with.
#[derive(Clone, Debug)]
pub struct TrialRequest<'a> {
    /// The file.
    pub path: &'a Path,
    /// Directory of the event logs; by default `eventlogs` beside the file, else the file's own directory.
    pub logs: Option<&'a Path>,
    /// What the model takes for recorded trials where their logs do not tell.
    pub model: &'a TrialModel,
}

/// Reads trials. What cannot be used is left out and told; `Err` when nothing can.
///
/// # Errors
/// When the file cannot be read, or holds no trial that can be forecast.
pub fn read(request: &TrialRequest<'_>) -> Result<(Vec<Trial>, Diagnostics), Diagnostics> {
    let mut problems = Diagnostics::default();
    let text = std::fs::read_to_string(request.path).map_err(|error| {
        let mut problems = Diagnostics::default();
        problems.push(
            Diagnostic::error("trials", format!("cannot read {}: {error}", request.path.display()))
                .expected("a .jsonl of recorded trials, or a .toml with a list of incidents"),
        );
        problems
    })?;
    let trials = if request.path.extension().is_some_and(|extension| extension == "toml") {
        incidents::read(request.path, &text, &mut problems)
    } else {
        Recorded::load(request.path, &text, request.logs, &mut problems).trials(request.model, &mut problems)
    };
    if trials.is_empty() {
        if !problems.has_errors() {
            problems.push(Diagnostic::error("trials", format!("{} holds no trial", request.path.display())));
        }
        return Err(problems);
    }
    Ok((trials, problems))
}
