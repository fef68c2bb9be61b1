//! On YARN, Spark's client refuses what is larger than the largest allocation (`Client.verifyClusterResources`).

use sim_core::spec::{DeployMode, Platform};
use sim_core::units::Bytes;

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};

pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let spec = facts.spec;
    if spec.cluster.platform != Platform::Yarn {
        return;
    }
    let largest = spec.largest_yarn_container();
    let mut check = |who: &str, asked: Bytes, keys: &[&str]| {
        if facts.refused_by_yarn(asked) {
            let problem = Diagnostic::error("yarn-allocation", format!("Spark refuses to submit: the {who} asks for more than YARN gives"));
            let problem = problem.found(format!("{asked} for the {who}")).expected(format!("at most {largest}, the largest allocation"));
            let hint = format!("lower {}, or raise maximum_allocation or node_memory_share of [cluster.yarn]", keys[0]);
            problems.push(facts.at_conf(keys, problem).hint(hint));
        }
    };
    check("executor", spec.spark.executor.container_memory, &["spark.executor.memory", "spark.executor.memoryOverhead"]);
    if spec.spark.deploy_mode == DeployMode::Cluster {
        check("driver", spec.spark.driver.container_memory, &["spark.driver.memory", "spark.driver.memoryOverhead"]);
    }
}
