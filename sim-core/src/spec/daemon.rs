//! Daemons of a node outside `kubepods`: what systemd runs there.
//!
//! Those that a user names can be chosen by the kernel when the node itself is out of memory, and come back as their unit says. The rest
//! of what runs there, with the kernel, is the node's `system_memory`, which is never chosen. A daemon has one process. Source: level E of
//! 5.9, NO-2; systemd.service(5), systemd.unit(5).

use super::Dist;
use crate::units::SimSpan;

/// What a daemon is to the pods of its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DaemonRole {
    /// Nothing: without it only its memory is missing.
    Service,
    /// The kubelet: without it pods run on, but none starts, is seen to end, or is evicted.
    Kubelet,
    /// The container runtime: as the kubelet, which can do nothing without it.
    Runtime,
}

/// A daemon that runs on every node.
#[derive(Clone, Debug, PartialEq)]
pub struct DaemonSpec {
    /// Name, such as `node-problem-detector`.
    pub name: String,
    /// Anonymous memory once it runs, bytes; beside the node's `system_memory`.
    pub anon: Dist,
    /// `OOMScoreAdjust` of its unit, −1000 to 1000; −999 for kubelet and runtime.
    pub oom_score_adj: i32,
    /// What it is to the pods.
    pub role: DaemonRole,
    /// `RestartSec` of its unit; `None`: it is not restarted after a kill.
    pub restart: Option<SimSpan>,
}
