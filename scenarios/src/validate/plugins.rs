//! Plugins: which of them are modelled, and what keeps those from working (4.7).

use sim_core::spec::{PodsAllocator, RollPolicy};

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};
use crate::spark_conf::{PVC_RESIZE_PLUGIN, RESIZE_PLUGIN, ROLL_PLUGIN, plugins, roll_interval, roll_policies, roll_policy};

const PLUGINS: &str = "spark.plugins";
const RESIZE_KEYS: [&str; 3] =
    ["spark.kubernetes.executor.resizeInterval", "spark.kubernetes.executor.resizeThreshold", "spark.kubernetes.executor.resizeFactor"];

const ROLL_INTERVAL: &str = "spark.kubernetes.executor.rollInterval";
const ROLL_POLICY: &str = "spark.kubernetes.executor.rollPolicy";
const ROLL_KEYS: [&str; 3] = [ROLL_INTERVAL, ROLL_POLICY, "spark.kubernetes.executor.minTasksPerExecutorBeforeRolling"];
/// No value of fewer lies more than two standard deviations from their mean.
const LEAST_WITH_OUTLIERS: u32 = 6;

pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let named = plugins(facts.conf);
    for name in named.iter().filter(|name| ![RESIZE_PLUGIN, PVC_RESIZE_PLUGIN, ROLL_PLUGIN].contains(&name.as_str())) {
        let problem = Diagnostic::warning("not-simulated", format!("the plugin {name} is not simulated"));
        problems.push(facts.at_conf(&[PLUGINS], problem));
    }
    if named.iter().any(|name| name == RESIZE_PLUGIN) {
        resize(facts, problems);
    } else if RESIZE_KEYS.iter().any(|key| facts.conf.written(key).is_some()) {
        let problem = Diagnostic::warning("resize-plugin", "pods are not resized: spark.plugins does not name the plugin that does it");
        problems.push(facts.at_conf(&RESIZE_KEYS, problem).hint(format!("spark.plugins = {RESIZE_PLUGIN}")));
    }
    if named.iter().any(|name| name == ROLL_PLUGIN) {
        roll(facts, problems);
    } else if ROLL_KEYS.iter().any(|key| facts.conf.written(key).is_some()) {
        let problem = Diagnostic::warning("roll-plugin", "executors are not replaced: spark.plugins does not name the plugin that does it");
        problems.push(facts.at_conf(&ROLL_KEYS, problem).hint(format!("spark.plugins = {ROLL_PLUGIN}")));
    }
}

/// What keeps the roll plugin from working, in the order in which Spark looks, and what its policies cannot tell here.
fn roll(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let (spark, conf) = (&facts.spec.spark, facts.conf);
    let warning = |keys: &[&str], text: &str| facts.at_conf(keys, Diagnostic::warning("roll-plugin", text));
    if (spark.version.major, spark.version.minor) < (3, 3) {
        let problem = Diagnostic::error("roll-plugin", "the driver does not start: this release has no ExecutorRollPlugin");
        return problems.push(facts.at_conf(&[PLUGINS], problem).expected("Spark 3.3 or later"));
    }
    if !facts.kubernetes() {
        return problems.push(warning(&[PLUGINS], "ExecutorRollPlugin replaces executors on Kubernetes only"));
    }
    if roll_interval(conf).is_none() {
        let problem = warning(&[ROLL_INTERVAL, PLUGINS], "ExecutorRollPlugin does nothing: its interval is less than a second");
        return problems.push(problem.hint("spark.kubernetes.executor.rollInterval = 1h"));
    }
    if spark.allocation.decommission.is_none() {
        let problem = warning(&[PLUGINS], "ExecutorRollPlugin does nothing: spark.decommission.enabled is false");
        return problems.push(problem.hint("spark.decommission.enabled = true"));
    }
    match roll_policy(conf) {
        None => {
            let names: Vec<&str> = roll_policies(conf).map(|(_, name)| name).collect();
            let problem = Diagnostic::error("roll-plugin", "the driver does not start: this release has no such policy");
            problems.push(facts.at_conf(&[ROLL_POLICY], problem).found(conf.text(ROLL_POLICY).unwrap_or_default()).expected(names.join(", ")));
        }
        Some(RollPolicy::TotalGcTime) => {
            problems.push(warning(&[ROLL_POLICY], "collections take no time here: TOTAL_GC_TIME chooses as TOTAL_DURATION does"));
        }
        Some(RollPolicy::OutlierNoFallback) if most_executors(facts) < LEAST_WITH_OUTLIERS => {
            let problem = warning(&[ROLL_POLICY], "nobody is ever replaced: among fewer than six executors none is an outlier");
            problems.push(problem.hint("spark.kubernetes.executor.rollPolicy = OUTLIER falls back on the total task time"));
        }
        Some(_) => {}
    }
}

/// The most executors that are asked for at a time.
fn most_executors(facts: &Facts<'_>) -> u32 {
    let spark = &facts.spec.spark;
    spark.allocation.dynamic.map_or(spark.executor.instances, |dynamic| dynamic.max)
}

/// What keeps the resize plugin from working.
fn resize(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let spark = &facts.spec.spark;
    let at = |problem| facts.at_conf(&[PLUGINS], problem);
    if (spark.version.major, spark.version.minor) < (4, 2) {
        let problem = Diagnostic::error("resize-plugin", "the driver does not start: this release has no ExecutorResizePlugin");
        problems.push(at(problem).expected("Spark 4.2 or later"));
    } else if !facts.kubernetes() {
        problems.push(at(Diagnostic::warning("resize-plugin", "ExecutorResizePlugin resizes pods; there are none on this platform")));
    } else if spark.allocation.allocator != PodsAllocator::Direct {
        let problem = Diagnostic::warning("resize-plugin", "ExecutorResizePlugin does nothing: it is for the direct allocator only");
        problems.push(at(problem).hint("spark.kubernetes.allocation.pods.allocator = direct"));
    } else if !crate::build::resizes_in_place(facts.tree) {
        let problem = Diagnostic::warning("resize-plugin", "ExecutorResizePlugin changes nothing: this cluster refuses to resize pods in place");
        problems.push(at(problem).expected("Kubernetes 1.33 or later").hint("cluster.kubernetes = \"1.33\""));
    }
}
