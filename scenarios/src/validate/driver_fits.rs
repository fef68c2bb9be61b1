//! A driver in the cluster fits a node.

use sim_core::spec::{DeployMode, Platform};

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};

pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let placed = matches!(facts.spec.cluster.platform, Platform::Kubernetes | Platform::Yarn) && facts.spec.spark.deploy_mode == DeployMode::Cluster;
    let driver = facts.spec.spark.driver;
    let container = facts.spec.container(driver.container_memory);
    let fits = facts.spec.cluster.pools.iter().any(|pool| {
        let (memory, cpu) = facts.room(pool);
        container <= memory && driver.cpu <= cpu
    });
    if placed && !fits && !facts.refused_by_yarn(driver.container_memory) {
        let problem = Diagnostic::warning("driver-fits", "no node is large enough for the driver: the application never starts")
            .found(format!("{container} for the driver"));
        problems.push(facts.at_conf(&["spark.driver.memory"], problem).expected("less than a node can give").hint("lower spark.driver.memory"));
    }
}
