//! A kubelet on a node with swap.

use sim_core::spec::CgroupVersion;

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};
use crate::raw::Value;

/// Swap under `failSwapOn`, and `LimitedSwap` where it gives nobody any.
pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let cluster = &facts.spec.cluster;
    if !facts.kubernetes() || cluster.swap.size.is_zero() {
        return;
    }
    let fails = facts.tree.get("cluster").and_then(|cluster| cluster.get("swap")).and_then(|swap| swap.get("fail_swap_on"));
    if fails.is_some_and(|node| node.value == Value::Bool(true)) {
        let problem = Diagnostic::error("swap-kubelet", "the kubelet does not start on a node with swap").found(format!("{} of swap", cluster.swap.size));
        let problem = problem.expected("fail_swap_on = false, as failSwapOn in the kubelet's configuration");
        problems.push(facts.at_cluster("swap", problem).hint("set cluster.swap.fail_swap_on = false, or size = 0"));
    } else if cluster.swap.limited && cluster.cgroup == CgroupVersion::V1 {
        let problem = Diagnostic::warning("swap-cgroup", "LimitedSwap gives no pod any swap on cgroup v1");
        problems.push(facts.at_cluster("swap", problem).hint("set cluster.cgroup = \"v2-group-kill\" if the nodes have it"));
    }
}
