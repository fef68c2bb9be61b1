//! `[[cluster.storage_class]]`: what the volumes of a storage class do, and where they can be used.

use super::pool::BURST;
use super::{Field, Kind, Shape};

pub(super) static STORAGE_CLASS: Shape = Shape {
    name: "[[cluster.storage_class]]",
    fields: &[
        Field::required("name", Kind::Text, "Name that claims give as options.storageClass."),
        Field::optional(
            "type",
            Kind::Text,
            "Managed disk type of the catalog that its volumes are, such as gp2 or P20, or a family of tiers, such as Azure Premium SSD.",
        ),
        Field::computed("read", Kind::Rate, "the type's", "Sequential read bandwidth of a volume.", ""),
        Field::computed("write", Kind::Rate, "the read bandwidth", "Sequential write bandwidth of a volume.", ""),
        Field::computed(
            "iops",
            Kind::Integer(1, 100_000_000),
            "the type's, else 100000",
            "I/O operations per second of a volume.",
            "no ceiling beside the bandwidth",
        ),
        Field::optional("burst", Kind::Table(&BURST), "What a volume does for a while beyond that, if it has credit; a type brings its own."),
        Field::default("io_size", Kind::Size, "\"256KiB\"", "Size of one I/O of shuffle traffic; iops × io_size caps the bandwidth.", "as for disks"),
        Field::default(
            "reach",
            Kind::Choice(&["region", "zone", "node"]),
            "\"region\"",
            "Where a volume can be used once it is made: on every node, in its zone (most disks), or on its node (local volumes).",
            "nothing is known against it",
        ),
        Field::default(
            "binding",
            Kind::Choice(&["Immediate", "WaitForFirstConsumer"]),
            "\"Immediate\"",
            "volumeBindingMode: whether a volume is made with its claim, anywhere, or where its pod goes.",
            "the default of the Kubernetes API",
        ),
        Field::computed(
            "access",
            Kind::Choice(&["ReadWriteOncePod", "ReadWriteOnce", "ReadWriteMany"]),
            "ReadWriteMany, for a reach of zone or node ReadWriteOnce",
            "Access mode of claims: who may use one at once, a pod, a node, or all.",
            "disks have one node, file shares many",
        ),
        Field::optional("zones", Kind::List(&Kind::Text), "allowedTopologies: the zones in which volumes may be made; all unless written."),
        Field::optional(
            "per_node",
            Kind::Integer(0, 1000),
            "Most volumes on one node: disks or partitions of a static provisioner, the room of a volume group by the size of a claim.",
        ),
        Field::default("expands", Kind::Bool, "true", "allowVolumeExpansion: whether ExecutorPVCResizePlugin can make a claim larger.", "of all but EKS' gp2"),
    ],
};
