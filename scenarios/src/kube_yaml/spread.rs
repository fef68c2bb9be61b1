//! Topology spread constraints and host ports of a pod template.

use sim_core::spec::{HostPort, SpreadConstraint, WhenUnsatisfiable};

use super::{Reader, items, text};
use crate::raw::{Node, Value};

impl Reader<'_> {
    pub(super) fn spread(&mut self, spec: &Node) -> Vec<SpreadConstraint> {
        items(spec, &["topologySpreadConstraints"]).iter().map(|node| self.constraint(node)).collect()
    }

    fn constraint(&mut self, node: &Node) -> SpreadConstraint {
        SpreadConstraint {
            max_skew: integer(node, "maxSkew").max(1),
            topology_key: text(node, "topologyKey"),
            when_unsatisfiable: if text(node, "whenUnsatisfiable") == "ScheduleAnyway" {
                WhenUnsatisfiable::ScheduleAnyway
            } else {
                WhenUnsatisfiable::DoNotSchedule
            },
            selector: self.label_selector(node, "labelSelector"),
            min_domains: integer(node, "minDomains").max(1),
            honor_affinity: text(node, "nodeAffinityPolicy") != "Ignore",
            honor_taints: text(node, "nodeTaintsPolicy") == "Honor",
            match_label_keys: texts(node, "matchLabelKeys"),
        }
    }

    /// Host ports of all containers; a container port without one asks for nothing.
    pub(super) fn host_ports(spec: &Node) -> Vec<HostPort> {
        let ports = items(spec, &["containers"]).iter().flat_map(|container| items(container, &["ports"]));
        ports
            .filter_map(|node| {
                let port = u16::try_from(integer(node, "hostPort")).ok().filter(|&port| port > 0)?;
                let or = |key: &str, default: &str| Some(text(node, key)).filter(|text| !text.is_empty()).unwrap_or_else(|| default.to_owned());
                Some(HostPort { port, protocol: or("protocol", "TCP"), ip: or("hostIP", "0.0.0.0") })
            })
            .collect()
    }
}

/// The texts of a list.
pub(super) fn texts(node: &Node, key: &str) -> Vec<String> {
    items(node, &[key]).iter().filter_map(Node::scalar).collect()
}

fn integer(node: &Node, key: &str) -> u32 {
    match node.get(key).map(|node| &node.value) {
        Some(Value::Integer(i)) => u32::try_from(*i).unwrap_or_default(),
        _ => 0,
    }
}
