//! Storage classes: what the volume of a claim does, by its class and size.
//!
//! The file holds the classes that managed Kubernetes clusters come with and, for each, the managed disk ([`super::disks`]) that its volumes
//! are; a scenario adds its own (`[[cluster.storage_class]]`). A class that nobody knows gets the figures of gp3, and the user is told.
//! Source: the file.

use std::sync::LazyLock;

use sim_core::spec::{AccessMode, ClaimSpec, ClassFacts, Reach};
use sim_core::units::{ByteRate, Bytes};

use super::{IO_KIB, disks, parse, text};
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
    CLASSES.iter().find(called).and_then(|node| {
        let volume = volume(&text(node, "type"), &text(node, "tiers"), size)?;
        Some(ClaimSpec { class: facts(node), ..volume })
    })
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

/// A claim of a disk type or, without one, of a family of tiers.
pub(crate) fn volume(kind: &str, family: &str, size: Bytes) -> Option<ClaimSpec> {
    disks::find(kind).or_else(|| disks::tier(family, size)).map(|kind| kind.claim(size))
}

/// A claim of a class that is not known: as gp3.
pub(crate) fn unknown(size: Bytes) -> ClaimSpec {
    let rate = ByteRate::mb_per_sec(131);
    ClaimSpec { size, read: rate, write: rate, iops: 3000, io_size: Bytes::kib(IO_KIB), shared: false, burst: None, class: ClassFacts::FREE }
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

    /// The vendors' own examples: a P20 for 300 GiB, an E10 for 100, 3 operations a second and GiB of gp2, 140 + 0.28 MiB/s a GiB of
    /// pd-balanced.
    #[test]
    fn volumes_do_what_their_vendors_say() {
        let of = |class: &str, gib| claim(class, Bytes::gib(gib)).map(|claim| (claim.iops, claim.read.get() / 1_000_000));
        assert_eq!(of("managed-premium", 300), Some((2300, 150)));
        assert_eq!(of("default", 100), Some((500, 100)));
        assert_eq!(of("gp3", 100), Some((3000, 131)));
        assert_eq!(of("gp2", 1000), Some((3000, 262)));
        assert_eq!(of("standard-rwo", 100), Some((3600, 176)));
        assert_eq!(of("managed-csi-premium", 40_000), Some((20_000, 900)));
        assert_eq!(of("fast", 100), None);
        assert_eq!(["aks", "eks", "gke"].map(|platform| default_class(platform).expect("one")), ["managed-csi", "gp2", "standard-rwo"]);
        assert_eq!(default_class("kubernetes"), None);
    }

    /// A claim has the bucket of a disk of its type: half an hour of a P20's burst, none of a P30; it holds what was asked for.
    #[test]
    fn claims_burst_like_disks() {
        let of = |class: &str, gib| claim(class, Bytes::gib(gib)).expect(class);
        let p20 = of("managed-csi-premium", 300);
        let burst = p20.burst.expect("a P20 bursts");
        assert_eq!((p20.size, burst.rate, burst.credit), (Bytes::gib(300), ByteRate::mb_per_sec(170), Bytes::new(20_000_000 * 1800)));
        assert_eq!((of("managed-csi-premium", 600).burst, of("gp3", 600).burst, of("gp2", 1000).burst), (None, None, None));
        assert_eq!(of("gp2", 100).burst.map(|burst| burst.iops), Some(3000));
    }

    #[test]
    fn every_class_has_its_disk() {
        for class in CLASSES.iter() {
            assert!(volume(&text(class, "type"), &text(class, "tiers"), Bytes::gib(1)).is_some(), "{}", text(class, "name"));
        }
    }
}
