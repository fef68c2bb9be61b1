//! What a heap can hold, and the time that collecting it takes.
//!
//! Collectors differ in what they report as the maximum and in how full of live data the heap may get before an allocation
//! fails. Both were measured with a small program on `OpenJDK` 17 (heaps of 0.5 to 8 GiB; live arrays of 1 kB and of 16 MiB).
//! The cost of collection grows as live data nears the heap's size; its constant is a guess to calibrate.
//! Source: MEM-5, JH-1, JH-3.

use crate::spec::Collector;
use crate::units::Bytes;

/// Live data of an executor beside its tasks: 25 to 40 MiB in the old generation of real executors (measured, Spark 3.5,
/// Java 17; JH-1 recalls 150 to 250 MiB, which real ones do not reach).
pub const BASE_LIVE: Bytes = Bytes::mib(30);
/// Largest share of time that collection may take, so that work always goes on (JH-3: above one half is thrashing).
pub const GC_SHARE_MAX: f64 = 0.9;
/// Share of time at which live data fills half of the heap (JH-3, a guess).
const GC_COST: f64 = 0.03;

/// What `Runtime.maxMemory()` gives for an `-Xmx`, the `heap` of [`crate::spark::unified_memory::unified_region`] (MEM-5).
/// G1 reports all of it. Serial leaves out one survivor space, a tenth of the young third. Parallel leaves out an eighth of the
/// young third when `-Xms` equals `-Xmx`, a third of it otherwise (all measured, JDK 17, within 0.1 %).
pub fn max_memory(xmx: Bytes, collector: Collector, xms_equals_xmx: bool) -> Bytes {
    let survivor = match (collector, xms_equals_xmx) {
        (Collector::G1, _) => return xmx,
        (Collector::Serial, _) => xmx.get() / 30,
        (Collector::Parallel, true) => xmx.get() / 24,
        (Collector::Parallel, false) => xmx.get() / 9,
    };
    Bytes::new(xmx.get() - survivor)
}

/// Part of `-Xmx` that live data can fill before `Java heap space` (JH-1). Measured: G1 0.975 to 0.997 (lower with large
/// arrays and small heaps), Serial 0.94 to 0.966, Parallel 0.83 to 0.92.
pub const fn usable_fraction(collector: Collector) -> f64 {
    match collector {
        Collector::G1 => 0.975,
        Collector::Serial => 0.96,
        Collector::Parallel => 0.90,
    }
}

/// Live data beyond which an allocation fails with `Java heap space`, exit code 52 (6.6, JH-1).
pub fn usable_heap(xmx: Bytes, collector: Collector) -> Bytes {
    xmx.scale(usable_fraction(collector))
}

/// Share of an executor's CPU time that goes into collection: `0.03 · live / (heap − live)`, at most [`GC_SHARE_MAX`] (JH-3).
pub fn gc_share(live: Bytes, heap: Bytes) -> f64 {
    let room = heap.saturating_sub(live);
    if room.is_zero() {
        return if live.is_zero() { 0.0 } else { GC_SHARE_MAX };
    }
    (GC_COST * live.as_f64() / room.as_f64()).min(GC_SHARE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `Runtime.maxMemory()` printed by `OpenJDK` 17.0.15.
    #[test]
    fn mem_5_max_memory_as_measured() {
        let measured = [
            (Collector::G1, false, 8 << 30, 8_589_934_592),
            (Collector::Parallel, false, 512 << 20, 477_626_368),
            (Collector::Parallel, false, 8 << 30, 7_635_730_432),
            (Collector::Parallel, true, 512 << 20, 514_850_816),
            (Collector::Parallel, true, 4 << 30, 4_116_185_088),
            (Collector::Serial, false, 512 << 20, 518_979_584),
            (Collector::Serial, true, 4 << 30, 4_151_836_672_u64),
        ];
        for (collector, xms, xmx, reported) in measured {
            let ours = max_memory(Bytes::new(xmx), collector, xms).as_f64();
            assert!((ours / reported as f64 - 1.0).abs() < 1e-3, "{collector:?} {xmx}: {ours} against {reported}");
        }
    }

    #[test]
    fn jh_1_a_heap_is_never_wholly_usable() {
        for collector in [Collector::G1, Collector::Parallel, Collector::Serial] {
            let heap = Bytes::gib(4);
            assert!(usable_heap(heap, collector) < heap);
        }
        assert_eq!(usable_heap(Bytes::new(1000), Collector::G1), Bytes::new(975));
    }

    #[test]
    fn jh_3_collection_costs_little_until_the_heap_is_nearly_full() {
        let share = |live| gc_share(Bytes::mib(live), Bytes::mib(1000));
        assert!((share(500) - 0.03).abs() < 1e-12);
        assert!((share(400) - 0.02).abs() < 1e-12, "the log of q72 had 2 %");
        assert!(share(950) > 0.5, "thrashing");
        for live in [1000, 2000] {
            assert!((share(live) - GC_SHARE_MAX).abs() < f64::EPSILON);
        }
        assert!(gc_share(Bytes::ZERO, Bytes::ZERO).abs() < f64::EPSILON);
    }
}
