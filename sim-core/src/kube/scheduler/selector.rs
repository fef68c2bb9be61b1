//! Matching labels against selectors.
//!
//! Pod affinity uses label selectors, node affinity uses node selector terms; both are lists of requirements that must
//! all hold. They differ in what an empty list means: an empty label selector selects every pod, an empty node selector
//! term selects no node. `Gt` and `Lt` compare integers and exist for nodes only. A pod affinity term looks at
//! the namespace of the pod that has it, unless it names others; there a selector on `spark-role` also selects the executors of other
//! applications (PT-2). Assumption: a namespace has the one label that Kubernetes itself gives it. Source: the Kubernetes API, 5.4.

use super::PodView;
use crate::spec::{Label, LabelSelector, NodeSelectorTerm, PodAffinityTerm, Requirement, SelectorOp};

/// The label that every namespace has: its name.
const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// Value of the label `key`, if there is one.
pub(super) fn value_of<'a>(labels: &'a [Label], key: &str) -> Option<&'a str> {
    labels.iter().find(|label| label.key == key).map(|label| label.value.as_str())
}

/// Whether a label selector selects a pod with these labels; an empty one selects every pod.
pub(super) fn selects(selector: &LabelSelector, labels: &[Label]) -> bool {
    selector.requirements.iter().all(|requirement| holds(requirement, labels))
}

/// Whether a node selector term matches a node with these labels; an empty one matches no node.
pub(super) fn matches_node(term: &NodeSelectorTerm, labels: &[Label]) -> bool {
    !term.requirements.is_empty() && term.requirements.iter().all(|requirement| holds(requirement, labels))
}

/// Whether a pod affinity term of `owner` selects `target`.
pub(super) fn selects_pod(term: &PodAffinityTerm, owner: &PodView<'_>, target: &PodView<'_>) -> bool {
    reaches(term, owner, target.namespace)
        && selects(&term.selector, target.labels)
        && shares(&term.match_label_keys, owner.labels, target.labels)
        && !term.mismatch_label_keys.iter().any(|key| value_of(owner.labels, key).is_some_and(|value| value_of(target.labels, key) == Some(value)))
}

/// Whether a term looks at a namespace: one that it names or selects, its owner's when it does neither.
fn reaches(term: &PodAffinityTerm, owner: &PodView<'_>, namespace: &str) -> bool {
    if term.namespaces.is_empty() && term.namespace_selector.is_none() {
        return owner.namespace == namespace;
    }
    let selected = |selector: &LabelSelector| selects(selector, &[Label::new(NAMESPACE_NAME, namespace)]);
    term.namespaces.iter().any(|one| one == namespace) || term.namespace_selector.as_ref().is_some_and(selected)
}

/// Whether the target has the owner's value of each of these labels that the owner has.
pub(super) fn shares(keys: &[String], owner: &[Label], target: &[Label]) -> bool {
    keys.iter().all(|key| value_of(owner, key).is_none_or(|value| value_of(target, key) == Some(value)))
}

fn holds(requirement: &Requirement, labels: &[Label]) -> bool {
    let value = value_of(labels, &requirement.key);
    let listed = |value: &str| requirement.values.iter().any(|one| one == value);
    match requirement.op {
        SelectorOp::In => value.is_some_and(listed),
        SelectorOp::NotIn => !value.is_some_and(listed),
        SelectorOp::Exists => value.is_some(),
        SelectorOp::DoesNotExist => value.is_none(),
        SelectorOp::Gt => integers(value, requirement).is_some_and(|(have, bound)| have > bound),
        SelectorOp::Lt => integers(value, requirement).is_some_and(|(have, bound)| have < bound),
    }
}

/// The label's value and the only value listed, when both are integers; else the requirement does not hold.
fn integers(value: Option<&str>, requirement: &Requirement) -> Option<(i64, i64)> {
    let [bound] = requirement.values.as_slice() else { return None };
    Some((value?.parse().ok()?, bound.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirement(key: &str, op: SelectorOp, values: &[&str]) -> Requirement {
        Requirement { key: key.to_owned(), op, values: values.iter().map(|&value| value.to_owned()).collect() }
    }

    #[test]
    fn requirements_follow_the_api() {
        let labels = [Label::new("app", "spark"), Label::new("cores", "16")];
        let cases = [
            (requirement("app", SelectorOp::In, &["flink", "spark"]), true),
            (requirement("app", SelectorOp::In, &["flink"]), false),
            (requirement("zone", SelectorOp::In, &["a"]), false),
            (requirement("app", SelectorOp::NotIn, &["spark"]), false),
            // `NotIn` holds where the label is absent.
            (requirement("zone", SelectorOp::NotIn, &["a"]), true),
            (requirement("app", SelectorOp::Exists, &[]), true),
            (requirement("zone", SelectorOp::Exists, &[]), false),
            (requirement("zone", SelectorOp::DoesNotExist, &[]), true),
            (requirement("cores", SelectorOp::Gt, &["8"]), true),
            (requirement("cores", SelectorOp::Gt, &["16"]), false),
            (requirement("cores", SelectorOp::Lt, &["32"]), true),
            (requirement("app", SelectorOp::Lt, &["32"]), false),
            (requirement("cores", SelectorOp::Gt, &[]), false),
        ];
        for (one, expected) in cases {
            assert_eq!(holds(&one, &labels), expected, "{one:?}");
        }
    }

    #[test]
    fn empty_label_selector_selects_all_and_empty_node_term_none() {
        assert!(selects(&LabelSelector::default(), &[]));
        assert!(!matches_node(&NodeSelectorTerm::default(), &[Label::new("a", "b")]));
    }
}
