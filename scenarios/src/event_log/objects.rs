//! What object hash aggregates hold on the heap, by value.
//!
//! Spark records neither bytes nor number of what `collect_list` and the like hold. Both follow from the rows. An aggregate before the shuffle
//! takes in a row for each value, so a value has the bytes of a row that goes out. One behind it takes in whole states, whose values are as large as
//! its writer's. On the heap each value is its bytes and an object that points at them: a string's bytes are copied once, by the
//! value alone before the shuffle and with its state behind it. Assumptions: numbers are boxed and their bytes given up, which this counts
//! too high by half; sets and percentiles hold what they give out. Source: 2.8; docs/model/object-hash.md.

use sim_core::spec::Operators;

use super::operators::records_in;
use super::stage_record::StageRecord;

/// Heap bytes of a collected value beside its own: a `UTF8String` of 32 or the object of a struct or an array, 40; its place in a list that doubles,
/// 6 in the mean; and in the copy of the list that goes out, 4. The middle of the two sums.
pub(super) const VALUE_OBJECT: u64 = 46;

/// In-memory bytes of a value in rows that these stages wrote; none if no object hash aggregate is among them.
pub(super) fn value_bytes<'a>(parents: impl Iterator<Item = &'a StageRecord>) -> Option<f64> {
    let aggregates = parents.filter(|parent| parent.holder == Some(Operators::ObjectHashAggregate));
    let (bytes, values) = aggregates.fold((0.0, 0.0), |(bytes, values), parent| {
        let written = parent.sum.map_or(0.0, |sum| sum.writer_memory.as_f64());
        let own = parent.value.map_or(records_in(parent).0 as f64, |value| written / value);
        (bytes + written, values + own)
    });
    (bytes > 0.0 && values > 0.0).then(|| (bytes / values).max(1.0))
}

/// How an object hash aggregate's rows become states.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Objects {
    /// In-memory bytes of a value; none where each row is one.
    pub(super) value: Option<f64>,
}

impl Objects {
    /// Heap bytes of the states that so many bytes in so many rows make.
    pub(super) fn states(self, in_memory: u64, rows: u64) -> u64 {
        let values = self.value.map_or(rows, |value| (in_memory as f64 / value.max(1.0)) as u64);
        in_memory.saturating_add(values.saturating_mul(VALUE_OBJECT))
    }
}

#[cfg(test)]
mod tests {
    use sim_core::spec::TaskRow;
    use sim_core::units::Bytes;

    use super::super::rows::Rows;
    use super::*;
    use crate::profile::{SEEN_COLUMNS, WeightedRow};

    fn aggregate(rows_in: u64, written: u64) -> StageRecord {
        let total = TaskRow { writer_memory: Bytes::new(written), ..TaskRow::ZERO };
        let mut seen = [0; SEEN_COLUMNS.len()];
        seen[SEEN_COLUMNS.iter().position(|column| *column == "seen_input_records").expect("a column")] = rows_in;
        let mut rows = Rows::default();
        rows.push(0, &WeightedRow { tasks: 1, total, seen });
        StageRecord { holder: Some(Operators::ObjectHashAggregate), sum: Some(total), rows, ..StageRecord::default() }
    }

    /// Numbers of a real task (train-2-04 in tests/tests/data/trials/eventlogs): 117 028 strings of 96 bytes went out in states of 12 219 592.
    #[test]
    fn a_value_is_as_large_as_the_row_that_brought_it() {
        let writer = aggregate(117_028, 12_219_592);
        let value = value_bytes([&writer].into_iter()).expect("an aggregate wrote");
        assert!((value - 104.4).abs() < 0.1, "text of 96 bytes and 8 of offset and length: {value}");
        // A second one that merges states has values of the same size, however few rows it took in.
        let merging = StageRecord { value: Some(value), ..aggregate(656, 12_219_592) };
        assert!((value_bytes([&merging].into_iter()).expect("it wrote, too") - value).abs() < 0.1);
        assert_eq!(value_bytes([&StageRecord { holder: None, ..aggregate(10, 10) }].into_iter()), None, "rows of others are no states");
    }

    /// `collect_list` in a real JVM (docs/model/object-hash.md): (kind, bytes of a value, heap bytes for each value).
    fn recorded() -> Vec<(&'static str, f64, f64)> {
        let rows: Vec<Vec<&str>> = include_str!("../../tests/data/object_hash.csv").lines().skip(1).map(|line| line.split(',').collect()).collect();
        let number = |row: &[&str], column: usize| row[column].parse::<f64>().expect("a number");
        let before = rows.iter().map(|row| number(row, 5)).fold(f64::MAX, f64::min);
        rows.iter().map(|row| (row[0], number(row, 1), (number(row, 6) - before) * f64::from(1 << 20) / number(row, 2))).collect()
    }

    #[test]
    fn values_weigh_what_they_did_in_a_real_jvm() {
        assert!(recorded().len() >= 5);
        for (kind, bytes, measured) in recorded() {
            let ours = bytes + VALUE_OBJECT as f64;
            let (low, high) = if kind == "long" { (1.2, 1.6) } else { (0.85, 1.15) };
            assert!((low..high).contains(&(ours / measured)), "{kind}: {ours} against {measured:.0}");
        }
        // Behind the shuffle the row once, then the state: 237 and 250 bytes for a value of 104 (recorded with the task's thread).
        let allocated: Vec<f64> = include_str!("../../tests/data/object_hash_allocation.csv")
            .lines()
            .filter(|line| line.starts_with("collect") && line.ends_with(",states"))
            .map(|line| line.split(',').nth(2).and_then(|text| text.parse().ok()).expect("a number"))
            .collect();
        let ours = 104.0 + Objects { value: Some(104.0) }.states(104_000, 1) as f64 / 1000.0;
        assert!(allocated.len() == 2 && allocated.iter().all(|measured| (ours / measured - 1.0).abs() < 0.15), "{ours} against {allocated:?}");
        let page = include_str!("../../../docs/model/object-hash.md");
        for (kind, bytes, measured) in recorded() {
            let line = format!("| {kind} | {bytes:.0} | {measured:.0} | {:.0} |", bytes + VALUE_OBJECT as f64);
            assert!(page.contains(&line), "{line}");
        }
    }

    #[test]
    fn states_behind_a_shuffle_weigh_by_value_and_not_by_row() {
        assert_eq!(Objects { value: Some(104.0) }.states(104_000, 10), 104_000 + 1000 * VALUE_OBJECT);
        assert_eq!(Objects { value: None }.states(104_000, 1000), 104_000 + 1000 * VALUE_OBJECT, "before it each row is a value");
    }
}
