//! Straight ramps of memory between events.
//!
//! A computing task touches heap and writes tmpfs pages in proportion to its progress. All CPU flows of a node
//! progress by the same virtual time `V` (core-seconds served to each), so the memory that is under way in a
//! pod is one straight line in `V`: `Σ dᵢ·(V − Vᵢ) = slope·V − offset`, whatever the number of tasks. Adding or
//! taking a task changes slope and offset; a change of the CPU's share changes only `dV/dt`. What a flow has
//! brought when it ends is posted to the ledger in whole bytes, so rounding never accumulates there.
//! Assumption: a step brings its memory at an even pace, so between its ends a level is off by at most the step's own bytes.
//! Sketch: 12 tasks of 100 MB each over 2 s of CPU give 600 MB/s, and a limit 3 GiB away is 5.4 s off.

use crate::units::Bytes;

/// What a flow brings while it runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct FlowRamp {
    /// Virtual time at which the flow started.
    start: f64,
    /// Work of the flow, core-seconds.
    work: f64,
    /// Heap touched by its end.
    pub(crate) heap: Bytes,
    /// tmpfs bytes written by its end.
    pub(crate) shmem: Bytes,
}

impl FlowRamp {
    /// A flow that starts at virtual time `start`.
    pub fn new(start: f64, work: f64, heap: Bytes, shmem: Bytes) -> Self {
        Self { start, work: work.max(1e-9), heap, shmem }
    }
    /// Growth of tmpfs, bytes per core-second of virtual time.
    pub(crate) fn shmem_slope(&self) -> f64 {
        self.shmem.as_f64() / self.work
    }
    /// Growth of heap and tmpfs together, bytes per core-second of virtual time.
    pub(crate) fn slope(&self) -> f64 {
        (self.heap + self.shmem).as_f64() / self.work
    }
    /// Share of the work that is done by virtual time `v`.
    pub(crate) fn share(&self, v: f64) -> f64 {
        ((v - self.start) / self.work).clamp(0.0, 1.0)
    }
    /// Heap and tmpfs bytes brought by virtual time `v`.
    pub fn partial(&self, v: f64) -> (Bytes, Bytes) {
        let share = self.share(v);
        (Bytes::from_f64(self.heap.as_f64() * share).min(self.heap), Bytes::from_f64(self.shmem.as_f64() * share).min(self.shmem))
    }
}

/// The sum of the ramps of a pod, or of a node.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ramp {
    heap_slope: f64,
    heap_offset: f64,
    shmem_slope: f64,
    shmem_offset: f64,
    flows: u32,
}

impl Ramp {
    /// Adds a flow.
    pub(crate) fn add(&mut self, flow: &FlowRamp) {
        let (heap, shmem) = (flow.heap.as_f64() / flow.work, flow.shmem.as_f64() / flow.work);
        self.heap_slope += heap;
        self.heap_offset += heap * flow.start;
        self.shmem_slope += shmem;
        self.shmem_offset += shmem * flow.start;
        self.flows += 1;
    }
    /// Takes a flow out. The last one out resets the sums, so that rounding does not pile up.
    pub(crate) fn remove(&mut self, flow: &FlowRamp) {
        self.flows -= 1;
        if self.flows == 0 {
            *self = Self::default();
            return;
        }
        let (heap, shmem) = (flow.heap.as_f64() / flow.work, flow.shmem.as_f64() / flow.work);
        self.heap_slope -= heap;
        self.heap_offset -= heap * flow.start;
        self.shmem_slope -= shmem;
        self.shmem_offset -= shmem * flow.start;
    }
    /// Whether nothing is under way.
    pub(crate) const fn is_idle(&self) -> bool {
        self.flows == 0
    }
    /// Heap under way at virtual time `v`, bytes.
    pub(crate) fn heap(&self, v: f64) -> f64 {
        (self.heap_slope * v - self.heap_offset).max(0.0)
    }
    /// tmpfs under way at virtual time `v`, bytes.
    pub(crate) fn shmem(&self, v: f64) -> f64 {
        (self.shmem_slope * v - self.shmem_offset).max(0.0)
    }
    /// Heap and tmpfs under way at virtual time `v`, whole bytes.
    pub(crate) fn bytes(&self, v: f64) -> Bytes {
        if self.is_idle() { Bytes::ZERO } else { Bytes::from_f64(self.heap(v) + self.shmem(v)) }
    }
    /// Growth of heap and tmpfs together, bytes per core-second of virtual time.
    pub(crate) fn slope(&self) -> f64 {
        (self.heap_slope + self.shmem_slope).max(0.0)
    }
    /// Growth of tmpfs, bytes per core-second of virtual time.
    pub(crate) fn shmem_slope(&self) -> f64 {
        self.shmem_slope.max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_ramps_is_the_sum_of_the_flows_partials() {
        let flows: Vec<FlowRamp> =
            (0u32..20).map(|i| FlowRamp::new(f64::from(i) * 0.1, 3.0 + f64::from(i), Bytes::mib(u64::from(i) * 7), Bytes::mib(100 - u64::from(i)))).collect();
        let mut ramp = Ramp::default();
        flows.iter().for_each(|f| ramp.add(f));
        for v in [2.0, 2.5, 2.999] {
            let heap: f64 = flows.iter().map(|f| f.partial(v).0.as_f64()).sum();
            let shmem: f64 = flows.iter().map(|f| f.partial(v).1.as_f64()).sum();
            assert!((ramp.heap(v) - heap).abs() < 40.0 && (ramp.shmem(v) - shmem).abs() < 40.0);
        }
        flows.iter().for_each(|f| ramp.remove(f));
        assert_eq!((ramp.heap(9.0), ramp.slope()), (0.0, 0.0));
    }
}
