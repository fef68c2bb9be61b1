//! Pods of a real cluster to neighbours.
//!
//! Pods of one controller (a DaemonSet, a ReplicaSet, ...) with the same requests are one neighbour that runs on the nodes where they run, or, when the
//! nodes are not known, on every node (DaemonSets) or as replicas. Requests and limits are sums over containers. Memory in use is what
//! `kubectl top` told, as the empirical distribution of the controller's pods; without it a pod uses what it requests, which is
//! told. Pods that have ended are left out, and those of the application itself when its SparkApplication names it.

use sim_core::spec::Resources;
use sim_core::units::{Bytes, CoreMillis};

use super::{Usage, count, dig, file_of, made, of_kind, table, text};
use crate::diag::{Diagnostic, Diagnostics};
use crate::kube_yaml::sum_of_containers;
use crate::raw::{Node, Value};

/// Label that Spark gives to drivers and executors.
const SPARK_ROLE: &str = "spark-role";
/// Label that the Spark operator gives to the pods of an application.
const OPERATOR_APP: &str = "sparkoperator.k8s.io/app-name";

/// What is known of the rest of the cluster.
pub(crate) struct Around<'a> {
    /// Names of the nodes, in the model's order; none when they are not known.
    pub(crate) nodes: &'a [String],
    /// What pods use.
    pub(crate) usage: Option<&'a Usage>,
    /// Name of the application, whose own pods are no neighbours.
    pub(crate) application: Option<&'a str>,
}

/// Pods that become one neighbour.
struct Group {
    name: String,
    key: (Resources, i32, bool, Vec<(String, String)>),
    daemon: bool,
    nodes: Vec<Option<usize>>,
    used: Vec<(CoreMillis, Bytes)>,
}

/// What was left out, to be told once each.
#[derive(Default)]
struct Left {
    ended: usize,
    own: usize,
    elsewhere: usize,
    unmeasured: usize,
    spark: usize,
}

/// Reads `v1/Pod` objects into tables of `[[cluster.neighbour]]`.
pub(crate) fn neighbours(objects: &[Node], around: &Around<'_>, problems: &mut Diagnostics) -> Vec<Node> {
    let file = file_of(objects);
    let mut groups: Vec<Group> = Vec::new();
    let mut left = Left::default();
    for pod in of_kind(objects, "Pod", problems) {
        gather(pod, around, &mut groups, &mut left);
    }
    tell(&left, objects, around, problems);
    let from = format!("{file}, kubectl's pods");
    groups.into_iter().map(|group| neighbour(group, around, &from)).collect()
}

fn gather(pod: &Node, around: &Around<'_>, groups: &mut Vec<Group>, left: &mut Left) {
    let phase = text(pod, &["status", "phase"]);
    let label = |key: &str| dig(pod, &["metadata", "labels"]).and_then(|labels| labels.get(key)).and_then(Node::scalar);
    if ["Succeeded", "Failed"].contains(&phase.as_str()) {
        left.ended += 1;
        return;
    }
    if around.application.is_some() && label(OPERATOR_APP).as_deref() == around.application {
        left.own += 1;
        return;
    }
    left.spark += usize::from(label(SPARK_ROLE).is_some());
    let host = text(pod, &["spec", "nodeName"]);
    let node = around.nodes.iter().position(|name| *name == host);
    if host.is_empty() || (node.is_none() && !around.nodes.is_empty()) {
        left.elsewhere += 1;
        return;
    }
    let containers = dig(pod, &["spec", "containers"]).map_or(&[][..], Node::items);
    let resources = sum_of_containers(containers);
    let (kind, name) = owner(pod, &host);
    let namespace = text(pod, &["metadata", "namespace"]);
    let measured = around.usage.and_then(|usage| usage.get(&format!("{namespace}/{}", text(pod, &["metadata", "name"]))).copied());
    left.unmeasured += usize::from(measured.is_none());
    let used = measured.unwrap_or((resources.cpu_request, resources.memory_request));
    let priority = text(pod, &["spec", "priority"]).parse().unwrap_or(0);
    let restarts = text(pod, &["spec", "restartPolicy"]) != "Never";
    let labels = dig(pod, &["metadata", "labels"]).map_or(&[][..], Node::entries).iter();
    let labels: Vec<(String, String)> =
        labels.filter(|entry| !OF_ONE_POD.contains(&entry.key.as_str())).map(|entry| (entry.key.clone(), entry.node.scalar().unwrap_or_default())).collect();
    let (name, key) = (format!("{namespace}/{name}"), (resources, priority, restarts, labels));
    match groups.iter_mut().find(|group| group.name == name && group.key == key) {
        Some(group) => {
            group.nodes.push(node);
            group.used.push(used);
        }
        None => groups.push(Group { name, key, daemon: kind == "DaemonSet" || kind == "Node", nodes: vec![node], used: vec![used] }),
    }
}

/// Labels that differ between the pods of one controller.
const OF_ONE_POD: [&str; 6] = [
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "controller-revision-hash",
    "pod-template-generation",
    "pod-template-hash",
    "spark-exec-id",
];

/// Kind and name of who made the pod: a ReplicaSet by its Deployment's name, a static pod without its node's.
fn owner(pod: &Node, host: &str) -> (String, String) {
    let own = text(pod, &["metadata", "name"]);
    let Some(owner) = dig(pod, &["metadata", "ownerReferences"]).and_then(|owners| owners.items().first()) else { return ("Pod".to_owned(), own) };
    let (kind, name) = (text(owner, &["kind"]), text(owner, &["name"]));
    let hash = dig(pod, &["metadata", "labels", "pod-template-hash"]).and_then(Node::scalar).unwrap_or_default();
    let name = match kind.as_str() {
        "ReplicaSet" => name.strip_suffix(&format!("-{hash}")).unwrap_or(&name).to_owned(),
        "Node" => own.strip_suffix(&format!("-{host}")).unwrap_or(&own).to_owned(),
        _ => name,
    };
    (kind, name)
}

fn tell(left: &Left, objects: &[Node], around: &Around<'_>, problems: &mut Diagnostics) {
    let unmeasured = if around.usage.is_some() {
        "taken to use what they request, because the file of what pods use does not have them"
    } else {
        "taken to use what they request, because no file tells what they use (kubectl top pods -A, as cluster.pod_usage)"
    };
    for (number, what) in [
        (left.ended, "left out, because they have ended"),
        (left.own, "left out, because they are the application's own"),
        (left.elsewhere, "left out, because they run on no node of the scenario"),
        (left.unmeasured, unmeasured),
        (left.spark, "Spark drivers or executors that are taken as neighbours (remove those of the job that you simulate)"),
    ] {
        if number > 0 {
            let told = Diagnostic::warning("kubectl", format!("{what}: {number} of {} pods", objects.len()));
            problems.push(objects.first().map_or(told.clone(), |first| first.mark(told)));
        }
    }
}

fn neighbour(group: Group, around: &Around<'_>, from: &str) -> Node {
    let bytes = |b: Bytes| Value::Text(format!("{}B", b.get()));
    let millis = |c: CoreMillis| Value::Text(format!("{}m", c.get()));
    let (resources, priority, restarts, labels) = group.key;
    let mean_cpu = group.used.iter().map(|(cpu, _)| cpu.get()).sum::<u64>() / group.used.len().max(1) as u64;
    let mut node = table(
        from,
        vec![
            ("name", Value::Text(group.name)),
            ("cpu_request", millis(resources.cpu_request)),
            ("memory_request", bytes(resources.memory_request)),
            ("ephemeral_request", bytes(resources.ephemeral_request)),
            ("anon", Value::Array(group.used.iter().map(|(_, memory)| made(bytes(*memory), from)).collect())),
            ("cpu_use", millis(CoreMillis::new(mean_cpu))),
            ("priority", Value::Integer(i64::from(priority))),
            ("restarts", Value::Bool(restarts)),
        ],
    );
    let limits = [
        ("cpu_limit", resources.cpu_limit.map(millis)),
        ("memory_limit", resources.memory_limit.map(bytes)),
        ("ephemeral_limit", resources.ephemeral_limit.map(bytes)),
    ];
    for (key, value) in limits {
        if let Some(value) = value {
            node.insert(key, made(value, from));
        }
    }
    let mut own = made(Value::Table(Vec::new()), from);
    labels.into_iter().for_each(|(key, value)| own.insert(&key, made(Value::Text(value), from)));
    node.insert("labels", own);
    if around.nodes.is_empty() {
        if !group.daemon {
            node.insert("replicas", made(count(group.nodes.len()), from));
        }
    } else {
        let names = group.nodes.iter().flatten().map(|index| made(Value::Text(around.nodes[*index].clone()), from));
        node.insert("nodes", made(Value::Array(names.collect()), from));
    }
    node
}
