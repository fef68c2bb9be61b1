//! Stages that Spark gave up because the application's own code failed, as work.
//!
//! A task that throws is tried again until `spark.task.maxFailures`; then its job is aborted, its running siblings are killed, and an
//! application that catches the exception goes on. All that took slots and time, and on another cluster it does again, because the
//! exception belongs to the application. So such a stage is kept with what its attempts did until the abort: attempts of one partition, which
//! run one after the other, are one task; attempts that outlived the abort count up to it. Spark records no CPU time for an
//! attempt that failed, so run time less GC and fetch wait stands in, times the share of a core that the other tasks had. What they
//! wrote is lost and counts as nothing.
//!
//! What the cluster did to a stage is not work: when an attempt was lost with its executor, could not fetch, or died of
//! `OutOfMemoryError`, only its tasks that ended well are kept, as in any other stage. The same holds for a stage that ended well in a retry.

use std::collections::BTreeMap;

use sim_core::spec::TaskRow;
use sim_core::units::{Bytes, SimSpan};

use super::events::{EndReason, TaskEnd, TaskMetrics};
use super::log::Log;
use super::stage_record::StageRecord;
use crate::profile::{MAX_ROWS, WeightedRow, add_rows};

/// Partitions whose failed attempts are kept apart; attempts of further ones join their neighbour's.
const MOST: usize = 4 * MAX_ROWS;

/// Attempts of one stage that did not end well, as long as they may turn out to be work.
#[derive(Debug, Default)]
pub(super) struct Lost {
    partitions: BTreeMap<u64, Box<Attempts>>,
    /// Whether one of them was the cluster's doing.
    by_cluster: bool,
}

/// Failed attempts of one partition, summed.
#[derive(Clone, Copy, Debug)]
struct Attempts {
    row: WeightedRow,
    /// The part of the row's CPU time that is not CPU time but time in which a core was wanted.
    wanted: SimSpan,
    read: u64,
}

impl Lost {
    /// Adds an attempt, whose work is `row`; whether the cluster took it. A new partition comes out of `room`; without room
    /// its attempts join a neighbour's or, if there is none, are not kept.
    pub(super) fn add(&mut self, partition: u64, row: WeightedRow, reason: &EndReason<'_>, metrics: &TaskMetrics, room: &mut usize) -> bool {
        let by_cluster = is_the_clusters(reason);
        self.by_cluster |= by_cluster;
        if self.by_cluster {
            self.forget(room);
            return by_cluster;
        }
        let unwritten = TaskRow { shuffle_write: Bytes::ZERO, output: Bytes::ZERO, records: 0, writer_memory: Bytes::ZERO, ..row.total };
        let row = WeightedRow { total: unwritten, ..row };
        let wanted = if metrics.cpu_ns.0 == 0 { row.total.cpu } else { SimSpan::ZERO };
        let read = metrics.read.remote.0.saturating_add(metrics.read.local.0);
        let full = self.partitions.len() >= MOST || *room == 0;
        let neighbour = || self.partitions.range(..=partition).next_back().or(self.partitions.first_key_value()).map(|(near, _)| *near);
        let key = if full { neighbour() } else { Some(partition) };
        match key.and_then(|key| self.partitions.get_mut(&key)) {
            Some(attempts) => attempts.add(&row, wanted, read),
            None if full => {}
            None => {
                self.partitions.insert(partition, Box::new(Attempts { row, wanted, read }));
                *room -= 1;
            }
        }
        by_cluster
    }

    /// Forgets attempts that are not going to be work.
    pub(super) fn forget(&mut self, room: &mut usize) {
        *room += std::mem::take(&mut self.partitions).len();
    }

    fn is_empty(&self) -> bool {
        self.partitions.is_empty()
    }
}

impl Attempts {
    fn add(&mut self, row: &WeightedRow, wanted: SimSpan, read: u64) {
        self.row.total = add_rows(&self.row.total, &row.total);
        for (sum, seen) in self.row.seen.iter_mut().zip(row.seen) {
            *sum = sum.saturating_add(seen).min(crate::profile::MAX_AMOUNT - 1);
        }
        self.wanted = SimSpan::from_ns(self.wanted.as_ns().saturating_add(wanted.as_ns()).min(self.row.total.cpu.as_ns()));
        self.read = self.read.saturating_add(read);
    }

    /// The row, when tasks that wanted a core had `share` of it.
    fn row(&self, share: f64) -> WeightedRow {
        let wanted = self.wanted.as_ns();
        let had = (wanted as f64 * share) as u64;
        let cpu = self.row.total.cpu.as_ns().saturating_sub(wanted).saturating_add(had);
        WeightedRow { total: TaskRow { cpu: SimSpan::from_ns(cpu), ..self.row.total }, ..self.row }
    }
}

/// Whether an attempt failed for what happened to its executor, its memory or its input's, and not for what it computed.
fn is_the_clusters(reason: &EndReason<'_>) -> bool {
    match reason.reason.as_ref() {
        "ExecutorLostFailure" | "FetchFailed" | "Resubmitted" => true,
        _ => reason.class.ends_with("OutOfMemoryError"),
    }
}

/// The metrics of a failed attempt up to the instant at which its stage was given up.
pub(super) fn until_abort(event: &TaskEnd<'_>, aborted_ms: Option<u64>, mut metrics: TaskMetrics) -> TaskMetrics {
    let after = aborted_ms.map_or(0, |at| event.info.finished.0.saturating_sub(at));
    metrics.run_ms.0 = metrics.run_ms.0.saturating_sub(after);
    metrics
}

impl Log {
    /// Turns the failed attempts of stages that the application itself broke into work; forgets all others.
    pub(super) fn settle(&mut self) {
        let share = self.machines.share().unwrap_or(1.0);
        let jobs = &self.jobs;
        let failed = |job: Option<u64>| job.and_then(|job| jobs.get(&job)).is_some_and(|job| job.failed);
        for stage in self.stages.values_mut().filter(|stage| stage.given_up) {
            if failed(stage.job) || failed(stage.last_job) {
                stage.aborted = true;
                if !stage.lost.by_cluster && !stage.lost.is_empty() {
                    let before = stage.rows.len();
                    stage.keep_lost(share, &mut self.room.partitions);
                    self.budget.grown(before, stage.rows.len());
                }
            }
        }
    }
}

impl StageRecord {
    fn keep_lost(&mut self, share: f64, room: &mut usize) {
        for (partition, attempts) in std::mem::take(&mut self.lost).partitions {
            if self.done.insert(partition, room) {
                let row = attempts.row(share);
                self.sum = Some(self.sum.map_or(row.total, |sum| add_rows(&sum, &row.total)));
                self.read = self.read.saturating_add(attempts.read);
                self.rows.push(partition, &row);
            }
        }
    }
}
