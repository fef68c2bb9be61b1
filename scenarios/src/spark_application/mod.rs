//! A SparkApplication of the Spark operator (`sparkoperator.k8s.io/v1beta2`), or a ScheduledSparkApplication, as Spark sees it.
//!
//! The operator turns the driver and executor sections into Spark's keys, over `sparkConf`, and puts labels, affinity, tolerations,
//! volumes and sidecars onto executor pods by its webhook. Here the same keys and one pod template come out, each value
//! with its line. Retries of a failed application are not simulated: probabilities are of one try. Unknown fields are warned of. Source:
//! the operator's API reference; that sections win over `sparkConf` is the order in which it writes spark-submit's arguments.

mod shape;

use crate::diag::{Diagnostic, Diagnostics};
use crate::raw::{Entry, Layer, Node, Value};
use crate::schema::{Unknown, walk};

/// What a SparkApplication says.
#[derive(Clone, Debug)]
pub(crate) struct Application {
    /// Its name.
    pub(crate) name: String,
    /// Spark's keys.
    pub(crate) conf: Vec<Entry>,
    /// The pods of its executors, as a pod template.
    pub(crate) template: Node,
    /// Keys of `[spark]`: `version`, `language`, `deploy_mode`, `executor_limit`.
    pub(crate) spark: Vec<Entry>,
}

/// Keys of the sections, with Spark's.
const DRIVER_KEYS: [(&str, &str); 6] = [
    ("cores", "spark.driver.cores"),
    ("coreRequest", "spark.kubernetes.driver.request.cores"),
    ("coreLimit", "spark.kubernetes.driver.limit.cores"),
    ("memory", "spark.driver.memory"),
    ("memoryOverhead", "spark.driver.memoryOverhead"),
    ("javaOptions", "spark.driver.extraJavaOptions"),
];
const EXECUTOR_KEYS: [(&str, &str); 8] = [
    ("instances", "spark.executor.instances"),
    ("cores", "spark.executor.cores"),
    ("coreRequest", "spark.kubernetes.executor.request.cores"),
    ("coreLimit", "spark.kubernetes.executor.limit.cores"),
    ("memory", "spark.executor.memory"),
    ("memoryOverhead", "spark.executor.memoryOverhead"),
    ("javaOptions", "spark.executor.extraJavaOptions"),
    ("deleteOnTermination", "spark.kubernetes.executor.deleteOnTermination"),
];
const DYNAMIC_KEYS: [(&str, &str); 5] = [
    ("enabled", "spark.dynamicAllocation.enabled"),
    ("initialExecutors", "spark.dynamicAllocation.initialExecutors"),
    ("minExecutors", "spark.dynamicAllocation.minExecutors"),
    ("maxExecutors", "spark.dynamicAllocation.maxExecutors"),
    ("shuffleTrackingEnabled", "spark.dynamicAllocation.shuffleTracking.enabled"),
];

/// Reads the one application among the objects of a file.
pub(crate) fn application(objects: &[Node], problems: &mut Diagnostics) -> Option<Application> {
    let kind = |object: &Node| object.get("kind").and_then(Node::text).unwrap_or_default().to_owned();
    let found: Vec<&Node> = objects.iter().filter(|object| ["SparkApplication", "ScheduledSparkApplication"].contains(&kind(object).as_str())).collect();
    let [object] = found[..] else {
        let first = objects.first()?;
        problems.push(
            first
                .mark(Diagnostic::error("spark-application", "one SparkApplication is needed"))
                .found(if found.is_empty() { format!("kind {:?}", kind(first)) } else { format!("{} of them", found.len()) })
                .expected("one object of kind SparkApplication or ScheduledSparkApplication")
                .hint("kubectl get sparkapplication NAME -o yaml prints it"),
        );
        return None;
    };
    let group = object.get("apiVersion").and_then(Node::text).unwrap_or_default();
    let spec = object.get("spec")?;
    let spec = if kind(object) == "SparkApplication" { spec } else { spec.get("template")? };
    let name = object.get("metadata").and_then(|metadata| metadata.get("name")).and_then(Node::scalar).unwrap_or_default();
    if group.starts_with("spark.apache.org/") {
        return Some(apache(spec, name, problems));
    }
    walk(spec, &shape::SPEC, "spec", Unknown::Warning, problems);
    Some(operator(spec, name, problems))
}

/// The Spark operator's form.
fn operator(spec: &Node, name: String, problems: &mut Diagnostics) -> Application {
    let mut conf: Vec<Entry> = spec.get("sparkConf").map_or(&[][..], Node::entries).iter().filter(|entry| scalar(&entry.node)).cloned().collect();
    let mut put = |section: Option<&Node>, keys: &[(&str, &str)]| {
        for (key, spark) in keys {
            if let Some(node) = section.and_then(|section| section.get(key)) {
                conf.retain(|entry| entry.key != *spark);
                conf.push(entry(spark, node));
            }
        }
    };
    put(Some(spec), &[("memoryOverheadFactor", "spark.kubernetes.memoryOverheadFactor")]);
    put(spec.get("driver"), &DRIVER_KEYS);
    put(spec.get("executor"), &EXECUTOR_KEYS);
    put(spec.get("dynamicAllocation"), &DYNAMIC_KEYS);
    if let Some(node) = spec.get("dynamicAllocation").and_then(|dynamic| dynamic.get("shuffleTrackingTimeout")) {
        // The operator's unit is milliseconds; Spark's without a unit is seconds.
        let millis = Node { value: Value::Text(format!("{}ms", node.scalar().unwrap_or_default())), ..node.clone() };
        conf.push(entry("spark.dynamicAllocation.shuffleTracking.timeout", &millis));
    }
    for (section, what) in [("driver", "spec.driver"), ("executor", "spec.executor")] {
        local_dirs_by_env(spec.get(section), what, problems);
    }
    retries(spec, problems);
    Application { name, conf, template: template(spec), spark: spark_keys(spec) }
}

fn scalar(node: &Node) -> bool {
    node.scalar().is_some()
}

/// An entry with the value as text, as the operator passes it on.
fn entry(key: &str, node: &Node) -> Entry {
    let value = Value::Text(node.scalar().unwrap_or_default());
    Entry { key: key.to_owned(), key_place: node.place.clone(), node: Node { value, ..node.clone() } }
}

fn spark_keys(spec: &Node) -> Vec<Entry> {
    let lower = |node: &Node| Node { value: Value::Text(node.text().unwrap_or_default().to_lowercase()), ..node.clone() };
    let mut keys = Vec::new();
    if let Some(node) = spec.get("sparkVersion") {
        // Versions of images carry suffixes: 3.5.1-scala2.12.
        let version = node.text().unwrap_or_default().split('-').next().unwrap_or_default().to_owned();
        keys.push(Entry { key: "version".to_owned(), key_place: None, node: Node { value: Value::Text(version), ..node.clone() } });
    }
    if let Some(node) = spec.get("type") {
        keys.push(Entry { key: "language".to_owned(), key_place: None, node: lower(node) });
    }
    if let Some(node) = spec.get("mode") {
        let value = if node.text() == Some("cluster") { "cluster" } else { "client" };
        keys.push(Entry { key: "deploy_mode".to_owned(), key_place: None, node: Node { value: Value::Text(value.to_owned()), ..node.clone() } });
    }
    if let Some(bytes) = spec.get("executor").and_then(|executor| executor.get("memoryLimit")).and_then(|node| {
        let bytes = crate::quantity::kube_bytes(&node.scalar()?).ok()?;
        Some(Node { value: Value::Text(format!("{}B", bytes.get())), ..node.clone() })
    }) {
        keys.push(Entry { key: "executor_limit".to_owned(), key_place: None, node: bytes });
    }
    keys
}

/// `SPARK_LOCAL_DIRS` decides where scratch lies, and is set by nobody but Spark in what is simulated.
fn local_dirs_by_env(section: Option<&Node>, what: &str, problems: &mut Diagnostics) {
    let Some(section) = section else { return };
    let listed = section.get("env").map_or(&[][..], Node::items).iter().filter(|item| item.get("name").and_then(Node::text) == Some("SPARK_LOCAL_DIRS"));
    let mapped = section.get("envVars").and_then(|vars| vars.get("SPARK_LOCAL_DIRS"));
    for node in listed.chain(mapped) {
        problems.push(
            node.mark(Diagnostic::warning("not-simulated", format!("SPARK_LOCAL_DIRS in {what} is not read")))
                .hint("write its directories as spark.local.dir, or name volumes spark-local-dir-1, spark-local-dir-2, …"),
        );
    }
}

fn retries(spec: &Node, problems: &mut Diagnostics) {
    let Some(node) = spec.get("restartPolicy").and_then(|policy| policy.get("type")) else { return };
    if node.text() != Some("Never") {
        let message = "retries of the application are not simulated: probabilities are of one try";
        problems.push(node.mark(Diagnostic::warning("not-simulated", message)));
    }
}

/// The executors' pod template: what the operator's webhook adds to Spark's pods.
fn template(spec: &Node) -> Node {
    let made = |value| Node::made(value, Layer::Manifest);
    let table = || made(Value::Table(Vec::new()));
    let executor = spec.get("executor").cloned().unwrap_or_else(table);
    let mut pod = executor.get("template").cloned().unwrap_or_else(table);
    let mut spec_table = table();
    let mut container = table();
    container.insert("name", made(Value::Text("spark-kubernetes-executor".to_owned())));
    if let Some(mounts) = executor.get("volumeMounts") {
        container.insert("volumeMounts", mounts.clone());
    }
    let sidecars = executor.get("sidecars").map_or(&[][..], Node::items).iter().cloned();
    // A template's own containers stay where the sections say nothing.
    if executor.get("volumeMounts").is_some() || executor.get("sidecars").is_some() || pod.get("spec").and_then(|s| s.get("containers")).is_none() {
        spec_table.insert("containers", made(Value::Array(std::iter::once(container).chain(sidecars).collect())));
    }
    let priority = spec.get("batchSchedulerOptions").and_then(|batch| batch.get("priorityClassName"));
    for (key, node) in [
        ("affinity", executor.get("affinity")),
        ("tolerations", executor.get("tolerations")),
        ("nodeSelector", executor.get("nodeSelector").or(spec.get("nodeSelector"))),
        ("priorityClassName", executor.get("priorityClassName").or(priority)),
        ("schedulerName", executor.get("schedulerName")),
        ("volumes", spec.get("volumes")),
    ] {
        if let Some(node) = node {
            spec_table.insert(key, node.clone());
        }
    }
    let mut over = table();
    if let Some(labels) = executor.get("labels") {
        let mut metadata = table();
        metadata.insert("labels", labels.clone());
        over.insert("metadata", metadata);
    }
    over.insert("spec", spec_table);
    pod.overlay(over);
    pod
}

/// The form of Apache's own operator: keys and pod templates are Spark's own.
fn apache(spec: &Node, name: String, problems: &mut Diagnostics) -> Application {
    const KNOWN: [&str; 10] =
        ["sparkConf", "runtimeVersions", "executorSpec", "applicationTolerations", "mainClass", "jars", "driverArgs", "pyFiles", "sparkRFiles", "files"];
    for unknown in spec.entries().iter().filter(|entry| !KNOWN.contains(&entry.key.as_str())) {
        problems.push(unknown.node.mark(Diagnostic::warning("not-simulated", format!("spec.{} is not simulated", unknown.key))));
    }
    let mut spark = Vec::new();
    if let Some(version) = spec.get("runtimeVersions").and_then(|versions| versions.get("sparkVersion")) {
        spark.push(Entry { key: "version".to_owned(), key_place: None, node: version.clone() });
    }
    if spec.get("pyFiles").is_some() {
        let node = Node::made(Value::Text("python".to_owned()), Layer::Manifest);
        spark.push(Entry { key: "language".to_owned(), key_place: None, node });
    }
    let mut conf: Vec<Entry> =
        spec.get("sparkConf").map_or(&[][..], Node::entries).iter().filter(|e| scalar(&e.node)).map(|e| entry(&e.key, &e.node)).collect();
    let instances = spec.get("applicationTolerations").and_then(|tolerations| tolerations.get("instanceConfig"));
    if let Some(node) = instances.and_then(|config| config.get("initExecutors")).filter(|_| !conf.iter().any(|e| e.key == "spark.executor.instances")) {
        conf.push(entry("spark.executor.instances", node));
    }
    for key in ["minExecutors", "maxExecutors"] {
        if let Some(node) = instances.and_then(|config| config.get(key)) {
            problems.push(node.mark(Diagnostic::warning("not-simulated", format!("applicationTolerations.instanceConfig.{key} is not simulated"))));
        }
    }
    let template = spec.get("executorSpec").and_then(|section| section.get("podTemplateSpec")).cloned();
    Application { name, conf, template: template.unwrap_or_else(|| Node::made(Value::Table(Vec::new()), Layer::Manifest)), spark }
}
