//! Why a node cannot take a pod.
//!
//! The words are those of Kubernetes' events, so that a reader can compare them with `kubectl describe pod`. A node can
//! have several reasons from one plugin (too little CPU and too little memory), never from two: the first plugin that
//! refuses a node ends its check, as in the real filter phase (SC-1).

use std::collections::BTreeMap;
use std::fmt;

/// One reason why one node was filtered out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The node already has its largest number of pods (NR-1).
    TooManyPods,
    /// CPU requests would exceed allocatable (NR-1).
    InsufficientCpu,
    /// Memory requests would exceed allocatable (NR-1).
    InsufficientMemory,
    /// Ephemeral-storage requests would exceed allocatable (NR-1, ED-13).
    InsufficientEphemeralStorage,
    /// The node is cordoned.
    Unschedulable,
    /// The pod names another node.
    NodeName,
    /// No required node affinity term matches.
    NodeAffinity,
    /// A `NoSchedule` or `NoExecute` taint that the pod does not tolerate.
    UntoleratedTaint {
        /// Key of the first such taint.
        key: String,
        /// Its value, empty when none.
        value: String,
    },
    /// A `hostPort` that the pod wants is taken.
    NodePorts,
    /// Another pod uses a `ReadWriteOncePod` claim of the pod.
    ClaimInUse,
    /// No more volumes can be attached.
    TooManyVolumes,
    /// A bound volume cannot be used there: another zone, another node.
    VolumeNodeAffinity,
    /// No volume can be made, or found, there: a topology that the class excludes, no local volume left.
    NoVolumeToBind,
    /// The node lacks the key of a topology spread constraint.
    MissingTopologyLabel,
    /// The node's domain would have too many more pods than the emptiest one.
    TopologySpread,
    /// No pod that the required pod affinity asks for is in the node's domain (PA-1).
    PodAffinity,
    /// A pod that the required anti-affinity excludes is in the node's domain (PA-4).
    PodAntiAffinity,
    /// A pod in the node's domain excludes the new one (PA-4, symmetry).
    ExistingPodsAntiAffinity,
}

impl Reason {
    /// The plugin that gives it.
    pub const fn plugin(&self) -> &'static str {
        match self {
            Self::TooManyPods | Self::InsufficientCpu | Self::InsufficientMemory | Self::InsufficientEphemeralStorage => "NodeResourcesFit",
            Self::Unschedulable => "NodeUnschedulable",
            Self::NodeName => "NodeName",
            Self::NodeAffinity => "NodeAffinity",
            Self::UntoleratedTaint { .. } => "TaintToleration",
            Self::NodePorts => "NodePorts",
            Self::ClaimInUse => "VolumeRestrictions",
            Self::TooManyVolumes => "NodeVolumeLimits",
            Self::VolumeNodeAffinity | Self::NoVolumeToBind => "VolumeBinding",
            Self::MissingTopologyLabel | Self::TopologySpread => "PodTopologySpread",
            Self::PodAffinity | Self::PodAntiAffinity | Self::ExistingPodsAntiAffinity => "InterPodAffinity",
        }
    }

    /// Whether deleting pods of the node may make it go away (PA-3); else preemption is not tried there.
    pub const fn may_be_resolved(&self) -> bool {
        !matches!(
            self,
            Self::Unschedulable
                | Self::NodeName
                | Self::NodeAffinity
                | Self::UntoleratedTaint { .. }
                | Self::VolumeNodeAffinity
                | Self::NoVolumeToBind
                | Self::MissingTopologyLabel
                | Self::PodAffinity
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooManyPods => "Too many pods",
            Self::InsufficientCpu => "Insufficient cpu",
            Self::InsufficientMemory => "Insufficient memory",
            Self::InsufficientEphemeralStorage => "Insufficient ephemeral-storage",
            Self::Unschedulable => "node(s) were unschedulable",
            Self::NodeName => "node(s) didn't match the requested node name",
            Self::NodePorts => "node(s) didn't have free ports for the requested pod ports",
            Self::ClaimInUse => "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode",
            Self::TooManyVolumes => "node(s) exceed max volume count",
            Self::VolumeNodeAffinity => "node(s) had volume node affinity conflict",
            Self::NoVolumeToBind => "node(s) didn't find available persistent volumes to bind",
            Self::MissingTopologyLabel => "node(s) didn't match pod topology spread constraints (missing required label)",
            Self::TopologySpread => "node(s) didn't match pod topology spread constraints",
            Self::NodeAffinity => "node(s) didn't match Pod's node affinity/selector",
            Self::PodAffinity => "node(s) didn't match pod affinity rules",
            Self::PodAntiAffinity => "node(s) didn't match pod anti-affinity rules",
            Self::ExistingPodsAntiAffinity => "node(s) didn't satisfy existing pods anti-affinity rules",
            Self::UntoleratedTaint { key, value } => return write!(f, "node(s) had untolerated taint {{{key}: {value}}}"),
        })
    }
}

/// The reasons for all `nodes` nodes in one line, in the form of Kubernetes' `FailedScheduling` event: `0/3 nodes are
/// available: 1 Insufficient memory, 2 node(s) didn't match pod affinity rules.`
pub fn describe(nodes: usize, reasons: &[(usize, Reason)]) -> String {
    let mut counts: BTreeMap<&Reason, usize> = BTreeMap::new();
    for (_, reason) in reasons {
        *counts.entry(reason).or_default() += 1;
    }
    let parts: Vec<String> = counts.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    if parts.is_empty() { format!("0/{nodes} nodes are available.") } else { format!("0/{nodes} nodes are available: {}.", parts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn describe_counts_each_reason_once() {
        let taint = Reason::UntoleratedTaint { key: "node.kubernetes.io/disk-pressure".to_owned(), value: String::new() };
        let reasons = [(0, Reason::PodAffinity), (1, Reason::InsufficientMemory), (2, Reason::PodAffinity), (3, taint)];
        assert_eq!(
            describe(4, &reasons),
            "0/4 nodes are available: 1 Insufficient memory, 1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }, \
             2 node(s) didn't match pod affinity rules."
        );
        assert_eq!(describe(0, &[]), "0/0 nodes are available.");
    }
}
