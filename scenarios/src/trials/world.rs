//! The world of a recorded trial, from its configuration and its calibration log alone.
//!
//! Nodes are cgroups on one machine: their memory is their limit, and they share its cores, so each node gets its part of them. Executors
//! are started by hand, replaced after a stated delay, and the job starts when all are there. The job is the log's; the world is written
//! as a scenario, so that every value goes through the same rules as a user's. Nothing here knows what the trial's observer saw.

use std::fmt::Write as _;
use std::sync::Arc;

use sim_core::spec::Spec;
use sim_core::study::score::TrialClock;

use super::lab::LabConfig;
use super::model::TrialModel;
use crate::diag::{Diagnostics, Source};
use crate::event_log::{Ingested, RecordedHost};
use crate::scenario::load_with_profile;

/// What the scenario calls the profile that is already read.
const READ: &str = "calibration.profile";
/// Below this much visible memory the JVM chooses Serial (JVM-5).
const SERVER_MIB: u64 = 1792;

/// Cores that tasks had all together in the calibration run while no compiler worked beside them: the nodes share one machine with each other and with other
/// work. A trial has as many, whatever its executors and nodes.
fn capacity(log: &Ingested) -> f64 {
    let share = |host: &RecordedHost| host.scarce.map_or(1.0, |(_, all)| host.warm_share.unwrap_or(all));
    let had = log.world.hosts.iter().map(|host| f64::from(host.slots) * share(host)).sum::<f64>();
    had.clamp(0.1, 64.0)
}

/// The trial's specification.
pub(super) fn build(config: &LabConfig, log: &Ingested, model: &TrialModel) -> Result<Spec, Diagnostics> {
    let text = scenario(config, log, model);
    let source: Arc<Source> = Source::new("trial.toml", text);
    let (loaded, problems) = load_with_profile(&source, READ, &log.profile);
    let mut spec = loaded.map(|scenario| scenario.spec).ok_or(problems)?;
    spec.uncertainty.allocation = spec.uncertainty.allocation.scaled(model.allocation);
    Ok(spec)
}

/// How the trial's observer measured: time from the first job, as the job's program did; memory without the kernel's own.
pub(super) fn clock(config: &LabConfig, model: &TrialModel) -> TrialClock {
    TrialClock { from_first_job: true, before_s: model.before_s, timeout_s: Some(config.timeout), uncounted: kernel_bytes(config, model) as f64 }
}

/// What the kernel charges of a node's limit for itself.
fn kernel_bytes(config: &LabConfig, model: &TrialModel) -> u64 {
    (config.node_mib as f64 * model.kernel_share * f64::from(1 << 20)) as u64
}

/// Nodes that get executors.
fn used_nodes(config: &LabConfig) -> u32 {
    if config.affinity == "spread" { config.nodes.min(config.executors).max(1) } else { 1 }
}

/// What is special about a trial, in a line.
pub(super) fn setup(config: &LabConfig) -> String {
    let scratch = match (config.tmpfs != 0, config.scratch_mib) {
        (false, _) => "disk".to_owned(),
        (true, 0) => "tmpfs".to_owned(),
        (true, size) => format!("tmpfs of {size} MiB"),
    };
    let placed = if config.affinity == "spread" { "spread" } else { "packed" };
    let limit = if config.pod_limit_mib > 0 { format!("pods of {} MiB", config.pod_limit_mib) } else { format!("nodes of {} MiB", config.node_mib) };
    format!("{}: {} × {} MiB {}, {scratch}, {placed}, {limit}", config.workload, config.executors, config.heap_mib, collector(config).1)
}

/// Memory that a JVM sees: its own limit or the node's, whichever is less.
fn visible_mib(config: &LabConfig) -> u64 {
    if config.pod_limit_mib > 0 { config.pod_limit_mib.min(config.node_mib) } else { config.node_mib }
}

/// The collector by its name in a scenario, and in words.
fn collector(config: &LabConfig) -> (&'static str, &'static str) {
    match config.jvm.as_deref() {
        Some("k8s") => ("g1", "G1 at full size"),
        _ if visible_mib(config) < SERVER_MIB => ("serial", "Serial"),
        _ => ("g1", "G1"),
    }
}

/// How the JVM was started, as a fit's tables name it.
fn way(config: &LabConfig) -> &'static str {
    match collector(config).0 {
        "serial" => "serial",
        _ if config.jvm.as_deref() == Some("k8s") => "g1_full",
        _ => "g1",
    }
}

/// The spreadsheet's rule: heap, Spark's default overhead and, on tmpfs, an even part of all shuffle files are more than the limit.
pub(super) fn spreadsheet(config: &LabConfig, log: &Ingested) -> bool {
    let overhead = (config.heap_mib / 10).max(384);
    let executors = u64::from(config.executors.max(1));
    let scratch = if config.tmpfs == 0 { 0 } else { (log.summary.totals.shuffle_write_bytes >> 20) / executors };
    let each = config.heap_mib + overhead + scratch;
    let on_fullest = executors.div_ceil(u64::from(used_nodes(config)));
    config.pod_limit_mib > 0 && each > config.pod_limit_mib || on_fullest * each > config.node_mib
}

/// The scenario of a trial, as TOML.
pub(super) fn scenario(config: &LabConfig, log: &Ingested, model: &TrialModel) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut out, config, log, model);
    out
}

fn write(out: &mut String, config: &LabConfig, log: &Ingested, model: &TrialModel) -> std::fmt::Result {
    let share = capacity(log) / f64::from(used_nodes(config));
    let kernel = kernel_bytes(config, model);
    writeln!(out, "name = \"trial\"\n[cluster]\nplatform = \"bare\"\n[[cluster.pool]]\ncount = {}", config.nodes.max(1))?;
    writeln!(out, "cpu = {share:.3}\nmemory = \"{}MiB\"\nnic = \"4GB/s\"\nsystem_memory = {kernel}", config.node_mib.max(1))?;
    writeln!(out, "[[cluster.pool.disk]]\nname = \"disk\"\nsize = \"4TB\"\nread = \"1GB/s\"\nwrite = \"1GB/s\"")?;
    spark(out, config, log)?;
    writeln!(out, "[job]\nprofile = {}", quoted(READ))?;
    uncertainty(out, config, log, model)?;
    writeln!(out, "[limits]\nhorizon = \"{:.0}s\"", config.timeout.max(1.0) + 200.0)
}

fn spark(out: &mut String, config: &LabConfig, log: &Ingested) -> std::fmt::Result {
    writeln!(out, "[spark]\ndeploy_mode = \"client\"\nreplace_delay = \"{}ms\"", (config.replace_delay.max(0.0) * 1e3).round())?;
    if let Some(version) = &log.world.version {
        writeln!(out, "version = {}", quoted(version))?;
    }
    if let Some(most) = config.max_replacements {
        writeln!(out, "max_replacements = {most}")?;
    }
    writeln!(out, "collector = \"{}\"\nxms_equals_xmx = {}", collector(config).0, config.jvm.as_deref() == Some("k8s"))?;
    writeln!(out, "executor_limit = \"{}MiB\"", config.pod_limit_mib)?;
    writeln!(out, "pod_template = \"\"\"\n{}\"\"\"", template(config))?;
    writeln!(out, "[spark.conf]")?;
    let own = [
        ("spark.executor.instances", config.executors.max(1).to_string()),
        ("spark.executor.cores", config.cores.max(1).to_string()),
        ("spark.executor.memory", format!("{}m", config.heap_mib.max(1))),
        ("spark.sql.adaptive.enabled", (config.aqe != 0).to_string()),
        ("spark.scheduler.minRegisteredResourcesRatio", "1.0".to_owned()),
        ("spark.scheduler.maxRegisteredResourcesWaitingTime", "60s".to_owned()),
    ];
    let given: Vec<(String, String)> = config.conf.iter().filter_map(|line| line.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    let mut conf = log.world.conf.clone();
    conf.retain(|key, _| crate::spark_conf::find(key).is_some());
    conf.extend(own.map(|(key, value)| (key.to_owned(), value)));
    conf.extend(given.into_iter().filter(|(key, _)| crate::spark_conf::find(key).is_some()));
    for (key, value) in &conf {
        writeln!(out, "{} = {}", quoted(key), quoted(value))?;
    }
    Ok(())
}

/// Scratch and placement, as a pod template says them.
fn template(config: &LabConfig) -> String {
    let mut out = "apiVersion: v1\nkind: Pod\nspec:\n".to_owned();
    if config.affinity != "spread" {
        out.push_str("  affinity:\n    podAffinity:\n      requiredDuringSchedulingIgnoredDuringExecution:\n");
        out.push_str("        - labelSelector: {matchLabels: {spark-role: executor}}\n          topologyKey: kubernetes.io/hostname\n");
    }
    out.push_str("  containers:\n    - name: executor\n      volumeMounts: [{name: spark-local-dir-1, mountPath: /scratch}]\n");
    let size = if config.scratch_mib > 0 {
        config.scratch_mib
    } else if config.pod_limit_mib > 0 {
        config.pod_limit_mib
    } else {
        config.node_mib
    };
    let volume = if config.tmpfs != 0 { format!("{{medium: Memory, sizeLimit: {size}Mi}}") } else { "{}".to_owned() };
    let _ = writeln!(out, "  volumes: [{{name: spark-local-dir-1, emptyDir: {volume}}}]");
    out
}

/// The trial runs the log's job on the log's rows; what differs is the machine's load and each JVM's own ways.
fn uncertainty(out: &mut String, config: &LabConfig, log: &Ingested, model: &TrialModel) -> std::fmt::Result {
    let lognormal = |[median, sigma]: [f64; 2]| format!("{{ lognormal = {{ median = {median:.4}, sigma = {sigma:.4} }} }}");
    writeln!(out, "[uncertainty]\ndata_volume = 1\npartition_skew = 1\ncompression = 1")?;
    writeln!(out, "object_expansion = {{ lognormal = {{ median = 1, sigma = 0.03 }} }}")?;
    writeln!(out, "executor_start = {}\ndeath_detection = {}", lognormal(model.start_s), lognormal(model.detection_s))?;
    writeln!(out, "cpu_speed = {}\ntask_cpu = {}", lognormal(model.cpu_speed), lognormal(model.task_cpu))?;
    for (key, [mean, sd]) in model.memory.get(way(config)).into_iter().flatten() {
        writeln!(out, "{key} = {{ normal = {{ mean = {mean:.4}, sd = {sd:.4} }} }}")?;
    }
    if let Some(seconds) = log.world.launch_s {
        writeln!(out, "task_launch = {seconds:.4}")?;
    }
    if let Some(seconds) = log.world.warm_up_s {
        writeln!(out, "warm_up = {:.4}", seconds + model.compiling_s)?;
    }
    Ok(())
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
