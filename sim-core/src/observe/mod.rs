//! Watching a run without changing it.
//!
//! The model pushes what happens to an [`Observer`]; every method has an empty default, so that an observer
//! that is off costs nothing. Observers cannot influence the run: results are the same with any of them.

mod placements;
mod timeline;

pub use placements::{Explained, Held, Placement, Placements};
pub use timeline::{Mark, MarkKind, NodeTimeline, Sample, Timeline};

use crate::record::{Cause, MemoryClass};
use crate::units::{Bytes, SimTime};

/// Receives what happens in a run. All methods do nothing unless overridden.
pub trait Observer {
    /// Whether [`Observer::memory`] wants to be called at all; lets the model skip gathering the numbers.
    fn wants_memory(&self) -> bool {
        false
    }
    /// Memory of a node by class ([`MemoryClass::ALL`] order) after an event that touched it.
    fn memory(&mut self, _at: SimTime, _node: u32, _classes: &[Bytes; MemoryClass::ALL.len()]) {}
    /// Whether [`Observer::scheduled`] wants to be called at all; lets the model skip the explanations.
    fn wants_placements(&self) -> bool {
        false
    }
    /// Kubernetes' scheduler has tried a pod.
    fn scheduled(&mut self, _at: SimTime, _pod: String, _explained: Explained) {}
    /// A pod that has its node waits for a volume that another node has.
    fn held(&mut self, _at: SimTime, _pod: String, _held: Held) {}
    /// An executor was bound to a node.
    fn placed(&mut self, _at: SimTime, _executor: u32, _node: u32) {}
    /// An executor died.
    fn killed(&mut self, _at: SimTime, _executor: u32, _node: u32, _cause: Cause) {}
    /// A stage attempt started.
    fn stage_started(&mut self, _at: SimTime, _stage: u32, _attempt: u32) {}
    /// A stage attempt ended (completed or failed).
    fn stage_ended(&mut self, _at: SimTime, _stage: u32, _attempt: u32, _ok: bool) {}
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Observer for Nobody {}
