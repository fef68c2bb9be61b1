//! Off-heap memory that is enabled has a size (MEM-8).

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};

pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    if facts.conf.on("spark.memory.offHeap.enabled") && facts.spec.spark.executor.off_heap.is_zero() {
        let problem =
            Diagnostic::error("off-heap-size", "off-heap memory is enabled without a size: Spark refuses to start").found("spark.memory.offHeap.size of 0");
        problems.push(
            facts
                .at_conf(&["spark.memory.offHeap.size", "spark.memory.offHeap.enabled"], problem)
                .expected("a size above 0")
                .hint("spark.memory.offHeap.size = \"2g\""),
        );
    }
}
