//! The loop and the dispatch.

use crate::observe::Observer;
use crate::plan::SimPlan;
use crate::record::Outcome;

/// Addresses one replication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunKey {
    /// Master seed.
    pub seed: u64,
    /// Replication number.
    pub replication: u64,
}

/// A reusable simulator of one plan.
#[derive(Debug)]
pub struct Simulator<'p> {
    _plan: &'p SimPlan,
}

impl<'p> Simulator<'p> {
    /// A simulator that can run any replication of the plan.
    pub fn new(plan: &'p SimPlan) -> Self {
        Self { _plan: plan }
    }
    /// Runs one replication.
    pub fn run(&mut self, key: RunKey) -> Outcome {
        self.run_observed(key, &mut crate::observe::Nobody)
    }
    /// Runs one replication under observation; the outcome is the same.
    pub fn run_observed<O: Observer>(&mut self, _key: RunKey, _observer: &mut O) -> Outcome {
        unimplemented!()
    }
}
