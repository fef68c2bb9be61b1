//! What a heap can hold, and the time that collecting it takes.
//!
//! Collectors differ in what they report as the maximum and in how full of live data the heap may get before an allocation
//! fails. Both were measured with a small program on `OpenJDK` 17 (heaps of 0.5 to 8 GiB; live arrays of 1 kB and of 16 MiB).
//! The cost of collection follows allocation and grows as live data nears the heap's size; it was measured, too.
//! Source: MEM-5, JH-1, JH-3; docs/model/gc-cost.md.

use crate::spec::Collector;
use crate::units::Bytes;

/// Live data of an executor beside its tasks: 25 to 40 MiB in the old generation of real executors (measured, Spark 3.5,
/// Java 17; JH-1 recalls 150 to 250 MiB, which real ones do not reach).
pub const BASE_LIVE: Bytes = Bytes::mib(30);
/// The same when it registers (measured as above, 24.6 MiB in two of them).
pub const STARTED_LIVE: Bytes = Bytes::mib(24);
/// Largest share of time that collection may take: at 98 % the Parallel collector gives up (`GC overhead limit exceeded`,
/// 6.6), which is within a thousandth of where the heap is full, so it is no death of its own here.
pub const GC_SHARE_MAX: f64 = 0.98;
/// Core-seconds of collection for each GiB allocated: without live data, and for each multiple of the free room that is live. Measured
/// with G1 and Serial where a twentieth of what is allocated survives; a tenth of it to three times that with none or a third
/// (docs/model/gc-cost.md). Parallel, which was not measured, compacts as Serial does.
const fn gc_seconds_per_gib(collector: Collector) -> (f64, f64) {
    match collector {
        Collector::G1 => (0.09, 0.15),
        Collector::Serial | Collector::Parallel => (0.1, 0.4),
    }
}

/// Core-seconds of one full collection for each GiB that is live: the free room is allocated once between two of them, so this is the
/// second measured term of their cost. A pause is as long where one thread collects, shorter where several do.
pub const fn full_collection_s_per_gib(collector: Collector) -> f64 {
    gc_seconds_per_gib(collector).1
}

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

/// Core-seconds of collection for so many bytes allocated: `GiB · (a + b · live / (usable − live))`, at most [`GC_SHARE_MAX`] of the time
/// when the task itself works for `work` core-seconds. The first term is young collections, the second marking and full collections, which
/// come the more often the less room the live set leaves (measured, docs/model/gc-cost.md; the form is JH-3 by allocation).
pub fn gc_seconds(live: Bytes, heap: Bytes, collector: Collector, allocated: Bytes, work: f64) -> f64 {
    let most = work * GC_SHARE_MAX / (1.0 - GC_SHARE_MAX);
    let room = usable_heap(heap, collector).saturating_sub(live);
    if room.is_zero() {
        return if allocated.is_zero() { 0.0 } else { most };
    }
    let (young, full) = gc_seconds_per_gib(collector);
    (allocated.as_gib() * (young + full * live.as_f64() / room.as_f64())).min(most)
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

    /// JH-3 by allocation: a task that allocates 0.4 GiB in each core-second spends 5 % of its time on collection with half of the heap
    /// live, more than half of it with 95 %, and the limit where nothing is free.
    #[test]
    fn jh_3_collection_costs_little_until_the_heap_is_nearly_full() {
        let seconds = |live, gib| gc_seconds(Bytes::mib(live), Bytes::mib(1000), Collector::G1, Bytes::gib(1).scale(gib), 1.0);
        let share = |live| seconds(live, 0.4) / (1.0 + seconds(live, 0.4));
        assert!((0.02..0.05).contains(&share(100)), "{}", share(100));
        assert!((0.05..0.12).contains(&share(500)), "{}", share(500));
        assert!(share(950) > 0.5, "thrashing");
        for live in [975, 2000] {
            assert!((share(live) - GC_SHARE_MAX).abs() < 1e-9);
        }
        assert!(seconds(2000, 0.0).abs() < f64::EPSILON, "who allocates nothing is not held up");
    }
}
