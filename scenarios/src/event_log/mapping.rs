//! From the metrics of one recorded task to the work that the model replays.
//!
//! | work | from | kind |
//! | --- | --- | --- |
//! | input, output, shuffle records | the metric of that name | recorded |
//! | shuffle read and write | bytes read (local and remote) and written, converted to lz4 by the codec's ratio (8.2) | recorded, ratio a default |
//! | CPU | Executor Deserialize CPU Time, but for the first tasks of an executor, whose warm-up the model adds, and Executor CPU Time, which is the task thread's own and so has no GC and no waiting in it, less what the codec needs for the bytes of the task and of its spills (8.2) | recorded, rates a default |
//! | writer memory | the SQL metric `data size` of the exchange and 4 bytes a record of length (A25); where the sort writer was the only user of execution memory, the objects that it collected: Peak Execution Memory or, with spills, Memory Bytes Spilled over the part of the output that they wrote; else shuffle bytes times 3.4, the ratio of 8.2 (1.6 / 0.47) | recorded or default |
//! | operator memory | in SQL the metrics `peak memory` and `spill size` of the operators, with spills the peak for each time that the rows read fill the pages that a spill freed; for an object hash aggregate, which tells nothing, its rows and 40 bytes for each; elsewhere Peak Execution Memory and Memory Bytes Spilled, less the writer's, with spills the freed memory and half of the peak, since what remained at the last spill is not recorded | recorded, half a default |
//! | allocated | 4 bytes per byte of rows in memory, for an object hash aggregate its states beside (behind a shuffle the rows once), at the largest of rows read, written and scanned; rows that a task makes itself and does not write count 32 bytes each (a key and a value; 8.2) | default |
//! | unmanaged | 20 MiB a task: readers' buffers and batches (JH-1) | default |
//! | unspillable | none: the log does not say which operator held the memory | default |
//!
//! Run time, GC, fetch wait and spill belong to the cluster that recorded them; they are kept apart and never replayed.
//! Where thread CPU time was not measured, run time less GC, fetch wait and shuffle write time stands in.

use std::collections::BTreeMap;

use sim_core::spec::TaskRow;
use sim_core::units::{Bytes, SimSpan};

use super::events::TaskMetrics;
use super::objects::Objects;
use crate::codec::Codec;
use crate::profile::Held;

/// Rows in memory per lz4-compressed shuffle byte where nothing was recorded: 1.6 / 0.47 (8.2).
pub(super) const DEFAULT_EXPANSION: f64 = 3.4;
/// Rows in memory per byte read from storage (8.2).
const INPUT_EXPANSION: f64 = 1.6;
/// Bytes in memory of a row that a task made itself and of which nothing was recorded: a key and a value of 8 bytes in an unsafe row. What such
/// tasks do is count or sample, and columns that nobody reads are not made.
const MADE_ROW: u64 = 32;
/// What a sorter holds for a row beside it: lengths, pointer, prefix and as much work space (2.8).
pub(super) const SORTER_PER_RECORD: u64 = 8 + 32;
/// Heap bytes allocated per byte of rows in memory.
const ALLOCATION: f64 = 4.0;
/// Live bytes of a running task outside managed memory (JH-1).
const UNMANAGED: Bytes = Bytes::mib(20);
/// Share of the recorded CPU time that is left at least when the codec's is taken out.
const CPU_FLOOR: f64 = 0.2;
/// Length prefix of a serialised row, and what the serialised writer holds for it beside: page prefix and pointer (A25, US-2).
const SERIALIZED_PREFIX: u64 = 4;
const POINTERS_PER_RECORD: u64 = 16;
const WRITER_PER_RECORD: u64 = 4 + POINTERS_PER_RECORD;
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

/// How a task's shuffle writer shows in its Peak Execution Memory (2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WriterMemory {
    /// Not at all: the bypass writer, or a task that writes no shuffle.
    None,
    /// The serialised writer's pages and pointers are part of it.
    Serialized,
    /// It is the sort writer's collection, and nothing else.
    Collection,
}

/// What the mapping needs to know about the stage.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    pub(super) codec: Recorded,
    /// Rows in memory per lz4 byte of the shuffles that the stage reads.
    pub(super) read_expansion: f64,
    /// What the shuffle writer has of Peak Execution Memory.
    pub(super) writer: WriterMemory,
    /// Whether the writer is the only user of execution memory: a map task outside SQL that reads no shuffle.
    pub(super) alone: bool,
    /// What the SQL operators tell of their own memory, peak and spilled; none outside SQL and where a log has no such metrics.
    pub(super) operators: Option<(u64, u64)>,
    /// Where an object hash aggregate takes its rows: it tells no memory of its own.
    pub(super) objects: Option<Objects>,
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
    let written = match context.writer {
        WriterMemory::Collection => collected(m),
        WriterMemory::Serialized if context.operators.is_none() && context.data_size.is_none() && context.alone => serialized(m, records),
        WriterMemory::None | WriterMemory::Serialized => writer_memory(shuffle_write, records, context.data_size),
    };
    let read = ((shuffle_read as f64 * context.read_expansion) as u64).min(LARGEST);
    let loading = if context.cold { 0 } else { m.deserialize_cpu_ns.0.min(LARGEST) };
    let scanned = (m.input.bytes.0.min(LARGEST) as f64 * INPUT_EXPANSION) as u64;
    let known = read.max(written).max(scanned);
    let in_memory = if known > 0 { known } else { m.input.records.0.min(LARGEST / MADE_ROW) * MADE_ROW };
    let made = (in_memory as f64 * ALLOCATION) as u64;
    let operator_memory = match context.operators {
        _ if context.objects.is_some() => in_memory + rows_in(m) * SORTER_PER_RECORD,
        Some((peak, spilled)) => sql_operators(peak.min(LARGEST), spilled.min(LARGEST), read),
        None if context.alone => 0,
        None => operator_memory(m, written, records, context.writer),
    };
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
        allocated: Bytes::new(match context.objects {
            // Rows are copied out of the shuffle once; what follows are objects, and states that go out once more.
            Some(objects) if read > 0 => (read + objects.states(read, rows_in(m)) + written).min(16 * LARGEST),
            Some(objects) => (made + objects.states(in_memory, rows_in(m)) + written).min(16 * LARGEST),
            None => made,
        }),
        unspillable: Bytes::ZERO,
    }
}

/// What a task held in the heap at its most: pages of its operators or, of an aggregate that did not sort, states in their place.
pub(super) fn held(row: &TaskRow, m: &TaskMetrics, in_states: Option<Objects>) -> Held {
    let rows = rows_in(m);
    let states = in_states.map(|objects| objects.states(row.operator_memory.get().saturating_sub(rows * SORTER_PER_RECORD), rows));
    Held { pages: states.map_or(row.operator_memory, |_| Bytes::ZERO), states: Bytes::new(states.unwrap_or(0).min(LARGEST)), buffers: row.unmanaged }
}

/// Records that a task takes in.
fn rows_in(m: &TaskMetrics) -> u64 {
    m.read.records.0.max(m.input.records.0).min(LARGEST / SORTER_PER_RECORD)
}

fn writer_memory(shuffle_write: u64, records: u64, data_size: Option<u64>) -> u64 {
    match data_size {
        Some(size) if size > 0 => size.min(LARGEST) + records.min(LARGEST / SERIALIZED_PREFIX) * SERIALIZED_PREFIX,
        _ => (shuffle_write as f64 * DEFAULT_EXPANSION) as u64,
    }
}

/// Live bytes that the sort writer collected. What it spilled is the part of the output that the spill files hold: the rest was merged
/// from memory (ES-6), with the same serializer and codec.
fn collected(m: &TaskMetrics) -> u64 {
    let (peak, spilled) = (m.peak_execution.0.min(LARGEST), m.spill_memory.0.min(LARGEST));
    if spilled == 0 {
        return peak;
    }
    let all = spilled as f64 * m.write.bytes.0 as f64 / m.spill_disk.0.max(1) as f64;
    (all as u64).clamp(spilled, spilled + peak)
}

/// Serialised rows of a writer that is alone in its task's peak: pages and a pointer array of two slots a record, a power of two (US-2).
/// Without a spill the array follows from the records. With k spills the peak less the pages of one is the array, which bounds the
/// records of a spill; the middle of what it and the total allow is taken.
fn serialized(m: &TaskMetrics, records: u64) -> u64 {
    let (peak, spilled) = (m.peak_execution.0.min(LARGEST), m.spill_memory.0.min(LARGEST));
    let prefixes = records.saturating_mul(SERIALIZED_PREFIX);
    if spilled == 0 || peak == 0 {
        let array = records.saturating_mul(POINTERS_PER_RECORD).checked_next_power_of_two().unwrap_or(0);
        return peak.saturating_sub(array).saturating_sub(prefixes).max(records);
    }
    let spills = spilled.div_ceil(peak);
    let (pages, records) = (spilled as f64 / spills as f64, records as f64);
    let held = (peak as f64 - pages) / POINTERS_PER_RECORD as f64;
    let (most, least) = (held.min(records / spills as f64), (held / 2.0).max(records / (spills + 1) as f64));
    let each = f64::midpoint(most, least).max(1.0);
    ((pages * records / each) as u64).min(LARGEST).saturating_sub(prefixes)
}

/// What SQL operators would have held without spilling. A spill's metric counts the pages that it freed and not the pointer array,
/// the peak counts both, so the peak was met as often as the rows read fill those pages; what remained after the last spill is
/// between nothing and one fill.
fn sql_operators(peak: u64, spilled: u64, read: u64) -> u64 {
    if spilled == 0 || peak == 0 {
        return peak.max(spilled);
    }
    let pages = spilled as f64 / spilled.div_ceil(peak) as f64;
    let all = if read > 0 { (read as f64).clamp(spilled as f64, spilled as f64 + pages) } else { spilled as f64 + pages / 2.0 };
    (peak as f64 * all / pages) as u64
}

fn operator_memory(m: &TaskMetrics, written: u64, records: u64, writer: WriterMemory) -> u64 {
    let (peak, spilled) = (m.peak_execution.0.min(LARGEST), m.spill_memory.0.min(LARGEST));
    let all = if spilled == 0 { peak } else { spilled + peak / 2 };
    match writer {
        WriterMemory::None => all,
        WriterMemory::Serialized => all.saturating_sub(written.saturating_add(records.saturating_mul(WRITER_PER_RECORD))),
        WriterMemory::Collection => 0,
    }
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
        Context {
            codec: Recorded::of(&BTreeMap::new()),
            read_expansion: 2.0,
            writer: WriterMemory::None,
            alone: false,
            operators: None,
            objects: None,
            cold: false,
            data_size,
        }
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
        let context = Context { writer: WriterMemory::Serialized, ..context(Some(2_000_000 * 208)) };
        let row = task_row(&m, &context);
        assert_eq!(row.writer_memory, Bytes::new(2_000_000 * 212));
        assert_eq!(row.operator_memory, Bytes::mib(64));
    }

    /// Numbers of a real task (unsafe-spill in tests/tests/data/spark_runs): its spills are the writer's, and no operator held a byte.
    #[test]
    fn what_sql_operators_tell_of_themselves_goes_before_what_is_left_of_the_tasks_peak() {
        let mut m = TaskMetrics { peak_execution: Count(19_922_672), spill_memory: Count(35_651_040), ..TaskMetrics::default() };
        m.write.records = Count(300_000);
        let with = |operators| Context { writer: WriterMemory::Serialized, operators, ..context(Some(36_000_000)) };
        assert_eq!(task_row(&m, &with(Some((0, 0)))).operator_memory, Bytes::ZERO);
        assert_eq!(task_row(&m, &with(Some((10 << 20, 0)))).operator_memory, Bytes::mib(10));
    }

    /// Numbers of real tasks (pairs-spill and pairs-no-spill in tests/tests/data/spark_runs), whose rows took 64 bytes in the pages.
    #[test]
    fn rows_of_the_serialised_writer_follow_from_its_pages_outside_sql() {
        let context = Context { writer: WriterMemory::Serialized, alone: true, ..context(None) };
        let row = |records, peak, spilled| {
            let mut m = TaskMetrics { peak_execution: Count(peak), spill_memory: Count(spilled), ..TaskMetrics::default() };
            m.write.records = Count(records);
            task_row(&m, &context)
        };
        let spilling = row(600_000, 20_971_264, 33_553_920);
        let each = spilling.writer_memory.as_f64() / 600_000.0 + 4.0;
        assert!((each - 64.0).abs() < 10.0 && spilling.operator_memory.is_zero(), "{each}");
        assert_eq!(row(50_000, 17_825_776, 0).writer_memory, Bytes::new(16_777_200 - 200_000), "a page that is not full counts whole");
    }

    /// Numbers of a real task (sql-sort-spill-two-slots in tests/tests/data/spark_runs): three spills of eight pages, with 65 536
    /// records each, of 225 040; 2 MiB of pointers beside the pages.
    #[test]
    fn a_sort_that_spilled_would_have_held_its_peak_as_often_as_its_rows_fill_it() {
        let context = Context { operators: Some((10_485_632, 25_165_440)), read_expansion: 27_905_000.0 / 18_200_162.0, ..context(None) };
        let mut m = TaskMetrics::default();
        m.read.local = Count(18_200_162);
        let fills = task_row(&m, &context).operator_memory.as_f64() / 10_485_632.0;
        assert!((fills - 225_040.0 / 65_536.0).abs() < 0.15, "{fills}");
    }

    #[test]
    fn what_the_sort_writer_spilled_is_as_much_of_its_objects_as_of_its_output() {
        let mut m = TaskMetrics { peak_execution: Count(30 << 20), ..TaskMetrics::default() };
        m.write.bytes = Count(10_000_000);
        let context = Context { writer: WriterMemory::Collection, alone: true, ..context(None) };
        assert_eq!((task_row(&m, &context).writer_memory, task_row(&m, &context).operator_memory), (Bytes::mib(30), Bytes::ZERO));
        (m.spill_memory, m.spill_disk) = (Count(60 << 20), Count(8_000_000));
        assert_eq!(task_row(&m, &context).writer_memory, Bytes::mib(75));
        m.spill_disk = Count(1);
        assert_eq!(task_row(&m, &context).writer_memory, Bytes::mib(90), "never more than what was spilled and a full collection");
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
