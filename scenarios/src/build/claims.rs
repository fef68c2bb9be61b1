//! Claims of executors get the figures of their storage class: the scenario's own, or the catalogue's.

use sim_core::spec::{ClaimSpec, ClassFacts, Reach, VolumeSource, ZoneSet, zones};
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
        let named = class.clone().or_else(|| storage::default_class(&platform));
        let known = named.as_ref().and_then(|name| of_scenario(cluster, name, claim.size).or_else(|| storage::claim(name, claim.size)));
        let shared = claim.shared;
        // The access mode of a claim that exists is its own; only a class that is named tells it.
        let anywhere = shared && class.is_none();
        *claim = ClaimSpec { shared, ..known.unwrap_or_else(|| storage::unknown(claim.size)) };
        if anywhere {
            claim.class = ClassFacts::FREE;
        }
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
    let facts = class_facts(cluster, class);
    Some(ClaimSpec { size, read, write, iops: class.count64("iops"), io_size: class.size("io_size"), shared: false, class: facts })
}

fn class_facts(cluster: View<'_>, class: View<'_>) -> ClassFacts {
    let reach = storage::reach(&class.text("reach"));
    let usual = if reach == Reach::Region { "ReadWriteMany" } else { "ReadWriteOnce" };
    let access = if class.maybe("access").is_some() { class.text("access") } else { usual.to_owned() };
    let allowed: Vec<String> = class.items("zones").filter_map(|zone| zone.0.scalar()).collect();
    let known = zones(&super::cluster::pools(cluster));
    let places = known.iter().enumerate().filter(|(_, zone)| allowed.contains(zone)).map(|(place, _)| place);
    ClassFacts {
        reach,
        immediate: class.text("binding") == "Immediate",
        access: storage::access(&access),
        zones: if allowed.is_empty() { ZoneSet::ALL } else { ZoneSet::of(places) },
        per_node: class.maybe("per_node").map(|_| class.count("per_node")),
        expands: class.on("expands"),
    }
}
