//! The cluster autoscaler: how pools grow and shrink. It acts on pools with a `max` or a `min` only.

use super::Dist;
use crate::units::SimSpan;

/// Which of the pools that could help grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expander {
    /// Any of them.
    Random,
    /// The one whose new nodes have the smallest shares of CPU and memory left over.
    LeastWaste,
}

/// Settings of the cluster autoscaler.
#[derive(Clone, Debug, PartialEq)]
pub struct AutoscalerSpec {
    /// `scan-interval`: how often it looks at the pods that were refused.
    pub scan_interval: SimSpan,
    /// From its decision until the node takes pods, seconds (5.6).
    pub scale_up_s: Dist,
    /// `max-node-provision-time`: a node that is not there by then is given up.
    pub max_node_provision: SimSpan,
    /// `expander`.
    pub expander: Expander,
    /// `scale-down-enabled`: whether nodes that nobody needs go.
    pub scale_down: bool,
    /// `scale-down-utilization-threshold`: requests of CPU and memory, as shares of what is allocatable, must both be below it.
    pub scale_down_threshold: f64,
    /// `scale-down-unneeded-time`: how long a node is unneeded before it goes.
    pub scale_down_unneeded: SimSpan,
    /// `scale-down-delay-after-add`: no node goes for so long after one was asked for.
    pub scale_down_delay_after_add: SimSpan,
    /// `max-graceful-termination-sec`: the longest grace of an evicted pod.
    pub max_graceful_termination: SimSpan,
    /// `skip-nodes-with-local-storage`: pods of a controller with an `emptyDir` on disk or a `hostPath` keep their node.
    pub skip_local_storage: bool,
}

impl Default for AutoscalerSpec {
    /// The autoscaler's own defaults, and an AKS node's two to five minutes (5.6).
    fn default() -> Self {
        Self {
            scan_interval: SimSpan::from_secs(10),
            scale_up_s: Dist::Uniform { low: 120.0, high: 300.0 },
            max_node_provision: SimSpan::from_secs(900),
            expander: Expander::Random,
            scale_down: true,
            scale_down_threshold: 0.5,
            scale_down_unneeded: SimSpan::from_secs(600),
            scale_down_delay_after_add: SimSpan::from_secs(600),
            max_graceful_termination: SimSpan::from_secs(600),
            skip_local_storage: true,
        }
    }
}
