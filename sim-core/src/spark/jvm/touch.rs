//! How much of the heap becomes resident.
//!
//! With `-Xms` = `-Xmx` the heap is committed at the start, but a page costs memory only once it is first touched, and is never
//! given back (JVM-4): resident heap is a high-water mark. Allocation walks through the young generation and touches it up
//! to its largest size; live data in the old generation comes on top. On real executors (Java 17, G1, heaps of 512 to
//! 1024 MiB) the process converged to its non-heap memory plus about 0.60 of the heap plus live old data, never more
//! than non-heap plus the heap (measured). The approach follows the curve of JH-2 at a measured speed.

use crate::spec::Collector;
use crate::units::Bytes;

/// Heap committed for each byte of tenured data when the heap may grow, and its spread. G1: between 1.4, where little survives, and 2.7, where
/// much is promoted (measured, docs/model/heap-touch.md). Serial: 1.5, because the young generation is half of the old one
/// (`NewRatio` = 2), as real executors show whose sorts tenure their pages (docs/model/validation.md).
pub const fn heap_growth(collector: Collector) -> (f64, f64) {
    match collector {
        Collector::G1 | Collector::Parallel => (2.1, 0.3),
        Collector::Serial => (1.5, 0.12),
    }
}
/// Without `-Xms` a heap starts at this part of the RAM that the JVM sees: `InitialRAMFraction` = 64 (JDK 17 default).
const INITIAL_RAM_PARTS: u64 = 64;

/// Progress towards the ceiling for each byte allocated, relative to a heap that is walked through once: 0.8, from 0.54 to
/// 1.05 on real executors (measured, docs/model/heap-touch.md).
const TOUCH_SPEED: f64 = 0.8;

/// Largest share of the heap that the young generation takes: G1 `G1MaxNewSizePercent` = 60 %, and 0.64 with what it
/// leaves behind (measured on real executors, standard deviation 0.06); Serial and Parallel `NewRatio` = 2, a third (JDK 17 default).
pub fn default_young_share(collector: Collector) -> f64 {
    match collector {
        Collector::G1 => 0.64,
        Collector::Parallel | Collector::Serial => 1.0 / 3.0,
    }
}

/// Resident heap that allocation converges to: `min(heap, young_share · heap + old_live)`. `heap` is what is committed:
/// `-Xmx` when `-Xms` equals it, else [`committed_on_demand`].
pub fn touch_ceiling(heap: Bytes, young_share: f64, old_live: Bytes) -> Bytes {
    heap.min(Bytes::new(heap.scale(young_share).get().saturating_add(old_live.get())))
}

/// Heap bytes newly touched for each byte allocated: `0.8 · max(0, (ceiling − touched) / ceiling)`, JH-2 in differential form.
pub fn touch_per_allocated(touched: Bytes, ceiling: Bytes) -> f64 {
    if ceiling.is_zero() {
        return 0.0;
    }
    TOUCH_SPEED * ceiling.saturating_sub(touched).as_f64() / ceiling.as_f64()
}

/// Resident heap after `allocated` more bytes: the solution of [`touch_per_allocated`] under a constant ceiling,
/// `ceiling − (ceiling − touched) · exp(−0.8 · allocated / ceiling)`. It never shrinks (JVM-4).
pub fn touched_after(touched: Bytes, ceiling: Bytes, allocated: Bytes) -> Bytes {
    let rest = ceiling.saturating_sub(touched);
    if rest.is_zero() {
        return touched;
    }
    let left = rest.as_f64() * libm::exp(-TOUCH_SPEED * allocated.as_f64() / ceiling.as_f64());
    touched + rest.saturating_sub(Bytes::from_f64(left))
}

/// Heap that a JVM without `-Xms` commits for so much tenured data: `growth` times it ([`heap_growth`]), from 1/64 of the
/// RAM that it sees up to `-Xmx` (JDK 17 defaults). A full collection may give back the rest (JVM-4).
pub fn committed_on_demand(xmx: Bytes, ram: Bytes, live: Bytes, growth: f64) -> Bytes {
    let start = Bytes::new(ram.get() / INITIAL_RAM_PARTS);
    Bytes::from_f64(live.as_f64() * growth.max(1.0)).max(start).min(xmx)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g1_touches_its_young_share_and_live_data_but_no_more_than_the_heap() {
        let ceiling = |old| touch_ceiling(Bytes::mib(1000), default_young_share(Collector::G1), Bytes::mib(old));
        assert_eq!([ceiling(0), ceiling(150), ceiling(400), ceiling(900)].map(Bytes::whole_mib), [640, 790, 1000, 1000]);
        assert_eq!(touch_ceiling(Bytes::mib(900), default_young_share(Collector::Serial), Bytes::ZERO), Bytes::mib(300));
    }

    #[test]
    fn jh_2_the_slope_falls_to_zero_at_the_ceiling() {
        let ceiling = Bytes::mib(800);
        assert!((touch_per_allocated(Bytes::ZERO, ceiling) - TOUCH_SPEED).abs() < 1e-12);
        assert!((touch_per_allocated(Bytes::mib(400), ceiling) - TOUCH_SPEED / 2.0).abs() < 1e-12);
        for touched in [800, 900] {
            assert!(touch_per_allocated(Bytes::mib(touched), ceiling).abs() < 1e-12);
        }
        assert!(touch_per_allocated(Bytes::ZERO, Bytes::ZERO).abs() < 1e-12);
    }

    /// The closed form against 100 000 small steps of the slope.
    #[test]
    fn jh_2_the_curve_solves_its_slope() {
        let (start, ceiling) = (Bytes::mib(100), Bytes::mib(700));
        for total in [50, 700, 3000] {
            let step = Bytes::mib(total).as_f64() / 100_000.0;
            let mut touched = start.as_f64();
            for _ in 0..100_000 {
                touched += step * touch_per_allocated(Bytes::from_f64(touched), ceiling);
            }
            let closed = touched_after(start, ceiling, Bytes::mib(total)).as_f64();
            assert!((closed - touched).abs() < 1e-4 * ceiling.as_f64(), "{total}: {closed} against {touched}");
        }
    }

    #[test]
    fn jvm_4_resident_heap_never_shrinks() {
        assert_eq!(touched_after(Bytes::mib(784), Bytes::mib(300), Bytes::gib(9)), Bytes::mib(784));
        assert_eq!(touched_after(Bytes::mib(5), Bytes::mib(300), Bytes::ZERO), Bytes::mib(5));
    }

    #[test]
    fn a_heap_without_xms_grows_with_live_data_between_its_bounds() {
        let committed = |live| committed_on_demand(Bytes::gib(8), Bytes::gib(64), Bytes::mib(live), 2.0).whole_mib();
        assert_eq!([committed(0), committed(1200), committed(7000)], [1024, 2400, 8192]);
    }
}
