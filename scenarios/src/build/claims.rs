//! Claims of executors get the figures of their storage class: the scenario's own, or the catalogue's.

use sim_core::spec::{ClaimSpec, ClassFacts, Reach, VolumeSource, ZoneSet, zones};
use sim_core::units::Bytes;

use super::{View, cluster};
use crate::catalog::storage;
use crate::diag::{Diagnostic, Diagnostics};
use crate::kube_yaml::Template;
use crate::raw::Node;

/// Operations per second of a class of which nobody says them, as for disks.
const IOPS: u64 = 100_000;

/// Puts each claim on the volume of its class. A class that nobody knows is told.
pub(super) fn place_claims(template: &mut Template, tree: &Node, problems: &mut Diagnostics) {
    let tree = View(tree).table("cluster");
    check_classes(tree, problems);
    let platform = tree.text("platform");
    for (index, class) in std::mem::take(&mut template.claims) {
        let Some(VolumeSource::Claim(claim)) = template.pod.volumes.get_mut(index).map(|volume| &mut volume.source) else { continue };
        let named = class.clone().or_else(|| storage::default_class(&platform));
        let known = named.as_ref().and_then(|name| of_scenario(tree, name, claim.size).or_else(|| storage::claim(name, claim.size)));
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

/// A class of the scenario: as a managed disk, with what it says itself; with a bandwidth or operations of its own, without that disk's credit.
fn of_scenario(tree: View<'_>, name: &str, size: Bytes) -> Option<ClaimSpec> {
    let class = tree.items("storage_class").find(|class| class.text("name") == name)?;
    let kind = class.text("type");
    let base = storage::volume(&kind, &kind, size);
    let own = class.maybe("read").is_some() || class.maybe("iops").is_some();
    let read = if class.maybe("read").is_some() { class.rate("read") } else { base?.read };
    let write = if class.maybe("write").is_some() { class.rate("write") } else { read };
    let iops = if class.maybe("iops").is_some() { class.count64("iops") } else { base.map_or(IOPS, |base| base.iops) };
    let burst = class.maybe("burst").map(cluster::burst).or_else(|| base.filter(|_| !own)?.burst);
    Some(ClaimSpec { size, read, write, iops, io_size: class.size("io_size"), shared: false, burst, class: class_facts(tree, class) })
}

fn class_facts(tree: View<'_>, class: View<'_>) -> ClassFacts {
    let reach = storage::reach(&class.text("reach"));
    let usual = if reach == Reach::Region { "ReadWriteMany" } else { "ReadWriteOnce" };
    let access = if class.maybe("access").is_some() { class.text("access") } else { usual.to_owned() };
    let allowed: Vec<String> = class.items("zones").filter_map(|zone| zone.0.scalar()).collect();
    let known = zones(&cluster::pools(tree));
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

/// Tells classes that do not say how fast they are.
fn check_classes(tree: View<'_>, problems: &mut Diagnostics) {
    for class in tree.items("storage_class") {
        let (name, kind) = (class.text("name"), class.text("type"));
        let hint = "add type = \"gp3\" or type = \"Azure Premium SSD\", or describe it: read = \"200MB/s\", iops = 5000";
        if let Some(written) = class.maybe("type").filter(|_| storage::volume(&kind, &kind, Bytes::gib(1)).is_none()) {
            let message = format!("the catalog has no disk type and no family of tiers {kind:?}");
            let problem = written.0.mark(Diagnostic::error("unknown-disk", message)).found(kind);
            problems.push(problem.expected("a type such as gp2 or P20, or a family such as \"Azure Premium SSD\"").hint(hint));
        } else if kind.is_empty() && class.maybe("read").is_none() {
            let message = format!("storage class {name:?} does not say how fast its volumes are");
            problems.push(class.0.mark(Diagnostic::error("missing-key", message)).expected("type, or read").hint(hint));
        }
    }
}
