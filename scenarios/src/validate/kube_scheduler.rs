//! The scheduler's profile and the rules of the template have to make sense together with the nodes.

use sim_core::spec::{Affinity, FitStrategy, Platform, SpreadConstraint, WhenUnsatisfiable};

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};

/// The topology key that every node has.
const HOSTNAME: &str = "kubernetes.io/hostname";

/// A shape that is no line; a rule whose topology key no node has.
pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let cluster = &facts.spec.cluster;
    if cluster.platform != Platform::Kubernetes {
        return;
    }
    if let FitStrategy::RequestedToCapacityRatio(shape) = &cluster.scheduler.fit {
        let rising = shape.windows(2).all(|pair| pair[0].utilization < pair[1].utilization);
        if shape.is_empty() || !rising {
            let problem = Diagnostic::error("scheduler-shape", "cluster.scheduler.shape is no line that RequestedToCapacityRatio can follow");
            let problem = problem.found(format!("{} points", shape.len())).expected("at least one point, by increasing utilization");
            problems.push(facts.at_cluster("scheduler", problem).hint("shape = [{ utilization = 0, score = 0 }, { utilization = 100, score = 10 }] packs"));
        }
    }
    let template = &facts.spec.spark.kubernetes.pod_template;
    for key in required_keys(&template.affinity, &template.spread) {
        let known = key == HOSTNAME || cluster.pools.iter().any(|pool| has(pool, key));
        if !known {
            let problem = Diagnostic::warning("topology-key", format!("no node has the label {key:?}, which a required rule of the pod template needs"));
            problems.push(problem.hint(format!("every executor will stay Pending; add labels = {{ {key:?} = \"…\" }} to the pools, or zones")));
        }
    }
}

fn has(pool: &sim_core::spec::PoolSpec, key: &str) -> bool {
    pool.labels.iter().any(|label| label.key == key) || (!pool.zones.is_empty() && key == "topology.kubernetes.io/zone")
}

/// Topology keys without which no node is feasible.
fn required_keys<'a>(affinity: &'a Affinity, spread: &'a [SpreadConstraint]) -> impl Iterator<Item = &'a str> {
    let hard = spread.iter().filter(|constraint| constraint.when_unsatisfiable == WhenUnsatisfiable::DoNotSchedule);
    affinity.required_pod.iter().map(|term| term.topology_key.as_str()).chain(hard.map(|constraint| constraint.topology_key.as_str()))
}
