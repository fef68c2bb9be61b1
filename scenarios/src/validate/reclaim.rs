//! A reclaim names one executor or one node that exists, and says whether it can leave in good order.

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};
use crate::raw::Node;

pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let items = facts.tree.get("reclaim").map_or(&[][..], Node::items);
    for item in items {
        let text = |key| item.get(key).and_then(Node::scalar);
        match (text("executor"), text("node")) {
            (Some(_), None) if is_sudden(item) => {
                let problem = Diagnostic::error("bad-reclaim", "only a node vanishes without notice").found("executor and sudden = true");
                problems.push(item.mark(problem).expected("node = \"pool-0\"").hint("[[inject]] kills an executor without notice"));
            }
            (Some(_), None) => {}
            (None, Some(name)) => {
                let pools = &facts.spec.cluster.pools;
                if !pools.iter().any(|pool| (0..pool.count).any(|index| format!("{}-{index}", pool.name) == name)) {
                    let problem = Diagnostic::error("unknown-node", format!("there is no node {name:?} to take back")).found(name);
                    let all: Vec<String> = pools.iter().map(|pool| format!("{0}-0 to {0}-{1}", pool.name, pool.count.saturating_sub(1))).collect();
                    problems.push(item.mark(problem).expected(all.join(", ")));
                }
            }
            _ => {
                let problem = Diagnostic::error("bad-reclaim", "a reclaim takes one executor or one node").expected("executor = 2, or node = \"pool-0\"");
                problems.push(item.mark(problem));
            }
        }
    }
    if let Some(first) = items.iter().find(|item| !is_sudden(item))
        && facts.spec.spark.allocation.decommission.is_none()
    {
        let problem =
            Diagnostic::warning("no-decommission", "without spark.decommission.enabled a notice ends an executor at once: its shuffle files are lost");
        problems.push(first.mark(problem).hint("set spark.decommission.enabled and spark.storage.decommission.enabled = true to see what they save"));
    }
}

fn is_sudden(item: &Node) -> bool {
    item.get("sudden").and_then(Node::scalar).is_some_and(|value| value == "true")
}
