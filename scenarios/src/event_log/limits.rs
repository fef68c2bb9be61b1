//! How much of a log is kept, whatever the log.
//!
//! Stages, stage attempts, executors and persisted RDDs are kept one by one up to a stated number; what comes after it is
//! counted in all totals, and a warning says how much that was. Texts are cut, lists that a stage carries share a room.
//! Together with the packed task rows this keeps reading below 100 MB; the numbers are far above what Spark's own driver
//! keeps (its user interface holds 1000 stages and 1000 jobs).

use super::partitions::Partitions;
use crate::profile::MAX_STAGES;

/// Stage attempts that the summary lists.
pub(super) const MAX_ATTEMPTS: usize = MAX_STAGES;
/// Executors that are kept one by one.
pub(super) const MAX_EXECUTORS: usize = 5000;
/// Persisted RDDs that are kept one by one.
pub(super) const MAX_RDDS: usize = 1000;
/// Bytes of a name or a reason.
pub(super) const LONGEST_TEXT: usize = 400;
/// Bytes of a setting's value; all that are read are shorter.
pub(super) const LONGEST_VALUE: usize = 1000;
/// Warnings of one kind.
const MAX_TOLD: usize = 10;

/// Room that all stages share: for words of 64 partitions, parents, persisted RDDs, reasons of failures and partitions of
/// which attempts failed.
pub(super) struct Room {
    pub(super) partitions: usize,
    pub(super) parents: usize,
    pub(super) persisted: usize,
    pub(super) reasons: usize,
    pub(super) lost: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { partitions: 1 << 18, parents: 200_000, persisted: 100_000, reasons: MAX_STAGES, lost: 10_000 }
    }
}

impl Room {
    /// Whether something did not fit.
    pub(super) fn is_short(&self) -> bool {
        [self.partitions, self.parents, self.persisted, self.reasons, self.lost].contains(&0)
    }
}

/// What was not kept one by one.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    /// Run time of the tasks of stages beyond the limit, milliseconds.
    pub(super) run_time_ms: u64,
    /// Their tasks.
    pub(super) tasks: u64,
    pub(super) executors: u64,
    pub(super) rdds: bool,
    pub(super) lists: bool,
}

/// Distinct stages and stage attempts, counted without keeping them: a bit each.
#[derive(Debug, Default)]
pub(super) struct AttemptCount {
    stages: Partitions,
    first: Partitions,
    later: Partitions,
}

impl AttemptCount {
    /// Takes an attempt in.
    pub(super) fn see(&mut self, stage: u64, attempt: u64, room: &mut usize) {
        self.stages.insert(stage, room);
        if attempt == 0 {
            self.first.insert(stage, room);
        } else {
            // Stages are below 2^32 in Spark, so a pair has its own number.
            self.later.insert(stage.wrapping_mul(1 << 32).wrapping_add(attempt), room);
        }
    }
    /// Distinct stages.
    pub(super) fn stages(&self) -> u64 {
        self.stages.len()
    }
    /// Distinct attempts.
    pub(super) fn attempts(&self) -> u64 {
        self.first.len() + self.later.len()
    }
}

/// At most `most` bytes of a text.
pub(super) fn short(text: &str, most: usize) -> String {
    cut(text, most).to_owned()
}

/// The beginning of a text, at most `most` bytes and only whole characters.
pub(super) fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

/// Adds the first warnings of a kind, and how many more there were.
pub(super) fn tell_first(warnings: &mut Vec<String>, all: impl Iterator<Item = String>) {
    let mut more = 0u64;
    for (index, warning) in all.enumerate() {
        if index < MAX_TOLD {
            warnings.push(warning);
        } else {
            more += 1;
        }
    }
    if more > 0 {
        warnings.push(format!("{more} more warnings like the one before"));
    }
}

impl LeftOut {
    /// What the user is told, for a log with so many stages and attempts of stages and so much run time.
    pub(super) fn tell(&self, stages: u64, attempts: u64, run_time_ms: u64, warnings: &mut Vec<String>) {
        if self.tasks > 0 {
            let share = self.run_time_ms as f64 / run_time_ms.max(1) as f64 * 100.0;
            warnings.push(format!(
                "the log has {stages} stages and a profile at most {MAX_STAGES}: {} tasks of later stages, {share:.0} % of the run time, are in the totals and not in the profile",
                self.tasks
            ));
        }
        if attempts > MAX_ATTEMPTS as u64 {
            warnings.push(format!("the log has {attempts} stage attempts; the first {MAX_ATTEMPTS} are listed, and the totals count all"));
        }
        if self.executors > 0 {
            warnings
                .push(format!("{} executors came after the first {MAX_EXECUTORS}; the totals count their tasks, the evidence leaves them out", self.executors));
        }
        if self.rdds {
            warnings.push(format!("the log has more than {MAX_RDDS} persisted RDDs; the first of them are in the evidence"));
        }
        if self.lists {
            warnings.push(
                "stages have more parents, persisted RDDs, partition numbers, failed attempts or reasons of failures than are kept; totals are exact"
                    .to_owned(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn attempts_are_counted_as_a_set_counts_them(seen in prop::collection::vec((0u64..200, prop_oneof![Just(0u64), 0u64..300]), 0..300)) {
            let (mut count, mut room) = (AttemptCount::default(), 1 << 18);
            seen.iter().for_each(|(stage, attempt)| count.see(*stage, *attempt, &mut room));
            prop_assert_eq!(count.attempts(), seen.iter().collect::<BTreeSet<_>>().len() as u64);
            prop_assert_eq!(count.stages(), seen.iter().map(|(stage, _)| stage).collect::<BTreeSet<_>>().len() as u64);
        }
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!((short("äöü", 4), short("äöü", 3)), ("äö".to_owned(), "ä".to_owned()));
        assert_eq!(short("ab", 2), "ab");
    }

    #[test]
    fn many_warnings_become_a_few() {
        let mut warnings = Vec::new();
        tell_first(&mut warnings, (0..12).map(|n| n.to_string()));
        assert_eq!((warnings.len(), warnings[10].as_str()), (11, "2 more warnings like the one before"));
    }
}
