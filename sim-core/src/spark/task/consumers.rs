//! The consumers of execution memory within a task, and which of them can be made to spill.
//!
//! A task has at most a join's build side, two operators that hold input rows (a sort-merge join has two sorters), a buffer for
//! one group of rows at a time (windows, joins, cartesian products), and the shuffle writer. A sorter that is still filled spills for itself only; one that is being read
//! spills what has not been read yet when another consumer asks. Hash maps and buffers do not spill for others, a
//! build side and the shuffle writers never do (US-3, F10). Assumption: the page under a sorter's cursor is freed with the others,
//! one record early. Source: 1.4, 2.8; `spill` of Spark's consumers.

use super::TaskRun;
use super::demand::Demand;
use crate::spark::task_memory_manager::ConsumerId;
use crate::spec::Operators;
use crate::units::Bytes;

/// A hash join's build side.
pub(crate) const BUILD: ConsumerId = ConsumerId(0);
/// The first operator: a sorter or an aggregation's map.
pub(crate) const FIRST: ConsumerId = ConsumerId(1);
/// The second: a sort-merge join's right sorter.
pub(crate) const SECOND: ConsumerId = ConsumerId(2);
/// Rows of one group that have outgrown a list (`ExternalAppendOnlyUnsafeRowArray`).
pub(crate) const BUFFER: ConsumerId = ConsumerId(3);
/// The shuffle writer.
pub(crate) const WRITER: ConsumerId = ConsumerId(4);
/// Consumers of input, in the order in which they are filled.
pub(super) const INPUTS: [ConsumerId; 4] = [BUILD, FIRST, SECOND, BUFFER];
/// Those of them that spill.
pub(super) const OPERATORS: [ConsumerId; 3] = [FIRST, SECOND, BUFFER];

/// What a consumer has done beside holding memory.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ConsumerState {
    /// Bytes that have gone in.
    pub(crate) done: Bytes,
    /// Bytes of rows that it holds (it also holds pointers and what is left of its last page).
    pub(crate) rows_held: Bytes,
    /// Bytes of its pages, or of its objects: what a spill frees (US-8).
    pub(crate) pages: Bytes,
    /// Records of a buffer's group that have gone in.
    pub(crate) in_group: u64,
    /// Bytes of its spill files.
    pub(crate) spilled: Bytes,
    /// Bytes of them that have not been read back.
    pub(crate) unread: Bytes,
    /// Number of its spill files.
    pub(crate) files: u32,
}

/// Whether a consumer releases anything when `filling` asks for memory.
pub(super) fn spills_for(consumer: ConsumerId, filling: ConsumerId, operators: Operators) -> bool {
    match consumer {
        _ if consumer == filling => consumer != BUILD,
        FIRST => filling > FIRST && operators != Operators::HashAggregate,
        SECOND => filling > SECOND && operators == Operators::SortMergeJoin,
        _ => false,
    }
}

/// Whether an aggregation that has spilled still holds its last map: it becomes sort-based, so that goes to a file, too (2.8).
pub(super) fn leaves_its_map(run: &TaskRun, operators: Operators) -> bool {
    operators == Operators::HashAggregate && run.state(FIRST).files > 0 && !run.memory.used(FIRST).is_zero()
}

/// Share of a consumer's rows that has been read when `filling` asks for memory. A merge join reads the first row of its left side
/// before it fills the right one; a buffer takes in what its operator's sorters give.
pub(super) fn read_share(consumer: ConsumerId, filling: ConsumerId, done: Bytes, demand: &Demand) -> f64 {
    let all = demand.of(filling);
    let reads = consumer != filling && filling >= BUFFER;
    if reads && !all.is_zero() { done.as_f64() / all.as_f64() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1.4 and 2.8: who can be forced, by operator and by who asks.
    #[test]
    fn us_3_only_sorters_that_are_read_spill_for_others() {
        use Operators::{HashAggregate, ObjectHashAggregate, Sort, SortMergeJoin, Window};
        let forced = |operators, filling| INPUTS.into_iter().filter(|&c| c != filling && spills_for(c, filling, operators)).collect::<Vec<_>>();
        assert_eq!(forced(SortMergeJoin, SECOND), [FIRST], "the left sorter is read while the right one is filled");
        assert_eq!(forced(SortMergeJoin, WRITER), [FIRST, SECOND]);
        assert_eq!(forced(SortMergeJoin, FIRST), [], "the right sorter is empty");
        assert_eq!([forced(Window, BUFFER), forced(Window, WRITER)], [[FIRST]; 2], "not the buffer");
        assert_eq!(forced(SortMergeJoin, BUFFER), [FIRST, SECOND], "both sides are read while a key's rows are buffered");
        assert_eq!(forced(ObjectHashAggregate, WRITER), [FIRST], "it sorts");
        assert_eq!(forced(Sort, WRITER), [FIRST]);
        assert_eq!(forced(HashAggregate, WRITER), []);
        for operators in [Sort, SortMergeJoin, HashAggregate, Window, ObjectHashAggregate] {
            assert!(!spills_for(WRITER, FIRST, operators) && !spills_for(BUILD, WRITER, operators) && !spills_for(BUILD, BUILD, operators));
            assert!([FIRST, SECOND, BUFFER, WRITER].into_iter().all(|c| spills_for(c, c, operators)));
        }
    }
}
