//! Affinity rules of a pod template.

use sim_core::spec::{Affinity, LabelSelector, NodeSelectorTerm, PodAffinityTerm, Requirement, SelectorOp, WeightedPodAffinityTerm};

use super::spread::texts;
use super::{Reader, dig, items, text};
use crate::raw::{Node, Value};

const HOSTNAME: &str = "kubernetes.io/hostname";
const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

impl Reader<'_> {
    pub(super) fn affinity(&mut self, node: &Node) -> Affinity {
        Affinity {
            required_pod: self.required(node, "podAffinity"),
            preferred_pod: self.preferred(node, "podAffinity"),
            required_anti: self.required(node, "podAntiAffinity"),
            preferred_anti: self.preferred(node, "podAntiAffinity"),
            required_node: items(node, &["nodeAffinity", REQUIRED, "nodeSelectorTerms"]).iter().map(|term| self.node_term(term)).collect(),
            preferred_node: items(node, &["nodeAffinity", PREFERRED])
                .iter()
                .filter_map(|term| Some((weight(term), self.node_term(term.get("preference")?))))
                .collect(),
        }
    }

    fn required(&mut self, node: &Node, kind: &str) -> Vec<PodAffinityTerm> {
        items(node, &[kind, REQUIRED]).iter().map(|term| self.pod_term(term)).collect()
    }

    fn preferred(&mut self, node: &Node, kind: &str) -> Vec<WeightedPodAffinityTerm> {
        items(node, &[kind, PREFERRED])
            .iter()
            .filter_map(|term| Some(WeightedPodAffinityTerm { weight: weight(term), term: self.pod_term(term.get("podAffinityTerm")?) }))
            .collect()
    }

    fn pod_term(&mut self, node: &Node) -> PodAffinityTerm {
        PodAffinityTerm {
            namespaces: texts(node, "namespaces"),
            namespace_selector: node.get("namespaceSelector").map(|_| self.label_selector(node, "namespaceSelector")),
            match_label_keys: texts(node, "matchLabelKeys"),
            mismatch_label_keys: texts(node, "mismatchLabelKeys"),
            ..PodAffinityTerm::new(self.label_selector(node, "labelSelector"), text(node, "topologyKey"))
        }
    }

    /// A label selector; one that is not there selects nothing, an empty one everything.
    pub(super) fn label_selector(&mut self, node: &Node, key: &str) -> LabelSelector {
        if node.get(key).is_none() {
            return LabelSelector::nothing();
        }
        let mut requirements: Vec<Requirement> = dig(node, &[key, "matchLabels"])
            .map_or(&[][..], Node::entries)
            .iter()
            .map(|entry| Requirement { key: entry.key.clone(), op: SelectorOp::In, values: vec![entry.node.scalar().unwrap_or_default()] })
            .collect();
        requirements.extend(items(node, &[key, "matchExpressions"]).iter().filter_map(|e| self.requirement(e, false)));
        LabelSelector { requirements }
    }

    fn node_term(&mut self, node: &Node) -> NodeSelectorTerm {
        let mut requirements: Vec<Requirement> = items(node, &["matchExpressions"]).iter().filter_map(|e| self.requirement(e, true)).collect();
        for field in items(node, &["matchFields"]) {
            if text(field, "key") == "metadata.name" {
                // A node's name is its hostname label here.
                requirements.extend(self.requirement(field, true).map(|one| Requirement { key: HOSTNAME.to_owned(), ..one }));
            } else {
                self.error(field, "unknown field of a node", "metadata.name, the only one that the API has");
            }
        }
        NodeSelectorTerm { requirements }
    }

    fn requirement(&mut self, node: &Node, on_node: bool) -> Option<Requirement> {
        let values: Vec<String> = items(node, &["values"]).iter().filter_map(Node::scalar).collect();
        let operator = text(node, "operator");
        let op = match operator.as_str() {
            "In" => SelectorOp::In,
            "NotIn" => SelectorOp::NotIn,
            "Exists" => SelectorOp::Exists,
            "DoesNotExist" => SelectorOp::DoesNotExist,
            "Gt" if on_node => SelectorOp::Gt,
            "Lt" if on_node => SelectorOp::Lt,
            _ => {
                let place = node.get("operator").unwrap_or(node);
                self.error(
                    place,
                    format!("unknown operator {operator:?}"),
                    if on_node { "In, NotIn, Exists, DoesNotExist, Gt or Lt" } else { "In, NotIn, Exists or DoesNotExist" },
                );
                return None;
            }
        };
        let needs_values = !matches!(op, SelectorOp::Exists | SelectorOp::DoesNotExist);
        if needs_values == values.is_empty() {
            self.error(
                node,
                format!("operator {operator} {}", if needs_values { "needs values" } else { "takes no values" }),
                "key, operator and, for In and NotIn, values",
            );
        }
        Some(Requirement { key: text(node, "key"), op, values })
    }
}

/// A weight that the walker has checked.
fn weight(term: &Node) -> i64 {
    match term.get("weight").map(|node| &node.value) {
        Some(Value::Integer(i)) => *i,
        _ => 1,
    }
}
