//! Keys with a free part: pod labels, node selectors and volumes of the executor.
//!
//! `spark.kubernetes.executor.label.NAME`, `spark.kubernetes.node.selector.NAME`,
//! `spark.kubernetes.executor.node.selector.NAME`, one annotation (`safe-to-evict`) and `spark.kubernetes.executor.volumes.TYPE.NAME.…` (LD-3, 4.8) add to the
//! pod template. Other families with free parts (`spark.hadoop.*`, environment, driver pod) decide nothing here (`others.rs`).

use std::collections::BTreeMap;

use sim_core::spec::{ClaimSpec, EmptyDir, Label, Medium, NodeSelectorTerm, PodTemplate, Requirement, SelectorOp, Volume, VolumeSource};

use super::Conf;
use crate::catalog::storage;
use crate::diag::{Diagnostic, Diagnostics};
use crate::kube_yaml::Template;
use crate::quantity;
use crate::raw::Node;

const LABEL: &str = "spark.kubernetes.executor.label.";
const SELECTORS: [&str; 2] = ["spark.kubernetes.node.selector.", "spark.kubernetes.executor.node.selector."];
pub(crate) const SAFE_TO_EVICT: &str = "cluster-autoscaler.kubernetes.io/safe-to-evict";
const ANNOTATION: &str = "spark.kubernetes.executor.annotation.";
const VOLUMES: &str = "spark.kubernetes.executor.volumes.";

/// Whether a key belongs to a family that adds to the executor pod.
pub(crate) fn is_family(key: &str) -> bool {
    key.starts_with(LABEL)
        || key.strip_prefix(ANNOTATION) == Some(SAFE_TO_EVICT)
        || key.starts_with(VOLUMES)
        || SELECTORS.iter().any(|prefix| key.starts_with(prefix))
}

/// Adds what the families say to the template.
pub(crate) fn families(conf: &Conf, template: &mut Template, problems: &mut Diagnostics) {
    let mut volumes: BTreeMap<(String, String), BTreeMap<String, Node>> = BTreeMap::new();
    for (key, node) in conf.entries() {
        let value = node.scalar().unwrap_or_default();
        if let Some(label) = key.strip_prefix(LABEL) {
            template.pod.labels.push(Label::new(label, value));
        } else if let Some(label) = SELECTORS.iter().find_map(|prefix| key.strip_prefix(prefix)) {
            require(&mut template.pod, &Requirement { key: label.to_owned(), op: SelectorOp::In, values: vec![value] });
        } else if key.strip_prefix(ANNOTATION) == Some(SAFE_TO_EVICT) {
            template.pod.safe_to_evict = safe_to_evict(&value);
        } else if let Some(rest) = key.strip_prefix(VOLUMES) {
            let mut parts = rest.splitn(3, '.');
            if let (Some(kind), Some(name), Some(option)) = (parts.next(), parts.next(), parts.next()) {
                volumes.entry((kind.to_owned(), name.to_owned())).or_default().insert(option.to_owned(), node.clone());
            }
        }
    }
    for ((kind, name), options) in volumes {
        if let Some(volume) = volume(&kind, &name, &options, problems) {
            if let Some(path) = options.get("options.path").and_then(Node::scalar).filter(|_| kind == "hostPath") {
                template.host_paths.push((template.pod.volumes.len(), path));
            }
            if matches!(volume.source, VolumeSource::Claim(_)) {
                template.claims.push((template.pod.volumes.len(), options.get("options.storageClass").and_then(Node::scalar)));
            }
            template.pod.volumes.push(volume);
        }
    }
}

/// The value of the annotation that lets the cluster autoscaler evict a pod, or forbids it; other values say nothing.
pub(crate) fn safe_to_evict(value: &str) -> Option<bool> {
    value.parse().ok()
}

/// A requirement on the node becomes part of each required term.
pub(crate) fn require(template: &mut PodTemplate, requirement: &Requirement) {
    let terms = &mut template.affinity.required_node;
    if terms.is_empty() {
        terms.push(NodeSelectorTerm::default());
    }
    for term in terms {
        term.requirements.push(requirement.clone());
    }
}

fn volume(kind: &str, name: &str, options: &BTreeMap<String, Node>, problems: &mut Diagnostics) -> Option<Volume> {
    let any = options.values().next()?;
    let Some(mount_path) = options.get("mount.path").and_then(Node::scalar) else {
        let message = format!("volume {name} has no mount.path");
        problems.push(any.mark(Diagnostic::error("bad-volume", message)).expected(format!("{VOLUMES}{kind}.{name}.mount.path")));
        return None;
    };
    let mut limit = None;
    if let Some(node) = options.get("options.sizeLimit") {
        match quantity::kube_bytes(&node.scalar().unwrap_or_default()) {
            Ok(bytes) => limit = Some(bytes),
            Err(bad) => problems.push(
                node.mark(Diagnostic::error("bad-volume", format!("sizeLimit of volume {name} cannot be read"))).found(node.found()).expected(bad.expected),
            ),
        }
    }
    let source = match (kind, limit) {
        ("emptyDir", size_limit) => {
            let memory = options.get("options.medium").and_then(Node::scalar).is_some_and(|medium| medium == "Memory");
            VolumeSource::EmptyDir(EmptyDir { medium: if memory { Medium::Memory } else { Medium::Disk }, size_limit: size_limit.filter(|s| !s.is_zero()) })
        }
        ("hostPath", _) => VolumeSource::HostPath { disk: 0 },
        ("persistentVolumeClaim", Some(size)) => VolumeSource::Claim(ClaimSpec { shared: is_shared(options), ..storage::unknown(size) }),
        ("persistentVolumeClaim", None) => {
            problems.push(any.mark(Diagnostic::error("bad-volume", format!("claim {name} has no size"))).expected("options.sizeLimit, such as 100Gi"));
            return None;
        }
        _ => {
            problems.push(
                any.mark(Diagnostic::warning("not-simulated", format!("volume {name} of type {kind} is not simulated")))
                    .expected("emptyDir, hostPath or persistentVolumeClaim"),
            );
            return None;
        }
    };
    Some(Volume { name: name.to_owned(), mount_path, source })
}

/// Whether all executors mount the same claim: its name is neither `OnDemand` nor made of the executor's number.
fn is_shared(options: &BTreeMap<String, Node>) -> bool {
    let name = options.get("options.claimName").and_then(Node::scalar);
    name.is_some_and(|name| !name.contains("OnDemand") && !name.contains("SPARK_EXECUTOR_ID"))
}
