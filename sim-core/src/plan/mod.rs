//! From a [`Spec`] to what runs: indices and rates, immutable, shared by all threads.

use std::fmt;

use crate::spec::Spec;
use crate::units::Bytes;

/// A compiled point: immutable, `Sync`, fingerprinted.
#[derive(Clone, Debug)]
pub struct SimPlan {
    spec: Spec,
}

/// Why a spec cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    /// What is wrong, in words for the user.
    pub message: String,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
impl std::error::Error for PlanError {}

/// A node's name and the lines that a chart of its memory needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeLines {
    /// Node name.
    pub name: String,
    /// `MemTotal`.
    pub capacity: Bytes,
    /// Limit of the `kubepods` cgroup, on Kubernetes.
    pub kubepods_limit: Option<Bytes>,
    /// Working set of pods at which the kubelet evicts (what the scheduler may allocate), on Kubernetes.
    pub allocatable: Option<Bytes>,
}

impl SimPlan {
    /// Compiles a spec.
    pub fn compile(spec: &Spec) -> Result<Self, PlanError> {
        Ok(Self { spec: spec.clone() })
    }
    /// The spec it came from.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }
    /// Sixteen hexadecimal digits that change with anything that could change a result.
    pub fn fingerprint(&self) -> String {
        String::new()
    }
    /// Lines for charts, by node index.
    pub fn node_lines(&self) -> Vec<NodeLines> {
        Vec::new()
    }
    /// Container limit of an executor, if it has one.
    pub fn executor_limit(&self) -> Option<Bytes> {
        None
    }
}
