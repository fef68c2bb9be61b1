//! Cores hold a whole number of tasks.

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};

pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let executor = &facts.spec.spark.executor;
    let (cores, cpus) = (executor.cores, executor.task_cpus);
    let keys = ["spark.task.cpus", "spark.executor.cores"];
    if cores < cpus {
        let problem = Diagnostic::error("task-slots", "no task fits an executor").found(format!("{cores} cores, {cpus} for a task"));
        problems.push(facts.at_conf(&keys, problem).expected("spark.task.cpus of at most spark.executor.cores").hint("lower spark.task.cpus"));
    } else if cores % cpus != 0 {
        let problem = Diagnostic::warning("task-slots", format!("{} of {cores} cores of each executor stay idle", cores % cpus))
            .found(format!("{cpus} cores for a task"));
        problems.push(facts.at_conf(&keys, problem).expected("spark.executor.cores divisible by spark.task.cpus"));
    }
}
