//! What the recording run says of the memory of this workload's executors.
//!
//! Spark's process-tree metrics give the resident set of an executor's JVM, the JVM's own metrics what it uses outside the heap.
//! From them follow, for each executor: non-heap memory, the model's figure with the metaspace and code cache that this workload
//! really used; touched heap, the resident set less that and less file pages that are mapped but not charged; from touched
//! heap either the *young share* (if more than half of `-Xmx` was touched, so the young generation was at full size) or the
//! *growth* of a heap that was still growing. Metrics are polled, so peaks are missed and never overstated: the upper half of the
//! executors counts. Without process-tree metrics there is no heap calibration, and the documented defaults hold.

use sim_core::spark::jvm;
use sim_core::spec::Collector;
use sim_core::units::Bytes;

use super::{Evidence, ExecutorEvidence, parse_spark_bytes};

/// Pages of files (libraries, jars, the shared class archive) in a JVM's resident set that a memory cgroup does not charge as
/// anonymous: 12 to 24 MiB, median 20, in 37 executors of Spark 3.5 on Java 17 of which both were recorded.
const MAPPED_FILES: Bytes = Bytes::mib(20);
/// Metaspace and code cache in use in the executors from which the model's non-heap memory was taken (67 to 72 MiB), and 40 less without SQL.
const USED_SQL: Bytes = Bytes::mib(70);
const USED_RDD: Bytes = Bytes::mib(30);
/// Least standard deviations: what executors of one build differ by (docs/model/heap-touch.md).
const YOUNG_SPREAD: f64 = 0.05;
const GROWTH_SPREAD: f64 = 0.15;
const NON_HEAP_SPREAD: f64 = 0.08;
/// Spread of the speed with which executors of one build touch their heap (docs/model/heap-touch.md).
const ALLOCATION_SPREAD: f64 = 0.3;
/// Share of a heap that a young generation of full size has at least: `G1MaxNewSizePercent` (heap-touch.md measured 0.61 and more).
const YOUNG_LEAST: f64 = 0.6;
/// A profile that allocates so little describes something else.
const LARGEST_FACTOR: f64 = 100.0;

/// A mean with its spread over executors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Mean of the upper half of the executors; for non-heap memory of all.
    pub mean: f64,
    /// Standard deviation, at least that of executors of one build.
    pub sd: f64,
    /// Executors that it comes from.
    pub executors: usize,
}

/// The most that one task of the profile holds in the heap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Pages of its operators, which are tenured.
    pub pages: Bytes,
    /// States of an object hash aggregate that does not sort: a task has these or pages.
    pub states: Bytes,
    /// Buffers and batches, which die young.
    pub buffers: Bytes,
}

impl Held {
    /// The larger of each.
    #[must_use]
    pub(crate) fn most(self, other: Self) -> Self {
        Self { pages: self.pages.max(other.pages), states: self.states.max(other.states), buffers: self.buffers.max(other.buffers) }
    }
}

/// Inputs of the memory model, as far as the recording run shows them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Calibration {
    /// `heap_young_share`: share of the heap that the young generation touches.
    pub young_share: Option<Measured>,
    /// `heap_growth`: heap committed for each byte of live data by a heap that may grow.
    pub heap_growth: Option<Measured>,
    /// `non_heap`: non-heap memory relative to the model's.
    pub non_heap: Option<Measured>,
    /// `allocation`: bytes allocated relative to the profile's, where executors touched more of their heap than the profile's would.
    pub allocation: Option<Measured>,
}

impl Evidence {
    /// What the executors' peaks say of the memory model's inputs. `allocated` is what the profile's tasks allocate all together, `held` what
    /// the largest of them holds in the heap, for executors of which nobody knows what they ran.
    pub fn calibration(&self, sql: bool, allocated: Bytes, held: Held) -> Calibration {
        let heap = self.conf.get("spark.executor.memory").and_then(|text| parse_spark_bytes(text)).filter(|heap| !heap.is_zero());
        let Some(heap) = heap else { return Calibration::default() };
        let collector = self.collector.as_deref().map_or(Collector::G1, collector);
        let observed: Vec<Observed> = self.executors.iter().filter_map(|executor| Observed::of(executor, heap, sql, collector, held)).collect();
        let off_heap = self.conf.get("spark.memory.offHeap.enabled").is_some_and(|on| on.trim().eq_ignore_ascii_case("true"));
        let touched = |keep: fn(&Observed) -> Option<f64>| if off_heap { Vec::new() } else { observed.iter().filter_map(keep).collect() };
        let young_share = upper_half(touched(|seen| seen.young_share), YOUNG_SPREAD);
        Calibration {
            allocation: young_share.and_then(|young| allocation(young, heap, allocated, &self.executors)),
            young_share,
            heap_growth: if self.xms_equals_xmx == Some(true) { None } else { upper_half(touched(|seen| seen.growth), GROWTH_SPREAD) },
            non_heap: measured(&observed.iter().filter_map(|seen| seen.non_heap).collect::<Vec<_>>(), NON_HEAP_SPREAD),
        }
    }
}

/// A collector by the name that scenarios give it.
fn collector(name: &str) -> Collector {
    match name {
        "serial" => Collector::Serial,
        "parallel" => Collector::Parallel,
        _ => Collector::G1,
    }
}

/// Bytes that executors allocated in the recording run, relative to what the profile's tasks would: at least so much that the young generation
/// reached its largest size, which the resident set says that it did. None where the profile's allocations are enough.
fn allocation(young: Measured, heap: Bytes, allocated: Bytes, executors: &[ExecutorEvidence]) -> Option<Measured> {
    let reached = heap.scale(young.mean + jvm::SMALL_EDENS).saturating_sub(jvm::STARTED + jvm::WARM_UP);
    let factor = reached.as_f64() * executors.len() as f64 / allocated.as_f64().max(1.0);
    (factor > 1.0 && factor < LARGEST_FACTOR).then_some(Measured { mean: factor, sd: ALLOCATION_SPREAD * factor, executors: young.executors })
}

/// What one executor shows.
#[derive(Clone, Copy, Debug, Default)]
struct Observed {
    young_share: Option<f64>,
    growth: Option<f64>,
    non_heap: Option<f64>,
}

impl Observed {
    fn of(executor: &ExecutorEvidence, heap: Bytes, sql: bool, collector: Collector, held: Held) -> Option<Self> {
        if executor.non_heap_peak.is_zero() {
            // The executor ended before its first heartbeat with metrics, or the version has none.
            return None;
        }
        let usual = jvm::non_heap(heap, jvm::threads(executor.cores), Bytes::ZERO, sql, collector);
        let used = if sql { USED_SQL } else { USED_RDD };
        let non_heap = usual.saturating_sub(used) + executor.non_heap_peak;
        let mut seen = Self { non_heap: Some(non_heap.as_f64() / usual.as_f64()), ..Self::default() };
        if executor.jvm_rss_peak.is_zero() {
            return Some(seen);
        }
        let beside = non_heap + executor.direct_peak + MAPPED_FILES;
        let touched = executor.jvm_rss_peak.saturating_sub(beside).max(executor.heap_peak).min(heap);
        // Metrics are polled and miss what a task held for a moment; the profile knows it, of the executor's own tasks if it tells.
        let held = if executor.most_held == Held::default() { held } else { executor.most_held };
        let tasks = u64::from(executor.cores.max(1));
        let tenured = jvm::BASE_LIVE + executor.storage_peak + executor.execution_peak.max(held.pages * tasks);
        let kept = tenured.max(jvm::BASE_LIVE + executor.storage_peak + held.states * tasks);
        let young = touched.saturating_sub(kept).as_f64() / heap.as_f64();
        if touched.as_f64() > 0.5 * heap.as_f64() {
            // A young generation of less than its largest size was still growing.
            seen.young_share = Some(young.clamp(YOUNG_LEAST, 1.0));
        } else if touched > kept + held.buffers * tasks {
            // All that is committed, or what is tenured and a young generation that is a known share of it.
            let ratio = touched.as_f64() / tenured.as_f64();
            seen.growth = Some(ratio.max((ratio - 1.0) / jvm::default_young_share(collector)));
        }
        Some(seen)
    }
}

/// The mean of the upper half: the others were polled before their peak, or had less to do.
fn upper_half(mut values: Vec<f64>, least: f64) -> Option<Measured> {
    values.sort_by(f64::total_cmp);
    let below = values.len() / 2;
    measured(&values[below..], least)
}

fn measured(values: &[f64], least: f64) -> Option<Measured> {
    let n = values.len();
    if n == 0 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n as f64;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n.max(2) - 1) as f64;
    Some(Measured { mean, sd: variance.sqrt().max(least * mean), executors: n })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(heap: &str, rss: &[u64], execution: u64) -> Evidence {
        let executor = |rss: &u64| ExecutorEvidence {
            id: "1".to_owned(),
            cores: 1,
            non_heap_peak: Bytes::mib(70),
            execution_peak: Bytes::mib(execution),
            jvm_rss_peak: Bytes::mib(*rss),
            ..ExecutorEvidence::default()
        };
        let conf = std::collections::BTreeMap::from([("spark.executor.memory".to_owned(), heap.to_owned())]);
        Evidence { conf, executors: rss.iter().map(executor).collect(), ..Evidence::default() }
    }

    /// An executor made by the model's own arithmetic gives back the share that it was made with.
    #[test]
    fn the_share_that_made_the_resident_set_comes_back() {
        let heap = Bytes::mib(1024);
        let non_heap = jvm::non_heap(heap, jvm::threads(1), Bytes::ZERO, true, Collector::G1);
        for share in [0.62, 0.64, 0.8] {
            let rss = non_heap + MAPPED_FILES + jvm::resident_heap(heap, heap.scale(share), jvm::BASE_LIVE + Bytes::mib(40));
            let young = evidence("1g", &[rss.whole_mib()], 40)
                .calibration(true, Bytes::gib(1 << 10), Held::default())
                .young_share
                .expect("more than half is touched")
                .mean;
            assert!((young - share).abs() < 2.0 / 1024.0, "{share}: {young}");
        }
    }

    /// Pages and states are held by different tasks, and a task with many states elsewhere says nothing of this executor.
    #[test]
    fn an_executor_is_measured_by_what_its_own_tasks_held() {
        let heap = Bytes::mib(1024);
        let (own, elsewhere) = (
            Held { pages: Bytes::mib(40), states: Bytes::mib(30), buffers: Bytes::mib(20) },
            Held { pages: Bytes::mib(40), states: Bytes::mib(300), buffers: Bytes::mib(20) },
        );
        let non_heap = jvm::non_heap(heap, jvm::threads(1), Bytes::ZERO, true, Collector::G1);
        let rss = non_heap + MAPPED_FILES + jvm::resident_heap(heap, heap.scale(0.7), jvm::BASE_LIVE + Bytes::mib(40));
        let mut run = evidence("1g", &[rss.whole_mib()], 0);
        let young = |run: &Evidence| run.calibration(true, Bytes::gib(1 << 10), elsewhere).young_share.expect("more than half is touched").mean;
        assert!((young(&run) - YOUNG_LEAST).abs() < 1e-9, "who does not know takes the largest task of the run");
        run.executors[0].most_held = own;
        assert!((young(&run) - 0.7).abs() < 2.0 / 1024.0, "{}", young(&run));
    }

    #[test]
    fn a_heap_that_still_grows_says_nothing_of_a_full_young_generation() {
        let calibration = evidence("512m", &[294, 288, 270, 300], 31).calibration(true, Bytes::gib(1 << 10), Held::default());
        assert_eq!(calibration.young_share, None);
        let growth = calibration.heap_growth.expect("resident sets are there");
        assert!(growth.executors == 2 && (1.5..2.5).contains(&growth.mean), "{growth:?}");
        let full = Evidence { xms_equals_xmx: Some(true), ..evidence("512m", &[294, 288], 31) };
        assert_eq!(full.calibration(true, Bytes::gib(1 << 10), Held::default()).heap_growth, None, "a heap that began at its full size does not grow");
    }

    /// Executors of a full heap allocated at least the small edens and the large one; starting and warming up are no task's.
    #[test]
    fn a_full_heap_took_as_much_as_it_holds() {
        let full = evidence("1g", &[900, 910], 0);
        let young = full.calibration(true, Bytes::gib(1 << 10), Held::default()).young_share.expect("more than half is touched").mean;
        let factor = full.calibration(true, Bytes::gib(1), Held::default()).allocation.expect("the heap is full").mean;
        let expected = 2.0 * (0.35 + young - (110.0 + 80.0) / 1024.0);
        assert!((factor - expected).abs() < 1e-6, "{factor} and {expected}");
        assert_eq!(full.calibration(true, Bytes::gib(100), Held::default()).allocation, None, "the profile allocates enough");
    }

    #[test]
    fn more_classes_are_more_non_heap_memory_and_no_metrics_are_no_calibration() {
        let mut more = evidence("1g", &[0], 0);
        assert!((more.calibration(true, Bytes::gib(1 << 10), Held::default()).non_heap.expect("JVM metrics").mean - 1.0).abs() < 1e-9);
        more.executors[0].non_heap_peak = Bytes::mib(170);
        let usual = jvm::non_heap(Bytes::gib(1), jvm::threads(1), Bytes::ZERO, true, Collector::G1);
        let factor = more.calibration(true, Bytes::gib(1 << 10), Held::default()).non_heap.expect("JVM metrics").mean;
        assert!((factor * usual.as_f64() - usual.as_f64() - f64::from(100 << 20)).abs() < 1.0);
        assert_eq!(more.calibration(true, Bytes::gib(1 << 10), Held::default()).young_share, None, "no process-tree metrics");
        more.executors[0].non_heap_peak = Bytes::ZERO;
        assert_eq!(more.calibration(true, Bytes::gib(1 << 10), Held::default()), Calibration::default());
    }
}
