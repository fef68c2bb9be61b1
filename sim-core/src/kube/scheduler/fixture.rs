//! Pods and nodes for tests.

use super::{NodeConditions, NodeView, PodView, VolumesView};
use crate::spec::{
    Affinity, HostPort, Label, LabelSelector, NodeSelectorTerm, PodAffinityTerm, Requirement, SelectorOp, SpreadConstraint, Taint, TaintEffect, Toleration,
    WeightedPodAffinityTerm, WhenUnsatisfiable,
};
use crate::units::{Bytes, CoreMillis, SimTime};

pub(super) const HOSTNAME: &str = "kubernetes.io/hostname";
pub(super) const ZONE: &str = "topology.kubernetes.io/zone";

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
    pub(super) namespace: Option<&'static str>,
    pub(super) spread: Vec<SpreadConstraint>,
    pub(super) spread_is_default: bool,
    pub(super) host_ports: Vec<HostPort>,
    pub(super) node_name: Option<&'static str>,
    pub(super) attached: u32,
    pub(super) bound_to: Vec<NodeSelectorTerm>,
    pub(super) exclusive_claims: Vec<String>,
    pub(super) unbound_in: Vec<NodeSelectorTerm>,
    pub(super) local: bool,
    pub(super) image_mib: Option<u64>,
    pub(super) priority: i32,
    pub(super) started_s: u64,
    pub(super) terminating: bool,
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
    pub(super) identity: u64,
    pub(super) unschedulable: bool,
    pub(super) gone: bool,
    pub(super) max_volumes: Option<u32>,
    pub(super) local_sets: Option<u32>,
    pub(super) has_image: bool,
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
        identity: 0,
        unschedulable: false,
        gone: false,
        max_volumes: None,
        local_sets: None,
        has_image: false,
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
            identity: self.identity,
            unschedulable: self.unschedulable,
            gone: self.gone,
            max_volumes: self.max_volumes,
            local_sets: self.local_sets,
            has_image: self.has_image,
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
            namespace: self.namespace.unwrap_or("default"),
            spread: &self.spread,
            spread_is_default: self.spread_is_default,
            host_ports: &self.host_ports,
            node_name: self.node_name,
            volumes: VolumesView {
                attached: self.attached,
                bound_to: &self.bound_to,
                exclusive_claims: &self.exclusive_claims,
                unbound_in: &self.unbound_in,
                local: self.local,
            },
            image: self.image_mib.map(Bytes::mib),
            priority: self.priority,
            started: SimTime::from_ns(self.started_s * 1_000_000_000),
            terminating: self.terminating,
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

/// Pods with this label.
pub(super) fn selecting(key: &str, value: &str) -> LabelSelector {
    LabelSelector { requirements: vec![is(key, value)] }
}

/// A hard spread constraint over pods with this label, with the API's defaults.
pub(super) fn evenly(max_skew: u32, topology_key: &str, key: &str, value: &str) -> SpreadConstraint {
    SpreadConstraint {
        max_skew,
        topology_key: topology_key.to_owned(),
        when_unsatisfiable: WhenUnsatisfiable::DoNotSchedule,
        selector: selecting(key, value),
        min_domains: 1,
        honor_affinity: true,
        honor_taints: false,
        match_label_keys: Vec::new(),
    }
}

/// The same as a preference.
pub(super) fn roughly(max_skew: u32, topology_key: &str, key: &str, value: &str) -> SpreadConstraint {
    SpreadConstraint { when_unsatisfiable: WhenUnsatisfiable::ScheduleAnyway, ..evenly(max_skew, topology_key, key, value) }
}

pub(super) fn is(key: &str, value: &str) -> Requirement {
    Requirement { key: key.to_owned(), op: SelectorOp::In, values: vec![value.to_owned()] }
}

pub(super) fn node_term(key: &str, value: &str) -> NodeSelectorTerm {
    NodeSelectorTerm { requirements: vec![is(key, value)] }
}

/// Pods with this label, in the same topology domain.
pub(super) fn term(topology_key: &str, key: &str, value: &str) -> PodAffinityTerm {
    PodAffinityTerm::new(selecting(key, value), topology_key)
}

/// Executors on the same host.
pub(super) fn executors_here() -> PodAffinityTerm {
    term(HOSTNAME, "spark-role", "executor")
}

/// Executors in the same zone.
pub(super) fn executors_in_zone() -> PodAffinityTerm {
    term(ZONE, "spark-role", "executor")
}
