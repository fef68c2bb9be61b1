//! What the operators of a task hold: rows in pages, rows in lists, states of keys on the heap.
//!
//! How many rows a task has follows from their size in memory. A sort-merge join shares them out between its two sides. Windows, joins and
//! cartesian products keep the rows of one group in a list of the heap, unmanaged, up to a threshold, and in a sorter beyond it. An
//! object hash aggregate keeps a state of Java objects for each key, unmanaged and without a way to spill, until it has seen so many
//! keys; then the states and all further rows go to a sorter, and one key's state is built at a time. Assumptions: groups of one
//! task are alike and their keys come in random order; what is on the heap is there from the start of the task to its end. Source: 2.8;
//! `ObjectAggregationIterator`, `ExternalAppendOnlyUnsafeRowArray`.

use super::demand::{Demand, USUAL_RECORD};
use super::row_memory;
use crate::spec::{GROUP_ROWS, Operators, RowBuffer, SqlConf, StageMemory};
use crate::units::Bytes;

/// What a row costs in pages beside itself, as the rows' demand counts it: lengths, pointer, prefix and as much work space (2.8).
const PER_ROW: u64 = 8 + 32;
/// What a row costs in a list of the heap beside itself: an `UnsafeRow`, the header of its bytes, and its place in the list.
const LISTED_ROW: u64 = 64;
/// Heap bytes of a row that became Java objects, per byte (8.4: 2 to 5).
const OBJECTS: u64 = 2;
/// Euler's constant.
const GAMMA: f64 = 0.577_215_664_901_532_9;

/// Gives a task's demand the shape of its operators. `first` is the first operator's part of the rows, `expansion` the day's.
pub(super) fn shape(demand: &mut Demand, memory: &StageMemory, conf: &SqlConf, first: f64, expansion: f64) {
    let all = demand.operators[0];
    if all.is_zero() {
        return;
    }
    let row = or(memory.row.get(), USUAL_RECORD);
    let rows = (all.as_f64() / ((row + PER_ROW) as f64 * expansion.max(f64::MIN_POSITIVE))).round().clamp(1.0, all.as_f64()) as u64;
    let group = or(memory.group_rows, GROUP_ROWS).min(rows);
    let on_heap = |rows: u64, each: u64| Bytes::new(rows.saturating_mul(each)).scale(expansion);
    demand.operator_records[0] = rows;
    match memory.operators {
        Operators::Sort | Operators::HashAggregate => {}
        Operators::ObjectHashAggregate => {
            demand.aggregates = true;
            let in_states = before_fallback(rows, rows / group, conf.object_hash_keys);
            if in_states >= rows {
                (demand.operators[0], demand.operator_records[0]) = (Bytes::ZERO, 0);
            }
            demand.states = on_heap(in_states.max(group), or(memory.state_row.get(), row * OBJECTS));
            demand.unmanaged += demand.states;
        }
        Operators::Window => {
            let listed = buffered(demand, row_memory::buffer(memory.operators, conf), (all, rows), group);
            demand.unmanaged += on_heap(listed, row + LISTED_ROW);
        }
        Operators::CartesianProduct => {
            let listed = buffered(demand, row_memory::buffer(memory.operators, conf), (all, rows), rows);
            demand.unmanaged += on_heap(listed, row + LISTED_ROW);
            (demand.operators[0], demand.operator_records[0]) = (Bytes::ZERO, 0);
        }
        Operators::SortMergeJoin => {
            demand.split_operators(first);
            demand.operator_records[0] = (rows as f64 * first) as u64;
            demand.operator_records[1] = rows - demand.operator_records[0];
            let side = (demand.operators[1], demand.operator_records[1]);
            let listed = buffered(demand, row_memory::buffer(memory.operators, conf), side, group.min(side.1));
            demand.unmanaged += on_heap(listed, row + LISTED_ROW);
        }
    }
}

fn or(stated: u64, usual: u64) -> u64 {
    if stated == 0 { usual } else { stated }
}

/// Buffers rows in groups: in a list or, if they are too many for it, one group after the other in a sorter. Gives the rows of the list.
fn buffered(demand: &mut Demand, conf: RowBuffer, (bytes, rows): (Bytes, u64), group: u64) -> u64 {
    if group > conf.in_memory_rows {
        (demand.operators[2], demand.operator_records[2], demand.group_records) = (bytes, rows, group);
    }
    group.min(conf.in_memory_rows)
}

/// Of so many rows with so many keys, alike in number and in random order, those that come before the key with which sorting begins: the
/// mean of the collector's problem, K (H(K) − H(K − T)). All of them if there are fewer keys.
fn before_fallback(rows: u64, keys: u64, threshold: u64) -> u64 {
    let (k, t) = (keys as f64, threshold as f64);
    let harmonic = |n: f64| if n < 1.0 { 0.0 } else { libm::log(n) + GAMMA + 0.5 / n };
    if keys < threshold.max(1) {
        return rows;
    }
    ((k * (harmonic(k) - harmonic(k - t))).round() as u64).clamp(threshold.min(rows), rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: u64 = 120;

    fn shaped(operators: Operators, rows: u64, group_rows: u64, conf: &SqlConf) -> Demand {
        let mut demand = Demand { operators: [Bytes::new(rows * (ROW + 40)), Bytes::ZERO, Bytes::ZERO], ..Demand::default() };
        let memory = StageMemory { operators, row: Bytes::new(ROW), group_rows, state_row: Bytes::new(200), ..StageMemory::default() };
        shape(&mut demand, &memory, conf, 0.5, 1.0);
        demand
    }

    /// 2.8: 80 000 rows of 90 keys stay below 128 keys: all of it is objects. With the threshold at 10 they sort after ten keys:
    /// 90 (1/90 + ... + 1/81) = 10.53 rows on average.
    #[test]
    fn fact_2_8_an_object_hash_aggregate_is_heap_until_it_has_too_many_keys() {
        let few = shaped(Operators::ObjectHashAggregate, 80_000, 889, &SqlConf::default());
        assert_eq!((few.operators[0], few.unmanaged), (Bytes::ZERO, Bytes::new(80_000 * 200)));
        let conf = SqlConf { object_hash_keys: 10, ..SqlConf::default() };
        let many = shaped(Operators::ObjectHashAggregate, 80_000, 889, &conf);
        assert_eq!((many.operators[0], many.operator_records[0]), (Bytes::new(80_000 * 160), 80_000));
        assert_eq!(many.unmanaged, Bytes::new(889 * 200), "one key's state at a time is more than what eleven rows made");
        let exact: f64 = (81..=89).map(|n| 89.0 / f64::from(n)).sum::<f64>() + 89.0 / 80.0;
        assert_eq!(before_fallback(80_000, 89, 10), exact.round() as u64);
        assert_eq!(before_fallback(1_000_000, 128, 128), 695, "128 H(128) = 695.4");
        assert_eq!(before_fallback(300, 128, 128), 300, "the last key has not come yet");
    }

    /// 2.8: up to 4096 rows of a window's partition are a list; 4097 are a sorter, and the list had 4096 before.
    #[test]
    fn fact_2_8_a_window_lists_4096_rows_and_sorts_more() {
        let small = shaped(Operators::Window, 100_000, 4096, &SqlConf::default());
        assert_eq!((small.operators[2], small.unmanaged), (Bytes::ZERO, Bytes::new(4096 * (120 + 64))));
        let large = shaped(Operators::Window, 100_000, 4097, &SqlConf::default());
        assert_eq!((large.operators[2], large.group_records, large.unmanaged), (large.operators[0], 4097, small.unmanaged));
        assert_eq!(large.operator_records, [100_000, 0, 100_000]);
    }

    /// A join's duplicates stay on the heap, however many: its threshold is 2^31 - 16 rows.
    #[test]
    fn a_joins_duplicates_are_objects_on_the_heap() {
        let hot = shaped(Operators::SortMergeJoin, 2_000_000, 1_000_000, &SqlConf::default());
        assert_eq!((hot.operators[2], hot.unmanaged), (Bytes::ZERO, Bytes::new(1_000_000 * 184)));
        let mut conf = SqlConf::default();
        conf.sort_merge_join.in_memory_rows = 4096;
        let spilling = shaped(Operators::SortMergeJoin, 2_000_000, 1_000_000, &conf);
        assert_eq!((spilling.operators[2], spilling.unmanaged), (spilling.operators[1], Bytes::new(4096 * 184)));
    }

    #[test]
    fn a_cartesian_product_buffers_a_whole_side_and_sorts_nothing() {
        let product = shaped(Operators::CartesianProduct, 10_000, 1, &SqlConf::default());
        assert_eq!((product.operators[0], product.operators[2], product.group_records), (Bytes::ZERO, Bytes::new(10_000 * 160), 10_000));
    }
}
