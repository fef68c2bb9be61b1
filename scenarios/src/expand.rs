//! Files of a running system that a scenario names, put into its tree: nodes, pods, what pods use, a SparkApplication.
//!
//! `cluster.nodes` takes the place of `[[cluster.pool]]` and `cluster.pods` that of `[[cluster.neighbour]]`, so that a variant can put
//! a real cluster under a built-in scenario. `spark.application` lies under the scenario's own keys; named on the command line
//! it lies over them, like a properties file. Files are read once, however many points a sweep has. Problems are told at their lines.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::diag::{Diagnostic, Diagnostics, Source};
use crate::kubectl::{self, Around, Usage};
use crate::layer::{beside, read_file};
use crate::raw::{Entry, Layer, Node, Value};
use crate::spark_application::{Application, application};

/// What was read, by path.
#[derive(Debug, Default)]
pub(crate) struct Files {
    read: Mutex<BTreeMap<PathBuf, Read>>,
}

/// One file, read, with what there was to say of its text.
#[derive(Clone, Debug)]
struct Read {
    objects: Option<Arc<Vec<Node>>>,
    usage: Option<Arc<Usage>>,
    problems: Diagnostics,
}

impl Files {
    fn read(&self, node: &Node, problems: &mut Diagnostics, how: impl FnOnce(&Arc<Source>, &mut Diagnostics) -> Read) -> Option<Read> {
        let path = beside(node, node.text()?);
        let mut all = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let read = if let Some(read) = all.get(&path) {
            read.clone()
        } else {
            let mut of_file = Diagnostics::default();
            let mut read = match read_file(&path, Some(node), &mut of_file) {
                Some(source) => how(&source, &mut of_file),
                None => Read { objects: None, usage: None, problems: Diagnostics::default() },
            };
            read.problems = of_file;
            all.insert(path, read.clone());
            read
        };
        problems.extend(read.problems.clone());
        Some(read)
    }

    fn objects(&self, node: &Node, expected: &str, problems: &mut Diagnostics) -> Option<Arc<Vec<Node>>> {
        self.read(node, problems, |source, problems| Read {
            objects: kubectl::objects(source, expected, problems).map(Arc::new),
            usage: None,
            problems: Diagnostics::default(),
        })?
        .objects
    }

    fn usage(&self, node: &Node, problems: &mut Diagnostics) -> Option<Arc<Usage>> {
        self.read(node, problems, |source, problems| Read {
            objects: None,
            usage: kubectl::usage(source, problems).map(Arc::new),
            problems: Diagnostics::default(),
        })?
        .usage
    }
}

/// Puts the real cluster that `[cluster]` names into the tree.
pub(crate) fn cluster(tree: &mut Node, files: &Files, application: Option<&str>, problems: &mut Diagnostics) {
    let Some(cluster) = tree.get_mut("cluster") else { return };
    let mut names = Vec::new();
    if let Some(node) = cluster.get("nodes").cloned()
        && let Some(objects) = files.objects(&node, "the output of kubectl get nodes -o yaml", problems)
        && let Some(machines) = kubectl::machines(&objects, problems)
    {
        names = machines.names;
        cluster.insert("pool", Node::made(Value::Array(machines.pools), node.layer.clone()));
        for (key, value) in [("platform", machines.platform), ("kubernetes", machines.kubernetes)] {
            if let Some(value) = value.filter(|_| cluster.get(key).is_none()) {
                cluster.insert(key, value);
            }
        }
    }
    let usage = cluster.get("pod_usage").cloned().and_then(|node| files.usage(&node, problems));
    if let Some(node) = cluster.get("pods").cloned()
        && let Some(objects) = files.objects(&node, "the output of kubectl get pods -A -o json", problems)
    {
        let around = Around { nodes: &names, usage: usage.as_deref(), application };
        let neighbours = kubectl::neighbours(&objects, &around, problems);
        cluster.insert("neighbour", Node::made(Value::Array(neighbours), node.layer));
    } else if let Some(node) = cluster.get("pod_usage").filter(|_| cluster.get("pods").is_none()) {
        problems.push(
            node.mark(Diagnostic::error("kubectl", "cluster.pod_usage tells what pods use, and no file tells which pods there are"))
                .found("no cluster.pods")
                .expected("cluster.pods beside it")
                .hint("kubectl get pods -A -o json > pods.json, then pods = \"pods.json\""),
        );
    }
}

/// The application that a node names.
pub(crate) fn read_application(node: &Node, files: &Files, problems: &mut Diagnostics) -> Option<Application> {
    let objects = files.objects(node, "a SparkApplication in YAML", problems)?;
    application(&objects, problems)
}

/// Lays an application over what the scenario says of Spark.
pub(crate) fn over(tree: &mut Node, application: &Application) {
    let mut root = Node::made(Value::Table(Vec::new()), Layer::Manifest);
    root.insert("spark", spark_table(application));
    if let Some(Node { value: Value::Table(entries), .. }) = tree.get_mut("spark") {
        entries.retain(|entry| entry.key != "pod_template");
    }
    tree.overlay(root);
}

/// Lays an application under what the scenario says of Spark.
pub(crate) fn under(tree: &mut Node, application: &Application, problems: &mut Diagnostics) {
    let mut spark = spark_table(application);
    if let Some(own) = tree.get("spark") {
        spark.overlay(own.clone());
    }
    if let Some(file) = spark.get("conf").and_then(|conf| conf.get("spark.kubernetes.executor.podTemplateFile")) {
        let message = "the executor section of the SparkApplication is used, and this template is not laid under it";
        problems.push(file.mark(Diagnostic::warning("not-simulated", message)));
    }
    tree.insert("spark", spark);
}

fn spark_table(application: &Application) -> Node {
    let table = || Node::made(Value::Table(Vec::new()), Layer::Manifest);
    let (mut spark, mut conf) = (table(), table());
    for Entry { key, node, .. } in &application.spark {
        spark.insert(key, node.clone());
    }
    for Entry { key, node, .. } in &application.conf {
        conf.insert(key, node.clone());
    }
    spark.insert("conf", conf);
    spark.insert("pod_template", application.template.clone());
    spark
}
