//! What `kubectl` printed of a real cluster: its nodes, its other pods, and what these use.
//!
//! `kubectl get nodes -o yaml|json` becomes node pools, `kubectl get pods -A -o yaml|json` becomes neighbours that run where
//! they run, and `kubectl top pods -A` (or the metrics API's JSON) tells the memory that they really use. Quantities are
//! exact, as Kubernetes writes them. What cannot be known from the files is taken by a rule that is told. The results are parts
//! of a scenario's tree, so that everything else, `--set` and sweeps among it, works on them as on hand-written ones.

mod nodes;
mod pods;
mod usage;

pub(crate) use nodes::machines;
pub(crate) use pods::{Around, neighbours};
pub(crate) use usage::{Usage, usage};

use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics, Source};
use crate::raw::{Layer, Node, Value, read_yaml_documents};

/// Objects of all documents of a file, items of lists among them. `None` when the file is not YAML or holds none.
pub(crate) fn objects(source: &Arc<Source>, expected: &str, problems: &mut Diagnostics) -> Option<Vec<Node>> {
    let documents = read_yaml_documents(source, &Layer::Manifest, expected, problems)?;
    let mut all = Vec::new();
    for document in documents {
        match document.get("items") {
            Some(Node { value: Value::Array(items), .. }) => all.extend(items.iter().cloned()),
            _ if matches!(document.value, Value::Table(_)) => all.push(document),
            _ => {}
        }
    }
    if all.is_empty() {
        problems.push(
            Diagnostic::error("kubectl", format!("{} holds no Kubernetes object", source.name))
                .at(source, 0..0)
                .found("no mapping with a kind, and no list with items")
                .expected(expected)
                .hint("write the file again with the command that is expected"),
        );
        return None;
    }
    Some(all)
}

/// Objects of one kind; of others the user is told once how many there are.
fn of_kind<'a>(objects: &'a [Node], kind: &str, problems: &mut Diagnostics) -> Vec<&'a Node> {
    let (these, others): (Vec<&Node>, Vec<&Node>) = objects.iter().partition(|object| {
        // `kubectl get pods.metrics.k8s.io` and lists without kinds in their items exist: what has no kind is taken.
        object.get("kind").and_then(Node::text).is_none_or(|found| found == kind)
    });
    if let Some(first) = others.first() {
        let found = first.get("kind").and_then(Node::text).unwrap_or_default();
        problems.push(first.mark(Diagnostic::warning(
            "not-simulated",
            format!("left out, because they are no {kind}: {} of {} objects, the first a {found}", others.len(), objects.len()),
        )));
    }
    these
}

/// Follows keys down.
fn dig<'a>(node: &'a Node, keys: &[&str]) -> Option<&'a Node> {
    keys.iter().try_fold(node, |at, key| at.get(key))
}

/// The text at a path, empty when there is none.
fn text(node: &Node, keys: &[&str]) -> String {
    dig(node, keys).and_then(Node::scalar).unwrap_or_default()
}

/// A value that stands for something in a file.
fn made(value: Value, from: &str) -> Node {
    Node::made(value, Layer::Derived(from.to_owned()))
}

/// A number of objects.
fn count(n: usize) -> Value {
    Value::Integer(i64::try_from(n).unwrap_or(i64::MAX))
}

fn table(from: &str, entries: Vec<(&str, Value)>) -> Node {
    let mut node = made(Value::Table(Vec::new()), from);
    for (key, value) in entries {
        node.insert(key, made(value, from));
    }
    node
}

/// An error at a quantity that cannot be read.
fn bad_quantity(node: &Node, what: &str, problems: &mut Diagnostics) {
    problems.push(
        node.mark(Diagnostic::error("kubectl", format!("{what} cannot be read")))
            .found(node.found())
            .expected("a Kubernetes quantity such as 64Gi, 3900m or 65847040Ki")
            .hint("the file should be as kubectl printed it"),
    );
}

/// The name of a file, for origins and messages.
fn file_of(objects: &[Node]) -> String {
    objects.first().and_then(|object| object.place.as_ref()).map(|place| place.source.name.clone()).unwrap_or_default()
}
