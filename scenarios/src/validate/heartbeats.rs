//! Heartbeats and timeouts that Spark refuses, and collections that could take longer than they allow (3.6).

use sim_core::spark::jvm::full_collection_s_per_gib;

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};

pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let conf = facts.spec.spark.allocation.heartbeat;
    let timeouts = ["spark.storage.blockManagerHeartbeatTimeoutMs", "spark.network.timeout"];
    let mut refuse = |keys: &[&str], what: &str, found: String| {
        let problem = Diagnostic::error("heartbeats", format!("Spark refuses to start: {what}")).found(found);
        problems.push(facts.at_conf(keys, problem));
    };
    let seconds = |span: sim_core::units::SimSpan| format!("{} s", span.as_secs_f64());
    if conf.interval >= conf.timeout {
        let found = format!("{} and {}", seconds(conf.interval), seconds(conf.timeout));
        refuse(&["spark.executor.heartbeatInterval", timeouts[0], timeouts[1]], "executors send heartbeats too seldom for the timeout", found);
    } else if conf.check_interval > conf.timeout {
        let found = format!("{} and {}", seconds(conf.check_interval), seconds(conf.timeout));
        refuse(&["spark.network.timeoutInterval", timeouts[0], timeouts[1]], "silence is looked for too seldom for the timeout", found);
    } else {
        long_collections(facts, problems);
    }
}

/// A full collection of a full heap that outlasts the timeout: the driver would take the executor for lost.
fn long_collections(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let executor = &facts.spec.spark.executor;
    let conf = facts.spec.spark.allocation.heartbeat;
    let pause = executor.heap.as_gib() * full_collection_s_per_gib(executor.collector);
    if pause > conf.timeout.as_secs_f64() {
        let message = format!(
            "one full collection of a full heap may take {pause:.0} s, longer than the {:.0} s of silence that the driver allows",
            conf.timeout.as_secs_f64()
        );
        let problem = Diagnostic::warning("long-collection", format!("{message}; the loss of executors by that is not simulated"));
        let keys = ["spark.storage.blockManagerHeartbeatTimeoutMs", "spark.network.timeout", "spark.executor.memory"];
        problems.push(facts.at_conf(&keys, problem).hint("more and smaller executors, or a longer spark.network.timeout"));
    }
}
