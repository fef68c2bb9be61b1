//! There is at least one node, and each has a disk.

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};

pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let pools = &facts.spec.cluster.pools;
    if pools.iter().all(|pool| pool.count == 0) {
        let problem = Diagnostic::error("no-nodes", "the cluster has no nodes").found("a count of 0 in every pool").expected("at least one node");
        problems.push(facts.at_cluster("pool", problem).hint("set cluster.pool.0.count"));
    }
    for pool in pools.iter().filter(|pool| pool.shape.disks.is_empty()) {
        let problem = Diagnostic::error("no-disk", format!("nodes of pool {} have no disk", pool.name)).expected("at least one [[cluster.pool.disk]]");
        problems.push(facts.at_cluster("pool", problem).hint("the first disk carries the kubelet directory, so scratch"));
    }
}
