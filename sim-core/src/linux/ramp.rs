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
    /// Non-heap memory that its process has more by its end.
    pub(crate) non_heap: Bytes,
}

/// What a flow has brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Brought {
    /// Heap touched.
    pub heap: Bytes,
    /// tmpfs bytes written.
    pub shmem: Bytes,
    /// Non-heap memory.
    pub non_heap: Bytes,
}

impl FlowRamp {
    /// A flow that starts at virtual time `start`.
    pub fn new(start: f64, work: f64, heap: Bytes, shmem: Bytes) -> Self {
        Self { start, work: work.max(1e-9), heap, shmem, non_heap: Bytes::ZERO }
    }
    /// The same flow, which brings non-heap memory as well: classes that it loads, code that is compiled for it.
    pub(crate) const fn with_non_heap(self, non_heap: Bytes) -> Self {
        Self { non_heap, ..self }
    }
    /// All that it brings.
    pub(crate) const fn whole(&self) -> Brought {
        Brought { heap: self.heap, shmem: self.shmem, non_heap: self.non_heap }
    }
    /// Growth of tmpfs, bytes per core-second of virtual time.
    pub(crate) fn shmem_slope(&self) -> f64 {
        self.shmem.as_f64() / self.work
    }
    /// Growth of all memory together, bytes per core-second of virtual time.
    pub(crate) fn slope(&self) -> f64 {
        (self.heap + self.shmem + self.non_heap).as_f64() / self.work
    }
    /// Share of the work that is done by virtual time `v`.
    pub(crate) fn share(&self, v: f64) -> f64 {
        ((v - self.start) / self.work).clamp(0.0, 1.0)
    }
    /// What it has brought by virtual time `v`.
    pub fn partial(&self, v: f64) -> Brought {
        let share = self.share(v);
        let part = |bytes: Bytes| Bytes::from_f64(bytes.as_f64() * share).min(bytes);
        Brought { heap: part(self.heap), shmem: part(self.shmem), non_heap: part(self.non_heap) }
    }
}

/// The sum of the ramps of a pod, or of a node.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ramp {
    heap_slope: f64,
    heap_offset: f64,
    shmem_slope: f64,
    shmem_offset: f64,
    non_heap_slope: f64,
    non_heap_offset: f64,
    flows: u32,
}

impl Ramp {
    /// Adds a flow.
    pub(crate) fn add(&mut self, flow: &FlowRamp) {
        self.sum(flow, 1.0);
        self.flows += 1;
    }
    /// Takes a flow out. The last one out resets the sums, so that rounding does not pile up.
    pub(crate) fn remove(&mut self, flow: &FlowRamp) {
        self.flows -= 1;
        if self.flows == 0 {
            *self = Self::default();
            return;
        }
        self.sum(flow, -1.0);
    }
    fn sum(&mut self, flow: &FlowRamp, sign: f64) {
        let slope = |bytes: Bytes| sign * bytes.as_f64() / flow.work;
        let (heap, shmem, non_heap) = (slope(flow.heap), slope(flow.shmem), slope(flow.non_heap));
        self.heap_slope += heap;
        self.heap_offset += heap * flow.start;
        self.shmem_slope += shmem;
        self.shmem_offset += shmem * flow.start;
        self.non_heap_slope += non_heap;
        self.non_heap_offset += non_heap * flow.start;
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
    /// Non-heap memory under way at virtual time `v`, bytes.
    pub(crate) fn non_heap(&self, v: f64) -> f64 {
        (self.non_heap_slope * v - self.non_heap_offset).max(0.0)
    }
    /// All memory under way at virtual time `v`, bytes.
    pub(crate) fn sum_at(&self, v: f64) -> f64 {
        self.heap(v) + self.shmem(v) + self.non_heap(v)
    }
    /// All memory under way at virtual time `v`, whole bytes.
    pub(crate) fn bytes(&self, v: f64) -> Bytes {
        if self.is_idle() { Bytes::ZERO } else { Bytes::from_f64(self.sum_at(v)) }
    }
    /// Growth of all memory together, bytes per core-second of virtual time.
    pub(crate) fn slope(&self) -> f64 {
        (self.heap_slope + self.shmem_slope + self.non_heap_slope).max(0.0)
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
        let flows: Vec<FlowRamp> = (0u32..20)
            .map(|i| {
                let flow = FlowRamp::new(f64::from(i) * 0.1, 3.0 + f64::from(i), Bytes::mib(u64::from(i) * 7), Bytes::mib(100 - u64::from(i)));
                flow.with_non_heap(Bytes::mib(u64::from(i) * 3))
            })
            .collect();
        let mut ramp = Ramp::default();
        flows.iter().for_each(|f| ramp.add(f));
        for v in [2.0, 2.5, 2.999] {
            let sum = |of: fn(&Brought) -> Bytes| flows.iter().map(|f| of(&f.partial(v)).as_f64()).sum::<f64>();
            let sums = [(ramp.heap(v), sum(|b| b.heap)), (ramp.shmem(v), sum(|b| b.shmem)), (ramp.non_heap(v), sum(|b| b.non_heap))];
            assert!(sums.into_iter().all(|(ramp, flows)| (ramp - flows).abs() < 40.0), "{sums:?}");
        }
        flows.iter().for_each(|f| ramp.remove(f));
        assert_eq!((ramp.heap(9.0), ramp.slope()), (0.0, 0.0));
    }
}
