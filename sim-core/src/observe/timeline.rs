//! Node memory over time, with the marks a chart needs.
//!
//! Samples are thinned to a stated number a node: a new sample within the resolution replaces the last one
//! unless it is a local peak, so that no peak before a kill is lost.

use super::Observer;
use crate::record::{Cause, MemoryClass};
use crate::units::{Bytes, SimSpan, SimTime};

/// One sample of a node's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When.
    pub at: SimTime,
    /// By class, in [`MemoryClass::ALL`] order.
    pub classes: [Bytes; MemoryClass::ALL.len()],
}

impl Sample {
    /// Memory that cannot be reclaimed: everything but page cache.
    pub fn unreclaimable(&self) -> Bytes {
        self.classes[..MemoryClass::PageCache as usize].iter().copied().sum()
    }
}

/// The samples of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeTimeline {
    /// Samples in order of time.
    pub samples: Vec<Sample>,
}

/// What a mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    /// An executor was bound.
    Placed {
        /// Executor number.
        executor: u32,
    },
    /// An executor died.
    Killed {
        /// Executor number.
        executor: u32,
        /// Why.
        cause: Cause,
    },
    /// A stage attempt started.
    StageStarted {
        /// Stage index.
        stage: u32,
        /// Attempt number, 0 first.
        attempt: u32,
    },
    /// A stage attempt ended.
    StageEnded {
        /// Stage index.
        stage: u32,
        /// Attempt number, 0 first.
        attempt: u32,
        /// Whether it completed.
        ok: bool,
    },
}

/// Something to mark on the chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub at: SimTime,
    /// Node index, for placements and deaths.
    pub node: Option<u32>,
    /// What.
    pub kind: MarkKind,
}

/// An observer that keeps node memory and marks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    /// By node index.
    pub nodes: Vec<NodeTimeline>,
    /// In order of time.
    pub marks: Vec<Mark>,
    resolution: SimSpan,
}

impl Timeline {
    /// A timeline that keeps about one sample per `resolution` and node.
    pub fn new(resolution: SimSpan) -> Self {
        Self { nodes: Vec::new(), marks: Vec::new(), resolution }
    }
}

impl Observer for Timeline {
    fn wants_memory(&self) -> bool {
        true
    }

    fn memory(&mut self, at: SimTime, node: u32, classes: &[Bytes; MemoryClass::ALL.len()]) {
        let index = node as usize;
        if self.nodes.len() <= index {
            self.nodes.resize_with(index + 1, NodeTimeline::default);
        }
        let samples = &mut self.nodes[index].samples;
        let sample = Sample { at, classes: *classes };
        if let [.., before, last] = samples.as_slice() {
            let is_peak = last.unreclaimable() > before.unreclaimable() && last.unreclaimable() > sample.unreclaimable();
            if at.since(before.at) < self.resolution && !is_peak {
                samples.pop();
            }
        }
        samples.push(sample);
    }

    fn placed(&mut self, at: SimTime, executor: u32, node: u32) {
        self.marks.push(Mark { at, node: Some(node), kind: MarkKind::Placed { executor } });
    }

    fn killed(&mut self, at: SimTime, executor: u32, node: u32, cause: Cause) {
        self.marks.push(Mark { at, node: Some(node), kind: MarkKind::Killed { executor, cause } });
    }

    fn stage_started(&mut self, at: SimTime, stage: u32, attempt: u32) {
        self.marks.push(Mark { at, node: None, kind: MarkKind::StageStarted { stage, attempt } });
    }

    fn stage_ended(&mut self, at: SimTime, stage: u32, attempt: u32, ok: bool) {
        self.marks.push(Mark { at, node: None, kind: MarkKind::StageEnded { stage, attempt, ok } });
    }
}
