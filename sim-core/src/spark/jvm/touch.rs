//! How much of the heap becomes resident.
//!
//! With `-Xms` = `-Xmx` the heap is committed at the start, but a page costs memory only once it is first touched, and is never
//! given back (JVM-4): resident heap is a high-water mark of the young generation and of what is live beside it. G1's young generation is a
//! stair with one step: eden keeps its least size until the collector knows its pauses to be short, then takes its largest at once, and
//! allocation walks through that byte for byte, up to 0.60 of the heap. Parallel and Serial have one size of eden from the start. The
//! steps were measured on real executors and loads (Java 17, heaps of 512 to 2048 MiB; docs/model/heap-touch.md).

use crate::spec::Collector;
use crate::units::Bytes;

/// Heap committed for each byte of tenured data when the heap may grow, and its spread. G1: between 1.4, where little survives, and 2.7, where
/// much is promoted (measured, docs/model/heap-touch.md). Serial: 2.5, because a full collection leaves the old
/// generation 1 / 0.6 of what is live (`MinHeapFreeRatio` = 40, JDK 17 default) and the young one is half of that (`NewRatio` = 2); executors whose sorts tenure their
/// pages have it within 0.1 (measured, docs/model/heap-touch.md).
pub const fn heap_growth(collector: Collector) -> (f64, f64) {
    match collector {
        Collector::G1 | Collector::Parallel => (2.1, 0.3),
        Collector::Serial => (2.5, 0.1),
    }
}
/// Share of what is allocated that outlives a young collection and dies in the old generation (measured, docs/model/heap-touch.md).
const PROMOTED: f64 = 0.0065;
/// Share of the heap at which G1 marks its old generation.
const MARKED_AT: f64 = 0.45;
/// Without `-Xms` a heap starts at this part of the RAM that the JVM sees: `InitialRAMFraction` = 64 (JDK 17 default).
const INITIAL_RAM_PARTS: u64 = 64;

/// Least eden of G1 as a share of the heap: `G1NewSizePercent` = 5 (JDK 17 default).
const SMALL_EDEN: f64 = 0.05;
/// Heaps that are allocated in edens of the least size before G1 lets eden grow: about seven of them, by then its pauses are known to be short. The
/// median of executors, 0.31 to 0.46 in eight of them (measured, docs/model/heap-touch.md).
pub const SMALL_EDENS: f64 = 0.35;
/// Bytes that an executor of Spark SQL allocates until it registers: classes, configuration, the RPC environment (measured, docs/model/heap-touch.md).
pub const STARTED: Bytes = Bytes::mib(110);
/// What the first task of each slot allocates beside its rows: classes, generated code (measured, docs/model/heap-touch.md).
pub const WARM_UP: Bytes = Bytes::mib(80);

/// Largest share of the heap that the young generation takes: G1 `G1MaxNewSizePercent` = 60 %, and 0.64 with what it
/// leaves behind (measured on real executors, standard deviation 0.06); Parallel `NewRatio` = 2, a third; Serial `SurvivorRatio` = 8, eight tenths of a third,
/// because little of its survivor spaces is ever touched (JDK 17 defaults; measured, docs/model/heap-touch.md).
pub fn default_young_share(collector: Collector) -> f64 {
    match collector {
        Collector::G1 => 0.64,
        Collector::Parallel => 1.0 / 3.0,
        Collector::Serial => 0.8 / 3.0,
    }
}

/// The part of the young generation that has been walked through when a step ends. `allocated` is what the JVM has allocated since its start, the
/// step included, of which `step` by the step itself; `walked` what had been walked through before. G1: least edens first ([`SMALL_EDENS`]), then
/// on to `young_share` of the heap. Others use the whole of a young generation that may have grown since: a step walks no further than it allocates.
pub fn young_touched(collector: Collector, heap: Bytes, young_share: f64, allocated: Bytes, walked: Bytes, step: Bytes) -> Bytes {
    let full = heap.scale(young_share);
    let reached = match collector {
        Collector::G1 => heap.scale(SMALL_EDEN).min(allocated) + allocated.saturating_sub(heap.scale(SMALL_EDENS)),
        Collector::Parallel | Collector::Serial => walked + step,
    };
    walked.max(full.min(reached))
}

/// What the old generation of a heap that grows on demand has held: what is tenured, or what the executor keeps and the garbage that outlived young
/// collections by chance, 0.65 % of what the JVM has allocated, until the old generation, 1 / 0.6 of what it keeps, is full and collected
/// (`MinHeapFreeRatio` = 40, JDK 17 default). Pages of sorts come and go, and garbage finds room where they were.
pub fn old_generation(kept: Bytes, tenured: Bytes, allocated: Bytes) -> Bytes {
    let garbage = allocated.scale(PROMOTED).min(kept.scale(1.0 / 0.6 - 1.0));
    tenured.max(kept + garbage)
}

/// Old generation of G1 with what has died there: marking, and with it the collection of old regions, begins when it holds 45 % of the heap
/// (`InitiatingHeapOccupancyPercent` = 45, JDK 17 default). Serial and Parallel, which collect theirs when it is full, are taken for the same.
pub fn with_dead(heap: Bytes, tenured: Bytes, dead: Bytes) -> Bytes {
    tenured.max((tenured + dead).min(heap.scale(MARKED_AT)))
}

/// Resident heap: the young generation as far as it was walked through, and what is tenured beside it; no more than the heap.
pub fn resident_heap(heap: Bytes, young: Bytes, tenured: Bytes) -> Bytes {
    heap.min(Bytes::new(young.get().saturating_add(tenured.get())))
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

    /// The stair of docs/model/heap-touch.md: a heap of 1000 MiB keeps edens of 50 until 350 are allocated, then every byte is new up to 640.
    #[test]
    fn jh_2_g1_keeps_small_edens_and_then_walks_to_its_largest() {
        let young = |allocated| young_touched(Collector::G1, Bytes::mib(1000), 0.64, Bytes::mib(allocated), Bytes::ZERO, Bytes::ZERO).whole_mib();
        assert_eq!([0, 30, 50, 200, 350, 450, 940, 941, 9000].map(young), [0, 30, 50, 50, 50, 150, 640, 640, 640]);
    }

    /// A third of 900 MiB is walked through by as much allocation; when the heap has grown to 1200, the next 40 are all that 40 bytes walk through.
    #[test]
    fn jh_2_other_collectors_walk_through_what_their_young_generation_grew_by() {
        let young = |heap, walked, step| {
            let (walked, step) = (Bytes::mib(walked), Bytes::mib(step));
            young_touched(Collector::Serial, Bytes::mib(heap), 1.0 / 3.0, Bytes::gib(9), walked, step).whole_mib()
        };
        assert_eq!(
            [(900, 0, 100), (900, 100, 500), (1200, 300, 40), (1200, 340, 500), (600, 340, 9)].map(|(h, w, s)| young(h, w, s)),
            [100, 300, 340, 400, 340]
        );
    }

    /// JH-2: in a heap of 1000 MiB garbage beside 100 tenured stays until both are 450; what is tenured beyond that is there.
    #[test]
    fn jh_2_states_that_died_stay_until_the_old_generation_is_marked() {
        let old = |tenured, dead| with_dead(Bytes::mib(1000), Bytes::mib(tenured), Bytes::mib(dead)).whole_mib();
        assert_eq!([old(100, 0), old(100, 200), old(100, 900), old(600, 900)], [100, 300, 450, 600]);
    }

    /// JH-2: an executor under Serial that keeps 30 MiB has 6.5 more for each 1000 MiB that it allocates, up to two thirds of 30; pages of 40 MiB are more.
    #[test]
    fn jh_2_garbage_that_was_promoted_stays_until_the_old_generation_is_full() {
        let old = |tenured, allocated| old_generation(Bytes::mib(30), Bytes::mib(tenured), Bytes::mib(allocated)).whole_mib();
        assert_eq!([old(30, 0), old(30, 2000), old(30, 9000), old(70, 9000)], [30, 43, 50, 70]);
    }

    #[test]
    fn resident_heap_is_young_and_live_and_no_more_than_the_heap() {
        let resident = |young, live| resident_heap(Bytes::mib(1000), Bytes::mib(young), Bytes::mib(live)).whole_mib();
        assert_eq!([resident(50, 30), resident(640, 150), resident(640, 500)], [80, 790, 1000]);
    }

    #[test]
    fn a_heap_without_xms_grows_with_live_data_between_its_bounds() {
        let committed = |live| committed_on_demand(Bytes::gib(8), Bytes::gib(64), Bytes::mib(live), 2.0).whole_mib();
        assert_eq!([committed(0), committed(1200), committed(7000)], [1024, 2400, 8192]);
    }
}
