//! Claims of executors get the figures of their storage class: the scenario's own, or the catalogue's.

use sim_core::spec::{ClaimSpec, VolumeSource};
use sim_core::units::Bytes;

use super::View;
use crate::catalog::storage;
use crate::diag::{Diagnostic, Diagnostics};
use crate::kube_yaml::Template;
use crate::raw::Node;

/// Puts each claim on the volume of its class. A class that nobody knows is told.
pub(super) fn place_claims(template: &mut Template, tree: &Node, problems: &mut Diagnostics) {
    let cluster = View(tree).table("cluster");
    let platform = cluster.text("platform");
    for (index, class) in std::mem::take(&mut template.claims) {
        let Some(VolumeSource::Claim(claim)) = template.pod.volumes.get_mut(index).map(|volume| &mut volume.source) else { continue };
        let named = class.or_else(|| storage::default_class(&platform));
        let known = named.as_ref().and_then(|name| of_scenario(cluster, name, claim.size).or_else(|| storage::claim(name, claim.size)));
        let shared = claim.shared;
        *claim = ClaimSpec { shared, ..known.unwrap_or_else(|| storage::unknown(claim.size)) };
        if known.is_none() {
            let message = match &named {
                Some(name) => format!("storage class {name:?} is not known: its volumes are taken for 131 MB/s and 3000 IOPS"),
                None => "the cluster's default storage class is not known: its volumes are taken for 131 MB/s and 3000 IOPS".to_owned(),
            };
            let volume = &template.pod.volumes[index].name;
            problems.push(
                Diagnostic::warning("unknown-storage-class", message)
                    .found(format!("the claim of volume {volume}"))
                    .hint("describe it: [[cluster.storage_class]] name = …, read = \"200MB/s\", iops = 5000"),
            );
        }
    }
}

fn of_scenario(cluster: View<'_>, name: &str, size: Bytes) -> Option<ClaimSpec> {
    let class = cluster.items("storage_class").find(|class| class.text("name") == name)?;
    let read = class.rate("read");
    let write = if class.maybe("write").is_some() { class.rate("write") } else { read };
    Some(ClaimSpec { size, read, write, iops: class.count64("iops"), io_size: class.size("io_size"), shared: false })
}
