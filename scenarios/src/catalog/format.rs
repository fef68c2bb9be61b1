//! The keys of the catalog's files; the tests walk every file with it, so that reading may trust them.

use crate::schema::{Field, Kind, Shape};

const N: Kind = Kind::Integer(1, 1_000_000_000);
const RATIO: Kind = Kind::Number(0.0, 1_000_000.0);
const SOURCE: Field = Field::required("source", Kind::Text, "Where the figures come from.");
const DATE: Field = Field::required("date", Kind::Text, "When they were read.");

/// Machine shapes.
pub(super) static FILE: Shape = Shape {
    name: "a catalog of VM shapes",
    fields: &[
        Field::required("provider", Kind::Choice(&["aks", "eks", "gke", "rack"]), "Whose they are."),
        Field::optional("os_disk", Kind::Table(&OS_DISK), "The nodes' first disk."),
        Field::required("series", Kind::List(&Kind::Table(&SERIES)), "Series of shapes."),
    ],
};
static OS_DISK: Shape = Shape {
    name: "os_disk",
    fields: &[
        Field::required("type", Kind::Text, "Type of managed disk."),
        Field::required("gib", N, "Size, GiB."),
        Field::required("used_gib", N, "Used by images and logs, GiB."),
    ],
};
static SERIES: Shape = Shape {
    name: "[[series]]",
    fields: &[Field::required("name", Kind::Text, "Name."), SOURCE, DATE, Field::required("shape", Kind::List(&Kind::Table(&SHAPE)), "Shapes.")],
};
static SHAPE: Shape = Shape {
    name: "a shape",
    fields: &[
        Field::required("name", Kind::Text, "Name."),
        Field::required("vcpu", N, "CPUs."),
        Field::required("memory_gib", N, "Nominal memory, GiB."),
        Field::required("nic_mbit", N, "Line rate, 10^6 bit/s."),
        Field::optional("max_pods", N, "Largest number of pods that the provider's network plugin has addresses for."),
        Field::optional("remote", Kind::Table(&REMOTE), "Caps of all remote disks."),
        Field::optional("ephemeral_os", Kind::Bool, "Whether the OS disk is on the temp disk."),
        Field::optional("temp", Kind::Table(&DISK), "Local temp disk."),
        Field::optional("disks", Kind::List(&Kind::Table(&DISK)), "Other local disks."),
    ],
};
static REMOTE: Shape = Shape {
    name: "remote",
    fields: &[
        Field::required("iops", N, "Operations per second."),
        Field::required("mb", N, "10^6 B/s."),
        Field::optional("burst_iops", N, "Operations per second with credit."),
        Field::optional("burst_mb", N, "10^6 B/s with credit."),
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

/// Managed disks.
pub(super) static DISKS: Shape = Shape { name: "managed disks", fields: &[Field::required("family", Kind::List(&Kind::Table(&FAMILY)), "Families.")] };
static FAMILY: Shape = Shape {
    name: "[[family]]",
    fields: &[
        Field::required("name", Kind::Text, "Name."),
        SOURCE,
        DATE,
        Field::optional("tier", Kind::List(&Kind::Table(&TIER)), "Disks of one size."),
        Field::optional("sized", Kind::List(&Kind::Table(&SIZED)), "Disks that follow their size."),
    ],
};
static TIER: Shape = Shape {
    name: "a tier",
    fields: &[
        Field::required("name", Kind::Text, "Name."),
        Field::required("gib", N, "Size, GiB."),
        Field::required("iops", N, "Operations per second."),
        Field::required("mb", N, "10^6 B/s."),
        Field::optional("burst_iops", N, "Operations per second with credit."),
        Field::optional("burst_mb", N, "10^6 B/s with credit."),
    ],
};
static SIZED: Shape = Shape {
    name: "a disk that follows its size",
    fields: &[
        Field::required("name", Kind::Text, "Name."),
        Field::optional("iops", N, "Operations per second of any size."),
        Field::optional("iops_per_gib", RATIO, "Operations per second and GiB."),
        Field::optional("iops_min", N, "Fewest."),
        Field::optional("iops_max", N, "Most."),
        Field::optional("mb", N, "10^6 B/s of any size."),
        Field::optional("mib", N, "2^20 B/s of any size."),
        Field::optional("mib_per_gib", RATIO, "2^20 B/s and GiB."),
        Field::optional("mib_max", N, "Most, 2^20 B/s."),
        Field::optional("small_gib", N, "Up to this size"),
        Field::optional("small_mib", N, "this is the most, 2^20 B/s."),
        Field::optional("burst_iops", N, "Operations per second with credit."),
        Field::optional("io_credit", N, "A full bucket, operations."),
    ],
};

/// OS disks by vCPU.
pub(super) static OS_DISKS: Shape =
    Shape { name: "the OS disks by vCPU", fields: &[SOURCE, DATE, Field::required("os_disk", Kind::List(&Kind::Table(&BY_VCPU)), "Types.")] };
static BY_VCPU: Shape = Shape {
    name: "[[os_disk]]",
    fields: &[Field::required("from_vcpu", N, "Smallest number of CPUs."), Field::required("type", Kind::Text, "Type of managed disk.")],
};

/// Storage classes.
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
        Field::optional("reach", Kind::Choice(&["region", "zone", "node"]), "Where a volume can be used."),
        Field::optional("binding", Kind::Choice(&["Immediate", "WaitForFirstConsumer"]), "volumeBindingMode."),
        Field::optional("access", Kind::Choice(&["ReadWriteOncePod", "ReadWriteOnce", "ReadWriteMany"]), "The widest access mode of a claim."),
        Field::optional("expands", Kind::Bool, "allowVolumeExpansion."),
        Field::optional("tiers", Kind::Text, "Family of disks: the next larger tier."),
        Field::optional("type", Kind::Text, "Disk that follows its size."),
    ],
};
