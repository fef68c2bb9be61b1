//! The state of one log while it is read: what the events say, folded.
//!
//! Memory does not grow with the log but with its stages and executors, and with those only up to the module `limits`:
//! task rows are packed and thinned as they come, over the whole log there are at most a stated number of them, and of the
//! partitions of a stage one bit each is kept, so that a partition that ran twice (retries, speculation, lost map output)
//! counts once as work and every time in the summary.

use std::collections::{BTreeMap, BTreeSet};

use sim_core::spec::Operators;

use super::aborted::until_abort;
use super::broadcasts::Broadcasts;
use super::events::{self, Peaks, TaskEnd};
use super::limits::{AttemptCount, LONGEST_TEXT, LONGEST_VALUE, LeftOut, MAX_EXECUTORS, Room, cut, short};
use super::machines::{Machines, scheduler_delay};
use super::mapping::{Context, DEFAULT_EXPANSION, Recorded, WriterMemory, held, task_row};
use super::objects::{self, Objects};
use super::rows::{RowBudget, Rows};
use super::stage_record::{StageRecord, count_failure, suffer};
use super::stages::JobRecord;
use super::storage::PersistedRdd;
use super::summary::{ExecutorSummary, StageSummary, Totals};
use super::warming::{Turns, Warmth};
use super::writers::{is_alone, operator_memory, writer_memory};
use crate::profile::{Held, WeightedRow, add_rows};

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
    /// Boxed, because nodes of a map that grows at its end stay half empty.
    pub(super) stages: BTreeMap<u64, Box<StageRecord>>,
    pub(super) attempts: BTreeMap<(u64, u64), Box<StageSummary>>,
    pub(super) counted: AttemptCount,
    /// Persisted RDDs by id.
    pub(super) storage: BTreeMap<u64, PersistedRdd>,
    pub(super) executors: BTreeMap<String, ExecutorSummary>,
    pub(super) machines: Machines,
    turns: Turns,
    pub(super) jvm: Jvm,
    pub(super) totals: Totals,
    /// What `SparkListenerApplicationStart` calls the application and its attempt.
    pub(super) application_id: Option<String>,
    pub(super) attempt_id: Option<String>,
    pub(super) left_out: LeftOut,
    pub(super) room: Room,
    /// Jobs that ended, and how many have to until stages are forgotten again.
    pub(super) jobs_ended: u64,
    pub(super) forget_at: u64,
    pub(super) broadcasts: Broadcasts,
    /// Executors that took a task with them.
    pub(super) died: BTreeSet<String>,
    /// When the last attempt ended that the cluster took, milliseconds since 1970.
    pub(super) last_loss_ms: u64,
    /// Stage attempts that were submitted and have not completed.
    pub(super) running: BTreeSet<(u64, u64)>,
    pub(super) budget: RowBudget,
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
    Some(text.trim()).filter(|text| !text.is_empty()).map(|text| short(text, LONGEST_TEXT))
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
        let properties = &event.properties;
        self.conf.extend(properties.kept.iter().map(|(key, value)| ((*key).to_owned(), short(value, LONGEST_VALUE))));
        if let Some(master) = self.conf.get_mut("spark.master") {
            *master = nameless_master(master);
        }
        let options = properties.executor_options.as_ref();
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
    pub(super) fn resource_profile(&mut self, event: &events::ResourceProfileAdded) {
        let requests = &event.requests;
        for (request, key, unit) in [
            (requests.memory, "spark.executor.memory", "m"),
            (requests.overhead, "spark.executor.memoryOverhead", "m"),
            (requests.cores, "spark.executor.cores", ""),
        ] {
            if let Some(request) = request.filter(|_| event.id.0 == 0) {
                self.conf.entry(key.to_owned()).or_insert_with(|| format!("{}{unit}", request.amount.0));
            }
        }
    }

    pub(super) fn executor_added(&mut self, event: &events::ExecutorAdded<'_>) {
        let Some(executor) = self.executor(&event.id) else {
            self.left_out.executors += 1;
            return;
        };
        executor.host = short(&event.info.host, LONGEST_TEXT);
        executor.cores = event.info.cores.0;
        executor.added_ms = Some(event.time.0);
    }

    pub(super) fn executor_removed(&mut self, event: &events::ExecutorRemoved<'_>) {
        if let Some(executor) = self.executor(&event.id) {
            executor.removed_ms = Some(event.time.0);
            executor.removed_reason = Some(short(&event.reason, LONGEST_TEXT));
        }
    }

    /// An executor that is kept, or `None` beyond the limit.
    fn executor(&mut self, id: &str) -> Option<&mut ExecutorSummary> {
        let id = cut(id, LONGEST_TEXT);
        if !self.executors.contains_key(id) {
            if self.executors.len() >= MAX_EXECUTORS {
                return None;
            }
            self.executors.insert(id.to_owned(), ExecutorSummary { id: id.to_owned(), ..ExecutorSummary::default() });
        }
        self.executors.get_mut(id)
    }

    pub(super) fn peaks(&mut self, executor: &str, peaks: &Peaks) {
        let Some(executor) = self.executor(executor) else { return };
        let raise = |peak: &mut u64, parts: &[super::number::Count]| *peak = (*peak).max(parts.iter().fold(0, |sum, part| sum.saturating_add(part.0)));
        raise(&mut executor.peak_heap_bytes, &[peaks.heap]);
        raise(&mut executor.peak_non_heap_bytes, &[peaks.non_heap]);
        raise(&mut executor.peak_direct_bytes, &[peaks.direct]);
        raise(&mut executor.peak_execution_bytes, &[peaks.execution_on_heap, peaks.execution_off_heap]);
        raise(&mut executor.peak_storage_bytes, &[peaks.storage_on_heap, peaks.storage_off_heap]);
        raise(&mut executor.peak_jvm_rss_bytes, &[peaks.rss_jvm]);
        raise(&mut executor.peak_python_rss_bytes, &[peaks.rss_python]);
        raise(&mut executor.young_collections, &[peaks.young_collections]);
        raise(&mut executor.peak_rss_bytes, &[peaks.rss_jvm, peaks.rss_python, peaks.rss_other]);
    }

    pub(super) fn task_end(&mut self, event: &TaskEnd<'_>) {
        let mut metrics = event.metrics.unwrap_or_default();
        // Spark 2 tells the peak as an accumulator only.
        metrics.peak_execution = metrics.peak_execution.max(event.info.accumulables.peak_execution);
        let failed = event.reason.reason != "Success";
        self.totals.add_task(failed, &metrics);
        let mut reasons = self.room.reasons;
        if let Some(attempt) = self.attempt(event.stage.0, event.attempt.0) {
            attempt.add_task(failed, &metrics);
            if failed {
                count_failure(&mut attempt.failures, &event.reason, &mut reasons);
            }
        }
        self.room.reasons = reasons;
        self.executor_of(event);
        self.work_of(event, failed, &metrics);
        self.left_out.lists |= self.room.is_short();
    }

    /// Takes in what a finished task says of its executor.
    fn executor_of(&mut self, event: &TaskEnd<'_>) {
        if event.info.executor.is_empty() {
            return;
        }
        if let Some(executor) = self.executor(&event.info.executor) {
            executor.tasks += 1;
            let (host, is_new) = (executor.host.clone(), executor.tasks <= executor.cores.max(1));
            self.turns.take(event);
            let warmth = if is_new {
                Warmth::New
            } else if self.is_cold(event) {
                Warmth::Cold
            } else {
                Warmth::Warm
            };
            self.machines.task(&host, event, warmth);
            if event.reason.reason == "ExecutorLostFailure" {
                self.died.insert(cut(&event.info.executor, LONGEST_TEXT).to_owned());
            }
        }
        if let Some(peaks) = &event.executor {
            self.peaks(&event.info.executor, peaks);
        }
    }

    /// Takes in what a finished task did, as work of its stage.
    fn work_of(&mut self, event: &TaskEnd<'_>, failed: bool, metrics: &events::TaskMetrics) {
        let (id, partition) = (event.stage.0, event.info.partition());
        if self.stage(id).is_none() {
            self.left_out.tasks += 1;
            self.left_out.run_time_ms = self.left_out.run_time_ms.saturating_add(metrics.run_ms.0);
            return;
        }
        let is_cold = self.is_cold(event);
        let over = self.attempts.get(&(id, event.attempt.0)).and_then(|attempt| attempt.completed_ms);
        let (row, held) = self.row(event, &if failed { until_abort(event, over, *metrics) } else { *metrics });
        if let Some(executor) = self.executor(&event.info.executor).filter(|_| !failed) {
            executor.most_held = executor.most_held.most(held);
        }
        let Some(stage) = self.stages.get_mut(&id) else { return };
        stage.last_attempt = stage.last_attempt.max(event.attempt.0);
        stage.writes_shuffle |= event.kind == "ShuffleMapTask";
        stage.ran(&event.info, over);
        suffer(&mut stage.pressure, failed, metrics);
        if failed {
            count_failure(&mut stage.failures, &event.reason, &mut self.room.reasons);
            if stage.lost.add(partition, row, &event.reason, metrics, &mut self.room.lost) {
                self.last_loss_ms = self.last_loss_ms.max(event.info.finished.0);
            }
            return;
        }
        if stage.done.insert(partition, &mut self.room.partitions) {
            stage.sum = Some(stage.sum.map_or(row.total, |sum| add_rows(&sum, &row.total)));
            stage.written = stage.written.saturating_add(metrics.write.bytes.0);
            stage.read = stage.read.saturating_add(metrics.read.remote.0).saturating_add(metrics.read.local.0);
            let before = stage.rows.len();
            stage.rows.push(partition, &row);
            if is_cold {
                stage.cold.add(partition);
            }
            self.budget.grown(before, stage.rows.len());
            if self.budget.is_spent() {
                let mut rows: Vec<&mut Rows> = self.stages.values_mut().map(|stage| &mut stage.rows).collect();
                self.budget.squeeze(&mut rows);
            }
        }
    }

    /// Whether a task was among the first that its executor ran of its stage.
    fn is_cold(&self, event: &TaskEnd<'_>) -> bool {
        let executor = self.executors.get(event.info.executor.as_ref());
        executor.is_some_and(|executor| self.turns.count(event) <= executor.cores.max(1))
    }

    /// Parts warm-up from work, and thins the rows to those of a profile. Nothing is read after it.
    pub(super) fn finish_rows(&mut self) {
        let more = self.stages.values_mut().map(|stage| stage.cold.settle(&mut stage.rows)).fold(0, u64::saturating_add);
        self.machines.warmed(more);
        if self.budget.is_over() {
            let mut rows: Vec<&mut Rows> = self.stages.values_mut().map(|stage| &mut stage.rows).collect();
            self.budget.finish(&mut rows);
        }
    }

    /// The row of a task of a stage that is kept, with what was seen of it; and what the task held in the heap.
    fn row(&mut self, event: &TaskEnd<'_>, metrics: &events::TaskMetrics) -> (WeightedRow, Held) {
        let context = self.context(event);
        let total = task_row(metrics, &context);
        let in_states = context.objects.filter(|_| !event.info.accumulables.fell_back);
        (WeightedRow { tasks: 1, total, seen: seen(event) }, held(&total, metrics, in_states))
    }

    fn context(&mut self, event: &TaskEnd<'_>) -> Context {
        let id = event.stage.0;
        let known = self.stages.get(&id);
        let reader_tasks = known.and_then(|stage| stage.reader_tasks);
        let known_holder = known.and_then(|stage| stage.holder);
        let read_expansion = known.and_then(|stage| stage.read_expansion).unwrap_or_else(|| self.read_expansion(id));
        let value = known.and_then(|stage| stage.value).or_else(|| objects::value_bytes(self.writers_for(id)));
        if let Some(stage) = self.stages.get_mut(&id) {
            (stage.read_expansion, stage.value) = (Some(read_expansion), value);
        }
        let configured = || self.conf.get("spark.sql.shuffle.partitions").and_then(|n| n.parse().ok()).unwrap_or(BYPASS_PARTITIONS);
        let partitions = reader_tasks.unwrap_or_else(configured);
        let bypass = self.conf.get("spark.shuffle.sort.bypassMergeThreshold").and_then(|n| n.trim().parse().ok()).unwrap_or(BYPASS_PARTITIONS);
        let alone = !self.sql && is_alone(event);
        let writer = writer_memory(event, self.sql, partitions > bypass);
        if let Some(stage) = self.stages.get_mut(&id) {
            stage.combines |= writer == WriterMemory::Collection && partitions <= bypass;
            stage.packs |= alone && writer == WriterMemory::Serialized;
            stage.collects |= writer == WriterMemory::Collection;
            stage.fell_back |= event.info.accumulables.fell_back;
            stage.buffer_spilled |= event.info.accumulables.operators_spilled > 1;
        }
        Context {
            codec: Recorded::of(&self.conf),
            read_expansion,
            cold: self.is_cold(event),
            writer,
            alone,
            operators: operator_memory(event, writer).map(|(peak, spilled)| {
                // A window's buffer tells what it spilled, too; the sort below it is the last to tell.
                (peak, if known_holder == Some(Operators::Window) { event.info.accumulables.last_spill } else { spilled })
            }),
            objects: known_holder.filter(|holder| *holder == Operators::ObjectHashAggregate).map(|_| Objects { value }),
            data_size: event.info.accumulables.data_size,
        }
    }

    /// The stages that wrote the shuffles which a stage reads.
    fn writers_for(&self, stage: u64) -> impl Iterator<Item = &StageRecord> {
        let parents = self.stages.get(&stage).into_iter().flat_map(|stage| &stage.parents);
        parents.filter_map(|parent| Some(&**self.stages.get(&self.writer_of(*parent)?)?))
    }

    /// Rows in memory per lz4 byte of the shuffles that a stage reads, over the stages that wrote them.
    fn read_expansion(&self, stage: u64) -> f64 {
        let sums = self.writers_for(stage).filter_map(|writer| writer.sum);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes in a finished task that read 100 bytes more than its index.
    fn task(log: &mut Log, stage: u64, index: u64) {
        let line = format!(
            "{{\"Stage ID\":{stage},\"Stage Attempt ID\":0,\"Task Type\":\"ResultTask\",\"Task End Reason\":{{\"Reason\":\"Success\"}},\
             \"Task Info\":{{\"Index\":{index},\"Executor ID\":\"1\"}},\"Task Metrics\":{{\"Input Metrics\":{{\"Bytes Read\":{}}}}}}}",
            100 + index
        );
        log.task_end(&serde_json::from_str(&line).unwrap());
    }

    #[test]
    fn beyond_the_budget_each_stage_keeps_ten_rows_and_its_sums() {
        let mut log = Log { budget: RowBudget::of(1000), ..Log::default() };
        (0..200).for_each(|stage| (0..30).for_each(|index| task(&mut log, stage, index)));
        log.finish_rows();
        assert_eq!((log.totals.tasks, log.fewer_rows()), (6000, Some(10)));
        for stage in log.stages.into_values() {
            let rows: Vec<WeightedRow> = stage.rows.finish().iter().collect();
            let sum = |of: fn(&WeightedRow) -> u64| rows.iter().map(of).sum::<u64>();
            assert_eq!((rows.len(), sum(|row| u64::from(row.tasks)), sum(|row| row.total.input.get())), (10, 30, (100..130).sum()));
            assert!(rows.iter().any(|row| row.tasks == 1 && row.total.input.get() == 129), "the largest task stays single");
        }
    }

    /// Partition numbers without order cost an entry each; totals do not depend on them.
    #[test]
    fn partition_numbers_of_a_broken_log_are_bounded() {
        let mut log = Log { room: Room { partitions: 100, ..Room::default() }, ..Log::default() };
        (0..300).for_each(|n| task(&mut log, 0, n * 64));
        assert_eq!((log.totals.tasks, log.tasks_done(), log.room.partitions), (300, 300, 0));
        assert!(log.left_out.lists);
    }

    /// Failed attempts are kept only as long as their stage may be given up, and of so many partitions at most.
    #[test]
    fn failed_attempts_are_bounded_and_forgotten() {
        let mut log = Log { room: Room { lost: 100, ..Room::default() }, ..Log::default() };
        let failed = |log: &mut Log, stage: u64, index: u64, reason: &str| {
            let line = format!(
                "{{\"Stage ID\":{stage},\"Stage Attempt ID\":0,\"Task Type\":\"ResultTask\",\"Task End Reason\":{{\"Reason\":\"{reason}\"}},\
                 \"Task Info\":{{\"Index\":{index},\"Executor ID\":\"1\"}},\"Task Metrics\":{{\"Executor Run Time\":10}}}}"
            );
            log.task_end(&serde_json::from_str(&line).unwrap());
        };
        (0..300).for_each(|n| failed(&mut log, n / 60, n, "ExceptionFailure"));
        assert_eq!((log.totals.failed_tasks, log.room.lost, log.left_out.lists), (300, 0, true));
        failed(&mut log, 0, 0, "ExecutorLostFailure");
        assert_eq!(log.room.lost, 60, "what the cluster did to a stage is not work");
        log.stage_event(&serde_json::from_str("{\"Stage ID\":1,\"Submission Time\":1,\"Completion Time\":2}").unwrap());
        assert_eq!(log.room.lost, 100, "nor is what a stage needed that ended well");
    }
}
