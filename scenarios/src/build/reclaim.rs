//! `[[reclaim]]` to what the cluster takes back.

use sim_core::spec::{ClusterSpec, Reclaim, Reclaimed};

use super::View;

/// The reclaims of a filled tree; one that names nobody is left out here and told by its rule.
pub(super) fn reclaims(root: View<'_>, cluster: &ClusterSpec) -> Vec<Reclaim> {
    root.items("reclaim")
        .filter_map(|item| {
            let who = match (item.maybe("executor"), item.maybe("node")) {
                (Some(_), None) => Reclaimed::Executor(item.count("executor")),
                (None, Some(_)) => Reclaimed::Node(node(&item.text("node"), cluster)?),
                _ => return None,
            };
            Some(Reclaim { who, at: item.time("at"), notice: item.time("notice"), sudden: item.on("sudden") })
        })
        .collect()
}

/// Index of a node by its name.
fn node(name: &str, cluster: &ClusterSpec) -> Option<u32> {
    let names = cluster.pools.iter().flat_map(|pool| (0..pool.count).map(move |index| format!("{}-{index}", pool.name)));
    names.enumerate().find(|(_, known)| known == name).map(|(index, _)| index as u32)
}
