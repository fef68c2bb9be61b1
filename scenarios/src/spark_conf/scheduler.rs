//! The task scheduler's settings: order of jobs and pools, locality, speculation, exclusion.
//!
//! Pools come from `spark.scheduler.allocation.file`, Spark's small XML, or from the scenario. What a pool does not say, or says
//! in a way that Spark does not take, is Spark's default: FIFO, weight 1, no minimum share. Source: 3.6; Spark's
//! `FairSchedulableBuilder`, `internal.config`.

use sim_core::spec::{ExclusionConf, LocalityConf, PoolConf, SchedulerConf, SchedulingMode, SpeculationConf, SpeculationEfficiency};

use super::Conf;
use crate::diag::{Diagnostic, Diagnostics, Source};
use crate::layer::{beside, read_file};

/// The configuration from checked keys and the pools.
pub(super) fn scheduler(conf: &Conf, pools: Vec<PoolConf>) -> SchedulerConf {
    SchedulerConf {
        mode: conf.text("spark.scheduler.mode").and_then(|name| mode(&name)).unwrap_or_default(),
        pools,
        locality: locality(conf),
        speculation: conf.on("spark.speculation").then(|| speculation(conf)),
        exclusion: exclusion(conf),
    }
}

/// A scheduling mode by its name in Spark.
pub(crate) fn mode(name: &str) -> Option<SchedulingMode> {
    match name.trim().to_ascii_uppercase().as_str() {
        "FIFO" => Some(SchedulingMode::Fifo),
        "FAIR" => Some(SchedulingMode::Fair),
        _ => None,
    }
}

/// Spark refuses to start with another mode.
pub(crate) fn check_mode(conf: &Conf, problems: &mut Diagnostics) {
    if let Some(node) = conf.written("spark.scheduler.mode").filter(|node| node.text().is_none_or(|name| mode(name).is_none())) {
        problems.push(node.mark(Diagnostic::error("bad-conf", "spark.scheduler.mode cannot be read").found(node.found()).expected("FIFO or FAIR")));
    }
}

fn locality(conf: &Conf) -> LocalityConf {
    let wait = conf.time("spark.locality.wait").unwrap_or_default();
    LocalityConf {
        wait_process: conf.time("spark.locality.wait.process").unwrap_or(wait),
        wait_node: conf.time("spark.locality.wait.node").unwrap_or(wait),
        reset_on_launch: (conf.version.major, conf.version.minor) < (3, 1) || conf.on("spark.locality.wait.legacyResetOnTaskLaunch"),
        reducers: conf.on("spark.shuffle.reduceLocality.enabled"),
        revive_interval: conf.time("spark.scheduler.revive.interval").unwrap_or_default(),
    }
}

fn speculation(conf: &Conf) -> SpeculationConf {
    let plain = SpeculationConf::default();
    let since = |version| (conf.version.major, conf.version.minor) >= version;
    let efficiency = SpeculationEfficiency {
        rate_multiplier: conf.number("spark.speculation.efficiency.processRateMultiplier").unwrap_or_default(),
        long_run_factor: conf.number("spark.speculation.efficiency.longRunTaskFactor").unwrap_or_default(),
    };
    SpeculationConf {
        interval: conf.time("spark.speculation.interval").unwrap_or(plain.interval),
        multiplier: conf.number("spark.speculation.multiplier").unwrap_or(plain.multiplier),
        quantile: conf.number("spark.speculation.quantile").unwrap_or(plain.quantile),
        min_runtime: conf.time("spark.speculation.minTaskRuntime").unwrap_or(plain.min_runtime),
        threshold: conf.time("spark.speculation.task.duration.threshold").filter(|_| since((3, 0))),
        efficiency: (since((3, 4)) && conf.on("spark.speculation.efficiency.enabled")).then_some(efficiency),
    }
}

fn exclusion(conf: &Conf) -> Option<ExclusionConf> {
    let on = |key: &str| conf.written(key).map_or_else(|| conf.on("spark.excludeOnFailure.enabled"), |_| conf.on(key));
    let count = |key: &str| conf.count(&format!("spark.excludeOnFailure.{key}")).unwrap_or(1);
    let (task_and_stage, application) = (on("spark.excludeOnFailure.taskAndStage.enabled"), on("spark.excludeOnFailure.application.enabled"));
    (task_and_stage || application).then(|| ExclusionConf {
        task_and_stage,
        application,
        task_attempts_per_executor: count("task.maxTaskAttemptsPerExecutor"),
        task_attempts_per_node: count("task.maxTaskAttemptsPerNode"),
        stage_tasks_per_executor: count("stage.maxFailedTasksPerExecutor"),
        stage_executors_per_node: count("stage.maxFailedExecutorsPerNode"),
        application_tasks_per_executor: count("application.maxFailedTasksPerExecutor"),
        application_executors_per_node: count("application.maxFailedExecutorsPerNode"),
        timeout: conf.time("spark.excludeOnFailure.timeout").unwrap_or_default(),
        unschedulable_timeout: conf.time("spark.scheduler.excludeOnFailure.unschedulableTaskSetTimeout").unwrap_or_default(),
    })
}

/// The pools of `spark.scheduler.allocation.file`, if that is set.
pub(crate) fn allocation_file(conf: &Conf, problems: &mut Diagnostics) -> Vec<PoolConf> {
    let Some(node) = conf.written("spark.scheduler.allocation.file") else { return Vec::new() };
    let path = node.text().unwrap_or_default();
    let local = path.strip_prefix("file://").unwrap_or(path);
    if local.contains("://") {
        let message = "spark.scheduler.allocation.file is not simulated: only a local file can be read";
        problems.push(node.mark(Diagnostic::warning("not-simulated", message).found(path)).hint("write the pools as [[spark.pool]] in the scenario"));
        return Vec::new();
    }
    let Some(source) = read_file(&beside(node, local), Some(node), problems) else { return Vec::new() };
    pools(&source).unwrap_or_else(|(message, span)| {
        problems.push(Diagnostic::error("bad-pools", message).at(&source, span).expected("<allocations> with <pool name=\"…\"> elements"));
        Vec::new()
    })
}

/// Reads `<pool name="…">` elements with `schedulingMode`, `weight` and `minShare`.
fn pools(source: &Source) -> Result<Vec<PoolConf>, (String, std::ops::Range<usize>)> {
    let text = without_comments(&source.text);
    let mut pools = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find("<pool").map(|found| at + found) {
        let end = text[open..].find('>').map(|found| open + found).ok_or(("this element has no end".to_owned(), open..open + 5))?;
        let name = attribute(&text[open..end], "name").ok_or(("this pool has no name".to_owned(), open..end))?;
        let mut pool = PoolConf::plain(&name);
        at = end + 1;
        if !text[..end].ends_with('/') {
            let close = text[at..].find("</pool>").map(|found| at + found).ok_or((format!("pool {name} has no end"), open..end))?;
            let body = &text[at..close];
            pool.mode = element(body, "schedulingMode").and_then(mode).unwrap_or_default();
            pool.weight = element(body, "weight").and_then(|n| n.parse().ok()).filter(|n| *n > 0).unwrap_or(1);
            pool.min_share = element(body, "minShare").and_then(|n| n.parse().ok()).unwrap_or(0);
            at = close;
        }
        pools.push(pool);
    }
    Ok(pools)
}

/// The text with comments blanked out, so that places stay.
fn without_comments(text: &str) -> String {
    let mut plain = text.to_owned();
    while let Some(start) = plain.find("<!--") {
        let end = plain[start..].find("-->").map_or(plain.len(), |found| start + found + 3);
        plain.replace_range(start..end, &" ".repeat(end - start));
    }
    plain
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let after = tag.split_once(&format!("{name}="))?.1;
    let quote = after.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
    after[1..].split_once(quote).map(|(value, _)| value.to_owned())
}

fn element<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    let after = body.split_once(&format!("<{name}>"))?.1;
    after.split_once(&format!("</{name}>")).map(|(value, _)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Spark's documentation, with what people do to it.
    #[test]
    fn pools_are_read_as_spark_reads_them() {
        let text = r#"<?xml version="1.0"?>
<allocations>
  <!-- <pool name="old"><weight>9</weight></pool> -->
  <pool name="production">
    <schedulingMode>FAIR</schedulingMode>
    <weight>1</weight>
    <minShare>2</minShare>
  </pool>
  <pool name='test'>
    <schedulingMode>fifo</schedulingMode>
    <weight> 2 </weight>
    <minShare>three</minShare>
  </pool>
  <pool name="bare"/>
</allocations>"#;
        let pools = pools(&Source::new("fairscheduler.xml", text)).expect("well formed");
        let pool = |name: &str, mode, weight, min_share| PoolConf { name: name.to_owned(), mode, weight, min_share };
        let expected = [pool("production", SchedulingMode::Fair, 1, 2), pool("test", SchedulingMode::Fifo, 2, 0), PoolConf::plain("bare")];
        assert_eq!(pools, expected);
    }

    #[test]
    fn a_pool_without_name_or_end_is_told() {
        for text in ["<allocations><pool><weight>1</weight></pool></allocations>", "<allocations><pool name=\"a\"><weight>1</weight>", "<pool"] {
            assert!(pools(&Source::new("x.xml", text)).is_err(), "{text}");
        }
    }
}
