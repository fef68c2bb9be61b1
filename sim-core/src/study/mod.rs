//! Many replications of one plan, in parallel, folded into estimates.
//!
//! A replication is a function of (plan, seed, replication number) alone. Workers run rounds of replications;
//! outcomes are folded in index order whatever order they finish in, so `--jobs` cannot change a digit. A
//! probability is never given without its interval and n: proportions carry exact (Clopper–Pearson) intervals,
//! means carry normal ones, quantiles carry order-statistic ones. Sequential stopping works in whole rounds.
//! This is the only place in this crate that knows of threads (rayon).

mod estimate;
mod fold;
mod replicate;
pub mod score;

pub use estimate::{Estimate, Summary};
pub use fold::{CauseEstimates, PointResult};
pub use replicate::{Progress, Study, StudyEnd, StudyResult, run_study};
