//! A container limit that does not even hold the heap kills every busy executor.

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};

pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let executor = &facts.spec.spark.executor;
    let limit = executor.container_memory;
    if !limit.is_zero() && limit < executor.heap {
        let problem = Diagnostic::warning("limit-below-heap", "an executor's memory limit is below its heap")
            .found(format!("a limit of {limit} for a heap of {}", executor.heap));
        problems.push(
            facts
                .at_conf(&["spark.executor.memory"], problem)
                .expected("a limit above the heap")
                .hint("raise spark.executor_limit or lower spark.executor.memory"),
        );
    }
}
