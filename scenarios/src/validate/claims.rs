//! Settings about claims that do less, or more, than they seem to (4.7, 4.8).

use sim_core::spec::{AccessMode, ClaimSpec, VolumeSource, zones};

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
    let claims = own_claims(facts).count();
    if claims > 1 && conf.reuse.is_some_and(|reuse| reuse.wait) {
        let message = format!("Spark counts claims, not pods: with {claims} claims a pod only one executor in {claims} ever starts (4.8)");
        problems.push(facts.at_conf(&[WAIT], Diagnostic::warning("claims-wait", message)).hint("use one claim a pod, or do not wait"));
    }
    let recovers = facts.conf.text(PLUGIN).is_some_and(|class| class.ends_with(".KubernetesLocalDiskShuffleDataIO"));
    if recovers && conf.reuse.is_some_and(|reuse| !reuse.recover) {
        let message = format!("the plug-in recovers nothing: it takes {REUSE} for off unless it is written, whatever its default is (4.8)");
        problems.push(facts.at_conf(&[PLUGIN], Diagnostic::warning("claims-recovery", message)).hint(format!("set {REUSE}=true")));
    }
    access(facts, problems);
    topologies(facts, problems);
    if conf.resize.is_some() && own_claims(facts).any(|claim| !claim.class.expands) {
        let message = "claims do not grow: their storage class cannot expand volumes (allowVolumeExpansion)";
        problems.push(facts.at_conf(&RESIZE, Diagnostic::warning("claims-resize", message)).hint("use a class that can, such as gp3 instead of EKS' gp2"));
    }
    if conf.resize.is_none() && RESIZE.iter().any(|key| facts.conf.written(key).is_some()) {
        let message = "claims do not grow: ExecutorPVCResizePlugin is not among spark.plugins, or its interval is zero (4.7)";
        let hint = "set spark.plugins=org.apache.spark.scheduler.cluster.k8s.ExecutorPVCResizePlugin";
        problems.push(facts.at_conf(&RESIZE, Diagnostic::warning("claims-resize", message)).hint(hint));
    }
}

fn all_claims<'a>(facts: &Facts<'a>) -> impl Iterator<Item = (&'a str, ClaimSpec)> + use<'a> {
    let volumes = facts.spec.spark.kubernetes.pod_template.volumes.iter();
    volumes.filter_map(|volume| if let VolumeSource::Claim(claim) = volume.source { Some((volume.name.as_str(), claim)) } else { None })
}

fn own_claims<'a>(facts: &Facts<'a>) -> impl Iterator<Item = ClaimSpec> + use<'a> {
    all_claims(facts).map(|(_, claim)| claim).filter(|claim| !claim.shared)
}

/// A claim of all executors that not all of them can have.
fn access(facts: &Facts<'_>, problems: &mut Diagnostics) {
    for (name, claim) in all_claims(facts).filter(|(_, claim)| claim.shared) {
        let (mode, what) = match claim.class.access {
            AccessMode::ReadWriteMany => continue,
            AccessMode::ReadWriteOnce => ("ReadWriteOnce", "executors on other nodes than the first one's stay in ContainerCreating (Multi-Attach error)"),
            AccessMode::ReadWriteOncePod => ("ReadWriteOncePod", "one executor starts and the others stay Pending"),
        };
        let message = format!("all executors mount the one claim of volume {name}, which is {mode}: {what}");
        problems.push(
            facts
                .at_conf(&[], Diagnostic::warning("shared-claim", message))
                .found(format!("{name}, one claim for all"))
                .hint("claimName=OnDemand gives each executor its own; a file share is ReadWriteMany"),
        );
    }
}

/// A class that allows no zone of the cluster.
fn topologies(facts: &Facts<'_>, problems: &mut Diagnostics) {
    let zones = zones(&facts.spec.cluster.pools);
    let nowhere = |claim: &ClaimSpec| !(0..zones.len().max(1)).any(|place| claim.class.zones.has(place));
    if let Some((name, _)) = all_claims(facts).find(|(_, claim)| !claim.shared && nowhere(claim)) {
        let problem = Diagnostic::error("storage-class-zones", format!("the storage class of volume {name} allows none of the cluster's zones"));
        let found = if zones.is_empty() { "no zones".to_owned() } else { format!("zones {}", zones.join(", ")) };
        problems.push(
            facts.at_cluster("storage_class", problem).found(found).expected("a zone of [[cluster.pool]] zones").hint("remove zones, or name one of these"),
        );
    }
}
