//! The consumers of execution memory within a task, and which of them can be made to spill.
//!
//! A task has at most a join's build side, two operators that hold input rows (a sort-merge join has two sorters, a window its
//! sorter and its buffer), and the shuffle writer. A sorter that is still filled spills for itself only; one that is being read
//! spills what has not been read yet when another consumer asks. Hash maps and a window's buffer do not spill for others, a
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
/// The second: a sort-merge join's right sorter, or a window's buffer.
pub(crate) const SECOND: ConsumerId = ConsumerId(2);
/// The shuffle writer.
pub(crate) const WRITER: ConsumerId = ConsumerId(3);
/// Consumers of input, in the order in which they are filled.
pub(super) const INPUTS: [ConsumerId; 3] = [BUILD, FIRST, SECOND];

/// What a consumer has done beside holding memory.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ConsumerState {
    /// Bytes that have gone in.
    pub(crate) done: Bytes,
    /// Bytes of rows that the writer holds (it also holds pointers).
    pub(crate) rows_held: Bytes,
    /// Bytes of the writer's pages, or of its objects: what a spill frees (US-8).
    pub(crate) pages: Bytes,
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
/// before it fills the right one; a window reads its sorter into its buffer.
pub(super) fn read_share(consumer: ConsumerId, filling: ConsumerId, operators: Operators, done: Bytes, demand: &Demand) -> f64 {
    let all = demand.of(filling);
    let reads = consumer != filling && (filling == WRITER || operators == Operators::Window);
    if reads && !all.is_zero() { done.as_f64() / all.as_f64() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1.4 and 2.8: who can be forced, by operator and by who asks.
    #[test]
    fn us_3_only_sorters_that_are_read_spill_for_others() {
        use Operators::{HashAggregate, Sort, SortMergeJoin, Window};
        let forced = |operators, filling| INPUTS.into_iter().filter(|&c| c != filling && spills_for(c, filling, operators)).collect::<Vec<_>>();
        assert_eq!(forced(SortMergeJoin, SECOND), [FIRST], "the left sorter is read while the right one is filled");
        assert_eq!(forced(SortMergeJoin, WRITER), [FIRST, SECOND]);
        assert_eq!(forced(SortMergeJoin, FIRST), [], "the right sorter is empty");
        assert_eq!(forced(Window, WRITER), [FIRST]);
        assert_eq!(forced(Sort, WRITER), [FIRST]);
        assert_eq!(forced(HashAggregate, WRITER), []);
        for operators in [Sort, SortMergeJoin, HashAggregate, Window] {
            assert!(!spills_for(WRITER, FIRST, operators) && !spills_for(BUILD, WRITER, operators) && !spills_for(BUILD, BUILD, operators));
            assert!([FIRST, SECOND, WRITER].into_iter().all(|c| spills_for(c, c, operators)));
        }
    }
}
