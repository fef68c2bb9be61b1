//! Forecasts held against what really happened.
//!
//! [`Forecast`] says what replications expect of one trial, [`Observed`] what its observer saw (each part may be unknown), [`Scores`] how
//! far they agree over all trials, with intervals and beside two simple rivals. Nothing here sees an observation before the forecast
//! is made: the two meet in [`Trial`] only. Scores are defined in `docs/model/validation.md`.

mod forecast;
mod interval;
mod scores;

pub use forecast::{Forecast, TrialClock, whose};
pub use scores::{Observed, RELIABILITY_BINS, Reliability, Rival, Score, Scores, Trial, reliability};
