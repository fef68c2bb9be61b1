//! Blocks of storage memory.

use crate::ids::ExecutorId;
use crate::sim::Sim;

/// Takes notice of what execution or other blocks have evicted.
pub(crate) fn evicted(sim: &mut Sim, executor: ExecutorId) {
    sim.executors[executor].memory.take_evicted();
}
