//! Spark refuses to start below 1.5 × 300 MiB of heap (MEM-4).

use sim_core::spark::unified_memory::MIN_HEAP;

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};

pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    for (key, heap) in [("spark.executor.memory", facts.spec.spark.executor.heap), ("spark.driver.memory", facts.spec.spark.driver.memory)] {
        if heap < MIN_HEAP {
            let problem = Diagnostic::error("heap-minimum", format!("{key} is too small: Spark refuses to start")).found(heap.to_string());
            problems.push(facts.at_conf(&[key], problem).expected("at least 450m").hint(format!("{key} = \"1g\"")));
        }
    }
}
