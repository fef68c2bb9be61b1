//! `[[cluster.daemon]]` to the model's daemons; what follows from a daemon's role.

use sim_core::spec::{DaemonRole, DaemonSpec};

use super::derive::missing;
use super::{View, derived};
use crate::raw::{Node, Value};
use crate::schema::Measure;

/// The daemons of a filled cluster.
pub(super) fn daemons(cluster: View<'_>) -> Vec<DaemonSpec> {
    cluster.items("daemon").map(daemon).collect()
}

fn daemon(view: View<'_>) -> DaemonSpec {
    DaemonSpec {
        name: view.text("name"),
        anon: view.dist("anon", Measure::Bytes),
        oom_score_adj: view.integer("oom_score_adj"),
        role: match view.text("role").as_str() {
            "kubelet" => DaemonRole::Kubelet,
            "runtime" => DaemonRole::Runtime,
            _ => DaemonRole::Service,
        },
        restart: view.on("restarts").then(|| view.time("restart_delay")),
    }
}

/// Fills what a unit file of a daemon with its role has.
pub(super) fn derive(cluster: &mut Node) {
    let Some(Value::Array(daemons)) = cluster.get_mut("daemon").map(|node| &mut node.value) else { return };
    for daemon in daemons {
        let (adj, delay, from) = match View(daemon).text("role").as_str() {
            "kubelet" => (-999, "10s", "kubeadm's kubelet.service"),
            "runtime" => (-999, "5s", "containerd.service"),
            _ => (0, "100ms", "systemd's default"),
        };
        missing(daemon, "oom_score_adj", || derived(Value::Integer(adj), from));
        missing(daemon, "restart_delay", || derived(Value::Text(delay.to_owned()), from));
    }
}
