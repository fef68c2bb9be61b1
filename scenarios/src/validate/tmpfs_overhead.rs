//! Scratch in RAM counts towards the pod, and nothing raises the overhead for it (LD-5).
//!
//! What lasts for scratch once the heap is fully touched is the overhead less the non-heap budget (7.2), often next to nothing.

use sim_core::spark::jvm::{non_heap_budget, threads};
use sim_core::spec::ExecutorConf;
use sim_core::units::Bytes;

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};

/// Direct memory of the table of 7.2.
const DIRECT: Bytes = Bytes::mib(100);

pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let raised = ["spark.executor.memoryOverhead", "spark.executor.memoryOverheadFactor", "spark.kubernetes.memoryOverheadFactor"];
    if facts.kubernetes() && facts.spec.spark.kubernetes.local_dirs_tmpfs && raised.iter().all(|key| facts.conf.written(key).is_none()) {
        let message = match durable(&facts.spec.spark.executor) {
            Ok(left) => format!("scratch in RAM counts towards the pod's memory: beside a full heap the default overhead leaves {left} for it (7.2)"),
            Err(missing) => format!("scratch in RAM counts towards the pod's memory: a full heap and the JVM alone need {missing} more than the pod has (7.2)"),
        };
        let problem = Diagnostic::warning("tmpfs-overhead", message).found("spark.kubernetes.local.dirs.tmpfs = true without spark.executor.memoryOverhead");
        problems.push(
            facts
                .at_conf(&["spark.kubernetes.local.dirs.tmpfs"], problem)
                .expected("an overhead that holds shuffle and spill files")
                .hint("set spark.executor.memoryOverhead, or keep scratch on disk"),
        );
    }
}

/// What the container leaves for scratch beside a fully touched heap, or what it lacks (7.2, A21).
fn durable(executor: &ExecutorConf) -> Result<Bytes, Bytes> {
    let needed = executor.heap + executor.off_heap + executor.pyspark + non_heap_budget(executor.heap, threads(executor.cores), DIRECT);
    executor.container_memory.checked_sub(needed).ok_or(needed.saturating_sub(executor.container_memory))
}
