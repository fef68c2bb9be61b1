//! Dynamic allocation: bounds in order, and something that keeps shuffle files when executors go (3.7).

use sim_core::spec::Platform;

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};
use crate::spark_conf::dynamic;

pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let Some(conf) = dynamic(facts.conf) else { return };
    let enabled = "spark.dynamicAllocation.enabled";
    if conf.min > conf.max || conf.max == 0 {
        let problem = Diagnostic::error("dynamic-allocation", "Spark refuses to start: the fewest executors are more than the most")
            .found(format!("minExecutors {} and maxExecutors {}", conf.min, conf.max));
        let keys = ["spark.dynamicAllocation.minExecutors", "spark.dynamicAllocation.maxExecutors", enabled];
        problems.push(facts.at_conf(&keys, problem).expected("minExecutors at most maxExecutors, and that at least 1"));
    }
    if facts.spec.cluster.platform == Platform::Bare {
        let problem = Diagnostic::warning("not-simulated", "dynamic allocation is not simulated on bare: the number of executors is fixed");
        problems.push(facts.at_conf(&[enabled], problem));
        return;
    }
    let migrates = facts.conf.on("spark.decommission.enabled") && facts.conf.on("spark.storage.decommission.shuffleBlocks.enabled");
    let elsewhere = facts.spec.spark.shuffle_storage.remote.as_ref().is_some_and(|remote| remote.reliable);
    if !conf.shuffle_tracking && !facts.spec.spark.shuffle.service && !migrates && !elsewhere {
        let problem = Diagnostic::error("dynamic-allocation", "Spark refuses to start: nothing keeps the shuffle files of executors that go")
            .found("neither a shuffle service nor shuffle tracking");
        let keys = ["spark.dynamicAllocation.shuffleTracking.enabled", enabled];
        problems.push(
            facts
                .at_conf(&keys, problem)
                .expected("spark.shuffle.service.enabled, spark.dynamicAllocation.shuffleTracking.enabled, or spark.decommission.enabled with shuffle blocks")
                .hint("on Kubernetes set spark.dynamicAllocation.shuffleTracking.enabled = true"),
        );
    }
}
