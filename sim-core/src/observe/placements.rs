//! Every decision of the scheduler in a run, with its table and what would have been without each rule.
//!
//! A pod that waits is tried again and again; only its first refusal is kept, with the number of tries, and the decision that
//! ends its wait. Gathering the tables costs the watched run time, and no other.

use super::Observer;
use crate::kube::scheduler::{Alternative, Decision};
use crate::units::{Bytes, CoreMillis, SimSpan, SimTime};

/// A cycle of the scheduler, explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// CPU request of the pod.
    pub cpu: CoreMillis,
    /// Memory request of the pod.
    pub memory: Bytes,
    /// What was decided, and why.
    pub decision: Decision,
    /// What would have been decided without each rule.
    pub without: Vec<Alternative>,
}

/// A volume that keeps a pod in `ContainerCreating`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The volume's name in the pod.
    pub volume: String,
    /// Index of the node that has it.
    pub node: usize,
    /// Until it is detached from there; `None` while pods there use it.
    pub wait: Option<SimSpan>,
}

/// What was decided about a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// When it was tried first with this outcome.
    pub at: SimTime,
    /// The pod's name.
    pub pod: String,
    /// How often it was tried with this outcome in a row.
    pub tries: u32,
    /// The first of these cycles.
    pub explained: Explained,
    /// What it waited for on its node.
    pub held: Option<Held>,
}

/// An observer that keeps the scheduler's decisions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placements {
    /// In order.
    pub all: Vec<Placement>,
}

impl Observer for Placements {
    fn wants_placements(&self) -> bool {
        true
    }

    fn scheduled(&mut self, at: SimTime, pod: String, explained: Explained) {
        let last = self.all.iter_mut().rev().find(|placement| placement.pod == pod);
        match last {
            Some(waiting) if waiting.explained.decision.node.is_none() && explained.decision.node.is_none() => waiting.tries += 1,
            _ => self.all.push(Placement { at, pod, tries: 1, explained, held: None }),
        }
    }

    fn held(&mut self, _at: SimTime, pod: String, held: Held) {
        if let Some(placement) = self.all.iter_mut().rev().find(|placement| placement.pod == pod) {
            placement.held = Some(held);
        }
    }
}
