//! What one task attempt will do, in this replication: its row, scaled.
//!
//! A parametric stage's row is the total over the stage; a task takes its partition's share, which carries the
//! partition skew. A recorded stage's rows are single tasks. All bytes scale with the day's data volume;
//! compressed bytes with the codec and the day's compressibility; in-memory bytes with the day's expansion.

use super::consumers::{BUFFER, BUILD, FIRST, SECOND, WRITER};
use crate::day::Day;
use crate::spark::driver::Part;
use crate::spark::task_memory_manager::ConsumerId;
use crate::spec::{ShuffleConf, TaskRow, TaskWork};
use crate::units::Bytes;

/// One task attempt's work.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Demand {
    pub(crate) input: Bytes,
    /// Compressed, as stored by the writer.
    pub(crate) read: Bytes,
    /// Compressed, as stored.
    pub(crate) write: Bytes,
    pub(crate) output: Bytes,
    /// Core-seconds beside (de)compression and spilling.
    pub(crate) cpu: f64,
    /// Operators' rows in execution memory, of the first, of the second operator, and of all groups that go through a buffer's sorter.
    pub(crate) operators: [Bytes; 3],
    /// Their records.
    pub(crate) operator_records: [u64; 3],
    /// Records of one group of the buffer.
    pub(crate) group_records: u64,
    /// Stored bytes per in-memory byte of rows of which no shuffle tells how they compress (8.2).
    pub(crate) usual_ratio: f64,
    /// Whether what goes out is not the rows that came in: an aggregation.
    pub(crate) aggregates: bool,
    /// Rows that go through the shuffle writer.
    pub(crate) writer: Bytes,
    /// Records that go through the shuffle writer.
    pub(crate) records: u64,
    pub(crate) unmanaged: Bytes,
    /// Those of them that live as long as the task: states of an aggregate.
    pub(crate) states: Bytes,
    pub(crate) allocated: Bytes,
    pub(crate) unspillable: Bytes,
    /// Tungsten page of the executor that it runs on (MEM-33).
    pub(crate) page: Bytes,
}

impl Demand {
    /// The demand of the task that takes `part` of a stage with so many `partitions`.
    pub(crate) fn new(work: &TaskWork, part: Part, partitions: u32, day: &Day, conf: &ShuffleConf) -> Self {
        match work {
            TaskWork::Parametric(total) => {
                // What a task holds beside its rows is the same however many partitions it reads.
                let held = if part.end - part.first == 1 { part.share } else { 1.0 / f64::from(partitions) };
                Self::scaled(total, part.share * part.read, part.share * part.write, held, day, conf)
            }
            TaskWork::Recorded(rows) => {
                let scale = rows.len() as f64 / f64::from(partitions);
                let row = together(part, |partition| row_of(rows, partition, partitions));
                Self::scaled(&row, scale * part.read, scale * part.write, 1.0, day, conf)
            }
        }
    }

    /// `share` scales what a task takes in and works through, `out` what it gives out, and `fixed` what it holds beside (a recorded task's
    /// own, a share of a total).
    fn scaled(row: &TaskRow, share: f64, out: f64, fixed: f64, day: &Day, conf: &ShuffleConf) -> Self {
        let bytes = share * day.volume;
        let memory = bytes * day.expansion;
        let out_bytes = out * day.volume;
        let stored = stored(day, conf);
        Self {
            input: row.input.scale(bytes),
            read: row.shuffle_read.scale(share * stored),
            write: row.shuffle_write.scale(out * stored),
            output: row.output.scale(out_bytes),
            cpu: row.cpu.as_secs_f64() * bytes,
            operators: [row.operator_memory.scale(memory), Bytes::ZERO, Bytes::ZERO],
            operator_records: [0; 3],
            group_records: 0,
            usual_ratio: stored / (day.volume.max(f64::MIN_POSITIVE) * UNCOMPRESSED),
            aggregates: false,
            writer: row.writer_memory.scale(out_bytes * day.expansion),
            records: (row.records as f64 * out_bytes) as u64,
            unmanaged: row.unmanaged.scale(fixed * day.expansion),
            states: Bytes::ZERO,
            allocated: row.allocated.scale(bytes * day.allocation),
            unspillable: row.unspillable.scale(memory),
            page: Bytes::ZERO,
        }
    }

    /// Shares the operators' rows out between the first operator and the second.
    pub(crate) fn split_operators(&mut self, first: f64) {
        let all = self.operators[0] + self.operators[1];
        self.operators[0] = if first < 1.0 { all.scale(first).min(all) } else { all };
        self.operators[1] = all - self.operators[0];
    }

    /// In-memory bytes that a consumer takes in.
    pub(crate) fn of(&self, consumer: ConsumerId) -> Bytes {
        match consumer {
            BUILD => self.unspillable,
            FIRST => self.operators[0],
            SECOND => self.operators[1],
            BUFFER => self.operators[2],
            _ => self.writer,
        }
    }

    /// In-memory bytes that the build side and the operators take in.
    pub(crate) fn consumed(&self) -> Bytes {
        self.unspillable + self.operators.into_iter().sum::<Bytes>()
    }

    /// In-memory bytes of the input, each row once.
    fn rows_in(&self) -> Bytes {
        let sorted = self.operators[0] + self.operators[1];
        self.unspillable + if sorted.is_zero() { self.operators[2] } else { sorted }
    }

    /// Compressed bytes per in-memory byte of the operators' rows, for their spill files.
    pub(crate) fn operator_ratio(&self, spill_compress: bool) -> f64 {
        let stored = if self.read.is_zero() { self.write } else { self.read };
        if spill_compress && self.aggregates && self.read.is_zero() {
            return self.usual_ratio.min(1.0);
        }
        if !spill_compress || stored.is_zero() || self.rows_in().is_zero() {
            return 1.0;
        }
        (stored.as_f64() / self.rows_in().as_f64()).min(1.0)
    }

    /// Records that go through a consumer: as the row says, else as many as make rows of a usual size; none has less than a byte.
    pub(crate) fn records(&self, consumer: ConsumerId) -> u64 {
        let known = if consumer == WRITER { self.records } else { self.operator_records[consumer.0 as usize - FIRST.0 as usize] };
        let bytes = self.of(consumer).get();
        let known = if known == 0 { bytes.div_ceil(USUAL_RECORD) } else { known };
        known.min(bytes).max(1)
    }

    /// Bytes of one record in a consumer's pages, without the length before it, at least 1. An operator's rows have their pointers in its bytes.
    pub(crate) fn record_bytes(&self, consumer: ConsumerId) -> u64 {
        let all = self.bytes_each(consumer);
        if consumer == WRITER { all } else { all.saturating_sub(POINTERS_AND_LENGTH).max(1) }
    }

    /// Bytes of one record with all that a consumer's bytes count for it, at least 1.
    pub(crate) fn bytes_each(&self, consumer: ConsumerId) -> u64 {
        let records = self.records(consumer);
        ((self.of(consumer).get() + records / 2) / records).max(1)
    }

    /// Bytes of the first `records` records in a consumer.
    pub(crate) fn bytes_of(&self, consumer: ConsumerId, records: u64) -> Bytes {
        let (bytes, all) = (self.of(consumer).get(), self.records(consumer));
        // A division of 128 bits costs several of 64, and nearly every product fits these.
        Bytes::new(match records.checked_mul(bytes) {
            Some(product) => product / all,
            None => (u128::from(records) * u128::from(bytes) / u128::from(all)) as u64,
        })
    }

    /// How many records so many bytes in a consumer are, the inverse of [`Self::bytes_of`].
    pub(crate) fn records_in(&self, consumer: ConsumerId, bytes: Bytes) -> u64 {
        let (all, records) = (self.of(consumer).get().max(1), self.records(consumer));
        match bytes.get().checked_mul(records) {
            Some(product) => product.div_ceil(all),
            None => (u128::from(bytes.get()) * u128::from(records)).div_ceil(u128::from(all)) as u64,
        }
    }

    /// Stored bytes per in-memory byte of the writer's rows.
    pub(crate) fn writer_ratio(&self) -> f64 {
        if self.writer.is_zero() { 1.0 } else { self.write.as_f64() / self.writer.as_f64() }
    }
}

/// The recorded row of a partition.
fn row_of(rows: &[TaskRow], partition: u32, partitions: u32) -> &TaskRow {
    let n = rows.len() as u64;
    &rows[(u64::from(partition) * n / u64::from(partitions)).min(n - 1) as usize]
}

/// The rows of several partitions as one task's. What it holds beside its rows is the most that any of them held.
fn together<'r>(part: Part, row: impl Fn(u32) -> &'r TaskRow) -> TaskRow {
    let mut sum = *row(part.first);
    for next in (part.first + 1..part.end).map(row) {
        sum.input += next.input;
        sum.shuffle_read += next.shuffle_read;
        sum.shuffle_write += next.shuffle_write;
        sum.output += next.output;
        sum.records += next.records;
        sum.cpu += next.cpu;
        sum.operator_memory += next.operator_memory;
        sum.writer_memory += next.writer_memory;
        sum.unmanaged = sum.unmanaged.max(next.unmanaged);
        sum.allocated += next.allocated;
        sum.unspillable += next.unspillable;
    }
    sum
}

/// Bytes that lie on scratch for each lz4 byte of a profile, on this day.
pub(crate) fn stored(day: &Day, conf: &ShuffleConf) -> f64 {
    day.volume * if conf.compress { day.compression * conf.codec_ratio } else { UNCOMPRESSED }
}

/// Shuffle bytes that a stage writes, as the profile gives them.
pub(crate) fn written(work: &TaskWork) -> Bytes {
    match work {
        TaskWork::Parametric(total) => total.shuffle_write,
        TaskWork::Recorded(rows) => rows.iter().map(|row| row.shuffle_write).sum(),
    }
}

/// Each partition's share of what a stage reads by shuffle: `shares` of a parametric total, or as recorded.
pub(crate) fn partition_sizes(work: &TaskWork, shares: &[f64]) -> Vec<f64> {
    let TaskWork::Recorded(rows) = work else { return shares.to_vec() };
    let partitions = shares.len() as u32;
    let sizes: Vec<f64> = (0..partitions).map(|p| row_of(rows, p, partitions).shuffle_read.as_f64()).collect();
    let total: f64 = sizes.iter().sum();
    if total > 0.0 { sizes.iter().map(|size| size / total).collect() } else { shares.to_vec() }
}

/// Uncompressed size of serialised SQL rows relative to their lz4 form: 1.6 bytes of row for each byte of text over 0.47 (8.2).
pub(crate) const UNCOMPRESSED: f64 = 3.4;
/// Bytes of a record in the writer where their number is not known: 128 bytes of text, 1.6 times as large as a row (8.2).
pub(crate) const USUAL_RECORD: u64 = 205;
/// Bytes of a record of an operator that are not the row: pointers, sort prefixes and their work space, and the length before it (2.8).
const POINTERS_AND_LENGTH: u64 = 32 + 4;
