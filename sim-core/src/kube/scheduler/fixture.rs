//! Pods and nodes for tests.

use super::{NodeConditions, NodeView, PodView};
use crate::spec::{
    Affinity, Label, LabelSelector, NodeSelectorTerm, PodAffinityTerm, Requirement, SelectorOp, Taint, TaintEffect, Toleration, WeightedPodAffinityTerm,
};
use crate::units::{Bytes, CoreMillis};

pub(super) const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

/// A pod that owns what a view borrows.
#[derive(Clone, Debug, Default)]
pub(super) struct Pod {
    pub(super) cpu: u64,
    pub(super) mib: u64,
    pub(super) ephemeral_mib: u64,
    pub(super) best_effort: bool,
    pub(super) labels: Vec<Label>,
    pub(super) affinity: Affinity,
    pub(super) tolerations: Vec<Toleration>,
}

/// A node that owns what a view borrows. The default is a 16-core, 64 GiB AKS node: 15 740m and 59 174 MiB allocatable.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) labels: Vec<Label>,
    pub(super) taints: Vec<Taint>,
    pub(super) cpu: u64,
    pub(super) mib: u64,
    pub(super) ephemeral_mib: u64,
    pub(super) max_pods: u32,
    pub(super) pods: Vec<Pod>,
    pub(super) conditions: NodeConditions,
}

/// The executor of A14: 2000m, 9011 MiB, labelled as Spark labels it.
pub(super) fn executor() -> Pod {
    Pod { cpu: 2000, mib: 9011, labels: vec![Label::new("spark-role", "executor")], ..Pod::default() }
}

pub(super) fn pod(cpu: u64, mib: u64) -> Pod {
    Pod { cpu, mib, ..Pod::default() }
}

pub(super) fn node(name: &str, pods: Vec<Pod>) -> Node {
    Node {
        name: name.to_owned(),
        labels: vec![Label::new(HOSTNAME, name)],
        taints: Vec::new(),
        cpu: 15_740,
        mib: 59_174,
        ephemeral_mib: 100_000,
        max_pods: 110,
        pods,
        conditions: NodeConditions::default(),
    }
}

impl Node {
    pub(super) fn label(mut self, key: &str, value: &str) -> Self {
        self.labels.push(Label::new(key, value));
        self
    }
    pub(super) fn zone(self, zone: &str) -> Self {
        self.label(ZONE, zone)
    }
    pub(super) fn taint(mut self, key: &str, effect: TaintEffect) -> Self {
        self.taints.push(Taint { key: key.to_owned(), value: "yes".to_owned(), effect });
        self
    }
    pub(super) fn view(&self) -> NodeView<'_> {
        NodeView {
            name: &self.name,
            labels: &self.labels,
            taints: &self.taints,
            allocatable_cpu: CoreMillis::new(self.cpu),
            allocatable_memory: Bytes::mib(self.mib),
            allocatable_ephemeral: Bytes::mib(self.ephemeral_mib),
            max_pods: self.max_pods,
            pods: self.pods.iter().map(Pod::view).collect(),
            conditions: self.conditions,
        }
    }
}

impl Pod {
    pub(super) fn view(&self) -> PodView<'_> {
        PodView {
            cpu_request: CoreMillis::new(self.cpu),
            memory_request: Bytes::mib(self.mib),
            ephemeral_request: Bytes::mib(self.ephemeral_mib),
            best_effort: self.best_effort,
            labels: &self.labels,
            affinity: &self.affinity,
            tolerations: &self.tolerations,
        }
    }
    pub(super) fn label(mut self, key: &str, value: &str) -> Self {
        self.labels.push(Label::new(key, value));
        self
    }
    pub(super) fn tolerating(mut self, key: &str, effect: Option<TaintEffect>) -> Self {
        self.tolerations.push(Toleration { key: key.to_owned(), exists: true, value: String::new(), effect });
        self
    }
    pub(super) fn require_with(mut self, term: PodAffinityTerm) -> Self {
        self.affinity.required_pod.push(term);
        self
    }
    pub(super) fn require_apart(mut self, term: PodAffinityTerm) -> Self {
        self.affinity.required_anti.push(term);
        self
    }
    pub(super) fn prefer_with(mut self, weight: i64, term: PodAffinityTerm) -> Self {
        self.affinity.preferred_pod.push(WeightedPodAffinityTerm { weight, term });
        self
    }
    pub(super) fn prefer_apart(mut self, weight: i64, term: PodAffinityTerm) -> Self {
        self.affinity.preferred_anti.push(WeightedPodAffinityTerm { weight, term });
        self
    }
    pub(super) fn require_node(mut self, key: &str, value: &str) -> Self {
        self.affinity.required_node.push(node_term(key, value));
        self
    }
    pub(super) fn prefer_node(mut self, weight: i64, key: &str, value: &str) -> Self {
        self.affinity.preferred_node.push((weight, node_term(key, value)));
        self
    }
}

fn is(key: &str, value: &str) -> Requirement {
    Requirement { key: key.to_owned(), op: SelectorOp::In, values: vec![value.to_owned()] }
}

fn node_term(key: &str, value: &str) -> NodeSelectorTerm {
    NodeSelectorTerm { requirements: vec![is(key, value)] }
}

/// Pods with this label, in the same topology domain.
pub(super) fn term(topology_key: &str, key: &str, value: &str) -> PodAffinityTerm {
    PodAffinityTerm { selector: LabelSelector { requirements: vec![is(key, value)] }, topology_key: topology_key.to_owned() }
}

/// Executors on the same host.
pub(super) fn executors_here() -> PodAffinityTerm {
    term(HOSTNAME, "spark-role", "executor")
}

/// Executors in the same zone.
pub(super) fn executors_in_zone() -> PodAffinityTerm {
    term(ZONE, "spark-role", "executor")
}
