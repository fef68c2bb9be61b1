//! The part of a Kubernetes pod that decides placement, memory and scratch.
//!
//! Field names follow the Kubernetes API (`core/v1`), in Rust spelling.

use crate::units::{Bytes, CoreMillis};

/// A label `key=value`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    /// Label key, such as `spark-role`.
    pub key: String,
    /// Label value, such as `executor`.
    pub value: String,
}

impl Label {
    /// A label from its two parts.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into() }
    }
}

/// Operator of a selector requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelectorOp {
    /// The label's value is one of those listed.
    In,
    /// The label is absent or its value is none of those listed.
    NotIn,
    /// The label is present.
    Exists,
    /// The label is absent.
    DoesNotExist,
    /// The label's value is an integer greater than the one listed (node selectors only).
    Gt,
    /// The label's value is an integer less than the one listed (node selectors only).
    Lt,
}

/// One requirement of a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// Label key.
    pub key: String,
    /// Operator.
    pub op: SelectorOp,
    /// Values, where the operator takes some.
    pub values: Vec<String>,
}

/// A label selector: all requirements must hold. `matchLabels` entries are `In` with one value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector {
    /// The requirements.
    pub requirements: Vec<Requirement>,
}

impl LabelSelector {
    /// What a selector that is not there at all selects: nothing, where an empty one selects everything.
    pub fn nothing() -> Self {
        Self { requirements: vec![Requirement { key: String::new(), op: SelectorOp::In, values: Vec::new() }] }
    }
}

/// A term of pod (anti-)affinity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodAffinityTerm {
    /// Which pods count.
    pub selector: LabelSelector,
    /// The node label whose value makes a topology domain, such as `kubernetes.io/hostname`.
    pub topology_key: String,
    /// Namespaces whose pods count. With no `namespace_selector` either: the namespace of the pod that has the term.
    pub namespaces: Vec<String>,
    /// Namespaces whose pods count too, by their labels; an empty selector is all namespaces.
    pub namespace_selector: Option<LabelSelector>,
    /// Labels whose value a pod must share with the one that has the term, where that has them.
    pub match_label_keys: Vec<String>,
    /// Labels whose value a pod must not share with the one that has the term, where that has them.
    pub mismatch_label_keys: Vec<String>,
}

impl PodAffinityTerm {
    /// A term on pods of the same namespace.
    pub fn new(selector: LabelSelector, topology_key: impl Into<String>) -> Self {
        Self {
            selector,
            topology_key: topology_key.into(),
            namespaces: Vec::new(),
            namespace_selector: None,
            match_label_keys: Vec::new(),
            mismatch_label_keys: Vec::new(),
        }
    }
}

/// A preferred term with its weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightedPodAffinityTerm {
    /// Weight, 1 to 100.
    pub weight: i64,
    /// The term.
    pub term: PodAffinityTerm,
}

/// One node selector term: all requirements must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeSelectorTerm {
    /// Requirements on the node's labels.
    pub requirements: Vec<Requirement>,
}

/// A pod's affinity rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Affinity {
    /// `podAffinity.requiredDuringSchedulingIgnoredDuringExecution`.
    pub required_pod: Vec<PodAffinityTerm>,
    /// `podAffinity.preferredDuringSchedulingIgnoredDuringExecution`.
    pub preferred_pod: Vec<WeightedPodAffinityTerm>,
    /// `podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution`.
    pub required_anti: Vec<PodAffinityTerm>,
    /// `podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution`.
    pub preferred_anti: Vec<WeightedPodAffinityTerm>,
    /// `nodeAffinity.required…`: any term must match; empty means no rule. `nodeSelector` becomes requirements of each term.
    pub required_node: Vec<NodeSelectorTerm>,
    /// `nodeAffinity.preferred…`: weight and term.
    pub preferred_node: Vec<(i64, NodeSelectorTerm)>,
}

impl Affinity {
    /// No rule at all.
    pub const NONE: Self = Self {
        required_pod: Vec::new(),
        preferred_pod: Vec::new(),
        required_anti: Vec::new(),
        preferred_anti: Vec::new(),
        required_node: Vec::new(),
        preferred_node: Vec::new(),
    };
}

/// What a topology spread constraint does where it does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenUnsatisfiable {
    /// A filter: the pod waits.
    DoNotSchedule,
    /// A score: the pod goes where the skew is smallest.
    ScheduleAnyway,
}

/// One of `topologySpreadConstraints`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpreadConstraint {
    /// Largest difference between a domain's matching pods and the fewest of any domain; at least 1.
    pub max_skew: u32,
    /// The node label whose value makes a domain.
    pub topology_key: String,
    /// What happens where it does not hold.
    pub when_unsatisfiable: WhenUnsatisfiable,
    /// Which pods of the same namespace count.
    pub selector: LabelSelector,
    /// With fewer domains than this the fewest is taken as 0; 1 unless set.
    pub min_domains: u32,
    /// Whether nodes that the pod's node affinity excludes do not count (`Honor`, the default).
    pub honor_affinity: bool,
    /// Whether nodes with taints that the pod does not tolerate do not count (`Honor`; the default is `Ignore`).
    pub honor_taints: bool,
    /// Labels whose value a pod must share with the new one to count.
    pub match_label_keys: Vec<String>,
}

/// A port of the node that a container wants for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// Port number, 1 to 65535.
    pub port: u16,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
    /// Address of the node; `0.0.0.0` is all.
    pub ip: String,
}

/// Effect of a taint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaintEffect {
    /// Pods that do not tolerate it are not placed.
    NoSchedule,
    /// Pods that do not tolerate it are placed elsewhere where possible.
    PreferNoSchedule,
    /// As `NoSchedule`, and running pods leave.
    NoExecute,
}

/// A taint of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taint {
    /// Key.
    pub key: String,
    /// Value, empty when none.
    pub value: String,
    /// Effect.
    pub effect: TaintEffect,
}

/// A toleration of a pod. An empty key with `exists` tolerates everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toleration {
    /// Key, empty for all.
    pub key: String,
    /// Whether the operator is `Exists` (else `Equal`).
    pub exists: bool,
    /// Value for `Equal`.
    pub value: String,
    /// Effect, `None` for all.
    pub effect: Option<TaintEffect>,
}

/// Where a volume's bytes live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// The node's disk that carries the kubelet directory.
    Disk,
    /// tmpfs: RAM of the node, charged to the writing container (ED-4).
    Memory,
}

/// An `emptyDir` volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmptyDir {
    /// Medium.
    pub medium: Medium,
    /// `sizeLimit`; zero is ignored, as the kubelet does (A12).
    pub size_limit: Option<Bytes>,
}

/// What backs a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VolumeSource {
    /// An `emptyDir`.
    EmptyDir(EmptyDir),
    /// A directory of the node (`hostPath`), on the disk with this index in the node's shape.
    HostPath {
        /// Index into [`super::NodeShape::disks`].
        disk: usize,
    },
    /// A persistent volume claim on a device of its own; no node ephemeral-storage accounting (4.8).
    Claim(super::ClaimSpec),
}

/// A volume that the executor container mounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Volume name; `spark-local-dir-*` makes it a Spark local directory (4.1).
    pub name: String,
    /// Mount path.
    pub mount_path: String,
    /// What backs it.
    pub source: VolumeSource,
}

/// Requests and limits of a pod (sum over its containers).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// CPU request.
    pub cpu_request: CoreMillis,
    /// CPU limit, none when unset.
    pub cpu_limit: Option<CoreMillis>,
    /// Memory request.
    pub memory_request: Bytes,
    /// Memory limit, none when unset.
    pub memory_limit: Option<Bytes>,
    /// Ephemeral-storage request.
    pub ephemeral_request: Bytes,
    /// Ephemeral-storage limit.
    pub ephemeral_limit: Option<Bytes>,
}

/// What the executor pod template adds to the pod that Spark builds (PT-1, LD-2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodTemplate {
    /// Labels beside Spark's own (PT-2).
    pub labels: Vec<Label>,
    /// Affinity rules.
    pub affinity: Affinity,
    /// Tolerations.
    pub tolerations: Vec<Toleration>,
    /// Volumes mounted by the executor container.
    pub volumes: Vec<Volume>,
    /// Pod priority; 0 unless a priority class says otherwise.
    pub priority: i32,
    /// `preemptionPolicy: Never`: it waits, and has no pod of lower priority deleted.
    pub never_preempts: bool,
    /// Annotation `cluster-autoscaler.kubernetes.io/safe-to-evict`, where there is one.
    pub safe_to_evict: Option<bool>,
    /// Topology spread constraints.
    pub spread: Vec<SpreadConstraint>,
    /// Ports of the node that its containers want.
    pub host_ports: Vec<HostPort>,
    /// `nodeName`: the only node that it may go to.
    pub node_name: Option<String>,
    /// Resources of sidecar containers, which add to the pod's requests.
    pub sidecars: Resources,
    /// Ephemeral-storage request and limit of the executor container.
    pub ephemeral_request: Bytes,
    /// Ephemeral-storage limit of the executor container.
    pub ephemeral_limit: Option<Bytes>,
}
