//! The keys of the catalog's files; the tests walk every file with it, so that reading may trust them.

use crate::schema::{Field, Kind, Shape};

const N: Kind = Kind::Integer(1, 1_000_000_000);

pub(super) static FILE: Shape = Shape {
    name: "a catalog of VM shapes",
    fields: &[
        Field::required("source", Kind::Text, "Where the figures come from."),
        Field::required("date", Kind::Text, "When they were read."),
        Field::required("shape", Kind::List(&Kind::Table(&SHAPE)), "Shapes."),
    ],
};
static SHAPE: Shape = Shape {
    name: "[[shape]]",
    fields: &[
        Field::required("name", Kind::Text, "Name."),
        Field::required("vcpu", N, "CPUs."),
        Field::required("memory_gib", N, "Nominal memory, GiB."),
        Field::required("nic_mbit", N, "Line rate, 10^6 bit/s."),
        Field::optional("remote_mb", N, "Cap of all remote disks, 10^6 B/s."),
        Field::optional("ephemeral_os", Kind::Bool, "Whether the OS disk is on the temp disk."),
        Field::optional("temp", Kind::Table(&DISK), "Local temp disk."),
        Field::optional("disks", Kind::List(&Kind::Table(&DISK)), "Other disks."),
    ],
};
static DISK: Shape = Shape {
    name: "a disk",
    fields: &[
        Field::optional("name", Kind::Text, "Name."),
        Field::required("gib", N, "Size, GiB."),
        Field::optional("used_gib", N, "Used by images and logs, GiB."),
        Field::required("iops", N, "Operations per second."),
        Field::required("read_mb", N, "Read, 10^6 B/s."),
        Field::required("write_mb", N, "Write, 10^6 B/s."),
        Field::optional("io_kib", N, "Size of one I/O, KiB."),
    ],
};
pub(super) static TIERS: Shape = Shape {
    name: "the OS disks by vCPU",
    fields: &[
        Field::required("source", Kind::Text, "Where the figures come from."),
        Field::required("date", Kind::Text, "When they were read."),
        Field::required("tier", Kind::List(&Kind::Table(&TIER)), "Tiers."),
    ],
};
static TIER: Shape = Shape {
    name: "[[tier]]",
    fields: &[
        Field::required("name", Kind::Text, "Name."),
        Field::required("from_vcpu", N, "Smallest number of CPUs."),
        Field::required("gib", N, "Size, GiB."),
        Field::required("iops", N, "Operations per second."),
        Field::required("mb", N, "Read and write, 10^6 B/s."),
    ],
};
pub(super) static CLASSES: Shape = Shape {
    name: "storage classes",
    fields: &[
        Field::required("source", Kind::Text, "Where the figures come from."),
        Field::required("date", Kind::Text, "When they were read."),
        Field::required("class", Kind::List(&Kind::Table(&CLASS)), "Classes."),
    ],
};
static CLASS: Shape = Shape {
    name: "[[class]]",
    fields: &[
        Field::required("name", Kind::Text, "Name."),
        Field::optional("also", Kind::List(&Kind::Text), "Other names."),
        Field::optional("default_of", Kind::Text, "Provider whose default it is."),
        Field::optional("tier", Kind::List(&Kind::Table(&CLASS_TIER)), "Figures by size."),
        Field::optional("line", Kind::Table(&CLASS_LINE), "Figures that grow with the size."),
    ],
};
static CLASS_TIER: Shape = Shape {
    name: "a tier",
    fields: &[
        Field::required("gib", N, "Largest size, GiB."),
        Field::required("iops", N, "Operations per second."),
        Field::required("mb", N, "Read and write, 10^6 B/s."),
    ],
};
const PART: Kind = Kind::Integer(0, 1_000_000_000);
static CLASS_LINE: Shape = Shape {
    name: "a line",
    fields: &[
        Field::required("iops", N, "Operations per second of the smallest."),
        Field::required("iops_per_gib", PART, "Thousandths more by GiB."),
        Field::required("max_iops", N, "At most."),
        Field::required("mb", N, "Read and write of the smallest, 10^6 B/s."),
        Field::required("mb_per_gib", PART, "Thousandths more by GiB."),
        Field::required("max_mb", N, "At most."),
    ],
};
