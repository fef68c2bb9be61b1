//! Forecast against observation: a mark a trial, on the diagonal where they agree.
//!
//! Marks have the colour and shape of the limit that was really met. Bars are from the 5th to the 95th percentile of the replications; the band is
//! the error that the score's target allows.

use sim_core::record::{Cause, Level};
use sim_core::study::Summary;
use sim_core::study::score::Score;

use super::{Chart, Figure, SIZE, Table, names};
use crate::csv::real;
use crate::validation::{ScoredTrial, Validation};

/// One trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Name of the trial.
    pub name: String,
    /// What was seen.
    pub observed: f64,
    /// Median of the forecast.
    pub forecast: f64,
    /// Whose limit was met; none where nothing died.
    pub cause: Option<Cause>,
}

/// The data of the chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    /// What is compared.
    pub quantity: &'static str,
    /// Unit of both axes.
    pub unit: &'static str,
    /// Whether the axes are logarithmic.
    pub log: bool,
    /// Relative half-width of the band; zero for none.
    pub band: f64,
    /// Trials.
    pub marks: Vec<Mark>,
}

/// A quantity that is compared.
struct Compared {
    name: &'static str,
    quantity: &'static str,
    unit: &'static str,
    log: bool,
    band: f64,
    scale: f64,
    forecast: fn(&ScoredTrial) -> &Summary,
    observed: fn(&ScoredTrial) -> Option<f64>,
}

/// The finding, from the score.
type Words = fn(f64) -> String;

const MIB: f64 = 1_048_576.0;

/// The charts, with the names of their files.
pub fn figures(validation: &Validation) -> Vec<(&'static str, Figure)> {
    let scores = validation.scores();
    let all: [(Compared, Option<Score>, Words); 3] = [
        (
            Compared {
                name: "node-peak",
                quantity: "peak of the fullest node",
                unit: "MiB",
                log: true,
                band: 0.08,
                scale: MIB,
                forecast: |trial| &trial.trial.forecast.node_peak,
                observed: |trial| trial.trial.observed.node_peak,
            },
            scores.node_peak_mape,
            |error| format!("A node's peak is forecast within {:.1} % on average", error * 100.0),
        ),
        (
            Compared {
                name: "deaths",
                quantity: "executors lost",
                unit: "",
                log: false,
                band: 0.0,
                scale: 1.0,
                forecast: |trial| &trial.trial.forecast.executors_lost,
                observed: |trial| trial.trial.observed.executors_lost.filter(|lost| *lost > 0).map(f64::from),
            },
            scores.executors_lost_mae,
            |error| format!("Where executors died, the count is off by {error:.1} on average"),
        ),
        (
            Compared {
                name: "duration",
                quantity: "duration",
                unit: "s",
                log: true,
                band: 0.35,
                scale: 1.0,
                forecast: |trial| &trial.trial.forecast.duration_s,
                observed: |trial| trial.trial.observed.duration_s,
            },
            scores.duration_mape,
            |error| format!("Durations on a loaded machine are off by {:.0} % on average", error * 100.0),
        ),
    ];
    all.into_iter().filter_map(|(compared, score, title)| Some((compared.name, figure(validation, &compared, title(score?.value))?))).collect()
}

fn figure(validation: &Validation, compared: &Compared, title: String) -> Option<Figure> {
    let mark = |trial: &ScoredTrial| {
        Some(Mark {
            name: trial.name.clone(),
            observed: (compared.observed)(trial)? / compared.scale,
            forecast: (compared.forecast)(trial).p50 / compared.scale,
            cause: trial.trial.observed.level.map(cause),
        })
    };
    let marks: Vec<Mark> = validation.trials.iter().filter(|trial| !trial.calibration).filter_map(mark).collect();
    if marks.is_empty() {
        return None;
    }
    let band = if compared.band > 0.0 { format!(" · band: ± {:.0} %", compared.band * 100.0) } else { String::new() };
    Some(Figure {
        title,
        subtitle: format!("{} trials, medians of {} replications{band}", marks.len(), validation.replications),
        description: format!("Forecast against observed {}, {} trials.", compared.quantity, marks.len()),
        size: SIZE,
        chart: Chart::Agreement(Agreement { quantity: compared.quantity, unit: compared.unit, log: compared.log, band: compared.band, marks }),
    })
}

fn cause(level: Level) -> Cause {
    match level {
        Level::Heap => Cause::Heap,
        Level::Pod => Cause::Container,
        Level::Kubepods | Level::Node => Cause::Node,
        Level::Eviction => Cause::Eviction,
        Level::Volume => Cause::ScratchFull,
    }
}

impl Agreement {
    pub(super) fn table(&self) -> Table {
        let row = |mark: &Mark| vec![mark.name.clone(), real(mark.observed), real(mark.forecast), mark.cause.map_or("", Cause::key).to_owned()];
        (names(&["trial", "observed", "forecast", "limit"]), self.marks.iter().map(row).collect())
    }
}
