//! What one task attempt will do, in this replication: its row, scaled.
//!
//! A parametric stage's row is the total over the stage; a task takes its partition's share, which carries the
//! partition skew. A recorded stage's rows are single tasks. All bytes scale with the day's data volume;
//! compressed bytes with the codec and the day's compressibility; in-memory bytes with the day's expansion.

use super::consumers::{BUILD, FIRST, SECOND};
use crate::day::Day;
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
    /// Operators' rows in execution memory, of the first and of the second operator.
    pub(crate) operators: [Bytes; 2],
    /// Rows that go through the shuffle writer.
    pub(crate) writer: Bytes,
    /// Records that go through the shuffle writer.
    pub(crate) records: u64,
    pub(crate) unmanaged: Bytes,
    pub(crate) allocated: Bytes,
    pub(crate) unspillable: Bytes,
}

impl Demand {
    /// The demand of `partition` of a stage with `tasks` tasks; `share` is its part of a parametric total.
    pub(crate) fn new(work: &TaskWork, partition: u32, tasks: u32, share: f64, day: &Day, conf: &ShuffleConf) -> Self {
        match work {
            TaskWork::Parametric(total) => Self::scaled(total, share, share, day, conf),
            TaskWork::Recorded(rows) => {
                let n = rows.len() as u64;
                let row = &rows[(u64::from(partition) * n / u64::from(tasks)).min(n - 1) as usize];
                Self::scaled(row, n as f64 / f64::from(tasks), 1.0, day, conf)
            }
        }
    }

    /// `share` scales what a task processes; `fixed` what it holds beside (a recorded task's own, a share of a total).
    fn scaled(row: &TaskRow, share: f64, fixed: f64, day: &Day, conf: &ShuffleConf) -> Self {
        let bytes = share * day.volume;
        let memory = bytes * day.expansion;
        let stored = if conf.compress { bytes * day.compression * conf.codec_ratio } else { bytes * UNCOMPRESSED };
        Self {
            input: row.input.scale(bytes),
            read: row.shuffle_read.scale(stored),
            write: row.shuffle_write.scale(stored),
            output: row.output.scale(bytes),
            cpu: row.cpu.as_secs_f64() * bytes,
            operators: [row.operator_memory.scale(memory), Bytes::ZERO],
            writer: row.writer_memory.scale(memory),
            records: (row.records as f64 * bytes) as u64,
            unmanaged: row.unmanaged.scale(fixed * day.expansion),
            allocated: row.allocated.scale(bytes * day.allocation),
            unspillable: row.unspillable.scale(memory),
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
            _ => self.writer,
        }
    }

    /// In-memory bytes that the build side and the operators take in.
    pub(crate) fn consumed(&self) -> Bytes {
        self.unspillable + self.operators[0] + self.operators[1]
    }

    /// Compressed bytes per in-memory byte of the operators' rows, for their spill files.
    pub(crate) fn operator_ratio(&self, spill_compress: bool) -> f64 {
        let stored = if self.read.is_zero() { self.write } else { self.read };
        if !spill_compress || stored.is_zero() || self.consumed().is_zero() {
            return 1.0;
        }
        (stored.as_f64() / self.consumed().as_f64()).min(1.0)
    }

    /// Records that go through the writer: as the row says, else as many as make rows of a usual size; none has less than a byte.
    pub(crate) fn writer_records(&self) -> u64 {
        let known = if self.records == 0 { self.writer.get().div_ceil(USUAL_RECORD) } else { self.records };
        known.min(self.writer.get()).max(1)
    }

    /// Serialised bytes of one record in the writer's pages, at least 1.
    pub(crate) fn record_bytes(&self) -> u64 {
        let records = self.writer_records();
        ((self.writer.get() + records / 2) / records).max(1)
    }

    /// Bytes of the first `records` records in the writer.
    pub(crate) fn bytes_of(&self, records: u64) -> Bytes {
        Bytes::new((u128::from(records) * u128::from(self.writer.get()) / u128::from(self.writer_records())) as u64)
    }

    /// How many records so many bytes in the writer are, the inverse of [`Self::bytes_of`].
    pub(crate) fn records_in(&self, bytes: Bytes) -> u64 {
        let product = u128::from(bytes.get()) * u128::from(self.writer_records());
        product.div_ceil(u128::from(self.writer.get().max(1))) as u64
    }

    /// Stored bytes per in-memory byte of the writer's rows.
    pub(crate) fn writer_ratio(&self) -> f64 {
        if self.writer.is_zero() { 1.0 } else { self.write.as_f64() / self.writer.as_f64() }
    }
}

/// Uncompressed size of serialised SQL rows relative to their lz4 form: 1.6 bytes of row for each byte of text over 0.47 (8.2).
pub(crate) const UNCOMPRESSED: f64 = 3.4;
/// Bytes of a record in the writer where their number is not known: 128 bytes of text, 1.6 times as large as a row (8.2).
const USUAL_RECORD: u64 = 205;
