//! What the recorded tasks allocated, from the collections of the recording run.
//!
//! No metric tells how much a task allocates on the heap, but each young collection of G1 means that an eden was used up: the first seven
//! are small ones, the others take six tenths of the heap (docs/model/heap-touch.md). The median count of the executors, times those
//! edens, is what an executor allocated; what starting and warming up take is taken off; the rest is shared out over the stages by the
//! time that their tasks waited for collections. A stage without a collection only passes rows on through pages.
//! Only for executors with G1 whose heap was at its full size, by `-Xms` or by the resident set: elsewhere eden has no known size, and the default stays.

use sim_core::spark::jvm;
use sim_core::units::Bytes;

use crate::profile::{Evidence, Held, RecordedRows, Stage, WeightedRow, Work, parse_spark_bytes};

/// Small edens before G1 lets eden grow, and the share of the heap that eden then takes (JDK 17: `G1MaxNewSizePercent` = 60).
const SMALL_COLLECTIONS: f64 = 7.0;
const FULL_EDEN: f64 = 0.6;
/// Share of its default that a stage allocates at least: 0.2 bytes for each byte of rows, which shuffles and sorts move from page to page
/// (0.1 to 0.3 in executors that repartitioned and sorted; docs/model/heap-touch.md).
const PASSED_ON: f64 = 0.05;
/// Factors beyond it describe something else than these tasks.
const LARGEST_FACTOR: f64 = 100.0;

/// Sets what the tasks of each stage allocated. Nothing changes where the log does not tell.
pub(super) fn share_out(stages: &mut [Stage], evidence: &Evidence, sql: bool) {
    let Some(allocated) = allocated(evidence, sql) else { return };
    let waited: u64 = stages.iter().map(gc_ms).sum();
    if waited == 0 {
        return;
    }
    for stage in stages {
        let share = gc_ms(stage) as f64 / waited as f64;
        if let Work::Recorded(rows) = &mut stage.work {
            *rows = with_share(rows, allocated.as_f64() * share);
        }
    }
}

/// A stage's rows with so many bytes allocated by all of them, but for a least part of their default, in the proportions that they had.
fn with_share(rows: &RecordedRows, allocated: f64) -> RecordedRows {
    let default: f64 = rows.iter().map(|row| row.total.allocated.as_f64()).sum();
    let factor = (allocated / default.max(1.0)).clamp(PASSED_ON, LARGEST_FACTOR);
    let scaled = |mut row: WeightedRow| {
        row.total.allocated = row.total.allocated.scale(factor);
        row
    };
    rows.iter().map(scaled).collect()
}

fn gc_ms(stage: &Stage) -> u64 {
    stage.pressure.as_ref().map_or(0, |pressure| pressure.gc_ms)
}

/// Bytes that tasks allocated on all executors together.
fn allocated(evidence: &Evidence, sql: bool) -> Option<Bytes> {
    let at_full_size = || evidence.xms_equals_xmx == Some(true) || evidence.calibration(sql, Bytes::new(1), Held::default()).young_share.is_some();
    if evidence.collector.as_deref() != Some("g1") || !at_full_size() {
        return None;
    }
    let heap = evidence.conf.get("spark.executor.memory").and_then(|text| parse_spark_bytes(text)).filter(|heap| !heap.is_zero())?;
    let mut counts: Vec<u64> = evidence.executors.iter().map(|executor| executor.young_collections).filter(|count| *count > 0).collect();
    counts.sort_unstable();
    let median = *counts.get(counts.len() / 2)?;
    let each = heap.scale(heaps(median)).saturating_sub(jvm::STARTED + jvm::WARM_UP);
    Some(each * counts.len() as u64)
}

/// Heaps allocated when so many young collections are over: eden is half used up, on average.
fn heaps(collections: u64) -> f64 {
    let late = collections as f64 - SMALL_COLLECTIONS;
    if late < 0.0 { jvm::SMALL_EDENS * (collections as f64 + 0.5) / SMALL_COLLECTIONS } else { jvm::SMALL_EDENS + FULL_EDEN * (late + 0.5) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use sim_core::spec::TaskRow;

    use super::*;
    use crate::profile::ExecutorEvidence;

    fn evidence(collector: &str, counts: &[u64]) -> Evidence {
        let executor = |count: &u64| ExecutorEvidence { young_collections: *count, ..ExecutorEvidence::default() };
        Evidence {
            conf: BTreeMap::from([("spark.executor.memory".to_owned(), "1000m".to_owned())]),
            executors: counts.iter().map(executor).collect(),
            collector: Some(collector.to_owned()),
            xms_equals_xmx: Some(true),
            ..Evidence::default()
        }
    }

    /// Ten collections of a heap of 1000 MiB: 350 in small edens, three full ones of 600 and half of the next.
    #[test]
    fn collections_count_what_was_allocated() {
        assert!((heaps(10) - (0.35 + 3.5 * 0.6)).abs() < 1e-9 && (heaps(3) - 0.175).abs() < 1e-9);
        let started = (jvm::STARTED + jvm::WARM_UP).whole_mib();
        assert_eq!(allocated(&evidence("g1", &[10, 9, 14]), true).map(Bytes::whole_mib), Some(3 * (2450 - started)), "the median of three executors");
        assert_eq!(allocated(&evidence("serial", &[10]), true), None, "eden of a heap that grows has no known size");
        assert_eq!(allocated(&evidence("g1", &[0, 0]), true), None, "not recorded");
    }

    /// Two tasks keep their proportion; a stage without a collection keeps a twentieth of its default.
    #[test]
    fn a_stage_gets_its_share_and_never_nothing() {
        let row = |mib| WeightedRow::unseen(1, TaskRow { allocated: Bytes::mib(mib), ..TaskRow::ZERO });
        let rows: RecordedRows = [row(300), row(700)].into_iter().collect();
        let shared = |mib: u64| with_share(&rows, Bytes::mib(mib).as_f64()).iter().map(|row| row.total.allocated.whole_mib()).collect::<Vec<_>>();
        assert_eq!(shared(500), [150, 350]);
        assert_eq!(shared(0), [15, 35]);
    }
}
