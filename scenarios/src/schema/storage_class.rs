//! `[[cluster.storage_class]]`: what the volumes of a storage class do.

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
    ],
};
