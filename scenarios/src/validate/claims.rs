//! Settings about claims that do less, or more, than they seem to (4.7, 4.8).

use sim_core::spec::VolumeSource;

use super::Facts;
use crate::diag::{Diagnostic, Diagnostics};

const REUSE: &str = "spark.kubernetes.driver.reusePersistentVolumeClaim";
const WAIT: &str = "spark.kubernetes.driver.waitToReusePersistentVolumeClaim";
const PLUGIN: &str = "spark.shuffle.sort.io.plugin.class";
const RESIZE: [&str; 3] =
    ["spark.kubernetes.executor.pvc.resizeInterval", "spark.kubernetes.executor.pvc.resizeThreshold", "spark.kubernetes.executor.pvc.resizeFactor"];

pub(super) fn rule(facts: &Facts<'_>, problems: &mut Diagnostics) {
    if !facts.kubernetes() {
        return;
    }
    let conf = &facts.spec.spark.allocation.claims;
    let own = |source: &VolumeSource| matches!(source, VolumeSource::Claim(claim) if !claim.shared);
    let claims = facts.spec.spark.kubernetes.pod_template.volumes.iter().filter(|volume| own(&volume.source)).count();
    if claims > 1 && conf.reuse.is_some_and(|reuse| reuse.wait) {
        let message = format!("Spark counts claims, not pods: with {claims} claims a pod only one executor in {claims} ever starts (4.8)");
        problems.push(facts.at_conf(&[WAIT], Diagnostic::warning("claims-wait", message)).hint("use one claim a pod, or do not wait"));
    }
    let recovers = facts.conf.text(PLUGIN).is_some_and(|class| class.ends_with(".KubernetesLocalDiskShuffleDataIO"));
    if recovers && conf.reuse.is_some_and(|reuse| !reuse.recover) {
        let message = format!("the plug-in recovers nothing: it takes {REUSE} for off unless it is written, whatever its default is (4.8)");
        problems.push(facts.at_conf(&[PLUGIN], Diagnostic::warning("claims-recovery", message)).hint(format!("set {REUSE}=true")));
    }
    if conf.resize.is_none() && RESIZE.iter().any(|key| facts.conf.written(key).is_some()) {
        let message = "claims do not grow: ExecutorPVCResizePlugin is not among spark.plugins, or its interval is zero (4.7)";
        let hint = "set spark.plugins=org.apache.spark.scheduler.cluster.k8s.ExecutorPVCResizePlugin";
        problems.push(facts.at_conf(&RESIZE, Diagnostic::warning("claims-resize", message)).hint(hint));
    }
}
