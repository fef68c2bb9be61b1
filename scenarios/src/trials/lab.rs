//! Recorded trials, one JSON object a line.
//!
//! Each line says how the executors were started (`config`) and what was seen (`outcome`, `deaths`, `kernel_kills`, `node_peaks`). Keys
//! that are missing take the recorder's defaults; keys that are unknown are told once and left alone. What was seen is put into
//! [`Observed`] here and is not known where the world is built. Format: docs/guide/validate.md.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use sim_core::record::Level;
use sim_core::study::score::Observed;

use super::logs::Logs;
use super::model::TrialModel;
use super::{Trial, world};
use crate::diag::{Diagnostic, Diagnostics};

/// How a trial was started. Sizes are MiB, as the recorder takes them.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct LabConfig {
    /// Name of the job.
    pub workload: String,
    /// Number of nodes.
    pub nodes: u32,
    /// Memory limit of each node's cgroup, MiB.
    pub node_mib: u64,
    /// Executors.
    pub executors: u32,
    /// Task slots of each.
    pub cores: u32,
    /// `-Xmx`, MiB.
    pub heap_mib: u64,
    /// `k8s`: `-Xms` = `-Xmx` and G1, as the official image starts executors; else `-Xmx` only and the JVM's own choice.
    pub jvm: Option<String>,
    /// Memory limit of each executor's cgroup, MiB; 0 for none.
    pub pod_limit_mib: u64,
    /// Whether scratch is a tmpfs.
    pub tmpfs: u8,
    /// Size limit of that tmpfs, MiB; 0 for none.
    pub scratch_mib: u64,
    /// `pack`: all executors on the first node; `spread`: on the node with the fewest.
    pub affinity: String,
    /// `spark.sql.adaptive.enabled`.
    pub aqe: u8,
    /// `spark.sql.shuffle.partitions`.
    pub partitions: Option<u32>,
    /// Seconds from a death until its volume is unmounted and its replacement started.
    pub replace_delay: f64,
    /// Replacements until the recorder stops.
    pub max_replacements: Option<u32>,
    /// Seconds after which the job is cancelled.
    pub timeout: f64,
    /// Further Spark settings, `key=value`.
    pub conf: Vec<String>,
    /// Name of the calibration run's event log.
    pub calib: String,
    /// `calibration` or `target`.
    pub role: String,
    /// Everything else, for messages.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

impl Default for LabConfig {
    /// The recorder's defaults.
    fn default() -> Self {
        Self {
            workload: "passes".to_owned(),
            nodes: 2,
            node_mib: 3072,
            executors: 4,
            cores: 1,
            heap_mib: 512,
            jvm: None,
            pod_limit_mib: 0,
            tmpfs: 1,
            scratch_mib: 0,
            affinity: "pack".to_owned(),
            aqe: 0,
            partitions: None,
            replace_delay: 2.0,
            max_replacements: Some(20),
            timeout: 240.0,
            conf: Vec::new(),
            calib: String::new(),
            role: String::new(),
            others: BTreeMap::new(),
        }
    }
}

/// Keys of `config` that describe the job, which its log tells better, or the recorder.
const TOLD_BY_THE_LOG: [&str; 6] = ["data_mib", "passes", "skew", "seed", "oom_adj", "sample"];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    config: Option<LabConfig>,
    outcome: Option<Outcome>,
    deaths: Option<Vec<Death>>,
    kernel_kills: Option<Vec<Kill>>,
    node_peaks: Option<Vec<NodePeak>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Outcome {
    ok: Option<bool>,
    job_s: Option<f64>,
    enospc: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Death {
    why: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Kill {
    level: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NodePeak {
    rss_shmem_sampled_mib: Option<f64>,
}

/// Recorded trials with their logs, read once; specifications are made for any model.
pub struct Recorded {
    logs: Logs,
    lines: Vec<(String, usize, LabConfig, Observed)>,
}

impl Recorded {
    /// Reads all lines and the logs that they name. Problems are told; what cannot be used is left out.
    pub fn load(path: &Path, text: &str, logs: Option<&Path>, problems: &mut Diagnostics) -> Self {
        let mut recorded = Self { logs: Logs::new(path, logs), lines: Vec::new() };
        let mut unknown = BTreeSet::new();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let at = format!("{}:{}", path.display(), number + 1);
            match serde_json::from_str::<Line>(line) {
                Ok(Line { config: Some(config), outcome, deaths, kernel_kills, node_peaks }) => {
                    unknown.extend(config.others.keys().filter(|key| !TOLD_BY_THE_LOG.contains(&key.as_str())).cloned());
                    let observed = observed(outcome, deaths, kernel_kills, node_peaks);
                    if recorded.logs.read(&config.calib, &at, problems) {
                        recorded.lines.push((at, number + 1, config, observed));
                    }
                }
                Ok(_) => problems.push(bad(format!("{at}: this trial has no `config`"))),
                Err(error) => problems.push(bad(format!("{at}: this is no trial: {error}"))),
            }
        }
        if !unknown.is_empty() {
            let keys: Vec<String> = unknown.into_iter().collect();
            problems.push(Diagnostic::warning("trials", format!("keys of `config` that are not used: {}", keys.join(", "))));
        }
        recorded
    }

    /// The trials under a model.
    pub fn trials(&self, model: &TrialModel, problems: &mut Diagnostics) -> Vec<Trial> {
        self.lines.iter().filter_map(|(at, number, config, observed)| one(&self.logs, at, *number, config, *observed, model, problems)).collect()
    }
}

fn bad(message: String) -> Diagnostic {
    Diagnostic::warning("trials", message).expected("one recorded trial, a JSON object with `config`").hint("the trial is left out")
}

fn one(logs: &Logs, at: &str, number: usize, config: &LabConfig, observed: Observed, model: &TrialModel, problems: &mut Diagnostics) -> Option<Trial> {
    let log = logs.get(&config.calib)?;
    let spec = match world::build(config, log, model) {
        Ok(spec) => spec,
        Err(found) => {
            problems.push(bad(format!("{at}: this trial cannot be simulated: {}", found.items().first().map_or("", |item| &item.message))));
            return None;
        }
    };
    Some(Trial {
        name: format!("{number}"),
        workload: config.workload.clone(),
        group: config.calib.clone(),
        calibration: config.role == "calibration",
        setup: world::setup(config),
        clock: world::clock(config, model),
        spreadsheet: Some(world::spreadsheet(config, log)),
        spec,
        observed,
    })
}

fn observed(outcome: Option<Outcome>, deaths: Option<Vec<Death>>, kills: Option<Vec<Kill>>, peaks: Option<Vec<NodePeak>>) -> Observed {
    let outcome = outcome.unwrap_or_default();
    let known = deaths.is_some();
    let (deaths, kills) = (deaths.unwrap_or_default(), kills.unwrap_or_default());
    let heap = deaths.iter().any(|death| death.why == "heap");
    let full = outcome.enospc == Some(true) || deaths.iter().any(|death| death.why == "enospc");
    let by_limit = kills.iter().find_map(|kill| match kill.level.as_str() {
        "pod" => Some(Level::Pod),
        "node" => Some(Level::Node),
        _ => None,
    });
    let oom = !kills.is_empty() || heap || deaths.iter().any(|death| death.why == "oomkilled");
    Observed {
        oom: known.then_some(oom),
        job_failed: outcome.ok.map(|ok| !ok),
        executors_lost: known.then_some(deaths.len() as u32),
        level: by_limit.or(heap.then_some(Level::Heap)).or(full.then_some(Level::Volume)),
        node_peak: peaks
            .and_then(|peaks| peaks.iter().filter_map(|peak| peak.rss_shmem_sampled_mib).max_by(f64::total_cmp))
            .map(|mib| mib * f64::from(1 << 20)),
        duration_s: outcome.job_s,
    }
}
