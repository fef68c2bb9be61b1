//! Nodes of a real cluster to node pools.
//!
//! Nodes that are alike in type, capacity, allocatable, labels and taints make one pool; their names are kept. Capacity is
//! what the kubelet reports (`MemTotal`, QO-3); reservations are what is missing from allocatable (5.9). Speed of disks
//! and of the network come from the machine type's entry in the catalogue: nodes do not tell them. Nodes that are cordoned or
//! not ready take no pods and are left out, with a warning. The platform is read from the provider id, the version from the kubelet.

use super::{bad_quantity, count, dig, file_of, made, of_kind, table, text};
use crate::diag::{Diagnostic, Diagnostics};
use crate::quantity;
use crate::raw::{Node, Value};

/// What a list of nodes says of a cluster.
pub(crate) struct Machines {
    /// Tables of `[[cluster.pool]]`.
    pub(crate) pools: Vec<Node>,
    /// Names of the nodes in the order of the pools.
    pub(crate) names: Vec<String>,
    /// Provider, by the provider ids.
    pub(crate) platform: Option<Node>,
    /// Version of the first kubelet, `1.29`.
    pub(crate) kubernetes: Option<Node>,
}

/// Labels that name one node or repeat what is read elsewhere: they would make a pool of every node.
const OF_ONE_NODE: [&str; 2] = ["kubernetes.io/hostname", "kubernetes.azure.com/nodepool-vmss-instance"];

/// Reads `v1/Node` objects; `None` when none can be used.
pub(crate) fn machines(objects: &[Node], problems: &mut Diagnostics) -> Option<Machines> {
    let file = file_of(objects);
    let all = of_kind(objects, "Node", problems);
    let usable = usable(&all, problems);
    let Some(first) = usable.first().copied() else {
        let none = Diagnostic::error("kubectl", format!("{file} has no node that takes pods"));
        problems.push(
            objects
                .first()
                .map_or(none.clone(), |at| at.mark(none))
                .found(format!("{} nodes", all.len()))
                .expected("the output of kubectl get nodes -o yaml")
                .hint("kubectl get nodes shows which are Ready and not SchedulingDisabled"),
        );
        return None;
    };
    let mut pools: Vec<(Node, Vec<String>)> = Vec::new();
    for node in &usable {
        let (name, pool) = (text(node, &["metadata", "name"]), pool(node, &file, problems)?);
        match pools.iter_mut().find(|(known, _)| known.value == pool.value) {
            Some((_, names)) => names.push(name),
            None => pools.push((pool, vec![name])),
        }
    }
    let kubelet = text(first, &["status", "nodeInfo", "kubeletVersion"]);
    Some(Machines {
        names: pools.iter().flat_map(|(_, names)| names.iter().cloned()).collect(),
        pools: named(pools, &usable, &file),
        platform: platform(&text(first, &["spec", "providerID"])).map(|name| made(Value::Text(name.to_owned()), &format!("provider id in {file}"))),
        kubernetes: minor(&kubelet).map(|version| made(Value::Text(version), &format!("kubelet version in {file}"))),
    })
}

/// Nodes that take pods; the others are told.
fn usable<'a>(nodes: &[&'a Node], problems: &mut Diagnostics) -> Vec<&'a Node> {
    let takes = |node: &Node| {
        let cordoned = dig(node, &["spec", "unschedulable"]).is_some_and(|on| on.value == Value::Bool(true));
        let conditions = dig(node, &["status", "conditions"]).map_or(&[][..], Node::items);
        !cordoned && conditions.iter().all(|c| text(c, &["type"]) != "Ready" || text(c, &["status"]) == "True")
    };
    let (usable, left): (Vec<&Node>, Vec<&Node>) = nodes.iter().copied().partition(|node| takes(node));
    if let Some(first) = left.first() {
        let names: Vec<String> = left.iter().take(3).map(|node| text(node, &["metadata", "name"])).collect();
        let more = if left.len() > 3 { ", …" } else { "" };
        problems.push(first.mark(Diagnostic::warning(
            "kubectl",
            format!("left out, because cordoned or not ready: {}{more} ({} of {} nodes)", names.join(", "), left.len(), nodes.len()),
        )));
    }
    usable
}

/// A pool's table, without its name and count.
fn pool(node: &Node, file: &str, problems: &mut Diagnostics) -> Option<Node> {
    let from = format!("{file}, kubectl's nodes");
    let mut amount = |part: &str, key: &str, bytes: bool| {
        let found = dig(node, &["status", part, key])?;
        let written = found.scalar().unwrap_or_default();
        let read =
            if bytes { quantity::kube_bytes(&written).map(|b| format!("{}B", b.get())) } else { quantity::kube_cpu(&written).map(|c| format!("{}m", c.get())) };
        if read.is_err() {
            bad_quantity(found, &format!("status.{part}.{key} of node {}", text(node, &["metadata", "name"])), problems);
        }
        read.ok()
    };
    let (Some(cpu), Some(memory)) = (amount("capacity", "cpu", false), amount("capacity", "memory", true)) else {
        problems.push(
            node.mark(Diagnostic::error("kubectl", format!("node {:?} does not tell its capacity", text(node, &["metadata", "name"]))))
                .found("no status.capacity with cpu and memory")
                .expected("nodes as kubectl get nodes -o yaml prints them, with their status")
                .hint("write the file again with kubectl get nodes -o yaml"),
        );
        return None;
    };
    let allocatable: Vec<(&str, Value)> =
        [("memory", true), ("cpu", false)].into_iter().filter_map(|(key, bytes)| Some((key, Value::Text(amount("allocatable", key, bytes)?)))).collect();
    let ephemeral = amount("capacity", "ephemeral-storage", true);
    let mut pool = table(&from, vec![("cpu", Value::Text(cpu)), ("memory", Value::Text(memory))]);
    if !allocatable.is_empty() {
        pool.insert("allocatable", table(&from, allocatable));
    }
    let pods = text(node, &["status", "capacity", "pods"]).parse().ok().map(Value::Integer);
    let vm = Some(instance_type(node)).filter(|vm| !vm.is_empty()).map(Value::Text);
    for (key, value) in [("vm", vm), ("max_pods", pods), ("ephemeral_storage", ephemeral.map(Value::Text))] {
        if let Some(value) = value {
            pool.insert(key, made(value, &from));
        }
    }
    pool.insert("labels", labels(node, &from));
    pool.insert("taints", taints(node, &from));
    Some(pool)
}

fn instance_type(node: &Node) -> String {
    let label = |key: &str| dig(node, &["metadata", "labels"]).and_then(|labels| labels.get(key)).and_then(Node::scalar);
    label("node.kubernetes.io/instance-type").or_else(|| label("beta.kubernetes.io/instance-type")).unwrap_or_default()
}

fn labels(node: &Node, from: &str) -> Node {
    let mut labels = made(Value::Table(Vec::new()), from);
    for entry in dig(node, &["metadata", "labels"]).map_or(&[][..], Node::entries).iter().filter(|entry| !OF_ONE_NODE.contains(&entry.key.as_str())) {
        labels.insert(&entry.key, made(Value::Text(entry.node.scalar().unwrap_or_default()), from));
    }
    labels
}

/// Taints in kubectl's notation. Those of conditions come and go with them.
fn taints(node: &Node, from: &str) -> Node {
    let all = dig(node, &["spec", "taints"]).map_or(&[][..], Node::items);
    let written = all.iter().filter(|taint| !text(taint, &["key"]).starts_with("node.kubernetes.io/")).map(|taint| {
        let (key, value, effect) = (text(taint, &["key"]), text(taint, &["value"]), text(taint, &["effect"]));
        made(Value::Text(if value.is_empty() { format!("{key}:{effect}") } else { format!("{key}={value}:{effect}") }), from)
    });
    made(Value::Array(written.collect()), from)
}

/// Names pools after the provider's pool label, else the machine type; a name that comes twice gets a number.
fn named(pools: Vec<(Node, Vec<String>)>, nodes: &[&Node], file: &str) -> Vec<Node> {
    const POOL_LABELS: [&str; 4] = ["kubernetes.azure.com/agentpool", "agentpool", "eks.amazonaws.com/nodegroup", "cloud.google.com/gke-nodepool"];
    let mut taken: Vec<String> = Vec::new();
    let mut all = Vec::new();
    for (mut pool, names) in pools {
        let first = nodes.iter().find(|node| text(node, &["metadata", "name"]) == names[0]);
        let label = |key: &&str| pool.get("labels").and_then(|labels| labels.get(key)).and_then(Node::scalar);
        let base = POOL_LABELS
            .iter()
            .find_map(label)
            .or_else(|| first.map(|node| instance_type(node)).filter(|vm| !vm.is_empty()))
            .unwrap_or_else(|| "pool".to_owned());
        let numbered = (2..=taken.len() + 1).map(|n| format!("{base}-{n}"));
        let name = std::iter::once(base.clone()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or(base);
        taken.push(name.clone());
        let from = format!("{file}, kubectl's nodes");
        pool.insert("name", made(Value::Text(name), &from));
        pool.insert("count", made(count(names.len()), &from));
        pool.insert("node_names", made(Value::Array(names.into_iter().map(|name| made(Value::Text(name), &from)).collect()), &from));
        all.push(pool);
    }
    all
}

fn platform(provider_id: &str) -> Option<&'static str> {
    [("azure://", "aks"), ("aws://", "eks"), ("gce://", "gke")].into_iter().find(|(prefix, _)| provider_id.starts_with(prefix)).map(|(_, platform)| platform)
}

/// `v1.29.4-eks-036c24b` is `1.29`.
fn minor(version: &str) -> Option<String> {
    let mut parts = version.trim_start_matches('v').split(['.', '-', '+']);
    let (major, minor) = (parts.next()?.parse::<u16>().ok()?, parts.next()?.parse::<u16>().ok()?);
    Some(format!("{major}.{minor}"))
}
