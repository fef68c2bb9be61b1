//! From a log's stages and jobs to the profile's graph.
//!
//! Stages that ran at least one task to its end become stages; a stage that Spark skipped stands for the earlier one
//! that computed the same RDD and whose shuffle files it used. The module `jobs` puts them in order. A stage follows its input when it reads storage, follows `spark.sql.shuffle.partitions` when it has exactly that many
//! tasks, and is fixed otherwise. A stage that reads a persisted RDD which an earlier stage had too reads the cache.

use std::collections::{BTreeMap, BTreeSet};

use sim_core::spec::{InputSource, StorageLevel};
use sim_core::units::{Bytes, SimSpan};

use super::garbage;
use super::jobs::{self, Timeline};
use super::limits::tell_first;
use super::log::Log;
use super::mapping::Recorded;
use super::operators;
use super::stage_record::StageRecord;
use super::storage::PersistedRdd;
use super::summary::ExecutorSummary;
use super::world;
use crate::profile::{
    DEFAULT_MAX_PARTITION_BYTES, DEFAULT_PER_STREAM, DEFAULT_SHUFFLE_PARTITIONS, Evidence, ExecutorEvidence, Held, InputBasis, MAX_INPUT, PartitionRule,
    Profile, RddEvidence, Sink, Stage, TaskRule, Work, parse_spark_bytes,
};

/// Executors are believed to live up to ten years.
const LONGEST_LIFE_MS: u64 = 10 * 365 * 24 * 3_600_000;

/// The profile of a log, or `None` when no task of it ended well. Adds warnings about what could not be known.
/// With it the time that only attempts took which the cluster lost.
pub(super) fn to_profile(log: Log, name: &str, warnings: &mut Vec<String>) -> Option<(Profile, SimSpan)> {
    let conf = Conf::of(&log);
    let ids: Vec<u64> = log.stages.iter().filter(|(_, stage)| !stage.rows.is_empty()).map(|(id, _)| *id).collect();
    let index: BTreeMap<u64, usize> = ids.iter().enumerate().map(|(index, id)| (*id, index)).collect();
    let reads = reads_of(&log, &ids, &index, warnings);
    let recorded = Timeline::of(&log, &ids);
    let groups = jobs::group(&log, &index, &recorded);
    let evidence = evidence(&log);
    tell(&log, &conf, warnings);
    let sql = log.sql;
    let mut stages = Vec::with_capacity(ids.len());
    let mut cached = BTreeSet::new();
    let mut persisting = Vec::new();
    let mut records = log.stages;
    for (id, reads) in ids.iter().zip(reads) {
        let Some(record) = records.remove(id) else { continue };
        let from_cache = record.persisted.iter().any(|rdd| cached.contains(rdd));
        if !from_cache && !record.persisted.is_empty() && record.cached_bytes == 0 {
            persisting.push(stages.len());
        }
        cached.extend(record.persisted.iter().copied());
        let storage_level = storage_level(&record, &log.storage);
        let mut stage = stage(*id, *record, reads, from_cache, sql, &conf);
        stage.memory.storage_level = storage_level;
        stages.push(stage);
    }
    let (jobs, partial, lost) = jobs::finish(groups, &mut stages, &recorded);
    cache_from_peaks(&mut stages, &persisting, &evidence, warnings);
    garbage::share_out(&mut stages, &evidence, sql);
    let (input, input_basis) = input(&stages, warnings)?;
    let profile = Profile {
        name: name.to_owned(),
        title: evidence.application.as_ref().map(|application| format!("recorded from {application}")),
        input,
        input_basis,
        sql,
        partial,
        shuffle_partitions: conf.shuffle_partitions,
        max_partition_bytes: conf.max_partition_bytes,
        jobs,
        stages,
        evidence: Some(evidence),
    };
    Some((profile, lost))
}

/// Settings of the recording run that decide task counts.
struct Conf {
    shuffle_partitions: u32,
    max_partition_bytes: Bytes,
    adaptive: bool,
    object_hash_keys: u64,
    converts: bool,
}

impl Conf {
    fn of(log: &Log) -> Self {
        let get = |key: &str| log.conf.get(key).map(|value| value.trim());
        let shuffle_partitions = get("spark.sql.shuffle.partitions").and_then(|n| n.parse().ok()).filter(|n| (1..=1 << 20).contains(n));
        let split = get("spark.sql.files.maxPartitionBytes").and_then(parse_spark_bytes);
        // On by default since 3.2.
        let adaptive_default = log.spark_version.as_deref().is_none_or(|version| !["2.", "3.0", "3.1"].iter().any(|old| version.starts_with(old)));
        Self {
            shuffle_partitions: shuffle_partitions.unwrap_or(DEFAULT_SHUFFLE_PARTITIONS),
            max_partition_bytes: split.unwrap_or(DEFAULT_MAX_PARTITION_BYTES),
            adaptive: log.sql && get("spark.sql.adaptive.enabled").map_or(adaptive_default, |value| value.eq_ignore_ascii_case("true")),
            object_hash_keys: get("spark.sql.objectHashAggregate.sortBased.fallbackThreshold").and_then(|n| n.parse().ok()).unwrap_or(128),
            converts: Recorded::of(&log.conf).converts(),
        }
    }
}

/// For each kept stage the indices of the stages whose shuffles it reads.
fn reads_of(log: &Log, ids: &[u64], index: &BTreeMap<u64, usize>, warnings: &mut Vec<String>) -> Vec<Vec<usize>> {
    let writers = log.writers();
    let mut all = Vec::new();
    let mut without = Vec::new();
    for (own, id) in ids.iter().enumerate() {
        let mut reads = Vec::new();
        for parent in log.stages.get(id).into_iter().flat_map(|stage| &stage.parents) {
            let writer = writers.get(parent).filter(|writer| log.stages.get(writer).is_some_and(|stage| stage.writes_shuffle));
            match writer.and_then(|writer| index.get(writer).copied()) {
                Some(writer) if writer < own => reads.push(writer),
                _ => without.push((*id, *parent)),
            }
        }
        reads.sort_unstable();
        reads.dedup();
        reads.shrink_to_fit();
        all.push(reads);
    }
    let told = without
        .iter()
        .map(|(id, parent)| format!("stage {id} reads the shuffle of stage {parent}, which is not in the log; that part of its reading has no writer"));
    tell_first(warnings, told);
    all
}

/// How a stage keeps what it caches: in memory alone only if none of its persisted RDDs may go to disk.
fn storage_level(record: &StageRecord, storage: &BTreeMap<u64, PersistedRdd>) -> StorageLevel {
    let mut levels = record.persisted.iter().filter_map(|id| Some(storage.get(id)?.level.as_str())).peekable();
    let in_memory_alone = levels.peek().is_some() && levels.all(|level| !level.starts_with("MEMORY_AND_DISK"));
    if in_memory_alone { StorageLevel::MemoryOnly } else { StorageLevel::MemoryAndDisk }
}

fn stage(id: u64, record: StageRecord, reads: Vec<usize>, from_cache: bool, sql: bool, conf: &Conf) -> Stage {
    let input_bytes = record.sum.map_or(0, |row| row.input.get());
    let memory = operators::memory(&record, reads.len(), conf.object_hash_keys);
    let title = Some(trimmed(record.name)).filter(|title| !title.is_empty());
    let input = match (input_bytes, from_cache) {
        (0, _) => InputSource::None,
        (_, true) => InputSource::Cached,
        (_, false) => InputSource::Remote { per_stream: DEFAULT_PER_STREAM.get() },
    };
    let count = u32::try_from(record.done.len()).unwrap_or(u32::MAX).clamp(1, 1 << 20);
    let tasks = if matches!(input, InputSource::Remote { .. }) && reads.is_empty() {
        TaskRule::InputSplit
    } else if !reads.is_empty() && sql && (count == conf.shuffle_partitions || record.adaptive_read && count < conf.shuffle_partitions) {
        TaskRule::ShufflePartitions
    } else {
        TaskRule::Fixed(count)
    };
    let coalesced = conf.adaptive && record.reader_tasks.is_none_or(|readers| readers < u64::from(conf.shuffle_partitions));
    Stage {
        name: format!("stage-{id}"),
        title,
        reads,
        input,
        tasks,
        sink: if record.writes_shuffle { Sink::Shuffle } else { Sink::Result },
        partitions: if record.writes_shuffle && coalesced { PartitionRule::ShufflePartitions } else { PartitionRule::AsReader },
        map_side_combine: record.combines,
        relocatable: sql || record.packs && !record.collects,
        cached: if from_cache { Bytes::ZERO } else { Bytes::new(record.cached_bytes.min(MAX_INPUT)) },
        broadcast: Bytes::new(record.broadcast.min(MAX_INPUT)),
        memory,
        delay: SimSpan::ZERO,
        barrier: record.barrier,
        indeterminate: record.indeterminate,
        attempts: u32::try_from(record.last_attempt).unwrap_or(u32::MAX).saturating_add(1).min(MOST_ATTEMPTS),
        aborted: record.aborted,
        job: record.job.map(|job| job.min(MAX_INPUT)),
        failures: record.failures,
        work: Work::Recorded(record.rows.finish()),
        pressure: Some(record.pressure),
    }
}

/// A text without blanks around it, copied only if it has some.
fn trimmed(text: String) -> String {
    if text.trim().len() == text.len() { text } else { text.trim().to_owned() }
}

/// The largest number of attempts that a profile keeps; a log with more is damaged.
const MOST_ATTEMPTS: u32 = (1 << 20) - 1;

/// Persisted RDDs without a size in the log: the peaks of the executors' storage memory, in equal parts.
fn cache_from_peaks(stages: &mut [Stage], persisting: &[usize], evidence: &Evidence, warnings: &mut Vec<String>) {
    if persisting.is_empty() {
        return;
    }
    let held = evidence.executors.iter().fold(0u64, |sum, executor| sum.saturating_add(executor.storage_peak.get())).min(MAX_INPUT);
    for &stage in persisting {
        stages[stage].cached = Bytes::new(held / persisting.len() as u64);
    }
    let what = if held == 0 {
        "neither is any storage memory of executors; set `cached` in the profile if it matters"
    } else {
        "the peaks of executors' storage memory stand for them"
    };
    warnings.push(format!("sizes of {} persisted RDDs are not in the log; {what}", persisting.len()));
}

/// The bytes that the recorded work is in proportion to.
fn input(stages: &[Stage], warnings: &mut Vec<String>) -> Option<(Bytes, InputBasis)> {
    let total = |stage: &Stage, of: fn(&sim_core::spec::TaskRow) -> Bytes| match &stage.work {
        Work::Recorded(rows) => rows.iter().fold(0u64, |sum, row| sum.saturating_add(of(&row.total).get())),
        Work::Parametric(_) => 0,
    };
    let storage: Vec<u64> = stages.iter().filter(|s| matches!(s.input, InputSource::Remote { .. })).map(|s| total(s, |row| row.input)).collect();
    if storage.len() > 1 {
        let n = storage.len();
        warnings.push(format!("{n} stages read storage; `input` is their sum. If they read the same files, give the input of a forecast as a multiple of it"));
    }
    let read = storage.iter().fold(0u64, |sum, n| sum.saturating_add(*n));
    if read > 0 {
        return Some((Bytes::new(read.min(MAX_INPUT)), InputBasis::Storage));
    }
    stages.first()?;
    let roots = stages.iter().filter(|stage| stage.reads.is_empty());
    let written = roots.fold(0u64, |sum, stage| sum.saturating_add(total(stage, |row| row.shuffle_write)));
    warnings.push("the application reads no storage (it makes its rows itself); `input` is the shuffle bytes that its first stages wrote".to_owned());
    // An application without shuffle has nothing to be in proportion to; one byte keeps its scale at 1.
    Some((Bytes::new(written.clamp(1, MAX_INPUT)), InputBasis::FirstShuffle))
}

/// What the log could not say.
fn tell(log: &Log, conf: &Conf, warnings: &mut Vec<String>) {
    let failed = log.jobs.iter().filter(|(_, job)| job.failed);
    tell_first(warnings, failed.map(|(id, job)| format!("job {id} failed after {} stages; what it did until then is kept", job.listed)));
    let kept = || log.stages.iter().filter(|(_, stage)| !stage.rows.is_empty()).map(|(id, stage)| (id, &**stage));
    let given_up = kept().filter(|(_, stage)| stage.aborted);
    let told = |(id, stage): (&u64, &StageRecord)| {
        format!("stage {id} was given up: what {} of its {} tasks did until then is kept as its work", stage.done.len(), stage.tasks)
    };
    tell_first(warnings, given_up.map(told));
    let short = kept().filter(|(_, stage)| !stage.aborted && stage.done.len() < stage.tasks);
    let told =
        |(id, stage): (&u64, &StageRecord)| format!("stage {id}: {} of {} tasks ended well; the stage is as large as those", stage.done.len(), stage.tasks);
    tell_first(warnings, short.map(told));
    log.left_out.tell(log.counted.stages(), log.counted.attempts(), log.totals.run_time_ms, warnings);
    if let Some(rows) = log.fewer_rows() {
        warnings.push(format!("the log has so many stages that only about {rows} rows of each were kept; totals are exact"));
    }
    if conf.converts {
        warnings.push("shuffle bytes were recorded under another codec than lz4 and are converted by its usual ratio".to_owned());
    }
}

fn evidence(log: &Log) -> Evidence {
    let known = log.executors.values().filter(|executor| (executor.added_ms.is_some() || executor.tasks > 0) && !executor.id.trim().is_empty());
    let hosts: BTreeSet<&str> = log.executors.values().map(|executor| executor.host.as_str()).filter(|host| !host.is_empty()).collect();
    let numbers: BTreeMap<&str, u32> = hosts.iter().copied().zip(0..).collect();
    // Longer names first, so that a name that begins another one does not cut it.
    let mut longest_first: Vec<(&str, u32)> = numbers.iter().map(|(host, n)| (*host, *n)).collect();
    longest_first.sort_by_key(|(host, _)| std::cmp::Reverse(host.len()));
    let first = log.executors.values().filter_map(|executor| executor.added_ms).min().unwrap_or(0);
    let since = |time: Option<u64>| time.map(|ms| SimSpan::from_ms(ms.saturating_sub(first).min(LONGEST_LIFE_MS)));
    let executor = |executor: &ExecutorSummary| ExecutorEvidence {
        id: executor.id.clone(),
        host: numbers.get(executor.host.as_str()).copied(),
        cores: u32::try_from(executor.cores).unwrap_or(u32::MAX).min((1 << 20) - 1),
        added: since(executor.added_ms),
        removed: since(executor.removed_ms),
        reason: executor.removed_reason.as_ref().map(|reason| without_hosts(reason, &longest_first)).filter(|reason| !reason.is_empty()),
        heap_peak: evidence_size(executor.peak_heap_bytes),
        non_heap_peak: evidence_size(executor.peak_non_heap_bytes),
        direct_peak: evidence_size(executor.peak_direct_bytes),
        execution_peak: evidence_size(executor.peak_execution_bytes),
        storage_peak: evidence_size(executor.peak_storage_bytes),
        rss_peak: evidence_size(executor.peak_rss_bytes),
        jvm_rss_peak: evidence_size(executor.peak_jvm_rss_bytes),
        python_rss_peak: evidence_size(executor.peak_python_rss_bytes),
        young_collections: executor.young_collections.min(1 << 40),
        most_held: Held {
            pages: evidence_size(executor.most_held.pages.get()),
            states: evidence_size(executor.most_held.states.get()),
            buffers: evidence_size(executor.most_held.buffers.get()),
        },
    };
    let rdd = |(id, rdd): (&u64, &PersistedRdd)| RddEvidence {
        id: (*id).min(MAX_INPUT),
        name: rdd.name.trim().to_owned(),
        level: rdd.level.clone(),
        partitions: rdd.partitions.min(1 << 40),
        memory: evidence_size(rdd.memory),
        disk: evidence_size(rdd.disk),
    };
    Evidence {
        spark_version: log.spark_version.clone(),
        application: log.application.clone(),
        collector: world::collector(log).map(str::to_owned),
        xms_equals_xmx: world::xms_equals_xmx(log),
        conf: log.conf.clone(),
        executors: known.map(executor).collect(),
        rdds: log.storage.iter().map(rdd).collect(),
        jobs: jobs::evidence(log),
    }
}

/// Bytes of a reason; real ones have some hundred.
const LONGEST_REASON: usize = 4000;

/// The text of a reason without control characters and host names.
fn without_hosts(reason: &str, longest_first: &[(&str, u32)]) -> String {
    let mut text: String = reason.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    for (host, n) in longest_first {
        if text.contains(host) {
            text = text.replace(host, &format!("host-{n}"));
        }
        // Hosts with names such as `h` and `o` would make it longer with each step.
        if text.len() > LONGEST_REASON {
            return String::new();
        }
    }
    text.trim().to_owned()
}

fn evidence_size(bytes: u64) -> Bytes {
    Bytes::new(bytes.min(MAX_INPUT))
}
