//! Reading a profile file: the top level, jobs, stages and evidence.
//!
//! Values are read with [`Reader`], which reports every problem of form; then [`check`](super::check) looks at the
//! whole: names, the stage graph, jobs. Defaults are filled in here and are those that the `profile` module documents.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use sim_core::spec::{InputSource, JobStart, StageMemory};
use sim_core::units::{Bytes, SimSpan};
use toml::de::DeTable;

use super::parse_work::{input_source, work};
use super::table::Reader;
use super::{
    DEFAULT_MAX_PARTITION_BYTES, DEFAULT_SHUFFLE_PARTITIONS, Evidence, ExecutorEvidence, Held, InputBasis, Job, JobEvidence, OPERATORS, PartitionRule,
    Pressure, Profile, RddEvidence, SCHEMA_VERSION, STORAGE_LEVELS, Sink, Stage, TaskRule, check, default_operators,
};
use crate::diag::{Diagnostic, Diagnostics, Source};

/// The largest input: 1 PB.
pub(crate) const MAX_INPUT: u64 = 1_000_000_000_000_000;

/// A stage whose `reads` are still names.
pub(super) struct RawStage {
    pub(super) stage: Stage,
    pub(super) reads: Vec<(String, Range<usize>)>,
    pub(super) span: Range<usize>,
}

/// A job whose stages are still names.
pub(super) struct RawJob {
    pub(super) job: Job,
    pub(super) stages: Vec<(String, Range<usize>)>,
    pub(super) start: RawStart,
    pub(super) span: Range<usize>,
}

/// When a job starts, jobs still by name.
pub(super) enum RawStart {
    InTurn,
    After(Vec<(String, Range<usize>)>, SimSpan),
    With((String, Range<usize>), SimSpan),
}

/// Reads the text of a profile.
pub(super) fn parse(source: &Arc<Source>) -> (Option<Profile>, Diagnostics) {
    let mut out = Diagnostics::default();
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    for error in &errors {
        let span = error.span().unwrap_or(0..0);
        out.push(Diagnostic::error("toml-syntax", error.message().to_owned()).at(source, span).expected("TOML"));
    }
    let mut top = Reader::new(source, table.get_ref(), 0..0);
    version(&mut top, &mut out);
    let profile = read(&mut top, &mut out);
    top.finish(&mut out);
    let profile = profile.filter(|_| !out.has_errors());
    (profile, out)
}

fn version(top: &mut Reader<'_, '_>, out: &mut Diagnostics) {
    let found = top.integer("schema_version", 0..u64::MAX, out);
    if let Some(found) = top.need("schema_version", found, "1", out)
        && found != SCHEMA_VERSION
    {
        let problem = top.error(top.span_of("schema_version"), format!("this build reads profiles of schema version {SCHEMA_VERSION}"));
        out.push(problem.found(found.to_string()).expected(SCHEMA_VERSION.to_string()).hint("ingest the event log again with this build"));
    }
}

fn read(top: &mut Reader<'_, '_>, out: &mut Diagnostics) -> Option<Profile> {
    let name = top.string("name", out);
    let name = top.need("name", name, "\"my-job\"", out);
    let title = top.string("title", out);
    let input = top.size("input", MAX_INPUT, out);
    let input = top.need("input", input, "\"3 GB\"", out);
    if input.is_some_and(Bytes::is_zero) {
        out.push(top.error(top.span_of("input"), "`input` is zero, so nothing can be in proportion to it").found("0").expected("a size above zero"));
    }
    let input_basis = top.choice("input_basis", &[("storage", InputBasis::Storage), ("first-shuffle", InputBasis::FirstShuffle)], out);
    let sql = top.boolean("sql", out).unwrap_or(true);
    let partial = top.boolean("partial", out).unwrap_or(false);
    let shuffle_partitions = top.integer("shuffle_partitions", 1..(1 << 20) + 1, out).map_or(DEFAULT_SHUFFLE_PARTITIONS, |n| n as u32);
    let split = top.size("max_partition_bytes", MAX_INPUT, out).filter(|split| !split.is_zero()).unwrap_or(DEFAULT_MAX_PARTITION_BYTES);
    let raw_stages: Vec<RawStage> = top.blocks("stage", out).into_iter().map(|block| stage(block, sql, out)).collect();
    let raw_jobs: Vec<RawJob> = top.blocks("job", out).into_iter().map(|block| job(block, out)).collect();
    let evidence = top.child("evidence", out).map(|block| evidence(block, out));
    let (stages, jobs) = check::link(top, raw_stages, raw_jobs, partial, out);
    Some(Profile {
        name: name?,
        title,
        input: input?,
        input_basis: input_basis.unwrap_or(InputBasis::Storage),
        sql,
        partial,
        shuffle_partitions,
        max_partition_bytes: split,
        jobs,
        stages,
        evidence,
    })
}

fn job(mut block: Reader<'_, '_>, out: &mut Diagnostics) -> RawJob {
    let name = block.string("name", out);
    let name = block.need("name", name, "\"write\"", out).unwrap_or_default();
    let stages = block.names("stages", out);
    let stages = block.need("stages", stages, "[\"scan\", \"sort\"]", out).unwrap_or_default();
    let driver_gap = block.time("driver_gap", out).unwrap_or_default();
    let executions = block.integers("executions", out);
    let pool = block.string("pool", out);
    let start = start(&mut block, out);
    let span = block.span();
    block.finish(out);
    RawJob { job: Job { name, stages: Vec::new(), driver_gap, start: JobStart::InTurn, pool, executions }, stages, start, span }
}

/// `after = ["a"]` with `gap`, or `beside = "a"` with `offset`; without either a job starts in turn.
fn start(block: &mut Reader<'_, '_>, out: &mut Diagnostics) -> RawStart {
    let after = block.names("after", out);
    let beside = block.string("beside", out);
    let at = block.span_of("beside");
    let (gap, offset) = (block.time("gap", out), block.time("offset", out));
    let problem = match (&after, &beside) {
        (Some(_), Some(_)) => Some(("beside", "a job starts `after` others or `beside` one, not both")),
        (None, _) if gap.is_some() => Some(("gap", "`gap` belongs to `after`")),
        (_, None) if offset.is_some() => Some(("offset", "`offset` belongs to `beside`")),
        _ => None,
    };
    if let Some((key, message)) = problem {
        out.push(block.error(block.span_of(key), message).expected("`after` with `gap`, `beside` with `offset`, or neither"));
    }
    match (after, beside) {
        (Some(after), _) => RawStart::After(after, gap.unwrap_or_default()),
        (None, Some(beside)) => RawStart::With((beside, at), offset.unwrap_or_default()),
        (None, None) => RawStart::InTurn,
    }
}

fn stage(mut block: Reader<'_, '_>, sql: bool, out: &mut Diagnostics) -> RawStage {
    let name = block.string("name", out);
    let name = block.need("name", name, "\"scan\"", out).unwrap_or_default();
    let title = block.string("title", out);
    let reads = block.names("reads", out).unwrap_or_default();
    let input = input_source(&mut block, out);
    let tasks_default = if reads.is_empty() && input != InputSource::None { TaskRule::InputSplit } else { TaskRule::ShufflePartitions };
    let tasks = block.count_or("tasks", &[("input-split", TaskRule::InputSplit), ("shuffle-partitions", TaskRule::ShufflePartitions)], TaskRule::Fixed, out);
    let sink = block.choice("sink", &[("shuffle", Sink::Shuffle), ("result", Sink::Result)], out);
    let sink = block.need("sink", sink, "\"shuffle\"", out).unwrap_or(Sink::Result);
    let rules = [("as-reader", PartitionRule::AsReader), ("shuffle-partitions", PartitionRule::ShufflePartitions)];
    let partitions = block.count_or("partitions", &rules, PartitionRule::Fixed, out).unwrap_or(PartitionRule::AsReader);
    let map_side_combine = block.boolean("map_side_combine", out).unwrap_or(false);
    let relocatable = block.boolean("relocatable", out).unwrap_or(sql);
    let cached = block.size("cached", MAX_INPUT, out).unwrap_or_default();
    let broadcast = block.size("broadcast", MAX_INPUT, out).unwrap_or_default();
    let memory = stage_memory(&mut block, reads.len(), out);
    let delay = block.time("delay", out).unwrap_or_default();
    let barrier = block.boolean("barrier", out).unwrap_or(false);
    let indeterminate = block.boolean("indeterminate", out).unwrap_or(false);
    let attempts = block.integer("attempts", 1..1 << 20, out).map_or(1, |n| n as u32);
    let aborted = block.boolean("aborted", out).unwrap_or(false);
    let job = block.integer("job", 0..MAX_INPUT + 1, out);
    let work = work(&mut block, input, out);
    let failures = block.child("failures", out).map(|table| table.counts(out)).unwrap_or_default();
    let pressure = block.child("pressure", out).map(|child| pressure(child, out));
    let span = block.span();
    block.finish(out);
    let tasks = tasks.unwrap_or(tasks_default);
    let stage = Stage {
        name,
        title,
        reads: Vec::new(),
        input,
        tasks,
        sink,
        partitions,
        map_side_combine,
        relocatable,
        cached,
        broadcast,
        memory,
        delay,
        barrier,
        indeterminate,
        attempts,
        aborted,
        job,
        failures,
        work,
        pressure,
    };
    RawStage { stage, reads, span }
}

/// A stage that reads two shuffles is taken for a sort-merge join unless it says what it is.
fn stage_memory(block: &mut Reader<'_, '_>, reads: usize, out: &mut Diagnostics) -> StageMemory {
    StageMemory {
        operators: block.choice("operators", &OPERATORS, out).unwrap_or(default_operators(reads)),
        row: block.size("row", MAX_INPUT, out).unwrap_or_default(),
        group_rows: block.integer("group_rows", 0..MAX_INPUT + 1, out).unwrap_or_default(),
        state_row: block.size("state_row", MAX_INPUT, out).unwrap_or_default(),
        worker: block.size("worker_memory", MAX_INPUT, out).unwrap_or_default(),
        storage_level: block.choice("storage_level", &STORAGE_LEVELS, out).unwrap_or_default(),
        collected: block.size("collected", MAX_INPUT, out).unwrap_or_default(),
    }
}

fn pressure(mut block: Reader<'_, '_>, out: &mut Diagnostics) -> Pressure {
    let mut read = |key| block.integer(key, 0..1 << 62, out).unwrap_or(0);
    let pressure = Pressure {
        run_time_ms: read("run_time_ms"),
        gc_ms: read("gc_ms"),
        fetch_wait_ms: read("fetch_wait_ms"),
        deserialize_ms: read("deserialize_ms"),
        spill_memory: read("spill_memory_bytes"),
        spill_disk: read("spill_disk_bytes"),
        failed_tasks: read("failed_tasks"),
    };
    block.finish(out);
    pressure
}

fn evidence(mut block: Reader<'_, '_>, out: &mut Diagnostics) -> Evidence {
    let spark_version = block.string("spark_version", out);
    let application = block.string("application", out);
    let conf: BTreeMap<String, String> = block.child("conf", out).map(|table| table.texts(out).into_iter().collect()).unwrap_or_default();
    let collectors = ["g1", "parallel", "serial"].map(|name| (name, name));
    let collector = block.choice("collector", &collectors, out).map(str::to_owned);
    let xms_equals_xmx = block.boolean("xms_equals_xmx", out);
    let executors = block.blocks("executor", out).into_iter().map(|child| executor(child, out)).collect();
    let rdds = block.blocks("rdd", out).into_iter().map(|child| rdd(child, out)).collect();
    let jobs = block.blocks("job", out).into_iter().map(|child| job_evidence(child, out)).collect();
    block.finish(out);
    Evidence { spark_version, application, collector, xms_equals_xmx, conf, executors, rdds, jobs }
}

fn job_evidence(mut block: Reader<'_, '_>, out: &mut Diagnostics) -> JobEvidence {
    let job = JobEvidence {
        id: block.integer("id", 0..u64::MAX, out).unwrap_or(0),
        started: block.time("started", out).unwrap_or_default(),
        ended: block.time("ended", out),
        failed: block.boolean("failed", out).unwrap_or(false),
    };
    block.finish(out);
    job
}

fn executor(mut block: Reader<'_, '_>, out: &mut Diagnostics) -> ExecutorEvidence {
    let id = block.string("id", out);
    let id = block.need("id", id, "\"1\"", out).unwrap_or_default();
    let cores = block.integer("cores", 0..1 << 20, out).unwrap_or(0) as u32;
    let host = block.integer("host", 0..1 << 32, out).map(|n| n as u32);
    let (added, removed) = (block.time("added", out), block.time("removed", out));
    let reason = block.string("reason", out);
    let young_collections = block.integer("young_collections", 0..1 << 41, out).unwrap_or(0);
    let mut size = |key| block.size(key, MAX_INPUT, out).unwrap_or_default();
    let executor = ExecutorEvidence {
        id,
        host,
        cores,
        added,
        removed,
        reason,
        heap_peak: size("heap_peak"),
        non_heap_peak: size("non_heap_peak"),
        direct_peak: size("direct_peak"),
        execution_peak: size("execution_peak"),
        storage_peak: size("storage_peak"),
        rss_peak: size("rss_peak"),
        jvm_rss_peak: size("jvm_rss_peak"),
        python_rss_peak: size("python_rss_peak"),
        most_held: Held { pages: size("task_pages"), states: size("task_states"), buffers: size("task_buffers") },
        young_collections,
    };
    block.finish(out);
    executor
}

fn rdd(mut block: Reader<'_, '_>, out: &mut Diagnostics) -> RddEvidence {
    let rdd = RddEvidence {
        id: block.integer("id", 0..u64::MAX, out).unwrap_or(0),
        name: block.string("name", out).unwrap_or_default(),
        level: block.string("level", out).unwrap_or_default(),
        partitions: block.integer("partitions", 0..1 << 41, out).unwrap_or(0),
        memory: block.size("memory", MAX_INPUT, out).unwrap_or_default(),
        disk: block.size("disk", MAX_INPUT, out).unwrap_or_default(),
    };
    block.finish(out);
    rdd
}
