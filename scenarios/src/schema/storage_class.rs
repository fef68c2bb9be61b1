//! `[[cluster.storage_class]]`: what the volumes of a storage class do.

use super::{Field, Kind, Shape};

pub(super) static STORAGE_CLASS: Shape = Shape {
    name: "[[cluster.storage_class]]",
    fields: &[
        Field::required("name", Kind::Text, "Name that claims give as options.storageClass."),
        Field::required("read", Kind::Rate, "Sequential read bandwidth of a volume."),
        Field::optional("write", Kind::Rate, "Sequential write bandwidth of a volume; the read bandwidth unless written."),
        Field::default("iops", Kind::Integer(1, 100_000_000), "100000", "I/O operations per second of a volume.", "no ceiling beside the bandwidth"),
        Field::default("io_size", Kind::Size, "\"256KiB\"", "Size of one I/O of shuffle traffic; iops × io_size caps the bandwidth.", "as for disks"),
    ],
};
