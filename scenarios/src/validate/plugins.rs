//! Plugins: which of them are modelled, and what keeps those from working (4.7).

use sim_core::spec::PodsAllocator;

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};
use crate::spark_conf::{PVC_RESIZE_PLUGIN, RESIZE_PLUGIN, plugins};

const PLUGINS: &str = "spark.plugins";
const RESIZE_KEYS: [&str; 3] =
    ["spark.kubernetes.executor.resizeInterval", "spark.kubernetes.executor.resizeThreshold", "spark.kubernetes.executor.resizeFactor"];

pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let named = plugins(facts.conf);
    for name in named.iter().filter(|name| ![RESIZE_PLUGIN, PVC_RESIZE_PLUGIN].contains(&name.as_str())) {
        let problem = Diagnostic::warning("not-simulated", format!("the plugin {name} is not simulated"));
        problems.push(facts.at_conf(&[PLUGINS], problem));
    }
    if named.iter().any(|name| name == RESIZE_PLUGIN) {
        resize(facts, problems);
    } else if RESIZE_KEYS.iter().any(|key| facts.conf.written(key).is_some()) {
        let problem = Diagnostic::warning("resize-plugin", "pods are not resized: spark.plugins does not name the plugin that does it");
        problems.push(facts.at_conf(&RESIZE_KEYS, problem).hint(format!("spark.plugins = {RESIZE_PLUGIN}")));
    }
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
