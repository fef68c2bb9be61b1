//! CPU time of executors' first tasks that is not work of their partitions.
//!
//! The first tasks of an executor load classes and run code that is not compiled yet: they take several times the CPU time of the tasks after them
//! (measured: 1.3 to 2.1 instead of 0.4 to 0.8 core-seconds), and so do, less, its first tasks of each later stage, whose code is generated then. Which
//! partitions they have is chance: another run has others first, or the same again on an executor that is warm. So where a stage has warm tasks as
//! well, a first task's work is what warm ones do for as many bytes, and the rest belongs to its executor's warm-up. A stage in which every task was a
//! first one stays as recorded. Assumption: work goes with bytes in memory.

use std::collections::BTreeMap;

use super::events::TaskEnd;
use super::rows::Rows;
use crate::profile::WeightedRow;
use sim_core::units::SimSpan;

/// How warm an executor was when it ran a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Warmth {
    /// It had run none.
    New,
    /// It had run none of the stage.
    Cold,
    /// It had run some of the stage.
    Warm,
}

/// The stage that each executor ran last, and how many of its tasks in a row.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns(BTreeMap<String, (u64, u64)>);

impl Turns {
    /// A task has ended.
    pub(super) fn take(&mut self, event: &TaskEnd<'_>) {
        match self.0.get_mut(event.info.executor.as_ref()) {
            Some((stage, count)) if *stage == event.stage.0 => *count += 1,
            Some(turn) => *turn = (event.stage.0, 1),
            None => {
                self.0.insert(event.info.executor.to_string(), (event.stage.0, 1));
            }
        }
    }
    /// How many tasks of this one's stage its executor has run in a row, this one included.
    pub(super) fn count(&self, event: &TaskEnd<'_>) -> u64 {
        self.0.get(event.info.executor.as_ref()).filter(|(stage, _)| *stage == event.stage.0).map_or(0, |(_, count)| *count)
    }
}

/// First tasks of a stage that are remembered, two kilobytes. A stage with more, on as many slots, stays as recorded.
const MOST: usize = 512;
/// CPU time below which a difference between tasks is none of classes and code, nanoseconds.
const LEAST_NS: u64 = 50_000_000;

/// Partitions of a stage that were first tasks of it on their executors.
#[derive(Clone, Debug, Default)]
pub(super) struct Cold(Vec<u32>);

impl Cold {
    /// Remembers one.
    pub(super) fn add(&mut self, partition: u64) {
        if self.0.len() < MOST {
            self.0.extend(u32::try_from(partition).ok());
        }
    }

    /// Gives the first tasks the CPU time of warm ones; returns what they had more in all, nanoseconds.
    pub(super) fn settle(&self, rows: &mut Rows) -> u64 {
        if self.0.is_empty() || self.0.len() == MOST {
            return 0;
        }
        let mut cold = self.0.clone();
        cold.sort_unstable();
        let is_cold = |partition: u64| u32::try_from(partition).is_ok_and(|partition| cold.binary_search(&partition).is_ok());
        let warm = rows.single().filter(|(partition, _)| !is_cold(*partition)).map(|(_, row)| row);
        let (cpu, size) = warm.fold((0.0, 0.0), |(cpu, size), row| (cpu + cpu_ns(&row), size + bytes(&row)));
        if cpu <= 0.0 || size <= 0.0 {
            return 0;
        }
        let mut more = 0;
        rows.change(|partition, row| {
            let work = (cpu / size * bytes(row)) as u64;
            let had = row.total.cpu.as_ns();
            if is_cold(partition) && had > work.saturating_add(LEAST_NS) {
                more = u64::saturating_add(more, had - work);
                row.total.cpu = SimSpan::from_ns(work);
            }
        });
        more
    }
}

fn cpu_ns(row: &WeightedRow) -> f64 {
    row.total.cpu.as_ns() as f64
}

/// What the work of a task goes with: bytes in memory, or a constant where it has none.
fn bytes(row: &WeightedRow) -> f64 {
    row.total.allocated.as_f64().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::WeightedRow;
    use sim_core::spec::TaskRow;
    use sim_core::units::Bytes;

    fn rows(tasks: &[(u64, u64)]) -> Rows {
        let mut rows = Rows::default();
        for (partition, (cpu_ms, mib)) in tasks.iter().enumerate() {
            let total = TaskRow { cpu: SimSpan::from_ms(*cpu_ms), allocated: Bytes::mib(*mib), ..TaskRow::ZERO };
            rows.push(partition as u64, &WeightedRow::unseen(1, total));
        }
        rows
    }

    fn cold(partitions: &[u32]) -> Cold {
        Cold(partitions.to_vec())
    }

    fn cpu_ms(rows: Rows) -> Vec<u64> {
        rows.finish().iter().map(|row| row.total.cpu.as_ns() / 1_000_000).collect()
    }

    /// Warm tasks take 4 ms a MiB; of 2000 and 900 ms for 100 and 200 MiB, 400 and 800 are work.
    #[test]
    fn what_a_first_task_took_beyond_a_warm_one_is_its_executors() {
        let mut rows = rows(&[(2000, 100), (900, 200), (300, 100), (500, 100)]);
        assert_eq!(cold(&[0, 1]).settle(&mut rows), 1_700_000_000);
        assert_eq!(cpu_ms(rows), [400, 800, 300, 500]);
    }

    #[test]
    fn a_first_task_that_was_quick_and_a_stage_of_first_tasks_stay_as_recorded() {
        let mut mixed = rows(&[(300, 100), (400, 100)]);
        assert_eq!(cold(&[0]).settle(&mut mixed), 0);
        let mut all = rows(&[(2000, 100), (900, 100)]);
        assert_eq!(cold(&[0, 1]).settle(&mut all), 0);
        assert_eq!((cpu_ms(mixed), cpu_ms(all)), (vec![300, 400], vec![2000, 900]));
    }
}
