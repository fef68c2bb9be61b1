//! Scratch in RAM counts towards the pod, and nothing raises the overhead for it (LD-5).

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};

pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let raised = ["spark.executor.memoryOverhead", "spark.executor.memoryOverheadFactor", "spark.kubernetes.memoryOverheadFactor"];
    if facts.kubernetes() && facts.spec.spark.kubernetes.local_dirs_tmpfs && raised.iter().all(|key| facts.conf.written(key).is_none()) {
        let message = "scratch in RAM counts towards the pod's memory, and the overhead is the default";
        let problem = Diagnostic::warning("tmpfs-overhead", message).found("spark.kubernetes.local.dirs.tmpfs = true without spark.executor.memoryOverhead");
        problems.push(
            facts
                .at_conf(&["spark.kubernetes.local.dirs.tmpfs"], problem)
                .expected("an overhead that holds shuffle and spill files")
                .hint("set spark.executor.memoryOverhead, or keep scratch on disk"),
        );
    }
}
