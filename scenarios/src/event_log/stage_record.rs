//! One stage while its log is read, over all its attempts.

use std::collections::{BTreeMap, BTreeSet};

use sim_core::spec::{Operators, TaskRow};

use super::aborted::Lost;
use super::events;
use super::partitions::Partitions;
use super::rows::Rows;
use super::warming::Cold;
use crate::profile::Pressure;

/// One stage over all its attempts.
#[derive(Default)]
pub(super) struct StageRecord {
    pub(super) name: String,
    pub(super) tasks: u64,
    pub(super) parents: Vec<u64>,
    /// The RDD whose partitions the tasks compute; a skipped stage is recognised by it.
    pub(super) rdd: Option<u64>,
    /// RDDs of the stage that are persisted in memory.
    pub(super) persisted: BTreeSet<u64>,
    pub(super) cached_bytes: u64,
    /// Whether Spark took another run of its tasks to give other rows (Spark 3.4 and later say so).
    pub(super) indeterminate: bool,
    /// Whether it reads shuffles as adaptive execution planned it.
    pub(super) adaptive_read: bool,
    /// The operator that holds rows as objects.
    pub(super) holder: Option<Operators>,
    /// Whether an aggregation of it fell back to sorting.
    pub(super) fell_back: bool,
    /// Whether two operators of one task spilled: a window's buffer beside its sort.
    pub(super) buffer_spilled: bool,
    /// Whether it is a barrier stage.
    pub(super) barrier: bool,
    /// Tasks of the stages that read its shuffle.
    pub(super) reader_tasks: Option<u64>,
    /// Rows in memory per lz4 byte of the shuffles that it reads; known once its first task has ended.
    pub(super) read_expansion: Option<f64>,
    /// In-memory bytes of a value in the states that it reads from object hash aggregates.
    pub(super) value: Option<f64>,
    pub(super) writes_shuffle: bool,
    /// Whether a task outside SQL wrote with the serialised writer.
    pub(super) packs: bool,
    /// Whether one wrote with the sort writer.
    pub(super) collects: bool,
    /// Whether its writer collected objects although the bypass writer would do: map-side combine.
    pub(super) combines: bool,
    /// Shuffle bytes of its partitions, each once, as the run's codec wrote them.
    pub(super) written: u64,
    pub(super) read: u64,
    /// When it was first submitted and when it last ended, milliseconds since 1970.
    pub(super) submitted_ms: Option<u64>,
    pub(super) completed_ms: Option<u64>,
    /// When its first task was launched and its last one finished, milliseconds since 1970.
    pub(super) launched_ms: Option<u64>,
    pub(super) finished_ms: Option<u64>,
    /// Whether another stage ran when it was first submitted, so that its tasks may have waited for slots.
    pub(super) beside_others: bool,
    /// When the last attempt before its submission ended that the cluster took; zero without.
    pub(super) after_loss_ms: u64,
    /// Whether its last attempt failed.
    pub(super) given_up: bool,
    /// Whether that ended its job.
    pub(super) aborted: bool,
    /// Attempts of its tasks that did not end well.
    pub(super) lost: Lost,
    /// The first job that lists it, and the last.
    pub(super) job: Option<u64>,
    pub(super) last_job: Option<u64>,
    /// The highest attempt.
    pub(super) last_attempt: u64,
    /// Bytes of broadcast tables that executors hold from this stage on.
    pub(super) broadcast: u64,
    /// Failed task attempts by reason.
    pub(super) failures: BTreeMap<String, u64>,
    pub(super) done: Partitions,
    pub(super) rows: Rows,
    /// Which of them were first tasks of their executors.
    pub(super) cold: Cold,
    /// Sum of its task rows.
    pub(super) sum: Option<TaskRow>,
    pub(super) pressure: Pressure,
}

impl StageRecord {
    /// Whether it can stand for stages that compute the same RDD.
    pub(super) fn wrote(&self) -> bool {
        self.writes_shuffle && !self.rows.is_empty()
    }

    /// When it began: its first launch. What the driver did before, it did for this stage, unless others ran beside it: then
    /// the launch may have waited for a slot, and the submission counts.
    pub(super) fn began_ms(&self) -> Option<u64> {
        if self.beside_others { self.submitted_ms.or(self.launched_ms) } else { self.launched_ms.or(self.submitted_ms) }
    }

    /// One of its attempts finished, which counts up to the end of its stage attempt, if that has ended.
    pub(super) fn ran(&mut self, info: &events::TaskInfo<'_>, over: Option<u64>) {
        let known = |time: u64| Some(time).filter(|time| *time > 0);
        let launched = known(info.launched.0);
        let finished = known(info.finished.0).map(|time| over.map_or(time, |over| time.min(over)));
        self.launched_ms = self.launched_ms.into_iter().chain(launched).min();
        self.finished_ms = self.finished_ms.max(finished);
        self.completed_ms = self.completed_ms.max(finished);
    }
}

/// Reasons that are told apart; further ones are counted together.
const MAX_REASONS: usize = 16;

/// Counts a failure by its reason. A new reason comes out of `room`.
pub(super) fn count_failure(failures: &mut BTreeMap<String, u64>, reason: &events::EndReason<'_>, room: &mut usize) {
    let class = reason.class.rsplit('.').next().unwrap_or_default();
    let name = if class.is_empty() { reason.reason.to_string() } else { format!("{}: {class}", reason.reason) };
    let name: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
    let own = failures.contains_key(&name) || failures.len() < MAX_REASONS && *room > 0 && !name.is_empty();
    let kinds = failures.len();
    *failures.entry(if own { name } else { "other".to_owned() }).or_insert(0) += 1;
    *room = room.saturating_sub(failures.len() - kinds);
}

pub(super) fn suffer(pressure: &mut Pressure, failed: bool, m: &events::TaskMetrics) {
    let add = |sum: &mut u64, n: u64| *sum = sum.saturating_add(n).min(crate::profile::MAX_AMOUNT - 1);
    add(&mut pressure.run_time_ms, m.run_ms.0);
    add(&mut pressure.gc_ms, m.gc_ms.0);
    add(&mut pressure.fetch_wait_ms, m.read.wait_ms.0);
    add(&mut pressure.deserialize_ms, m.deserialize_ms.0);
    add(&mut pressure.spill_memory, m.spill_memory.0);
    add(&mut pressure.spill_disk, m.spill_disk.0);
    add(&mut pressure.failed_tasks, u64::from(failed));
}
