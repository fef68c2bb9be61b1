//! A kubelet or a runtime is one of Kubernetes', and comes back.

use sim_core::spec::{DaemonRole, DaemonSpec};

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};

/// Roles outside Kubernetes, two of one role, and a kubelet that stays away, which would be a lost node.
pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let daemons = &facts.spec.cluster.daemons;
    let mut push = |problem: Diagnostic| problems.push(facts.at_cluster("daemon", problem));
    for role in [DaemonRole::Kubelet, DaemonRole::Runtime] {
        let of_role: Vec<&DaemonSpec> = daemons.iter().filter(|daemon| daemon.role == role).collect();
        let Some(first) = of_role.first() else { continue };
        if !facts.kubernetes() {
            let problem = Diagnostic::error("daemon-role", format!("daemon {} has a role that only Kubernetes knows", first.name));
            push(problem.found(format!("role {}", word(role))).expected("role service outside Kubernetes").hint("remove role, or set cluster.platform"));
        } else if let Some(second) = of_role.get(1) {
            let problem = Diagnostic::error("daemon-role", format!("daemons {} and {} have the same role", first.name, second.name));
            push(problem.found(format!("role {} twice", word(role))).expected("one of each on a node").hint("give one of them role = \"service\""));
        }
    }
    if let Some(gone) = daemons.iter().find(|daemon| daemon.role != DaemonRole::Service && daemon.restart.is_none()) {
        let problem = Diagnostic::error("daemon-restarts", format!("daemon {} would not come back, and its node with it", gone.name));
        let problem = problem.found("restarts = false").expected("restarts = true for kubelet and runtime");
        push(problem.hint("a node that is lost is a [[reclaim]] with sudden = true"));
    }
}

const fn word(role: DaemonRole) -> &'static str {
    match role {
        DaemonRole::Service => "service",
        DaemonRole::Kubelet => "kubelet",
        DaemonRole::Runtime => "runtime",
    }
}
