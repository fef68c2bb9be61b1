//! `NodeAffinity`: sums of weights, scaled to the best node; terms are alternatives, what is in a term must all hold.

use super::{Case, case, feasible, scores};
use crate::kube::scheduler::fixture::{Node, Pod, ZONE, is, node, pod};
use crate::spec::{NodeSelectorTerm, Requirement, SelectorOp};

const PLUGIN: &str = "NodeAffinity";

fn labelled(labels: &[(&str, &str)]) -> Node {
    labels.iter().fold(node("n", vec![]), |node, (key, value)| node.label(key, value))
}

fn all_of(labels: &[(&str, &str)]) -> NodeSelectorTerm {
    NodeSelectorTerm { requirements: labels.iter().map(|(key, value)| is(key, value)).collect() }
}

fn preferring(terms: &[(i64, &[(&str, &str)])]) -> Pod {
    let mut incoming = pod(100, 100);
    incoming.affinity.preferred_node = terms.iter().map(|&(weight, labels)| (weight, all_of(labels))).collect();
    incoming
}

fn requiring(terms: Vec<NodeSelectorTerm>) -> Pod {
    let mut incoming = pod(100, 100);
    incoming.affinity.required_node = terms;
    incoming
}

pub(super) fn scored() -> Vec<Case> {
    let (bar, value, az1) = (("foo", "bar"), ("key", "value"), ("az", "az1"));
    let three = || vec![labelled(&[bar]), labelled(&[value]), labelled(&[az1])];
    let terms: [(i64, &[(&str, &str)]); 3] = [(2, &[("foo", "bar")]), (4, &[("key", "value")]), (5, &[("foo", "bar"), ("key", "value"), ("az", "az1")])];
    vec![
        case("k8s: no preference", PLUGIN, pod(100, 100), three(), scores(&[0, 0, 0])),
        case("k8s: a preference for what nobody has", PLUGIN, preferring(&terms[..1]), vec![labelled(&[value]), labelled(&[az1])], scores(&[0, 0])),
        case("k8s: a preference for one node", PLUGIN, preferring(&terms[..1]), three(), scores(&[100, 0, 0])),
        // 2, 11, 4: 200/11 = 18, 100, 400/11 = 36.
        case(
            "k8s: preferences of weights 2, 4 and 5",
            PLUGIN,
            preferring(&terms),
            vec![labelled(&[bar]), labelled(&[bar, value, az1]), labelled(&[value])],
            scores(&[18, 100, 36]),
        ),
        // 1, 50, 51: 100/51 = 1, 5000/51 = 98, 100.
        case(
            "docs: node affinity weight",
            PLUGIN,
            Pod { ..preferring(&[(1, &[("label-1", "key-1")]), (50, &[("label-2", "key-2")])]) },
            vec![labelled(&[("label-1", "key-1")]), labelled(&[("label-2", "key-2")]), labelled(&[("label-1", "key-1"), ("label-2", "key-2")])],
            scores(&[1, 98, 100]),
        ),
    ]
}

pub(super) fn filtered() -> Vec<Case> {
    let requirement = |key: &str, op, values: &[&str]| Requirement { key: key.into(), op, values: values.iter().map(|&value| value.into()).collect() };
    let term = |requirement| NodeSelectorTerm { requirements: vec![requirement] };
    let zones = || ["antarctica-east1", "antarctica-west1", "europe"].map(|zone| labelled(&[(ZONE, zone)])).to_vec();
    vec![
        case(
            "docs: required on two zones",
            PLUGIN,
            requiring(vec![term(requirement(ZONE, SelectorOp::In, &["antarctica-east1", "antarctica-west1"]))]),
            zones(),
            feasible(&[0, 1]),
        ),
        case("docs: node anti-affinity by NotIn", PLUGIN, requiring(vec![term(requirement(ZONE, SelectorOp::NotIn, &["europe"]))]), zones(), feasible(&[0, 1])),
        case(
            "docs: terms are alternatives",
            PLUGIN,
            requiring(vec![all_of(&[(ZONE, "europe")]), all_of(&[(ZONE, "antarctica-east1")])]),
            zones(),
            feasible(&[0, 2]),
        ),
        case(
            "docs: the expressions of a term must all hold",
            PLUGIN,
            requiring(vec![all_of(&[(ZONE, "europe"), ("disk", "ssd")])]),
            vec![labelled(&[(ZONE, "europe")]), labelled(&[(ZONE, "europe"), ("disk", "ssd")]), labelled(&[("disk", "ssd")])],
            feasible(&[1]),
        ),
        case(
            "docs: more than 16 cores by Gt",
            PLUGIN,
            requiring(vec![term(requirement("cores", SelectorOp::Gt, &["16"]))]),
            vec![labelled(&[("cores", "16")]), labelled(&[("cores", "32")]), labelled(&[])],
            feasible(&[1]),
        ),
    ]
}
