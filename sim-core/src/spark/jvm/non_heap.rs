//! Memory that an executor's JVM needs outside its heap.
//!
//! Metaspace, code cache, collector structures that grow with the heap, thread stacks, symbols and arenas, and direct
//! buffers. The sum comes from real executors of Spark 3.5 on Java 17 with heaps of 0.5 to 2 GiB; they spread by about
//! 8 %, which the caller draws. SQL applications load 40 MiB more classes than pure RDD ones. The planning budget of
//! domain-facts, which is higher, stands beside it. Source: docs/model/heap-touch.md; 1.7, JVM-10, A21.

use crate::spec::Collector;
use crate::units::Bytes;

/// Fixed part of an executor that runs SQL beside its threads: real executors have 158 to 223 MiB in all at heaps of 0.5 to
/// 2 GiB (measured, Spark 3.5, Java 17, docs/model/heap-touch.md).
const BASE_SQL: Bytes = Bytes::mib(143);
/// Metaspace that an application without SQL saves: 70 instead of 110 MiB (1.7).
const NO_SQL_SAVES: Bytes = Bytes::mib(40);
/// Collector structures and bitmaps, by heap (measured as above).
const PER_HEAP: f64 = 0.03;
/// What Serial does without, beside what grows with the heap: threads and queues of a collector (measured as above).
const SERIAL_SAVES: Bytes = Bytes::mib(4);
/// Fixed part and part by heap of the planning budget (JVM-10).
const BUDGET: (Bytes, f64) = (Bytes::mib(250), 0.04);
/// Resident stack of a thread: 0.1 MiB (1.7).
const PER_THREAD_MIB: f64 = 0.1;

/// Non-heap memory that an executor of Spark SQL does not have before its tasks: classes and compiled code of the first ones, and what later ones add
/// (measured by CPU time of 40 executors: 36 and 10 MiB where all is 0.82 of the usual; docs/model/heap-touch.md). Without SQL the saving is in the first part.
const BY_FIRST_TASKS: Bytes = Bytes::mib(44);
const BY_LATER_TASKS: Bytes = Bytes::mib(12);
/// Core-seconds of tasks in which the later part comes (measured as above).
const LATER_CORE_SECONDS: f64 = 10.0;

/// Non-heap memory that an executor which has registered does not have yet.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ToCome {
    /// By its first task.
    loads: Bytes,
    /// By later ones.
    ages: Bytes,
}

impl ToCome {
    /// Of an executor whose non-heap memory is `factor` times what is usual.
    pub(crate) fn at_start(sql: bool, factor: f64) -> Self {
        let loads = if sql { BY_FIRST_TASKS } else { BY_FIRST_TASKS.saturating_sub(NO_SQL_SAVES) };
        Self { loads: loads.scale(factor), ages: BY_LATER_TASKS.scale(factor) }
    }
    /// All of it.
    pub(crate) fn sum(&self) -> Bytes {
        self.loads + self.ages
    }
    /// What a step of so many core-seconds brings; the first task's part if it `loads` classes.
    pub(crate) fn take(&mut self, loads: bool, core_seconds: f64) -> Bytes {
        if self.sum().is_zero() {
            return Bytes::ZERO;
        }
        let loaded = if loads { std::mem::take(&mut self.loads) } else { Bytes::ZERO };
        let aged = self.ages.min(BY_LATER_TASKS.scale(core_seconds / LATER_CORE_SECONDS));
        self.ages -= aged;
        loaded + aged
    }
    /// A step was cut off before it had brought all.
    pub(crate) fn give_back(&mut self, is_warm: bool, bytes: Bytes) {
        *(if is_warm { &mut self.ages } else { &mut self.loads }) += bytes;
    }
}

/// Threads of an executor: `60 + 2 · cores` (1.7).
pub const fn threads(cores: u32) -> u32 {
    60 + cores.saturating_mul(2)
}

/// Non-heap memory: `143 MiB + 0.03 · heap + 0.1 MiB · threads + direct`, 40 MiB less without SQL (measured, 1.7); Serial has no structures
/// that grow with the heap: `139 MiB + …` (measured, 145 to 150 MiB in all at 0.5 and 1 GiB). `direct` is the direct memory in use, see
/// [`crate::spark::fetch_limits::direct_memory`]; it is not bounded by the overhead (JVM-11).
pub fn non_heap(heap: Bytes, threads: u32, direct: Bytes, sql: bool, collector: Collector) -> Bytes {
    let base = if sql { BASE_SQL } else { BASE_SQL - NO_SQL_SAVES };
    let own = match collector {
        Collector::G1 | Collector::Parallel => base + heap.scale(PER_HEAP),
        Collector::Serial => base - SERIAL_SAVES,
    };
    own + Bytes::mib(1).scale(PER_THREAD_MIB * f64::from(threads)) + direct
}

/// What a cautious planner sets aside: `250 MiB + 0.04 · heap + 0.1 MiB · threads + direct` (JVM-10). It comes from one JVM that
/// was driver and executor at once, and lies about 100 MiB above real executors; the model uses [`non_heap`].
pub fn non_heap_budget(heap: Bytes, threads: u32, direct: Bytes) -> Bytes {
    BUDGET.0 + heap.scale(BUDGET.1) + Bytes::mib(1).scale(PER_THREAD_MIB * f64::from(threads)) + direct
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spark::sizing::container_memory;
    use crate::spark::sizing::tests::scala;

    fn mib(bytes: Bytes) -> f64 {
        bytes.as_f64() / f64::from(1 << 20)
    }
    fn budget(heap_gib: u64) -> f64 {
        mib(non_heap_budget(Bytes::gib(heap_gib), 80, Bytes::mib(100)))
    }
    fn container(heap_gib: u64) -> f64 {
        container_memory(&scala(heap_gib * 1024)).total_mib as f64
    }

    #[test]
    fn a21_durable_tmpfs_budget_of_12g_and_16g() {
        assert!((budget(12) - 849.5).abs() < 0.05);
        let durable = |heap: u64| (container(heap) - heap as f64 * 1024.0 - budget(heap)).round();
        for (gib, mib) in [(12, 378.0), (16, 625.0)] {
            assert!((durable(gib) - mib).abs() < 0.5, "{gib} GiB: {}", durable(gib));
        }
        assert!((container(16) - container(12) - 4506.0).abs() < 0.5);
    }

    /// The table of 7.2: container, non-heap, scratch capacity at 60 % and at 100 % of the heap touched, in whole MiB of which
    /// some are rounded and some truncated.
    #[test]
    fn jvm_10_reproduces_the_table_of_scratch_capacities() {
        let table = [
            (4, 4505, 522, 1525, -113),
            (8, 9011, 686, 3410, 133),
            (12, 13_516, 850, 5293, 378),
            (16, 18_022, 1013, 7179, 625),
            (32, 36_044, 1669, 14_714, 1607),
        ];
        for (gib, limit, non_heap, at_60, at_100) in table {
            let heap = (gib * 1024) as f64;
            for (ours, expected) in [
                (container(gib), limit),
                (budget(gib), non_heap),
                (container(gib) - 0.6 * heap - budget(gib), at_60),
                (container(gib) - heap - budget(gib), at_100),
            ] {
                assert!((ours - f64::from(expected)).abs() < 1.0, "{gib} GiB: {ours} against {expected}");
            }
        }
    }

    /// Medians of real executors, docs/model/heap-touch.md: 158–180, 175–186 and 223 MiB.
    #[test]
    fn real_executors_of_half_to_two_gib() {
        for (heap, low, high) in [(512, 150.0, 185.0), (1024, 165.0, 195.0), (2048, 200.0, 235.0)] {
            let ours = mib(non_heap(Bytes::mib(heap), threads(1), Bytes::ZERO, true, Collector::G1));
            assert!((low..high).contains(&ours), "{heap} MiB: {ours}");
        }
    }

    /// Two executors of docs/model/heap-touch.md: 146 MiB at 512 MiB of heap, 150 at 1024.
    #[test]
    fn serial_needs_the_same_for_any_heap() {
        for (heap, measured) in [(512, 146.0), (1024, 150.0)] {
            let ours = mib(non_heap(Bytes::mib(heap), threads(1), Bytes::ZERO, true, Collector::Serial));
            assert!((ours / measured - 1.0).abs() < 0.04, "{heap} MiB: {ours}");
        }
    }

    /// An executor of SQL gets 44 MiB with its first task, and 12 more in ten core-seconds; half as large a step brings half as much.
    #[test]
    fn non_heap_memory_comes_with_the_first_task_and_slowly_after_it() {
        let mut to_come = ToCome::at_start(true, 1.0);
        assert_eq!(to_come.sum(), Bytes::mib(56));
        assert_eq!([(true, 0.0), (true, 5.0), (false, 2.5)].map(|(loads, s)| to_come.take(loads, s)), [Bytes::mib(44), Bytes::mib(6), Bytes::mib(3)]);
        to_come.give_back(true, Bytes::mib(3));
        assert_eq!([99.0, 1.0].map(|s| to_come.take(false, s)), [Bytes::mib(6), Bytes::ZERO]);
        to_come.give_back(false, Bytes::mib(7));
        assert_eq!((to_come.take(true, 0.0), to_come.sum()), (Bytes::mib(7), Bytes::ZERO));
        assert_eq!(ToCome::at_start(false, 2.0).sum(), Bytes::mib(32), "RDDs load what SQL does not");
    }

    #[test]
    fn rdd_applications_save_40_mib_of_metaspace() {
        let of = |sql| non_heap(Bytes::gib(1), threads(4), Bytes::ZERO, sql, Collector::G1);
        assert_eq!(of(true) - of(false), Bytes::mib(40));
        assert_eq!(threads(4), 68);
    }
}
