//! The executor pod template: verbatim Kubernetes YAML, the part that decides placement, memory and scratch.
//!
//! Labels, affinity, topology spread, tolerations, node selector and name, host ports, priority, volumes with their mounts, sidecars' resources
//! and ephemeral storage are read (PT-1, LD-2). Every other field is told by a warning that names it. The first container is the
//! executor's, as for Spark; its CPU and memory are replaced by Spark's (POD-4), the rest are sidecars. Problems are
//! collected with their places; quantities follow Kubernetes' rules.

mod affinity;
mod shape;
mod spread;

use std::sync::Arc;

use sim_core::spec::{ClaimSpec, EmptyDir, Label, Medium, PodTemplate, Requirement, Resources, SelectorOp, TaintEffect, Toleration, Volume, VolumeSource};
use sim_core::units::{Bytes, CoreMillis};

use crate::catalog::storage;
use crate::diag::{Diagnostic, Diagnostics, Source};
use crate::quantity;
use crate::raw::{Layer, Node, Value, read_yaml};
use crate::schema::{Unknown, system_priority, walk};
use crate::spark_conf::{SAFE_TO_EVICT, require, safe_to_evict};

/// Size that a claim is taken to have when the template does not say it.
const CLAIM_SIZE: Bytes = Bytes::gib(1024);

/// A template before the nodes' disks are known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Template {
    /// The pod.
    pub(crate) pod: PodTemplate,
    /// Index of each `hostPath` volume of the pod, with the directory.
    pub(crate) host_paths: Vec<(usize, String)>,
    /// Index of each claim of the pod, with the storage class that it names.
    pub(crate) claims: Vec<(usize, Option<String>)>,
}

/// Reads a template; `None` when it has errors. `classes` are the scenario's priority classes with their values.
pub(crate) fn pod_template(source: &Arc<Source>, classes: Option<&Node>, problems: &mut Diagnostics) -> Option<Template> {
    let root = read_yaml(source, &Layer::PodTemplate, problems)?;
    pod_template_of(&root, classes, problems)
}

/// Reads a template that is already a tree; `None` when it has errors.
pub(crate) fn pod_template_of(root: &Node, classes: Option<&Node>, problems: &mut Diagnostics) -> Option<Template> {
    let before = problems.items().iter().filter(|d| d.severity == crate::diag::Severity::Error).count();
    walk(root, &shape::POD, "", Unknown::Warning, problems);
    let mut reader = Reader { problems, classes, host_paths: Vec::new(), claims: Vec::new() };
    let template = Template { pod: reader.template(root), host_paths: reader.host_paths, claims: reader.claims };
    let after = problems.items().iter().filter(|d| d.severity == crate::diag::Severity::Error).count();
    (after == before).then_some(template)
}

/// Follows keys down.
fn dig<'a>(node: &'a Node, keys: &[&str]) -> Option<&'a Node> {
    keys.iter().try_fold(node, |at, key| at.get(key))
}

fn items<'a>(node: &'a Node, keys: &[&str]) -> &'a [Node] {
    dig(node, keys).map_or(&[], Node::items)
}

fn text(node: &Node, key: &str) -> String {
    node.get(key).and_then(Node::scalar).unwrap_or_default()
}

struct Reader<'a> {
    problems: &'a mut Diagnostics,
    classes: Option<&'a Node>,
    host_paths: Vec<(usize, String)>,
    claims: Vec<(usize, Option<String>)>,
}

impl Reader<'_> {
    fn warn(&mut self, node: &Node, message: impl Into<String>) {
        self.problems.push(node.mark(Diagnostic::warning("not-simulated", message)));
    }

    fn error(&mut self, node: &Node, message: impl Into<String>, expected: &str) {
        self.problems.push(
            node.mark(Diagnostic::error("pod-template", message))
                .found(node.found())
                .expected(expected)
                .hint("kubectl apply --dry-run=server checks the template too"),
        );
    }

    fn template(&mut self, root: &Node) -> PodTemplate {
        let labels = dig(root, &["metadata", "labels"]).map_or(&[][..], Node::entries).iter();
        let mut template = PodTemplate { labels: labels.map(|e| Label::new(&e.key, e.node.scalar().unwrap_or_default())).collect(), ..PodTemplate::default() };
        if let Some(node) = dig(root, &["metadata", "namespace"]) {
            self.warn(node, "Spark replaces the namespace of the template by spark.kubernetes.namespace");
        }
        let annotation = dig(root, &["metadata", "annotations", SAFE_TO_EVICT]).and_then(Node::scalar);
        template.safe_to_evict = annotation.and_then(|value| safe_to_evict(&value));
        let Some(spec) = root.get("spec") else { return template };
        if let Some(node) = spec.get("affinity") {
            template.affinity = self.affinity(node);
        }
        for entry in spec.get("nodeSelector").map_or(&[][..], Node::entries) {
            require(&mut template, &Requirement { key: entry.key.clone(), op: SelectorOp::In, values: vec![entry.node.scalar().unwrap_or_default()] });
        }
        template.tolerations = items(spec, &["tolerations"]).iter().map(|node| self.toleration(node)).collect();
        template.priority = self.priority(spec);
        template.never_preempts = text(spec, "preemptionPolicy") == "Never";
        template.spread = self.spread(spec);
        template.host_ports = Self::host_ports(spec);
        template.node_name = spec.get("nodeName").and_then(Node::scalar);
        let containers = items(spec, &["containers"]);
        if let Some(executor) = containers.first() {
            self.executor(executor, spec, &mut template);
        }
        template.sidecars = sum_of_containers(containers.get(1..).unwrap_or(&[]));
        template
    }

    fn executor(&mut self, executor: &Node, spec: &Node, template: &mut PodTemplate) {
        template.volumes = self.volumes(executor, spec);
        for (part, key) in [("requests", "cpu"), ("requests", "memory"), ("limits", "cpu"), ("limits", "memory")] {
            if let Some(node) = dig(executor, &["resources", part, key]) {
                self.warn(node, format!("resources.{part}.{key} of the executor container is replaced by Spark's own"));
            }
        }
        template.ephemeral_request = amount(executor, "requests").unwrap_or_default();
        template.ephemeral_limit = amount(executor, "limits");
    }

    fn priority(&mut self, spec: &Node) -> i32 {
        if let Some(Value::Integer(i)) = spec.get("priority").map(|node| &node.value) {
            return i32::try_from(*i).unwrap_or_default();
        }
        let Some(node) = spec.get("priorityClassName") else { return 0 };
        let name = node.text().unwrap_or_default();
        let own = self.classes.and_then(|classes| classes.get(name)).and_then(Node::scalar).and_then(|value| value.parse().ok());
        own.or_else(|| system_priority(name)).unwrap_or_else(|| {
            self.warn(node, "the value of this priority class is not known here and taken as 0: add it to cluster.scheduler.priority_classes");
            0
        })
    }

    fn toleration(&mut self, node: &Node) -> Toleration {
        let effect = node.get("effect").and_then(|effect| {
            let parsed = taint_effect(effect.text().unwrap_or_default());
            if parsed.is_none() {
                self.error(effect, "unknown taint effect", "NoSchedule, PreferNoSchedule or NoExecute");
            }
            parsed
        });
        Toleration { key: text(node, "key"), exists: text(node, "operator") == "Exists", value: text(node, "value"), effect }
    }

    fn volumes(&mut self, executor: &Node, spec: &Node) -> Vec<Volume> {
        let declared = items(spec, &["volumes"]);
        let mut volumes = Vec::new();
        for mount in items(executor, &["volumeMounts"]) {
            let name = text(mount, "name");
            match declared.iter().find(|volume| text(volume, "name") == name) {
                Some(volume) => {
                    if let Some(path) = dig(volume, &["hostPath", "path"]).and_then(Node::scalar) {
                        self.host_paths.push((volumes.len(), path));
                    }
                    if let Some(source) = self.volume_source(volume) {
                        if matches!(source, VolumeSource::Claim(_)) {
                            let class = dig(volume, &["ephemeral", "volumeClaimTemplate", "spec", "storageClassName"]).and_then(Node::scalar);
                            self.claims.push((volumes.len(), class));
                        }
                        volumes.push(Volume { name, mount_path: text(mount, "mountPath"), source });
                    }
                }
                None => self.error(mount, format!("the executor mounts volume {name:?}, which spec.volumes does not have"), "the name of a volume"),
            }
        }
        volumes
    }

    fn volume_source(&mut self, volume: &Node) -> Option<VolumeSource> {
        if let Some(node) = volume.get("emptyDir") {
            return Some(VolumeSource::EmptyDir(self.empty_dir(node)));
        }
        if volume.get("hostPath").is_some() {
            return Some(VolumeSource::HostPath { disk: 0 });
        }
        let claim = ["volumeClaimTemplate", "spec", "resources", "requests", "storage"];
        if let Some(node) = volume.get("ephemeral") {
            let size = dig(node, &claim).and_then(Node::scalar).and_then(|text| quantity::kube_bytes(&text).ok());
            return Some(VolumeSource::Claim(storage::unknown(size.unwrap_or(CLAIM_SIZE))));
        }
        if let Some(node) = volume.get("persistentVolumeClaim") {
            self.warn(node, format!("the size of the claim is not in the template and taken as {CLAIM_SIZE}"));
            return Some(VolumeSource::Claim(ClaimSpec { shared: true, ..storage::unknown(CLAIM_SIZE) }));
        }
        // Config maps, secrets and projected volumes hold nothing that counts; the walker has told them.
        None
    }

    fn empty_dir(&mut self, node: &Node) -> EmptyDir {
        let medium = match node.get("medium").and_then(Node::text) {
            Some("Memory") => Medium::Memory,
            None | Some("") => Medium::Disk,
            Some(_) => {
                self.error(node, "this medium of emptyDir is not known", "Memory, or nothing for the node's disk");
                Medium::Disk
            }
        };
        // A size limit of zero is ignored, as the kubelet does (A12).
        let size_limit = node.get("sizeLimit").and_then(Node::scalar).and_then(|text| quantity::kube_bytes(&text).ok()).filter(|size| !size.is_zero());
        EmptyDir { medium, size_limit }
    }
}

fn amount(container: &Node, part: &str) -> Option<Bytes> {
    quantity::kube_bytes(&dig(container, &["resources", part, "ephemeral-storage"])?.scalar()?).ok()
}

/// The effect of a taint by its Kubernetes name.
pub(crate) fn taint_effect(name: &str) -> Option<TaintEffect> {
    match name {
        "NoSchedule" => Some(TaintEffect::NoSchedule),
        "PreferNoSchedule" => Some(TaintEffect::PreferNoSchedule),
        "NoExecute" => Some(TaintEffect::NoExecute),
        _ => None,
    }
}

/// Requests and limits of containers together; one without a limit leaves the sum without.
pub(crate) fn sum_of_containers(containers: &[Node]) -> Resources {
    let bytes = |node: &Node, part, key| dig(node, &["resources", part, key]).and_then(Node::scalar).and_then(|text| quantity::kube_bytes(&text).ok());
    let cpu = |node: &Node, part| dig(node, &["resources", part, "cpu"]).and_then(Node::scalar).and_then(|text| quantity::kube_cpu(&text).ok());
    let mut sum = Resources::default();
    for (i, node) in containers.iter().enumerate() {
        let first = i == 0;
        // A limit without a request is the request.
        sum.cpu_request += cpu(node, "requests").or(cpu(node, "limits")).unwrap_or(CoreMillis::ZERO);
        sum.memory_request += bytes(node, "requests", "memory").or(bytes(node, "limits", "memory")).unwrap_or_default();
        sum.ephemeral_request += bytes(node, "requests", "ephemeral-storage").unwrap_or_default();
        sum.cpu_limit = cpu(node, "limits").and_then(|limit| if first { Some(limit) } else { sum.cpu_limit.map(|so_far| so_far + limit) });
        let add = |so_far: Option<Bytes>, limit: Option<Bytes>| limit.and_then(|limit| if first { Some(limit) } else { so_far.map(|s| s + limit) });
        sum.memory_limit = add(sum.memory_limit, bytes(node, "limits", "memory"));
        sum.ephemeral_limit = add(sum.ephemeral_limit, bytes(node, "limits", "ephemeral-storage"));
    }
    sum
}
