//! Task rows while a log is read: few enough, whatever the log.
//!
//! A stage keeps a stated number of rows and thins them when there are twice as many; all stages together keep to a budget,
//! which costs each of very many stages some of its rows. Thinning joins rows of like size, so that totals stay. Rows are
//! packed, here and in the profile.

use crate::profile::{MAX_ROWS, PackedRows, RecordedRows, WeightedRow, thin};

/// Rows of one stage that are kept while reading; twice as many are thinned to this.
const KEEP: usize = 4 * MAX_ROWS;
/// Rows of the whole log that are kept while reading, some 50 bytes each. With more, all stages are thinned.
const BUDGET: usize = 100_000;
/// Rows that a stage is left with, however many stages there are.
const FEWEST_ROWS: usize = 10;

/// Task rows of a stage, thinned when there are many.
#[derive(Default)]
pub(super) struct Rows {
    thinned: PackedRows,
    recent: PackedRows,
}

impl Rows {
    pub(super) fn push(&mut self, partition: u64, row: &WeightedRow) {
        self.recent.push(partition, row);
        if self.len() > 2 * KEEP {
            self.shrink(KEEP);
        }
    }
    fn shrink(&mut self, limit: usize) {
        if self.len() > limit {
            let all = self.thinned.iter().chain(self.recent.iter()).map(|(_, row)| row).collect();
            *self = Self::default();
            thin(all, limit).iter().for_each(|row| self.thinned.push(0, row));
        }
    }
    /// The rows, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = WeightedRow> {
        self.thinned.iter().chain(self.recent.iter()).map(|(_, row)| row)
    }
    /// Rows of single tasks with their partitions; those that were thinned have none.
    pub(super) fn single(&self) -> impl Iterator<Item = (u64, WeightedRow)> {
        self.recent.iter()
    }
    /// Changes the rows of single tasks.
    pub(super) fn change(&mut self, mut how: impl FnMut(u64, &mut WeightedRow)) {
        let mut changed = PackedRows::default();
        for (partition, mut row) in self.recent.iter() {
            how(partition, &mut row);
            changed.push(partition, &row);
        }
        self.recent = changed;
    }
    pub(super) fn len(&self) -> usize {
        self.recent.len() + self.thinned.len()
    }
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The rows for the profile: in the order of partitions while all are there, by size once thinned.
    pub(super) fn finish(self) -> RecordedRows {
        let mut recent: Vec<_> = self.recent.iter().collect();
        recent.sort_by_key(|(partition, _)| *partition);
        let all = self.thinned.iter().chain(recent).map(|(_, row)| row).collect();
        // First, so that the packed rows can have its place.
        drop(self);
        thin(all, MAX_ROWS).into_iter().collect()
    }
}

/// How many rows there are and may be.
pub(super) struct RowBudget {
    budget: usize,
    held: usize,
    most: usize,
    stage: usize,
}

impl Default for RowBudget {
    fn default() -> Self {
        Self::of(BUDGET)
    }
}

impl RowBudget {
    /// A budget of so many rows.
    pub(super) fn of(budget: usize) -> Self {
        Self { budget, held: 0, most: budget, stage: MAX_ROWS }
    }
    /// A stage that had `before` rows has `now`.
    pub(super) fn grown(&mut self, before: usize, now: usize) {
        self.held = (self.held + now).saturating_sub(before);
    }
    /// Whether there are more rows than may be.
    pub(super) fn is_spent(&self) -> bool {
        self.held > self.most
    }
    /// Whether there are more rows than a profile may have.
    pub(super) fn is_over(&self) -> bool {
        self.held > self.budget
    }
    /// Rows that a stage keeps when it cannot keep [`MAX_ROWS`].
    pub(super) fn fewer(&self) -> Option<usize> {
        Some(self.stage).filter(|limit| *limit < MAX_ROWS)
    }
    /// Thins all stages until half of the budget is free, or they have the fewest rows that are useful.
    pub(super) fn squeeze(&mut self, stages: &mut [&mut Rows]) {
        self.squeeze_to(self.budget / 2, stages);
        self.most = self.budget.max(2 * self.held);
    }
    /// Thins all stages to the rows of a profile: the budget, or the fewest of each stage.
    pub(super) fn finish(&mut self, stages: &mut [&mut Rows]) {
        self.squeeze_to(self.budget, stages);
    }
    fn squeeze_to(&mut self, goal: usize, stages: &mut [&mut Rows]) {
        loop {
            stages.iter_mut().for_each(|rows| rows.shrink(self.stage));
            self.held = stages.iter().map(|rows| rows.len()).sum();
            if self.held <= goal || self.stage == FEWEST_ROWS {
                break;
            }
            self.stage = (self.stage / 2).max(FEWEST_ROWS);
        }
    }
}
