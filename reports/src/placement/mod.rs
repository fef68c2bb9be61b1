//! Why each pod is where it is: the scheduler's tables in words and as an object.
//!
//! The input is what an observer kept of one replication, pod by pod in the order of the scheduler's cycles. Both forms say the same: who was
//! refused and why, what each plugin gave (raw, from 0 to 100, times its weight), who won, and where the pod would have gone without each
//! rule. The text leaves out what decided nothing; the object has it all.

mod json;
mod text;

pub use json::object;
pub use text::text;

use sim_core::kube::scheduler::{Rule, effect_name};
use sim_core::observe::Placement;

/// The decisions of one replication.
#[derive(Clone, Debug)]
pub struct PlacementReport {
    /// Name of the scenario.
    pub scenario: String,
    /// Master seed.
    pub seed: u64,
    /// Replication number.
    pub replication: u64,
    /// Names of the nodes, by index.
    pub nodes: Vec<String>,
    /// The decisions, in order.
    pub placements: Vec<Placement>,
    /// How many more there were in the run.
    pub left_out: usize,
}

impl PlacementReport {
    fn node(&self, index: usize) -> &str {
        self.nodes.get(index).map_or("?", String::as_str)
    }
}

/// A rule as its path in the pod template, a taint as kubectl writes it, a plugin by its name.
fn rule_name(rule: &Rule) -> String {
    let strength = |required: bool| if required { "required" } else { "preferred" };
    match rule {
        Rule::Plugin(name) => (*name).to_owned(),
        Rule::PodAffinity { required, index } => format!("podAffinity.{}[{index}]", strength(*required)),
        Rule::PodAntiAffinity { required, index } => format!("podAntiAffinity.{}[{index}]", strength(*required)),
        Rule::RequiredNodeAffinity => "nodeAffinity.required".to_owned(),
        Rule::PreferredNodeAffinity(index) => format!("nodeAffinity.preferred[{index}]"),
        Rule::TopologySpread(index) => format!("topologySpreadConstraints[{index}]"),
        Rule::Taint(taint) if taint.value.is_empty() => format!("taint {}:{}", taint.key, effect_name(taint.effect)),
        Rule::Taint(taint) => format!("taint {}={}:{}", taint.key, taint.value, effect_name(taint.effect)),
    }
}

#[cfg(test)]
mod tests;
