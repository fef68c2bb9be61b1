//! Container memory: heap, overhead, off-heap and `PySpark` in whole MiB, as Spark adds them up (1.5).

use sim_core::units::Bytes;

/// How the overhead follows from the heap when it is not set outright.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct OverheadFactor {
    /// Share of the heap (POD-2, POD-3).
    pub(crate) factor: f64,
    /// Smallest overhead (POD-1).
    pub(crate) minimum: Bytes,
}

/// What a container's memory is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ContainerParts {
    /// `-Xmx`.
    pub(crate) heap: Bytes,
    /// Overhead.
    pub(crate) overhead: Bytes,
    /// Sum with off-heap and `PySpark` memory: request and limit (POD-4).
    pub(crate) total: Bytes,
}

/// Adds a container up; an `overhead` that is set is absolute.
pub(crate) fn container(heap: Bytes, overhead: Option<Bytes>, rule: OverheadFactor, off_heap: Bytes, pyspark: Bytes) -> ContainerParts {
    let heap_mib = heap.whole_mib();
    let overhead_mib = overhead.map_or_else(|| ((rule.factor * heap_mib as f64) as u64).max(rule.minimum.whole_mib()), Bytes::whole_mib);
    let total = heap_mib + overhead_mib + off_heap.whole_mib() + pyspark.whole_mib();
    ContainerParts { heap, overhead: Bytes::mib(overhead_mib), total: Bytes::mib(total) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(heap_mib: u64, factor: f64, overhead_mib: Option<u64>, off_heap_mib: u64, pyspark_mib: u64) -> u64 {
        let rule = OverheadFactor { factor, minimum: Bytes::mib(384) };
        container(Bytes::mib(heap_mib), overhead_mib.map(Bytes::mib), rule, Bytes::mib(off_heap_mib), Bytes::mib(pyspark_mib)).total.whole_mib()
    }

    // A1, A2, A3 and POD-8.
    #[test]
    fn a1_a2_a3_pod_memory() {
        for (parts, expected) in [
            (total(8192, 0.1, None, 0, 0), 9011),
            (total(2048, 0.1, None, 0, 0), 2432),
            (total(3072, 0.1, None, 0, 0), 3456),
            (total(3840, 0.1, None, 0, 0), 4224),
            (total(10500, 0.1, None, 0, 0), 11550),
            (total(8192, 0.1, Some(3072), 4096, 0), 15360),
            (total(8192, 0.4, None, 0, 0), 11468),
            (total(8192, 0.4, None, 0, 2048), 13516),
        ] {
            assert_eq!(parts, expected);
        }
    }
}
