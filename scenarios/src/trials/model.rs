//! What the model takes for recorded trials where their logs do not tell.
//!
//! `fitted.toml` holds the values and is written by the fit (docs/model/validation.md). They describe the recorder's world, not its cases:
//! the driver's time before the first job, what the kernel takes of a node's limit, how long a replacement starts, what other work
//! leaves of the cores; and, by the way in which a JVM was started, inputs of the memory model that override what the scenario would take.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::diag::{Diagnostic, Diagnostics};

/// The committed fit.
const FITTED: &str = include_str!("fitted.toml");

/// The parameters. Pairs are a median and the spread of its logarithm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialModel {
    /// Seconds from the start of the observer's clock to the first job: the program plans its query.
    pub before_s: f64,
    /// Share of a node's limit that the kernel charges for page tables and other structures of its own.
    pub kernel_share: f64,
    /// Core-seconds from the start of an executor's process to its registration.
    pub start_s: [f64; 2],
    /// Core-seconds of compiler threads beside an executor's first task, which no metric has, in the measure of task threads.
    pub compiling_s: f64,
    /// Seconds from a death to the driver's reaction.
    pub detection_s: [f64; 2],
    /// Speed of the machine relative to the calibration run's: what other work leaves.
    pub cpu_speed: [f64; 2],
    /// CPU time of a task relative to its log.
    pub task_cpu: [f64; 2],
    /// What tasks allocate relative to what the log tells of it.
    pub allocation: f64,
    /// Inputs of the memory model by the way in which the JVM was started: `g1_full`, `g1`, `serial`; each a table of `[uncertainty]` keys
    /// with a mean and a standard deviation.
    #[serde(default)]
    pub memory: BTreeMap<String, BTreeMap<String, [f64; 2]>>,
}

impl TrialModel {
    /// The committed fit.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn fitted() -> Self {
        Self::parse("fitted.toml", FITTED).unwrap_or_else(|_| unreachable!("the committed fit is read by a test"))
    }

    /// The fit as a file.
    pub fn to_toml(&self) -> String {
        let body = toml::to_string(self).unwrap_or_default();
        format!("# Written by `cargo run --release -p tests --bin fit`: docs/model/validation.md.\n{body}")
    }

    /// Reads a fit.
    ///
    /// # Errors
    /// When the text is not one.
    pub fn parse(name: &str, text: &str) -> Result<Self, Diagnostics> {
        toml::from_str(text).map_err(|error| {
            let mut problems = Diagnostics::default();
            problems.push(
                Diagnostic::error("model", format!("{name}: {}", error.to_string().trim_end().replace('\n', "; ")))
                    .expected("a fit, as `cargo run --release -p tests --bin fit` writes it"),
            );
            problems
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_fit_is_one_and_others_are_told_what_is_wrong() {
        let fitted = TrialModel::parse("fitted.toml", FITTED).expect("the committed fit");
        assert_eq!(fitted, TrialModel::fitted());
        assert!(fitted.memory.keys().all(|way| ["g1_full", "g1", "serial"].contains(&way.as_str())), "{:?}", fitted.memory.keys());
        let problems = TrialModel::parse("mine.toml", "before = 3").expect_err("no fit");
        assert!(problems.items()[0].message.contains("mine.toml"), "{problems:?}");
    }
}
