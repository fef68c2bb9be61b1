//! The stages and jobs of a log while it is read.
//!
//! A stage is kept when an event first names it, up to the limit of a profile. Spark lists each job's whole ancestry as new
//! stages, most of which it then skips because their shuffle files are still there; when room is short, those of jobs that
//! ended are forgotten, and who reads them is told which earlier stage wrote the shuffle. Lists that a stage carries come
//! out of a room that all stages share.

use std::collections::{BTreeMap, BTreeSet};

use super::events::{self, StageInfo};
use super::limits::{LONGEST_TEXT, MAX_ATTEMPTS, MAX_RDDS, short};
use super::log::Log;
use super::stage_record::StageRecord;
use super::summary::StageSummary;
use crate::profile::{MAX_STAGES, Pressure};

/// Jobs that end before stages are looked through again for those that can be forgotten.
const JOBS_BETWEEN: u64 = 100;

/// One job.
#[derive(Default)]
pub(super) struct JobRecord {
    pub(super) start: u64,
    pub(super) end: Option<u64>,
    pub(super) failed: bool,
    /// The stages that no job before it had.
    pub(super) stages: Vec<u64>,
    /// How many stages it had.
    pub(super) listed: u64,
    pub(super) execution: Option<u64>,
}

impl Log {
    /// A stage that is kept, or `None` beyond the limit.
    pub(super) fn stage(&mut self, id: u64) -> Option<&mut StageRecord> {
        if !self.stages.contains_key(&id) {
            if self.stages.len() >= MAX_STAGES {
                self.forget_skipped();
            }
            if self.stages.len() >= MAX_STAGES {
                return None;
            }
        }
        Some(self.stages.entry(id).or_default())
    }

    /// An attempt that is listed, or `None` beyond the limit.
    pub(super) fn attempt(&mut self, stage: u64, attempt: u64) -> Option<&mut StageSummary> {
        self.counted.see(stage, attempt, &mut self.room.partitions);
        if self.attempts.len() >= MAX_ATTEMPTS && !self.attempts.contains_key(&(stage, attempt)) {
            return None;
        }
        let new = || Box::new(StageSummary { stage, attempt, ..StageSummary::default() });
        Some(self.attempts.entry((stage, attempt)).or_insert_with(new))
    }

    pub(super) fn job_start(&mut self, event: &events::JobStart<'_>) {
        self.totals.jobs += 1;
        let id = event.id.0;
        let mut stages = Vec::new();
        for info in &event.stages.0 {
            self.stage_info(info);
            if let Some(stage) = self.stages.get_mut(&info.id.0) {
                if stage.job.is_none() {
                    stages.push(info.id.0);
                }
                stage.job = stage.job.or(Some(id));
                stage.last_job = Some(id);
            }
        }
        for info in &event.stages.0 {
            for parent in &info.parents.0 {
                if let Some(stage) = self.stages.get_mut(parent) {
                    stage.reader_tasks = Some(stage.reader_tasks.unwrap_or(0).max(info.tasks.0));
                }
            }
        }
        stages.shrink_to_fit();
        let execution =
            event.properties.as_ref().and_then(|properties| properties.execution.as_ref()?.trim().parse().ok()).filter(|id| *id < crate::profile::MAX_AMOUNT);
        self.found_broadcasts(execution, &event.stages.0);
        let listed = event.stages.0.len() as u64;
        let job = JobRecord { start: event.time.0, end: None, failed: false, stages, listed, execution };
        if self.jobs.len() >= MAX_STAGES {
            self.forget_skipped();
        }
        // As many jobs with stages of their own as there are stages: one that does not fit has none.
        if self.jobs.len() < MAX_STAGES || !job.stages.is_empty() {
            self.jobs.insert(id, job);
        }
    }

    /// What a query's driver has built by now is there from the first stage of its next job on.
    fn found_broadcasts(&mut self, execution: Option<u64>, stages: &[StageInfo<'_>]) {
        let first = stages.iter().map(|info| info.id.0).filter(|id| self.stages.get(id).is_some_and(|stage| stage.rows.is_empty())).min();
        if let (Some(execution), Some(stage)) = (execution, first.and_then(|id| self.stages.get_mut(&id))) {
            stage.broadcast = stage.broadcast.saturating_add(self.broadcasts.take(execution));
        }
    }

    pub(super) fn job_end(&mut self, event: &events::JobEnd<'_>) {
        self.jobs_ended += 1;
        let failed = event.result.result != "JobSucceeded";
        if !self.jobs.contains_key(&event.id.0) && self.jobs.len() >= MAX_STAGES {
            return;
        }
        let job = self.jobs.entry(event.id.0).or_default();
        job.end = Some(event.time.0);
        job.failed = failed;
    }

    /// A stage was submitted or has completed.
    pub(super) fn stage_event(&mut self, info: &StageInfo<'_>) {
        self.stage_info(info);
        if let Some(attempt) = self.attempt(info.id.0, info.attempt.0) {
            attempt.name = short(&info.name, LONGEST_TEXT);
            attempt.submitted_ms = info.submitted.map(|time| time.0).or(attempt.submitted_ms);
            attempt.completed_ms = info.completed.map(|time| time.0).or(attempt.completed_ms);
        }
        let others = !self.running.is_empty();
        if info.completed.is_some() {
            self.running.remove(&(info.id.0, info.attempt.0));
        } else if self.running.len() < MAX_ATTEMPTS {
            self.running.insert((info.id.0, info.attempt.0));
        }
        if let Some(stage) = self.stages.get_mut(&info.id.0) {
            stage.last_attempt = stage.last_attempt.max(info.attempt.0);
            if stage.submitted_ms.is_none() {
                stage.beside_others = others;
                stage.after_loss_ms = self.last_loss_ms;
            }
            stage.given_up = info.completed.is_some() && info.failure.is_some();
            if info.completed.is_some() && !stage.given_up {
                stage.lost.forget(&mut self.room.lost);
            }
            stage.submitted_ms = stage.submitted_ms.or(info.submitted.map(|time| time.0));
            stage.completed_ms = stage.completed_ms.max(info.completed.map(|time| time.0));
        }
    }

    fn stage_info(&mut self, info: &StageInfo<'_>) {
        for rdd in &info.rdds.persisted {
            if self.storage.len() < MAX_RDDS || self.storage.contains_key(&rdd.id.0) {
                self.storage.entry(rdd.id.0).or_default().see(rdd);
            } else {
                self.left_out.rdds = true;
            }
        }
        if self.stage(info.id.0).is_none() {
            return;
        }
        let room = &mut self.room;
        let Some(stage) = self.stages.get_mut(&info.id.0) else { return };
        stage.name = short(&info.name, LONGEST_TEXT);
        // A later attempt of a map stage runs only the partitions that were lost.
        stage.tasks = stage.tasks.max(info.tasks.0);
        room.parents += stage.parents.len();
        stage.parents = info.parents.0.iter().copied().take(room.parents).collect();
        room.parents -= stage.parents.len();
        stage.rdd = info.rdds.first.or(stage.rdd);
        stage.indeterminate |= info.rdds.indeterminate;
        stage.barrier |= info.rdds.barrier;
        stage.adaptive_read |= info.rdds.adaptive_read;
        stage.holder = super::events::first_of(stage.holder, info.rdds.holder);
        let in_memory = || info.rdds.persisted.iter().filter(|rdd| rdd.level.memory);
        for rdd in in_memory() {
            if room.persisted > 0 && stage.persisted.insert(rdd.id.0) {
                room.persisted -= 1;
            }
        }
        stage.cached_bytes = stage.cached_bytes.max(in_memory().fold(0u64, |sum, rdd| sum.saturating_add(rdd.memory.0)));
    }

    /// Forgets stages that were skipped and jobs that had nothing else, once their jobs have ended.
    fn forget_skipped(&mut self) {
        if self.jobs_ended < self.forget_at {
            return;
        }
        self.forget_at = self.jobs_ended + JOBS_BETWEEN;
        let writers = self.writers();
        let over = |stage: &StageRecord| stage.last_job.is_some_and(|job| self.jobs.get(&job).is_none_or(|job| job.end.is_some()));
        let skipped = |stage: &StageRecord| stage.rows.is_empty() && stage.submitted_ms.is_none() && stage.pressure == Pressure::default();
        let gone: BTreeSet<u64> = self.stages.iter().filter(|(_, stage)| skipped(stage) && over(stage)).map(|(id, _)| *id).collect();
        for stage in self.stages.values_mut() {
            for parent in stage.parents.iter_mut().filter(|parent| gone.contains(parent)) {
                *parent = writers.get(parent).copied().unwrap_or(*parent);
            }
        }
        self.room.parents += gone.iter().filter_map(|id| self.stages.remove(id)).map(|stage| stage.parents.len()).sum::<usize>();
        let stages = &self.stages;
        self.jobs.retain(|_, job| {
            job.stages.retain(|id| stages.contains_key(id));
            job.end.is_none() || job.failed || !job.stages.is_empty()
        });
    }

    /// For each stage that the log names the one that wrote its shuffle, as [`Self::writer_of`] finds it.
    pub(super) fn writers(&self) -> BTreeMap<u64, u64> {
        let mut last: BTreeMap<u64, u64> = BTreeMap::new();
        let mut writers = BTreeMap::new();
        for (id, stage) in &self.stages {
            let writer = if stage.rows.is_empty() { stage.rdd.and_then(|rdd| last.get(&rdd).copied()) } else { Some(*id) };
            writers.extend(writer.map(|writer| (*id, writer)));
            if let Some(rdd) = stage.rdd.filter(|_| stage.wrote()) {
                last.insert(rdd, *id);
            }
        }
        writers
    }

    /// The stage that wrote the shuffle which the log calls by `stage`: itself, or, when it was skipped because its
    /// shuffle files were still there, an earlier stage that computed the same RDD.
    pub(super) fn writer_of(&self, stage: u64) -> Option<u64> {
        let asked = self.stages.get(&stage)?;
        if !asked.rows.is_empty() {
            return Some(stage);
        }
        let same = |other: &StageRecord| other.wrote() && asked.rdd.is_some() && other.rdd == asked.rdd;
        self.stages.range(..stage).rev().find(|(_, other)| same(other)).map(|(id, _)| *id)
    }
}
