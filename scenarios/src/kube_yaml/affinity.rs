//! Affinity rules of a pod template.

use sim_core::spec::{Affinity, LabelSelector, NodeSelectorTerm, PodAffinityTerm, Requirement, SelectorOp, WeightedPodAffinityTerm};

use super::{Reader, dig, items, text};
use crate::raw::{Node, Value};

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
        let mut requirements: Vec<Requirement> = dig(node, &["labelSelector", "matchLabels"])
            .map_or(&[][..], Node::entries)
            .iter()
            .map(|entry| Requirement { key: entry.key.clone(), op: SelectorOp::In, values: vec![entry.node.scalar().unwrap_or_default()] })
            .collect();
        requirements.extend(items(node, &["labelSelector", "matchExpressions"]).iter().filter_map(|e| self.requirement(e, false)));
        PodAffinityTerm { selector: LabelSelector { requirements }, topology_key: text(node, "topologyKey") }
    }

    fn node_term(&mut self, node: &Node) -> NodeSelectorTerm {
        NodeSelectorTerm { requirements: items(node, &["matchExpressions"]).iter().filter_map(|e| self.requirement(e, true)).collect() }
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
