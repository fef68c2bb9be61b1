//! Task rows while a log is read: few enough, whatever the log.
//!
//! A stage keeps a stated number of rows and thins them when there are twice as many; all stages together keep to a budget,
//! which costs each of very many stages some of its rows. Thinning joins rows of like size, so that totals stay.

use crate::profile::{MAX_ROWS, WeightedRow, thin};

/// Rows of one stage that are kept while reading; twice as many are thinned to this.
const KEEP: usize = 4 * MAX_ROWS;
/// Rows of the whole log that are kept while reading: 10 to 20 MB. With more, all stages are thinned.
const BUDGET: usize = 100_000;
/// Rows that a stage is left with, however many stages there are.
const FEWEST_ROWS: usize = 10;

/// Task rows of a stage, thinned when there are many.
#[derive(Default)]
pub(super) struct Rows {
    thinned: Vec<WeightedRow>,
    recent: Vec<(u64, WeightedRow)>,
}

impl Rows {
    pub(super) fn push(&mut self, partition: u64, row: WeightedRow) {
        self.recent.push((partition, row));
        if self.len() > 2 * KEEP {
            self.shrink(KEEP);
        }
    }
    fn shrink(&mut self, limit: usize) {
        if self.len() > limit {
            self.thinned.extend(std::mem::take(&mut self.recent).into_iter().map(|(_, row)| row));
            self.thinned = thin(std::mem::take(&mut self.thinned), limit);
            self.thinned.shrink_to_fit();
        }
    }
    pub(super) fn len(&self) -> usize {
        self.recent.len() + self.thinned.len()
    }
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The rows for the profile: in the order of partitions while all are there, by size once thinned.
    pub(super) fn finish(mut self) -> Vec<WeightedRow> {
        self.recent.sort_by_key(|(partition, _)| *partition);
        let all = self.thinned.into_iter().chain(self.recent.into_iter().map(|(_, row)| row)).collect();
        thin(all, MAX_ROWS)
    }
}

/// How many rows there are and may be.
pub(super) struct RowBudget {
    held: usize,
    most: usize,
    stage: usize,
}

impl Default for RowBudget {
    fn default() -> Self {
        Self { held: 0, most: BUDGET, stage: MAX_ROWS }
    }
}

impl RowBudget {
    /// A stage that had `before` rows has `now`.
    pub(super) fn grown(&mut self, before: usize, now: usize) {
        self.held = (self.held + now).saturating_sub(before);
    }
    /// Whether there are more rows than may be.
    pub(super) fn is_spent(&self) -> bool {
        self.held > self.most
    }
    /// Rows that a stage keeps when it cannot keep [`MAX_ROWS`].
    pub(super) fn fewer(&self) -> Option<usize> {
        Some(self.stage).filter(|limit| *limit < MAX_ROWS)
    }
    /// Thins all stages until half of the budget is free, or they have the fewest rows that are useful.
    pub(super) fn squeeze(&mut self, stages: &mut [&mut Rows]) {
        loop {
            stages.iter_mut().for_each(|rows| rows.shrink(self.stage));
            self.held = stages.iter().map(|rows| rows.len()).sum();
            if self.held <= BUDGET / 2 || self.stage == FEWEST_ROWS {
                break;
            }
            self.stage = (self.stage / 2).max(FEWEST_ROWS);
        }
        self.most = BUDGET.max(2 * self.held);
    }
}
