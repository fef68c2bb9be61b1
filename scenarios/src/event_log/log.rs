//! The state of one log while it is read: what the events say, folded.
//!
//! Memory does not grow with the log but with its stages and executors: task rows are thinned as they come, over the
//! whole log there are at most a stated number of them, and of the partitions of a stage one bit each is kept, so that
//! a partition that ran twice (retries, speculation, lost map output) counts once as work and every time in the summary.

use std::collections::{BTreeMap, BTreeSet};

use sim_core::spec::TaskRow;

use super::events::{self, Peaks, StageInfo, TaskEnd};
use super::mapping::{Context, DEFAULT_EXPANSION, Recorded, task_row};
use super::partitions::Partitions;
use super::summary::{ExecutorSummary, StageSummary, Totals};
use crate::profile::{MAX_ROWS, Pressure, WeightedRow, add_rows, thin};

/// Rows of one stage that are kept while reading; twice as many are thinned to this.
const KEEP: usize = 4 * MAX_ROWS;
/// Rows of the whole log that are kept while reading: 10 to 20 MB. With more, all stages are thinned.
const BUDGET: usize = 100_000;
/// Rows that a stage is left with, however many stages there are.
const FEWEST_ROWS: usize = 10;
/// `spark.shuffle.sort.bypassMergeThreshold` (SW-1).
const BYPASS_PARTITIONS: u64 = 200;

/// Everything that a log said.
#[derive(Default)]
pub(super) struct Log {
    pub(super) spark_version: Option<String>,
    pub(super) application: Option<String>,
    pub(super) conf: BTreeMap<String, String>,
    pub(super) sql: bool,
    pub(super) ended: bool,
    pub(super) jobs: BTreeMap<u64, JobRecord>,
    pub(super) stages: BTreeMap<u64, StageRecord>,
    pub(super) attempts: BTreeMap<(u64, u64), StageSummary>,
    pub(super) executors: BTreeMap<String, ExecutorSummary>,
    pub(super) totals: Totals,
    /// What `SparkListenerApplicationStart` calls the application and its attempt.
    pub(super) application_id: Option<String>,
    pub(super) attempt_id: Option<String>,
    budget: RowBudget,
}

/// How many rows there are and may be.
struct RowBudget {
    held: usize,
    most: usize,
    stage: usize,
}

impl Default for RowBudget {
    fn default() -> Self {
        Self { held: 0, most: BUDGET, stage: MAX_ROWS }
    }
}

/// One job.
#[derive(Default)]
pub(super) struct JobRecord {
    pub(super) start: u64,
    pub(super) end: Option<u64>,
    pub(super) failed: bool,
    pub(super) stages: Vec<u64>,
}

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
    /// Tasks of the stages that read its shuffle.
    pub(super) reader_tasks: Option<u64>,
    /// Rows in memory per lz4 byte of the shuffles that it reads; known once its first task has ended.
    read_expansion: Option<f64>,
    pub(super) writes_shuffle: bool,
    pub(super) done: Partitions,
    pub(super) rows: Rows,
    /// Sum of its task rows.
    pub(super) sum: Option<TaskRow>,
    pub(super) pressure: Pressure,
}

/// Task rows of a stage, thinned when there are many.
#[derive(Default)]
pub(super) struct Rows {
    thinned: Vec<WeightedRow>,
    recent: Vec<(u64, WeightedRow)>,
}

impl Rows {
    fn push(&mut self, partition: u64, row: TaskRow) {
        self.recent.push((partition, WeightedRow { tasks: 1, total: row }));
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
    fn len(&self) -> usize {
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

/// Settings that say under which memory and shuffle configuration the log was recorded. Others are not kept: they may hold secrets.
pub(super) const KEPT_CONF: [&str; 33] = [
    "spark.driver.memory",
    "spark.dynamicAllocation.enabled",
    "spark.dynamicAllocation.maxExecutors",
    "spark.executor.cores",
    "spark.executor.instances",
    "spark.executor.memory",
    "spark.executor.memoryOverhead",
    "spark.executor.memoryOverheadFactor",
    "spark.executor.pyspark.memory",
    "spark.io.compression.codec",
    "spark.io.compression.zstd.level",
    "spark.kubernetes.local.dirs.tmpfs",
    "spark.kubernetes.memoryOverheadFactor",
    "spark.master",
    "spark.memory.fraction",
    "spark.memory.offHeap.enabled",
    "spark.memory.offHeap.size",
    "spark.memory.storageFraction",
    "spark.serializer",
    "spark.shuffle.compress",
    "spark.shuffle.file.buffer",
    "spark.shuffle.service.enabled",
    "spark.shuffle.sort.bypassMergeThreshold",
    "spark.shuffle.spill.compress",
    "spark.speculation",
    "spark.default.parallelism",
    "spark.sql.adaptive.enabled",
    "spark.sql.adaptive.coalescePartitions.enabled",
    "spark.sql.autoBroadcastJoinThreshold",
    "spark.sql.files.maxPartitionBytes",
    "spark.sql.shuffle.partitions",
    "spark.task.cpus",
    "spark.task.maxFailures",
];

impl Log {
    pub(super) fn application_start(&mut self, event: &events::ApplicationStart<'_>) {
        let text = |text: &str| Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned);
        self.application = text(&event.name);
        self.application_id = event.id.as_deref().and_then(text);
        self.attempt_id = event.attempt.as_deref().and_then(text);
    }

    /// Partitions that were computed.
    pub(super) fn tasks_done(&self) -> u64 {
        self.stages.values().map(|stage| stage.done.len()).sum()
    }

    /// Rows that a stage keeps when there are so many stages that it cannot keep [`MAX_ROWS`].
    pub(super) fn fewer_rows(&self) -> Option<usize> {
        Some(self.budget.stage).filter(|limit| *limit < MAX_ROWS)
    }

    /// Thins all stages until half of the budget is free, or they have the fewest rows that are useful.
    fn squeeze(&mut self) {
        loop {
            self.stages.values_mut().for_each(|stage| stage.rows.shrink(self.budget.stage));
            self.budget.held = self.stages.values().map(|stage| stage.rows.len()).sum();
            if self.budget.held <= BUDGET / 2 || self.budget.stage == FEWEST_ROWS {
                break;
            }
            self.budget.stage = (self.budget.stage / 2).max(FEWEST_ROWS);
        }
        self.budget.most = BUDGET.max(2 * self.budget.held);
    }

    pub(super) fn environment(&mut self, event: &events::EnvironmentUpdate<'_>) {
        let kept = event.properties.iter().filter(|(key, _)| KEPT_CONF.contains(&key.as_ref()));
        self.conf.extend(kept.map(|(key, value)| (key.to_string(), value.to_string())));
    }

    /// The default resource profile states executor memory and cores where no property does.
    pub(super) fn resource_profile(&mut self, event: &events::ResourceProfileAdded<'_>) {
        for (resource, key, unit) in
            [("memory", "spark.executor.memory", "m"), ("memoryOverhead", "spark.executor.memoryOverhead", "m"), ("cores", "spark.executor.cores", "")]
        {
            if let Some(request) = event.requests.get(resource).filter(|_| event.id.0 == 0) {
                self.conf.entry(key.to_owned()).or_insert_with(|| format!("{}{unit}", request.amount.0));
            }
        }
    }

    pub(super) fn executor_added(&mut self, event: &events::ExecutorAdded<'_>) {
        let executor = self.executor(&event.id);
        executor.host = event.info.host.to_string();
        executor.cores = event.info.cores.0;
        executor.added_ms = Some(event.time.0);
    }

    pub(super) fn executor_removed(&mut self, event: &events::ExecutorRemoved<'_>) {
        let executor = self.executor(&event.id);
        executor.removed_ms = Some(event.time.0);
        executor.removed_reason = Some(event.reason.to_string());
    }

    fn executor(&mut self, id: &str) -> &mut ExecutorSummary {
        self.executors.entry(id.to_owned()).or_insert_with(|| ExecutorSummary { id: id.to_owned(), ..ExecutorSummary::default() })
    }

    pub(super) fn peaks(&mut self, executor: &str, peaks: &Peaks) {
        let executor = self.executor(executor);
        let raise = |peak: &mut u64, parts: &[super::number::Count]| *peak = (*peak).max(parts.iter().fold(0, |sum, part| sum.saturating_add(part.0)));
        raise(&mut executor.peak_heap_bytes, &[peaks.heap]);
        raise(&mut executor.peak_non_heap_bytes, &[peaks.non_heap]);
        raise(&mut executor.peak_direct_bytes, &[peaks.direct]);
        raise(&mut executor.peak_execution_bytes, &[peaks.execution_on_heap, peaks.execution_off_heap]);
        raise(&mut executor.peak_storage_bytes, &[peaks.storage_on_heap, peaks.storage_off_heap]);
        raise(&mut executor.peak_rss_bytes, &[peaks.rss_jvm, peaks.rss_python, peaks.rss_other]);
    }

    pub(super) fn job_start(&mut self, event: &events::JobStart<'_>) {
        self.totals.jobs += 1;
        for info in &event.stages {
            self.stage_info(info);
        }
        for info in &event.stages {
            for parent in &info.parents {
                if let Some(stage) = self.stages.get_mut(&parent.0) {
                    stage.reader_tasks = Some(stage.reader_tasks.unwrap_or(0).max(info.tasks.0));
                }
            }
        }
        let stages = event.stages.iter().map(|info| info.id.0).collect();
        self.jobs.insert(event.id.0, JobRecord { start: event.time.0, end: None, failed: false, stages });
    }

    pub(super) fn job_end(&mut self, event: &events::JobEnd<'_>) {
        let job = self.jobs.entry(event.id.0).or_default();
        job.end = Some(event.time.0);
        job.failed = event.result.result != "JobSucceeded";
    }

    /// A stage was submitted or has completed.
    pub(super) fn stage_event(&mut self, info: &StageInfo<'_>) {
        self.stage_info(info);
        let attempt = self.attempt(info.id.0, info.attempt.0);
        attempt.name = info.name.to_string();
    }

    fn attempt(&mut self, stage: u64, attempt: u64) -> &mut StageSummary {
        self.attempts.entry((stage, attempt)).or_insert_with(|| StageSummary { stage, attempt, ..StageSummary::default() })
    }

    fn stage_info(&mut self, info: &StageInfo<'_>) {
        let stage = self.stages.entry(info.id.0).or_default();
        stage.name = info.name.to_string();
        // A later attempt of a map stage runs only the partitions that were lost.
        stage.tasks = stage.tasks.max(info.tasks.0);
        stage.parents = info.parents.iter().map(|parent| parent.0).collect();
        stage.rdd = info.rdds.first().map(|rdd| rdd.id.0).or(stage.rdd);
        let in_memory = info.rdds.iter().filter(|rdd| rdd.level.memory);
        stage.persisted.extend(in_memory.clone().map(|rdd| rdd.id.0));
        stage.cached_bytes = stage.cached_bytes.max(in_memory.fold(0u64, |sum, rdd| sum.saturating_add(rdd.memory.0)));
    }

    /// The stage that wrote the shuffle which the log calls by `stage`: itself, or, when it was skipped because its
    /// shuffle files were still there, an earlier stage that computed the same RDD.
    pub(super) fn writer_of(&self, stage: u64) -> Option<u64> {
        let asked = self.stages.get(&stage)?;
        if !asked.rows.is_empty() {
            return Some(stage);
        }
        let same = |other: &StageRecord| other.writes_shuffle && !other.rows.is_empty() && asked.rdd.is_some() && other.rdd == asked.rdd;
        self.stages.range(..stage).rev().find(|(_, other)| same(other)).map(|(id, _)| *id)
    }

    pub(super) fn task_end(&mut self, event: &TaskEnd<'_>) {
        let mut metrics = event.metrics.unwrap_or_default();
        // Spark 2 tells the peak as an accumulator only.
        metrics.peak_execution = metrics.peak_execution.max(event.info.accumulables.peak_execution);
        let failed = event.reason.reason != "Success";
        let (id, partition) = (event.stage.0, event.info.index.0);
        self.totals.add_task(failed, &metrics);
        self.attempt(id, event.attempt.0).add_task(failed, &metrics);
        if !event.info.executor.is_empty() {
            self.executor(&event.info.executor).tasks += 1;
            if let Some(peaks) = &event.executor {
                self.peaks(&event.info.executor, peaks);
            }
        }
        let row = if failed { None } else { Some(task_row(&metrics, &self.context(event))) };
        let stage = self.stages.entry(id).or_default();
        stage.writes_shuffle |= event.kind == "ShuffleMapTask";
        suffer(&mut stage.pressure, failed, &metrics);
        if let Some(row) = row
            && stage.done.insert(partition)
        {
            stage.sum = Some(stage.sum.map_or(row, |sum| add_rows(&sum, &row)));
            let before = stage.rows.len();
            stage.rows.push(partition, row);
            self.budget.held = (self.budget.held + stage.rows.len()).saturating_sub(before);
            if self.budget.held > self.budget.most {
                self.squeeze();
            }
        }
    }

    fn context(&mut self, event: &TaskEnd<'_>) -> Context {
        let id = event.stage.0;
        let read_expansion = self.stages.get(&id).and_then(|stage| stage.read_expansion).unwrap_or_else(|| self.read_expansion(id));
        let stage = self.stages.entry(id).or_default();
        stage.read_expansion = Some(read_expansion);
        let configured = || self.conf.get("spark.sql.shuffle.partitions").and_then(|n| n.parse().ok()).unwrap_or(BYPASS_PARTITIONS);
        let partitions = stage.reader_tasks.unwrap_or_else(configured);
        Context {
            codec: Recorded::of(&self.conf),
            read_expansion,
            serialized_writer: self.sql && event.kind == "ShuffleMapTask" && partitions > BYPASS_PARTITIONS,
            data_size: event.info.accumulables.data_size,
        }
    }

    /// Rows in memory per lz4 byte of the shuffles that a stage reads, over the stages that wrote them.
    fn read_expansion(&self, stage: u64) -> f64 {
        let parents = self.stages.get(&stage).into_iter().flat_map(|stage| &stage.parents).filter_map(|parent| self.writer_of(*parent));
        let sums = parents.filter_map(|parent| self.stages.get(&parent)?.sum);
        let (plain, packed) = sums.fold((0.0, 0.0), |(plain, packed), sum| (plain + sum.writer_memory.as_f64(), packed + sum.shuffle_write.as_f64()));
        if packed > 0.0 { plain / packed } else { DEFAULT_EXPANSION }
    }
}

fn suffer(pressure: &mut Pressure, failed: bool, m: &events::TaskMetrics) {
    let add = |sum: &mut u64, n: u64| *sum = sum.saturating_add(n).min(crate::profile::MAX_AMOUNT - 1);
    add(&mut pressure.run_time_ms, m.run_ms.0);
    add(&mut pressure.gc_ms, m.gc_ms.0);
    add(&mut pressure.fetch_wait_ms, m.read.wait_ms.0);
    add(&mut pressure.deserialize_ms, m.deserialize_ms.0);
    add(&mut pressure.spill_memory, m.spill_memory.0);
    add(&mut pressure.spill_disk, m.spill_disk.0);
    add(&mut pressure.failed_tasks, u64::from(failed));
}
