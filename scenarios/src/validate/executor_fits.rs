//! An executor fits at least one node, else it stays pending for ever (AL-5, F15).

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};

pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let executor = &facts.spec.spark.executor;
    let sidecars = facts.spec.spark.kubernetes.pod_template.sidecars;
    let (memory, cpu) = (facts.spec.container(executor.container_memory) + sidecars.memory_request, executor.cpu_request + sidecars.cpu_request);
    let rooms: Vec<_> = facts.spec.cluster.pools.iter().filter(|pool| pool.count.max(pool.max_count.unwrap_or(0)) > 0).map(|pool| facts.room(pool)).collect();
    if rooms.is_empty()
        || facts.refused_by_yarn(executor.container_memory)
        || rooms.iter().any(|(room_memory, room_cpu)| memory <= *room_memory && cpu <= *room_cpu)
    {
        return;
    }
    let largest = rooms.iter().max_by_key(|(room_memory, _)| *room_memory).copied().unwrap_or_default();
    let found = format!("{memory} and {} cores for an executor", cpu.as_cores());
    let expected = format!("at most {} and {} cores, what the largest node can give", largest.0, largest.1.as_cores());
    let problem = Diagnostic::warning("executor-fits", "no node is large enough for an executor: all stay pending").found(found).expected(expected);
    problems.push(
        facts
            .at_conf(&["spark.executor.memory", "spark.executor.cores"], problem)
            .hint("lower spark.executor.memory or spark.executor.cores, or take larger nodes"),
    );
}
