//! An injected kill has one instant: a time, or the progress of a stage that the profile has.

use sim_core::spec::Moment;

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};
use crate::raw::Node;
use crate::schema::nearest;

pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let nodes = facts.tree.get("inject").map_or(&[][..], Node::items);
    for (node, injection) in nodes.iter().zip(&facts.spec.inject) {
        let has = |key: &str| node.get(key).is_some();
        let problem = match (has("at"), has("stage"), has("tasks_done")) {
            (true, false, false) => continue,
            (false, true, true) => match injection.when {
                Moment::TasksDone { stage, .. } if stage >= facts.spec.app.stages.len() => unknown_stage(facts, node),
                Moment::TasksDone { .. } | Moment::At(_) => continue,
            },
            _ => Diagnostic::error("inject-when", "an injected kill needs one instant")
                .expected("`at`, or `stage` and `tasks_done`")
                .hint("write `at = \"90s\"`, or `stage` and `tasks_done = 4`"),
        };
        problems.push(node.mark(problem));
    }
}

fn unknown_stage(facts: &Facts<'_>, node: &Node) -> Diagnostic {
    let name = node.get("stage").and_then(Node::text).unwrap_or_default();
    let names: Vec<&str> = facts.spec.app.stages.iter().map(|stage| stage.name.as_str()).collect();
    let near = nearest(name, names.iter().copied());
    let hint = if near.is_empty() { "the profile's [[stage]] blocks name its stages".to_owned() } else { format!("did you mean {}?", near.join(" or ")) };
    Diagnostic::error("inject-stage", format!("the profile has no stage {name:?}")).found(name).expected(format!("one of {}", names.join(", "))).hint(hint)
}
