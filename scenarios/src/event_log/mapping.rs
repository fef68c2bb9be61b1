//! From the metrics of one recorded task to the work that the model replays.
//!
//! | work | from | kind |
//! | --- | --- | --- |
//! | input, output, shuffle records | the metric of that name | recorded |
//! | shuffle read and write | bytes read (local and remote) and written, converted to lz4 by the codec's ratio (8.2) | recorded, ratio a default |
//! | CPU | Executor Deserialize CPU Time, but for the first tasks of an executor, whose warm-up the model adds, and Executor CPU Time, which is the task thread's own and so has no GC and no waiting in it, less what the codec needs for the bytes of the task and of its spills (8.2) | recorded, rates a default |
//! | writer memory | the SQL metric `data size` of the exchange and 4 bytes a record of length (A25); without it shuffle bytes times 3.4, the ratio of 8.2 (1.6 / 0.47) | recorded or default |
//! | operator memory | Peak Execution Memory, less the writer's when the serialised writer was used (2.1); with spills Memory Bytes Spilled and half of the peak, since what remained at the last spill is not recorded | recorded, half a default |
//! | allocated | 4 bytes per byte of rows in memory, at the largest of rows read, written and scanned; rows that a task makes itself and does not write count 205 bytes each (A25's 128-byte record, 8.2) | default |
//! | unmanaged | 20 MiB a task: readers' buffers and batches (JH-1) | default |
//! | unspillable | none: the log does not say which operator held the memory | default |
//!
//! Run time, GC, fetch wait and spill belong to the cluster that recorded them; they are kept apart and never replayed.
//! Where thread CPU time was not measured, run time less GC, fetch wait and shuffle write time stands in.

use std::collections::BTreeMap;

use sim_core::spec::TaskRow;
use sim_core::units::{Bytes, SimSpan};

use super::events::TaskMetrics;
use crate::codec::Codec;

/// Rows in memory per lz4-compressed shuffle byte where nothing was recorded: 1.6 / 0.47 (8.2).
pub(super) const DEFAULT_EXPANSION: f64 = 3.4;
/// Rows in memory per byte read from storage (8.2).
const INPUT_EXPANSION: f64 = 1.6;
/// Bytes in memory of a row that a task made itself and of which nothing was recorded: 128 B times 1.6 (8.2).
const MADE_ROW: u64 = 205;
/// Heap bytes allocated per byte of rows in memory.
const ALLOCATION: f64 = 4.0;
/// Live bytes of a running task outside managed memory (JH-1).
const UNMANAGED: Bytes = Bytes::mib(20);
/// Share of the recorded CPU time that is left at least when the codec's is taken out.
const CPU_FLOOR: f64 = 0.2;
/// Length prefix of a serialised row, and what the serialised writer holds for it beside: page prefix and pointer (A25, US-2).
const SERIALIZED_PREFIX: u64 = 4;
const WRITER_PER_RECORD: u64 = 4 + 16;
/// One task's amounts are believed up to 1 PiB or 13 days.
const LARGEST: u64 = 1 << 50;

/// How the recording run compressed shuffles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Recorded {
    /// With a codec.
    With(Codec),
    /// Not at all.
    Plain,
}

impl Recorded {
    /// What a configuration says; a codec that Spark does not have is taken for its default.
    pub(super) fn of(conf: &BTreeMap<String, String>) -> Self {
        if conf.get("spark.shuffle.compress").is_some_and(|value| value.eq_ignore_ascii_case("false")) {
            return Self::Plain;
        }
        Self::With(conf.get("spark.io.compression.codec").and_then(|name| Codec::find(name)).unwrap_or(Codec::spark_default()))
    }
    /// Bytes written per byte that lz4 would have written (8.2).
    fn ratio(self) -> f64 {
        match self {
            Self::With(codec) => codec.ratio,
            Self::Plain => DEFAULT_EXPANSION,
        }
    }
    /// CPU seconds to compress and to decompress so many plain bytes.
    fn seconds(self, compressed: f64, decompressed: f64) -> f64 {
        match self {
            Self::With(codec) => compressed / codec.compress + decompressed / codec.decompress,
            Self::Plain => 0.0,
        }
    }
    /// Whether recorded shuffle bytes are not those of lz4.
    pub(super) fn converts(self) -> bool {
        (self.ratio() - 1.0).abs() > f64::EPSILON
    }
    fn to_lz4(self, bytes: u64) -> u64 {
        if self.converts() { (bytes as f64 / self.ratio()) as u64 } else { bytes }
    }
}

/// What the mapping needs to know about the stage.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    pub(super) codec: Recorded,
    /// Rows in memory per lz4 byte of the shuffles that the stage reads.
    pub(super) read_expansion: f64,
    /// Whether the stage writes with the serialised writer, whose memory is part of Peak Execution Memory.
    pub(super) serialized_writer: bool,
    /// Whether the task was among the first on its executor, so that its deserialisation loaded classes.
    pub(super) cold: bool,
    /// Plain bytes of the task's shuffle output, when the SQL metric is there.
    pub(super) data_size: Option<u64>,
}

/// The work of one task.
pub(super) fn task_row(m: &TaskMetrics, context: &Context) -> TaskRow {
    let shuffle_read = context.codec.to_lz4(m.read.remote.0.saturating_add(m.read.local.0)).min(LARGEST);
    let shuffle_write = context.codec.to_lz4(m.write.bytes.0).min(LARGEST);
    let records = m.write.records.0.min(LARGEST);
    let written = writer_memory(shuffle_write, records, context.data_size);
    let read = ((shuffle_read as f64 * context.read_expansion) as u64).min(LARGEST);
    let loading = if context.cold { 0 } else { m.deserialize_cpu_ns.0.min(LARGEST) };
    let operator_memory = operator_memory(m, written, records, context.serialized_writer);
    let scanned = (m.input.bytes.0.min(LARGEST) as f64 * INPUT_EXPANSION) as u64;
    let known = read.max(written).max(scanned);
    let in_memory = if known > 0 { known } else { m.input.records.0.min(LARGEST / MADE_ROW) * MADE_ROW };
    TaskRow {
        input: Bytes::new(m.input.bytes.0.min(LARGEST)),
        shuffle_read: Bytes::new(shuffle_read),
        shuffle_write: Bytes::new(shuffle_write),
        output: Bytes::new(m.output.bytes.0.min(LARGEST)),
        records,
        cpu: SimSpan::from_ns(cpu_ns(m, read, written, context.codec).saturating_add(loading)),
        operator_memory: Bytes::new(operator_memory),
        writer_memory: Bytes::new(written),
        unmanaged: UNMANAGED,
        allocated: Bytes::new((in_memory as f64 * ALLOCATION) as u64),
        unspillable: Bytes::ZERO,
    }
}

fn writer_memory(shuffle_write: u64, records: u64, data_size: Option<u64>) -> u64 {
    match data_size {
        Some(size) if size > 0 => size.min(LARGEST) + records.min(LARGEST / SERIALIZED_PREFIX) * SERIALIZED_PREFIX,
        _ => (shuffle_write as f64 * DEFAULT_EXPANSION) as u64,
    }
}

fn operator_memory(m: &TaskMetrics, written: u64, records: u64, serialized_writer: bool) -> u64 {
    let spilled = m.spill_memory.0.min(LARGEST);
    let peak = m.peak_execution.0.min(LARGEST);
    let held = if spilled == 0 { peak } else { spilled + peak / 2 };
    let writer = if serialized_writer { written.saturating_add(records.saturating_mul(WRITER_PER_RECORD)) } else { 0 };
    held.saturating_sub(writer)
}

fn cpu_ns(m: &TaskMetrics, read: u64, written: u64, codec: Recorded) -> u64 {
    let recorded = if m.cpu_ns.0 > 0 {
        m.cpu_ns.0
    } else {
        let busy_ms = m.run_ms.0.saturating_sub(m.gc_ms.0).saturating_sub(m.read.wait_ms.0);
        busy_ms.saturating_mul(1_000_000).saturating_sub(m.write.time_ns.0)
    };
    let recorded = recorded.min(LARGEST) as f64;
    let spilled = m.spill_memory.0.min(LARGEST) as f64;
    let codec_s = codec.seconds(written as f64 + spilled, read as f64 + spilled);
    (recorded - codec_s * 1e9).max(recorded * CPU_FLOOR) as u64
}

#[cfg(test)]
mod tests {
    use super::super::number::Count;
    use super::*;

    fn context(data_size: Option<u64>) -> Context {
        Context { codec: Recorded::of(&BTreeMap::new()), read_expansion: 2.0, serialized_writer: false, cold: false, data_size }
    }

    #[test]
    fn codec_time_is_not_work_and_gc_is_not_in_cpu_time() {
        let mut m = TaskMetrics { cpu_ns: Count(2_000_000_000), run_ms: Count(5000), gc_ms: Count(1000), ..TaskMetrics::default() };
        // 275 MB written at 275 MB/s and 425 MB of lz4 read, 850 MB plain, at 850 MB/s: one second each, so the floor holds.
        m.write.bytes = Count(100_000_000);
        m.read.local = Count(425_000_000);
        let row = task_row(&m, &context(Some(275_000_000)));
        assert_eq!(row.cpu, SimSpan::from_ms(400));
        m.cpu_ns = Count(10_000_000_000);
        assert_eq!(task_row(&m, &context(Some(275_000_000))).cpu, SimSpan::from_ms(8000));
        m.cpu_ns = Count(0);
        assert_eq!(task_row(&m, &context(Some(275_000_000))).cpu, SimSpan::from_ms(2000), "run time without GC stands in");
    }

    #[test]
    fn spilled_bytes_count_as_memory_that_the_rows_would_hold() {
        let mut m = TaskMetrics { peak_execution: Count(100 << 20), ..TaskMetrics::default() };
        assert_eq!(task_row(&m, &context(None)).operator_memory, Bytes::mib(100));
        m.spill_memory = Count(300 << 20);
        assert_eq!(task_row(&m, &context(None)).operator_memory, Bytes::mib(350));
    }

    /// A25: 2 000 000 rows of 208 B; the serialised writer's pages and index are not an operator's.
    #[test]
    fn a25_the_serialised_writers_memory_is_taken_out_of_the_peak() {
        let mut m = TaskMetrics { peak_execution: Count(2_000_000 * 232 + (64 << 20)), ..TaskMetrics::default() };
        m.write.records = Count(2_000_000);
        let context = Context { serialized_writer: true, ..context(Some(2_000_000 * 208)) };
        let row = task_row(&m, &context);
        assert_eq!(row.writer_memory, Bytes::new(2_000_000 * 212));
        assert_eq!(row.operator_memory, Bytes::mib(64));
    }

    #[test]
    fn zstd_bytes_become_lz4_bytes() {
        let conf = BTreeMap::from([("spark.io.compression.codec".to_owned(), "zstd".to_owned())]);
        let mut m = TaskMetrics::default();
        m.write.bytes = Count(53_000_000);
        let row = task_row(&m, &Context { codec: Recorded::of(&conf), ..context(None) });
        assert_eq!(row.shuffle_write, Bytes::new(100_000_000));
    }

    #[test]
    fn absurd_numbers_are_capped() {
        let all = Count(u64::MAX);
        let mut m = TaskMetrics { cpu_ns: all, peak_execution: all, spill_memory: all, ..TaskMetrics::default() };
        m.write.bytes = all;
        m.write.records = all;
        m.read.remote = all;
        m.read.local = all;
        m.input.bytes = all;
        let row = task_row(&m, &context(Some(u64::MAX)));
        assert!(row.writer_memory.get() <= 2 * LARGEST && row.allocated.get() <= 16 * LARGEST);
    }
}
