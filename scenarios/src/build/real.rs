//! What a real node's status decides: reservations, the size of its file system, machine types that the catalogue does not have.
//!
//! The kubelet reports capacity and allocatable; allocatable is capacity without reservations and without the hard eviction
//! threshold (5.9), so with the provider's threshold the reservation follows exactly. Speeds of disks and network are not in
//! the status. For a type that the catalogue does not have they are taken from the smallest shape of the provider with at least as many CPUs, and this is told.

use sim_core::kube::reservation::Provider;
use sim_core::spec::Reservation;

use super::{View, cluster};
use crate::catalog;
use crate::diag::{Diagnostic, Diagnostics};
use crate::raw::{Node, Value};

/// Reservations that give the allocatable of the node's status.
pub(super) fn kept(provider: Reservation, pool: View<'_>, status: View<'_>) -> Reservation {
    let mut kept = provider;
    if status.maybe("memory").is_some() {
        let missing = pool.size("memory").saturating_sub(status.size("memory"));
        kept.eviction_memory = provider.eviction_memory.min(missing);
        kept.memory = missing.saturating_sub(kept.eviction_memory);
    }
    if status.maybe("cpu").is_some() {
        kept.cpu = pool.cpu("cpu").saturating_sub(status.cpu("cpu"));
    }
    kept
}

/// The size that the status tells goes to the first disk, the kubelet's.
pub(super) fn file_system(pool: &mut Node) {
    let Some(size) = pool.get("ephemeral_storage").cloned() else { return };
    if let Some(Value::Array(disks)) = pool.get_mut("disk").map(|node| &mut node.value)
        && let Some(first) = disks.first_mut()
    {
        first.insert("size", size);
    }
}

/// A machine type of a real node that the catalogue does not have: disk and network of a shape like it.
pub(super) fn unknown_machine(pool: &mut Node, provider: Provider, problems: &mut Diagnostics) {
    let unknown = pool.get("vm").is_none_or(|vm| vm.text().is_some_and(|name| catalog::find(name).is_none()));
    if pool.get("node_names").is_none() || !unknown || (pool.get("disk").is_some() && pool.get("nic").is_some()) {
        return;
    }
    let Some(like) = catalog::like(provider, View(pool).cpu("cpu").as_cores()) else { return };
    let from = format!("VM shape {}, because the catalogue does not have this one", like.name);
    let told = format!(
        "machine type {:?} of pool {:?} is not in the catalogue: its disk and network are taken to be those of {}",
        View(pool).text("vm"),
        View(pool).text("name"),
        like.name
    );
    problems.push(Diagnostic::warning("unknown-vm", told).hint("set cluster.pool.0.disk and cluster.pool.0.nic, or see spillcast list vms"));
    super::derive::machine_speed(pool, like, provider, &from);
}

/// Neighbours run on nodes that are there.
pub(super) fn known_nodes(cluster: &Node, problems: &mut Diagnostics) {
    let names = cluster::node_names(View(cluster));
    for neighbour in View(cluster).items("neighbour") {
        for node in neighbour.items("nodes").filter(|name| name.0.text().is_some_and(|name| !names.iter().any(|known| known == name))) {
            let found = node.0.text().unwrap_or_default();
            problems.push(
                node.0
                    .mark(Diagnostic::error("unknown-node", format!("neighbour {:?} runs on a node that is not there", neighbour.text("name"))))
                    .found(found)
                    .expected(format!("one of {}", names.iter().take(8).cloned().collect::<Vec<_>>().join(", ")))
                    .hint("nodes are named POOL-INDEX, or by node_names of their pool"),
            );
        }
    }
}
