//! The state of one log while it is read: what the events say, folded.
//!
//! Memory does not grow with the log but with its stages and executors: task rows are thinned as they come, over the
//! whole log there are at most a stated number of them, and of the partitions of a stage one bit each is kept, so that
//! a partition that ran twice (retries, speculation, lost map output) counts once as work and every time in the summary.

use std::collections::{BTreeMap, BTreeSet};

use super::aborted::until_abort;
use super::broadcasts::Broadcasts;
use super::events::{self, Peaks, StageInfo, TaskEnd};
use super::kept_conf::KEPT_CONF;
use super::machines::{Machines, scheduler_delay};
use super::mapping::{Context, DEFAULT_EXPANSION, Recorded, WriterMemory, task_row};
use super::rows::{RowBudget, Rows};
use super::stage_record::{StageRecord, count_failure, suffer};
use super::summary::{ExecutorSummary, StageSummary, Totals};
use super::writers::{is_alone, operator_memory, writer_memory};
use crate::profile::{WeightedRow, add_rows};

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
    pub(super) machines: Machines,
    pub(super) jvm: Jvm,
    pub(super) totals: Totals,
    /// What `SparkListenerApplicationStart` calls the application and its attempt.
    pub(super) application_id: Option<String>,
    pub(super) attempt_id: Option<String>,
    pub(super) broadcasts: Broadcasts,
    /// Executors that took a task with them.
    pub(super) died: BTreeSet<String>,
    /// When the last attempt ended that the cluster took, milliseconds since 1970.
    last_loss_ms: u64,
    /// Stage attempts that were submitted and have not completed.
    running: BTreeSet<(u64, u64)>,
    budget: RowBudget,
}

/// One job.
#[derive(Default)]
pub(super) struct JobRecord {
    pub(super) start: u64,
    pub(super) end: Option<u64>,
    pub(super) failed: bool,
    pub(super) stages: Vec<u64>,
    pub(super) execution: Option<u64>,
}

/// What is known of the executors' JVM.
#[derive(Default)]
pub(super) struct Jvm {
    /// Largest `Maximum Onheap Memory` of an executor's block manager: unified memory on the heap, bytes.
    pub(super) unified: u64,
    /// Whether the options start the heap at its full size.
    pub(super) full_xms: bool,
    /// The collector that the options name.
    pub(super) collector: Option<&'static str>,
}

/// A name, if it is more than blanks.
fn named(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}

impl Log {
    pub(super) fn application_start(&mut self, event: &events::ApplicationStart<'_>) {
        self.application = named(&event.name);
        self.application_id = event.id.as_deref().and_then(named);
        self.attempt_id = event.attempt.as_deref().and_then(named);
    }

    /// Rows that a stage keeps when there are so many stages that it cannot keep [`crate::profile::MAX_ROWS`].
    pub(super) fn fewer_rows(&self) -> Option<usize> {
        self.budget.fewer()
    }

    /// Partitions that were computed.
    pub(super) fn tasks_done(&self) -> u64 {
        self.stages.values().map(|stage| stage.done.len()).sum()
    }

    pub(super) fn environment(&mut self, event: &events::EnvironmentUpdate<'_>) {
        let kept = event.properties.iter().filter(|(key, _)| KEPT_CONF.contains(&key.as_ref()));
        self.conf.extend(kept.map(|(key, value)| (key.to_string(), value.to_string())));
        if let Some(master) = self.conf.get_mut("spark.master") {
            *master = nameless_master(master);
        }
        let options = event.properties.get("spark.executor.extraJavaOptions").map_or("", |options| options.as_ref());
        self.jvm.full_xms |= options.contains("-Xms") || options.contains("+AlwaysPreTouch");
        let named = [("+UseG1GC", "g1"), ("+UseParallelGC", "parallel"), ("+UseSerialGC", "serial")];
        self.jvm.collector = named.iter().find(|(flag, _)| options.contains(flag)).map(|(_, name)| *name).or(self.jvm.collector);
    }

    /// An executor tells how much unified memory its JVM gave it, which depends on the collector.
    pub(super) fn block_manager(&mut self, event: &events::BlockManagerAdded<'_>) {
        if event.id.executor != "driver" {
            self.jvm.unified = self.jvm.unified.max(event.on_heap.0);
        }
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
        raise(&mut executor.peak_jvm_rss_bytes, &[peaks.rss_jvm]);
        raise(&mut executor.peak_python_rss_bytes, &[peaks.rss_python]);
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
        let execution =
            event.properties.as_ref().and_then(|properties| properties.execution.as_ref()?.trim().parse().ok()).filter(|id| *id < crate::profile::MAX_AMOUNT);
        self.found_broadcasts(execution, &event.stages);
        for info in &event.stages {
            if let Some(stage) = self.stages.get_mut(&info.id.0) {
                stage.job = stage.job.or(Some(event.id.0));
            }
        }
        self.jobs.insert(event.id.0, JobRecord { start: event.time.0, end: None, failed: false, stages, execution });
    }

    /// What a query's driver has built by now is there from the first stage of its next job on.
    fn found_broadcasts(&mut self, execution: Option<u64>, stages: &[StageInfo<'_>]) {
        let first = stages.iter().map(|info| info.id.0).filter(|id| self.stages.get(id).is_some_and(|stage| stage.rows.is_empty())).min();
        if let (Some(execution), Some(stage)) = (execution, first.and_then(|id| self.stages.get_mut(&id))) {
            stage.broadcast = stage.broadcast.saturating_add(self.broadcasts.take(execution));
        }
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
        attempt.submitted_ms = info.submitted.map(|time| time.0).or(attempt.submitted_ms);
        attempt.completed_ms = info.completed.map(|time| time.0).or(attempt.completed_ms);
        let others = !self.running.is_empty();
        if info.completed.is_some() {
            self.running.remove(&(info.id.0, info.attempt.0));
        } else {
            self.running.insert((info.id.0, info.attempt.0));
        }
        if let Some(stage) = self.stages.get_mut(&info.id.0) {
            if stage.submitted_ms.is_none() {
                stage.beside_others = others;
                stage.after_loss_ms = self.last_loss_ms;
            }
            stage.given_up = info.completed.is_some() && info.failure.is_some();
            stage.submitted_ms = stage.submitted_ms.or(info.submitted.map(|time| time.0));
            stage.completed_ms = stage.completed_ms.max(info.completed.map(|time| time.0));
        }
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
        stage.indeterminate |= info.rdds.first().is_some_and(|rdd| rdd.determinism == "INDETERMINATE");
        stage.barrier |= info.rdds.iter().any(|rdd| rdd.barrier);
        stage.adaptive_read |= info.rdds.iter().any(events::RddInfo::is_adaptive_read);
        let in_memory = info.rdds.iter().filter(|rdd| rdd.level.memory);
        stage.persisted.extend(in_memory.clone().map(|rdd| rdd.id.0));
        for rdd in info.rdds.iter().filter(|rdd| rdd.level.memory || rdd.level.disk) {
            stage.storage.entry(rdd.id.0).or_default().see(rdd);
        }
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
        let (id, partition) = (event.stage.0, event.info.partition());
        self.totals.add_task(failed, &metrics);
        self.attempt(id, event.attempt.0).add_task(failed, &metrics);
        if !event.info.executor.is_empty() {
            let executor = self.executor(&event.info.executor);
            executor.tasks += 1;
            let (host, cold) = (executor.host.clone(), executor.tasks <= executor.cores.max(1));
            self.machines.task(&host, event, cold);
            if let Some(peaks) = &event.executor {
                self.peaks(&event.info.executor, peaks);
            }
        }
        let over = self.attempt(id, event.attempt.0).completed_ms;
        let row = self.row(event, &if failed { until_abort(event, over, metrics) } else { metrics });
        let stage = self.stages.entry(id).or_default();
        stage.writes_shuffle |= event.kind == "ShuffleMapTask";
        stage.ran(&event.info, over);
        suffer(&mut stage.pressure, failed, &metrics);
        if failed {
            if event.reason.reason == "ExecutorLostFailure" {
                self.died.insert(event.info.executor.to_string());
            }
            count_failure(&mut stage.failures, &event.reason);
            if stage.lost.add(partition, row, &event.reason, &metrics) {
                self.last_loss_ms = self.last_loss_ms.max(event.info.finished.0);
            }
            let attempt = self.attempt(id, event.attempt.0);
            count_failure(&mut attempt.failures, &event.reason);
            return;
        }
        if stage.done.insert(partition) {
            stage.sum = Some(stage.sum.map_or(row.total, |sum| add_rows(&sum, &row.total)));
            stage.written = stage.written.saturating_add(metrics.write.bytes.0);
            stage.read = stage.read.saturating_add(metrics.read.remote.0).saturating_add(metrics.read.local.0);
            let before = stage.rows.len();
            stage.rows.push(partition, row);
            self.budget.grown(before, stage.rows.len());
            if self.budget.is_spent() {
                let mut rows: Vec<&mut Rows> = self.stages.values_mut().map(|stage| &mut stage.rows).collect();
                self.budget.squeeze(&mut rows);
            }
        }
    }

    /// The row of a task, with what was seen of it.
    fn row(&mut self, event: &TaskEnd<'_>, metrics: &events::TaskMetrics) -> WeightedRow {
        WeightedRow { tasks: 1, total: task_row(metrics, &self.context(event)), seen: seen(event) }
    }

    fn context(&mut self, event: &TaskEnd<'_>) -> Context {
        let id = event.stage.0;
        let read_expansion = self.stages.get(&id).and_then(|stage| stage.read_expansion).unwrap_or_else(|| self.read_expansion(id));
        let stage = self.stages.entry(id).or_default();
        stage.read_expansion = Some(read_expansion);
        let configured = || self.conf.get("spark.sql.shuffle.partitions").and_then(|n| n.parse().ok()).unwrap_or(BYPASS_PARTITIONS);
        let partitions = stage.reader_tasks.unwrap_or_else(configured);
        let bypass = self.conf.get("spark.shuffle.sort.bypassMergeThreshold").and_then(|n| n.trim().parse().ok()).unwrap_or(BYPASS_PARTITIONS);
        let alone = !self.sql && is_alone(event);
        let writer = writer_memory(event, self.sql, partitions > bypass);
        stage.combines |= writer == WriterMemory::Collection && partitions <= bypass;
        stage.packs |= alone && writer == WriterMemory::Serialized;
        stage.collects |= writer == WriterMemory::Collection;
        Context {
            codec: Recorded::of(&self.conf),
            read_expansion,
            cold: self.executors.get(event.info.executor.as_ref()).is_some_and(|executor| executor.tasks <= executor.cores.max(1)),
            writer,
            alone,
            operators: operator_memory(event, writer),
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

/// What was seen of a task, in the order of [`crate::profile::SEEN_COLUMNS`].
fn seen(event: &TaskEnd<'_>) -> [u64; crate::profile::SEEN_COLUMNS.len()] {
    let m = event.metrics.unwrap_or_default();
    let counts = [
        m.run_ms.0,
        m.gc_ms.0,
        m.read.wait_ms.0,
        m.write.time_ns.0 / 1_000_000,
        m.deserialize_ms.0,
        m.result_ms.0,
        scheduler_delay(event),
        m.read.remote.0,
        m.peak_execution.0,
        m.spill_memory.0,
        m.spill_disk.0,
        m.input.records.0,
        m.read.records.0,
    ];
    counts.map(|n| n.min(crate::profile::MAX_AMOUNT - 1))
}

/// The master without the host that it may name.
fn nameless_master(master: &str) -> String {
    match master.split_once("://") {
        Some((scheme, _)) => format!("{scheme}://"),
        None => master.to_owned(),
    }
}
