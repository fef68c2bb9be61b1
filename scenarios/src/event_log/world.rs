//! The recorded world: on what the run ran, as far as its log tells.
//!
//! Platform by the master, executors by their registration, hosts by name, the collector from how much unified memory the
//! executors' JVM reported (G1 gives Spark all of `-Xmx`, the others keep a survivor space out of it). What a log never
//! tells, the nodes' memory, disks and network, is left to whoever writes the scenario.

use std::collections::BTreeMap;

use sim_core::spark::jvm;
use sim_core::spark::unified_memory::unified_region;
use sim_core::spec::Collector;
use sim_core::units::{Bytes, SimSpan};

use super::log::Log;
use super::stage_record::StageRecord;
use super::summary::ExecutorSummary;
use crate::profile::parse_spark_bytes;

/// What recorded the log.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedWorld {
    /// `kubernetes`, `yarn`, `standalone` or `bare`, as scenarios call it.
    pub platform: &'static str,
    /// `client` or `cluster`.
    pub deploy_mode: &'static str,
    /// Whether Python workers ran.
    pub python: bool,
    /// Spark version, three numbers.
    pub version: Option<String>,
    /// The collector, if the log tells it.
    pub collector: Option<&'static str>,
    /// Whether the heap started at its full size, if the log tells it.
    pub xms_equals_xmx: Option<bool>,
    /// Settings of the run that a scenario understands.
    pub conf: BTreeMap<String, String>,
    /// Hosts that had executors.
    pub hosts: Vec<RecordedHost>,
    /// Executors that ran at the same time.
    pub executors: u32,
    /// Executors that were removed before the application ended.
    pub removed: u32,
    /// Executors that came after the first job had started.
    pub late: u32,
    /// Mean time from an executor's removal to the registration of the one that took its place, seconds.
    pub replacement_s: Option<f64>,
    /// Mean time from the driver's choice of a slot to the task's start there and back, seconds.
    pub launch_s: Option<f64>,
    /// Mean CPU time that the first tasks of executors took for loading classes and deserialising, seconds. Hardly any where tasks
    /// run in the driver's JVM, which has loaded them.
    pub warm_up_s: Option<f64>,
}

/// A host of the recorded world.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedHost {
    /// Largest number of executors at the same time.
    pub executors: u32,
    /// Their cores together.
    pub slots: u32,
    /// Cores that tasks had, and the share of a core that a task that wanted one had; `None` when they had all that they wanted.
    pub scarce: Option<(f64, f64)>,
    /// The share that tasks had while no compiler worked beside them; `None` when it was not more than that of all.
    pub warm_share: Option<f64>,
}

/// One stage as it was.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedStage {
    /// Name in the profile.
    pub name: String,
    /// Partitions that ended well.
    pub tasks: u64,
    /// When its first task was launched, or it was submitted beside other stages, milliseconds since 1970.
    pub started_ms: Option<u64>,
    /// When its last task ended, milliseconds since 1970.
    pub ended_ms: Option<u64>,
    /// Shuffle bytes written, each partition once, as the run's codec wrote them.
    pub write_bytes: u64,
    /// Shuffle bytes read, each partition once, as the run's codec wrote them.
    pub read_bytes: u64,
}

/// From the first job's start to the end of the last task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordedSpan {
    /// When the first job started, or the first executor registered if that was later, milliseconds since 1970.
    pub started_ms: Option<u64>,
    /// When the last task ended, milliseconds since 1970.
    pub ended_ms: Option<u64>,
    /// Time in it that dead executors took: attempts that were lost, and the part of the slots that was missing afterwards.
    pub lost: SimSpan,
}

/// The stages that a profile keeps, in its order.
pub(super) fn stages(log: &Log) -> Vec<RecordedStage> {
    let kept = log.stages.iter().filter(|(_, stage)| !stage.rows.is_empty()).map(|(id, stage)| (id, &**stage));
    let stage = |(id, stage): (&u64, &StageRecord)| RecordedStage {
        name: format!("stage-{id}"),
        tasks: stage.done.len(),
        started_ms: stage.began_ms(),
        ended_ms: stage.finished_ms,
        write_bytes: stage.written,
        read_bytes: stage.read,
    };
    kept.map(stage).collect()
}

/// The recorded world of a log.
pub(super) fn world(log: &Log) -> RecordedWorld {
    let local = is_local(log);
    let counted = |executor: &&ExecutorSummary| local || executor.id != "driver";
    let executors: Vec<&ExecutorSummary> = log.executors.values().filter(counted).filter(|executor| executor.added_ms.is_some()).collect();
    let mut by_host: BTreeMap<&str, Vec<&ExecutorSummary>> = BTreeMap::new();
    for executor in &executors {
        by_host.entry(&executor.host).or_default().push(executor);
    }
    let host = |(name, own): (&str, Vec<&ExecutorSummary>)| {
        let cores = own.iter().map(|executor| executor.cores).max().unwrap_or(1).clamp(1, 4096);
        let at_once = at_once(&own).max(1);
        RecordedHost {
            executors: at_once,
            slots: at_once.saturating_mul(cores as u32),
            scarce: log.machines.scarce_cores(name),
            warm_share: log.machines.warm_share(name),
        }
    };
    let started = log.jobs.values().map(|job| job.start).min().unwrap_or(u64::MAX);
    RecordedWorld {
        platform: platform(log),
        deploy_mode: if log.conf.get("spark.submit.deployMode").is_some_and(|mode| mode == "cluster") { "cluster" } else { "client" },
        python: log.executors.values().any(|executor| executor.peak_python_rss_bytes > 0),
        version: log.spark_version.as_deref().and_then(three_numbers),
        collector: collector(log),
        xms_equals_xmx: xms_equals_xmx(log),
        conf: conf(log, &executors, local),
        hosts: by_host.into_iter().map(host).collect(),
        executors: at_once(&executors),
        removed: executors.iter().filter(|executor| executor.removed_ms.is_some()).count() as u32,
        late: executors.iter().filter(|executor| executor.added_ms.is_some_and(|time| time > started)).count() as u32,
        // Dynamic allocation removes idle executors and asks for others when there is work: those replace nobody.
        replacement_s: replacement(&executors).filter(|_| log.conf.get("spark.dynamicAllocation.enabled").is_none_or(|on| on != "true")),
        launch_s: log.machines.launch_s(),
        warm_up_s: log.machines.warm_up_s(),
    }
}

/// Mean time from a removal to the next registration that no other removal has claimed, seconds.
fn replacement(executors: &[&ExecutorSummary]) -> Option<f64> {
    let sorted = |of: fn(&ExecutorSummary) -> Option<u64>| {
        let mut times: Vec<u64> = executors.iter().filter_map(|executor| of(executor)).collect();
        times.sort_unstable();
        times
    };
    let mut added = sorted(|executor| executor.added_ms).into_iter();
    let gaps: Vec<u64> =
        sorted(|executor| executor.removed_ms).into_iter().filter_map(|gone| Some(added.find(|&time| time > gone)?.saturating_sub(gone))).collect();
    (!gaps.is_empty()).then(|| gaps.iter().fold(0u64, |sum, gap| sum.saturating_add(*gap)) as f64 / gaps.len() as f64 / 1e3)
}

fn master(log: &Log) -> &str {
    log.conf.get("spark.master").map_or("", String::as_str)
}

/// `local`, `local[4]`: tasks run in the driver. `local-cluster[…]` has executors.
fn is_local(log: &Log) -> bool {
    master(log) == "local" || master(log).starts_with("local[")
}

fn platform(log: &Log) -> &'static str {
    match master(log) {
        "yarn" | "yarn-client" | "yarn-cluster" => "yarn",
        master if master.starts_with("k8s:") => "kubernetes",
        master if master.starts_with("spark:") || master.starts_with("local-cluster") => "standalone",
        _ => "bare",
    }
}

/// Largest number of executors that lived at the same time.
fn at_once(executors: &[&ExecutorSummary]) -> u32 {
    let mut changes: Vec<(u64, i64)> = Vec::new();
    for executor in executors {
        let removed = executor.removed_ms.unwrap_or(u64::MAX);
        if let Some(added) = executor.added_ms.filter(|added| *added < removed) {
            changes.extend([(added, 1), (removed, -1)]);
        }
    }
    // At one instant those that leave come first.
    changes.sort_unstable();
    let most = changes.iter().scan(0, |alive, (_, change)| {
        *alive += change;
        Some(*alive)
    });
    (most.max().unwrap_or(0) as u32).max(u32::from(!executors.is_empty()))
}

/// The settings, with the executors that ran in place of those that were asked for.
fn conf(log: &Log, executors: &[&ExecutorSummary], local: bool) -> BTreeMap<String, String> {
    let mut conf = log.conf.clone();
    for key in ["spark.master", "spark.submit.deployMode", "spark.dynamicAllocation.enabled", "spark.dynamicAllocation.maxExecutors"] {
        conf.remove(key);
    }
    let cores = executors.iter().map(|executor| executor.cores).max().unwrap_or(1).clamp(1, 4096);
    conf.insert("spark.executor.instances".to_owned(), at_once(executors).max(1).to_string());
    conf.insert("spark.executor.cores".to_owned(), cores.to_string());
    if local {
        let heap = conf.get("spark.driver.memory").cloned().unwrap_or_else(|| "1g".to_owned());
        conf.insert("spark.executor.memory".to_owned(), heap);
    }
    conf
}

/// The first three numbers of a version such as `3.5.1-amzn-0`.
fn three_numbers(version: &str) -> Option<String> {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u16>().ok());
    let (major, minor) = (numbers.next()??, numbers.next().flatten().unwrap_or(0));
    Some(format!("{major}.{minor}.{}", numbers.next().flatten().unwrap_or(0)))
}

/// The collector that the options name, else the one whose survivor space is missing from the reported unified memory.
pub(super) fn collector(log: &Log) -> Option<&'static str> {
    if log.jvm.collector.is_some() || log.jvm.unified == 0 {
        return log.jvm.collector;
    }
    let heap = parse_spark_bytes(log.conf.get("spark.executor.memory")?)?;
    let fraction = log.conf.get("spark.memory.fraction").and_then(|text| text.parse().ok()).unwrap_or(0.6);
    let expected = |collector, full| unified_region(jvm::max_memory(heap, collector, full), fraction);
    // A thousandth: the JVM rounds its regions to pages.
    let near = |bytes: Bytes| (log.jvm.unified as f64 / bytes.as_f64().max(1.0) - 1.0).abs() < 2e-3;
    let told =
        [("g1", Collector::G1, false), ("serial", Collector::Serial, false), ("parallel", Collector::Parallel, false), ("parallel", Collector::Parallel, true)];
    told.into_iter().find(|(_, collector, full)| near(expected(*collector, *full))).map(|(name, ..)| name)
}

/// The official image sets both (JVM-1); elsewhere the options tell.
pub(super) fn xms_equals_xmx(log: &Log) -> Option<bool> {
    if platform(log) == "kubernetes" || log.jvm.full_xms { Some(true) } else { None }
}
