//! `[[inject]]`: kills that the user asks for.

use sim_core::spec::{AppSpec, Injection, Moment};

use super::View;

/// The injections of a filled tree. A stage that the profile does not have becomes one past the last, which the rule refuses.
pub(super) fn injections(root: View<'_>, app: &AppSpec) -> Vec<Injection> {
    root.items("inject").map(|item| injection(item, app)).collect()
}

fn injection(item: View<'_>, app: &AppSpec) -> Injection {
    let when = if item.maybe("at").is_some() {
        Moment::At(item.time("at"))
    } else {
        let name = item.text("stage");
        let stage = app.stages.iter().position(|stage| stage.name == name).unwrap_or(app.stages.len());
        Moment::TasksDone { stage, tasks: item.count("tasks_done") }
    };
    Injection { executor: item.count("kill_executor"), when }
}
