//! The cluster autoscaler: how pools grow. It acts on pools with a `max` above their `count` only.

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
}

impl Default for AutoscalerSpec {
    /// The autoscaler's own defaults, and an AKS node's two to five minutes (5.6).
    fn default() -> Self {
        Self {
            scan_interval: SimSpan::from_secs(10),
            scale_up_s: Dist::Uniform { low: 120.0, high: 300.0 },
            max_node_provision: SimSpan::from_secs(900),
            expander: Expander::Random,
        }
    }
}
