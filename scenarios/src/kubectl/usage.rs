//! What pods use now: `kubectl top pods -A`, or the metrics API's JSON.
//!
//! Memory is the working set: anonymous memory, tmpfs and active page cache of the pod's containers together; which part is which is not told, so all
//! of it is taken as anonymous. Values are one moment's. The text has the columns NAMESPACE, NAME, CPU(cores),
//! MEMORY(bytes), with or without the header; more columns and `--containers` rows are summed by pod. Source: metrics.k8s.io/v1beta1.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim_core::units::{Bytes, CoreMillis};

use super::{bad_quantity, dig, objects, text};
use crate::diag::{Diagnostic, Diagnostics, Source};
use crate::quantity;
use crate::raw::Node;

/// CPU and memory in use by pod, named `NAMESPACE/NAME`.
pub(crate) type Usage = BTreeMap<String, (CoreMillis, Bytes)>;

/// Reads either form; `None` when the file is neither.
pub(crate) fn usage(source: &Arc<Source>, problems: &mut Diagnostics) -> Option<Usage> {
    let start = source.text.trim_start();
    if start.starts_with('{') || start.starts_with("apiVersion") || start.starts_with("items") || start.starts_with("kind") {
        let objects = objects(source, "kubectl get --raw /apis/metrics.k8s.io/v1beta1/pods", problems)?;
        return of_metrics(&objects, problems);
    }
    of_text(source, problems)
}

fn of_metrics(objects: &[Node], problems: &mut Diagnostics) -> Option<Usage> {
    let mut all = Usage::new();
    for object in objects {
        let name = format!("{}/{}", text(object, &["metadata", "namespace"]), text(object, &["metadata", "name"]));
        for container in object.get("containers").map_or(&[][..], Node::items) {
            let (cpu, memory) = (dig(container, &["usage", "cpu"])?, dig(container, &["usage", "memory"])?);
            let read = |node: &Node| node.scalar().unwrap_or_default();
            match (quantity::kube_cpu(&read(cpu)), quantity::kube_bytes(&read(memory))) {
                (Ok(c), Ok(m)) => add(&mut all, name.clone(), c, m),
                (Err(_), _) => bad_quantity(cpu, &format!("usage.cpu of {name}"), problems),
                (_, Err(_)) => bad_quantity(memory, &format!("usage.memory of {name}"), problems),
            }
        }
    }
    Some(all)
}

fn add(all: &mut Usage, name: String, cpu: CoreMillis, memory: Bytes) {
    let sum = all.entry(name).or_default();
    *sum = (sum.0 + cpu, sum.1 + memory);
}

fn of_text(source: &Arc<Source>, problems: &mut Diagnostics) -> Option<Usage> {
    let mut all = Usage::new();
    let mut at = 0;
    for line in source.text.split_inclusive('\n') {
        let (start, words) = (at, line.split_whitespace().collect::<Vec<_>>());
        at += line.len();
        if words.is_empty() || words[0] == "NAMESPACE" {
            continue;
        }
        // CPU and memory are the last two columns; with --containers the pod's name is still the second.
        let read = words.len() >= 4;
        let values = read.then(|| (quantity::kube_cpu(words[words.len() - 2]), quantity::kube_bytes(words[words.len() - 1])));
        let Some((Ok(cpu), Ok(memory))) = values else {
            problems.push(
                Diagnostic::error("kubectl", "this line tells no pod's use")
                    .at(source, start..start + line.trim_end().len())
                    .found(line.trim_end())
                    .expected("NAMESPACE NAME CPU(cores) MEMORY(bytes), as kubectl top pods -A prints")
                    .hint("kubectl top pods -A > usage.txt; the -A gives the namespaces"),
            );
            return None;
        };
        add(&mut all, format!("{}/{}", words[0], words[1]), cpu, memory);
    }
    Some(all)
}
