//! What a log tells of a stage's operators: which they are, how large their rows are, how many rows a key has.
//!
//! Object hash aggregates, windows and cartesian products run outside generated code and name an RDD of their stage; sorts, hash
//! aggregates and joins do not show. A row is as large as the rows that its shuffles brought. How many rows a key has the log tells where it
//! decided something: an aggregate that did not fall back to sorting had fewer keys than the threshold, and a window whose buffer
//! spilled beside its sort had groups beyond the memory of a task. Assumptions: then the aggregate had as many keys as it could without falling
//! back, and the window one group a task. What a row adds to a state follows from its values (`objects`). Source: scopes and SQL metrics of Spark 3.5 and 4.3.

use sim_core::spec::{Operators, StageMemory};
use sim_core::units::Bytes;

use super::mapping::SORTER_PER_RECORD;
use super::objects::Objects;
use super::stage_record::StageRecord;
use crate::profile::{MAX_INPUT, SEEN_COLUMNS, default_operators};

/// The largest row that is believed.
const LARGEST_ROW: u64 = 1 << 31;

/// What the stage's tasks hold; `parents` shuffles are read, and object hash aggregates sorted from so many keys on.
pub(super) fn memory(record: &StageRecord, parents: usize, object_hash_keys: u64) -> StageMemory {
    let operators = record.holder.unwrap_or(default_operators(parents));
    let (rows, most) = records_in(record);
    let in_memory = match record.sum {
        Some(sum) if operators == Operators::ObjectHashAggregate => sum.operator_memory.get().saturating_sub(rows.saturating_mul(SORTER_PER_RECORD)),
        Some(sum) => (sum.shuffle_read.as_f64() * record.read_expansion.unwrap_or_default()) as u64,
        None => 0,
    };
    let row = in_memory.checked_div(rows).unwrap_or_default().min(LARGEST_ROW);
    let group_rows = match operators {
        Operators::ObjectHashAggregate if !record.fell_back => most / (object_hash_keys.max(2) - 1) + 1,
        Operators::Window if record.buffer_spilled => most,
        _ => 0,
    };
    let state_row = match operators {
        Operators::ObjectHashAggregate if row > 0 => Objects { value: record.value }.states(row, 1).min(LARGEST_ROW),
        _ => 0,
    };
    StageMemory { operators, row: Bytes::new(row), group_rows: group_rows.min(MAX_INPUT), state_row: Bytes::new(state_row), ..StageMemory::default() }
}

/// Rows that the stage's tasks took in, and most that one took in: of thinned rows the mean.
pub(super) fn records_in(record: &StageRecord) -> (u64, u64) {
    let column = |name: &str| SEEN_COLUMNS.iter().position(|column| *column == name).unwrap_or_default();
    let (read, input) = (column("seen_read_records"), column("seen_input_records"));
    record.rows.iter().fold((0, 0), |(all, most): (u64, u64), row| {
        let rows = row.seen[read].max(row.seen[input]);
        (all.saturating_add(rows), most.max(rows.div_ceil(u64::from(row.tasks.max(1)))))
    })
}
