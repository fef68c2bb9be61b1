//! Pools that may grow or shrink have to be able to.

use sim_core::spec::Platform;
use sim_core::units::SimSpan;

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};

/// The shortest scan that makes sense: it takes the real autoscaler about as long to look.
const SHORTEST_SCAN: SimSpan = SimSpan::from_secs(1);

/// A `max` below `count` or where there is no autoscaler; scans without a pause.
pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let cluster = &facts.spec.cluster;
    for (pool, max) in cluster.pools.iter().filter_map(|pool| Some((pool, pool.max_count?))) {
        if max < pool.count {
            let problem = Diagnostic::error("pool-max", format!("pool {} may have fewer nodes than it has", pool.name));
            let problem = problem.found(format!("count {} and max {max}", pool.count)).expected("a max of at least count");
            problems.push(facts.at_cluster("pool", problem).hint("count is what is there from the start; min says to how few it may shrink"));
        } else if cluster.platform != Platform::Kubernetes && max > pool.count {
            let problem = Diagnostic::warning("pool-max", format!("pool {} does not grow: the cluster autoscaler is Kubernetes'", pool.name));
            problems.push(facts.at_cluster("pool", problem).hint("remove max, or set cluster.platform to a Kubernetes"));
        }
    }
    for (pool, min) in cluster.pools.iter().filter_map(|pool| Some((pool, pool.min_count?))) {
        if min > pool.count {
            let problem = Diagnostic::error("pool-min", format!("pool {} has fewer nodes than it must have", pool.name));
            let problem = problem.found(format!("count {} and min {min}", pool.count)).expected("a min of at most count");
            problems.push(facts.at_cluster("pool", problem).hint("count is what is there from the start; the autoscaler brings no pool up to its min"));
        } else if cluster.platform != Platform::Kubernetes && min < pool.count {
            let problem = Diagnostic::warning("pool-min", format!("pool {} does not shrink: the cluster autoscaler is Kubernetes'", pool.name));
            problems.push(facts.at_cluster("pool", problem).hint("remove min, or set cluster.platform to a Kubernetes"));
        }
    }
    if cluster.autoscaler.scan_interval < SHORTEST_SCAN {
        let problem = Diagnostic::error("scan-interval", "the cluster autoscaler scans without a pause").expected("a scan_interval of at least 1s");
        problems.push(facts.at_cluster("autoscaler", problem).hint("its default is 10s"));
    }
}
