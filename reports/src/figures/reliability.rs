//! Reliability: of trials that were given a probability, how many really ran out of memory.
//!
//! A dot a bin, as large as the number of its trials, with the exact interval of what was seen; the diagonal is a forecast that means what it
//! says. The strip below counts trials by what they were given.

use sim_core::study::Estimate;
use sim_core::study::score::reliability;

use super::{Chart, Figure, SIZE, Table, names};
use crate::csv::real;
use crate::format;
use crate::validation::Validation;

/// One bin.
#[derive(Clone, Debug, PartialEq)]
pub struct Bin {
    /// Mean P(OOM) of its trials.
    pub forecast: f64,
    /// Share of them that ran out of memory.
    pub observed: Estimate,
}

/// The data of the chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Reliability {
    /// Bins that have trials, from the left.
    pub bins: Vec<Bin>,
}

/// The chart, when outcomes are known.
pub fn figure(validation: &Validation) -> Option<Figure> {
    let trials = validation.of(false);
    let bins: Vec<Bin> = reliability(&trials, validation.confidence).into_iter().map(|bin| Bin { forecast: bin.forecast, observed: bin.observed }).collect();
    let scores = validation.scores();
    let (brier, majority) = (scores.brier?, scores.majority?);
    let list: Vec<String> = bins.iter().map(|bin| format!("given {}: {}", format::percent(bin.forecast), format::estimate(&bin.observed))).collect();
    let within = bins.iter().all(|bin| bin.observed.low <= bin.forecast && bin.forecast <= bin.observed.high);
    let finding = if within { "Probabilities mean what they say" } else { "Some probabilities are too sure" };
    Some(Figure {
        title: format!("{finding}: Brier score {:.3}, one answer for all has {:.3}", brier.value, majority.brier.value),
        subtitle: format!(
            "{} trials, {} replications each · bars: {:.0} % intervals of what was seen",
            brier.n,
            validation.replications,
            validation.confidence * 100.0
        ),
        description: format!("Share of trials that ran out of memory, by the probability that they were given: {}.", list.join("; ")),
        size: SIZE,
        chart: Chart::Reliability(Reliability { bins }),
    })
}

impl Reliability {
    pub(super) fn table(&self) -> Table {
        let row = |bin: &Bin| {
            let mut row: Vec<String> = [bin.forecast, bin.observed.estimate, bin.observed.low, bin.observed.high].map(real).to_vec();
            row.push(bin.observed.n.to_string());
            row
        };
        (names(&["p_oom", "observed", "observed_low", "observed_high", "trials"]), self.bins.iter().map(row).collect())
    }
}
