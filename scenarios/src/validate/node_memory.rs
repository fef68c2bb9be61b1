//! A node's reservation leaves memory for pods.

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};

pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    for pool in facts.spec.cluster.pools.iter().filter(|pool| facts.room(pool).0.is_zero()) {
        let reserved = pool.shape.reserved;
        let message = format!("nothing of the {} of a node of pool {} is left for pods", pool.shape.memory, pool.name);
        let problem =
            Diagnostic::error("reservation", message).found(format!("{} reserved and an eviction threshold of {}", reserved.memory, reserved.eviction_memory));
        problems.push(facts.at_cluster("pool", problem).expected("a reservation below the node's memory").hint("check cluster.pool.0.memory and reserved"));
    }
}
