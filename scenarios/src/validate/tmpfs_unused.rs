//! The tmpfs switch touches only directories that Spark makes on Kubernetes (LD-2); on `bare` it says where scratch is.

use sim_core::spec::Platform;

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};

pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    if !facts.spec.spark.kubernetes.local_dirs_tmpfs {
        return;
    }
    let own = facts.spec.spark.kubernetes.pod_template.volumes.iter().find(|volume| volume.name.starts_with("spark-local-dir-"));
    let message = match own {
        _ if matches!(facts.spec.cluster.platform, Platform::Yarn | Platform::Standalone) => {
            "spark.kubernetes.local.dirs.tmpfs does nothing outside Kubernetes".to_owned()
        }
        Some(volume) => format!("spark.kubernetes.local.dirs.tmpfs does nothing: volume {} holds the scratch", volume.name),
        None => return,
    };
    let problem = Diagnostic::warning("tmpfs-unused", message).found("spark.kubernetes.local.dirs.tmpfs = true");
    problems.push(
        facts
            .at_conf(&["spark.kubernetes.local.dirs.tmpfs"], problem)
            .expected("directories that Spark makes itself")
            .hint("give the volume a medium of its own"),
    );
}
