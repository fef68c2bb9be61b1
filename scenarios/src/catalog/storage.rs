//! Storage classes: what the volume of a claim does, by its class and size.
//!
//! The file holds the classes that managed Kubernetes clusters come with; a scenario adds its own (`[[cluster.storage_class]]`). A
//! class that nobody knows gets the figures of gp3, and the user is told. Source: the file.

use std::sync::LazyLock;

use sim_core::spec::{AccessMode, ClaimSpec, ClassFacts, Reach};
use sim_core::units::{ByteRate, Bytes};

use super::{IO_KIB, integer, parse, text};
use crate::raw::Node;

pub(super) const FILE: (&str, &str) = ("catalog/storage-classes.toml", include_str!("../../catalog/storage-classes.toml"));

static CLASSES: LazyLock<Vec<Node>> = LazyLock::new(|| parse(FILE.0, FILE.1).get("class").map_or(&[][..], Node::items).to_vec());

/// The class that claims without one get from a provider, by the platform's name in a scenario.
pub(crate) fn default_class(platform: &str) -> Option<String> {
    CLASSES.iter().find(|class| text(class, "default_of") == platform).map(|class| text(class, "name"))
}

/// An executor's own claim of a class and a size; `None` when the class is not known.
pub(crate) fn claim(class: &str, size: Bytes) -> Option<ClaimSpec> {
    let called = |node: &&Node| text(node, "name") == class || node.get("also").map_or(&[][..], Node::items).iter().any(|also| also.text() == Some(class));
    CLASSES.iter().find(called).map(|node| ClaimSpec { class: facts(node), ..with_figures(size, figures(node, size)) })
}

fn facts(class: &Node) -> ClassFacts {
    ClassFacts {
        reach: reach(&text(class, "reach")),
        immediate: text(class, "binding") == "Immediate",
        access: access(&text(class, "access")),
        expands: class.get("expands").is_none_or(|node| node.scalar().as_deref() != Some("false")),
        ..ClassFacts::FREE
    }
}

/// Where a volume can be used, by its name in a file; `region` unless it is another.
pub(crate) fn reach(name: &str) -> Reach {
    match name {
        "zone" => Reach::Zone,
        "node" => Reach::Node,
        _ => Reach::Region,
    }
}

/// An access mode by its name; `ReadWriteMany` unless it is another.
pub(crate) fn access(name: &str) -> AccessMode {
    match name {
        "ReadWriteOncePod" => AccessMode::ReadWriteOncePod,
        "ReadWriteOnce" => AccessMode::ReadWriteOnce,
        _ => AccessMode::ReadWriteMany,
    }
}

/// A claim of a class that is not known: as gp3.
pub(crate) fn unknown(size: Bytes) -> ClaimSpec {
    with_figures(size, (3000, 131))
}

fn with_figures(size: Bytes, (iops, mb): (u64, u64)) -> ClaimSpec {
    let rate = ByteRate::mb_per_sec(mb);
    ClaimSpec { size, read: rate, write: rate, iops, io_size: Bytes::kib(IO_KIB), shared: false, class: ClassFacts::FREE }
}

/// I/O operations and 10^6 bytes a second of a volume.
fn figures(class: &Node, size: Bytes) -> (u64, u64) {
    let gib = size.get().div_ceil(1 << 30);
    if let Some(line) = class.get("line") {
        let of = |base: &str, part: &str, most: &str| (integer(line, base) + gib * integer(line, part) / 1000).min(integer(line, most));
        return (of("iops", "iops_per_gib", "max_iops"), of("mb", "mb_per_gib", "max_mb"));
    }
    let tiers = class.get("tier").map_or(&[][..], Node::items);
    let tier = tiers.iter().find(|tier| integer(tier, "gib") >= gib).or(tiers.last());
    tier.map_or((1, 1), |tier| (integer(tier, "iops"), integer(tier, "mb")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `kubectl get storageclass` prints them on new clusters, and the disks behind them.
    #[test]
    fn classes_know_where_their_volumes_can_be_used() {
        let of = |class: &str| claim(class, Bytes::gib(100)).map(|claim| claim.class).map(|class| (class.reach, class.immediate, class.access, class.expands));
        let once = AccessMode::ReadWriteOnce;
        assert_eq!(of("managed-csi-premium"), Some((Reach::Region, false, once, true)));
        assert_eq!(of("gp2"), Some((Reach::Zone, false, once, false)));
        assert_eq!(of("standard"), Some((Reach::Zone, true, once, true)));
        assert_eq!(of("standard-rwo"), Some((Reach::Zone, false, once, true)));
        assert_eq!(unknown(Bytes::gib(1)).class, ClassFacts::FREE);
    }

    /// The vendors' own examples: a P20 for 300 GiB, 100 GiB of gp2 and of pd-balanced.
    #[test]
    fn volumes_do_what_their_vendors_say() {
        let of = |class: &str, gib| claim(class, Bytes::gib(gib)).map(|claim| (claim.iops, claim.read.get() / 1_000_000));
        assert_eq!(of("managed-premium", 300), Some((2300, 150)));
        assert_eq!(of("default", 100), Some((500, 100)));
        assert_eq!(of("gp3", 100), Some((3000, 131)));
        assert_eq!(of("gp2", 1000), Some((3100, 250)));
        assert_eq!(of("standard-rwo", 100), Some((3600, 168)));
        assert_eq!(of("managed-csi-premium", 40_000), Some((20_000, 900)));
        assert_eq!(of("fast", 100), None);
        assert_eq!(["aks", "eks", "gke"].map(|platform| default_class(platform).expect("one")), ["managed-csi", "gp2", "standard-rwo"]);
        assert_eq!(default_class("kubernetes"), None);
    }
}
