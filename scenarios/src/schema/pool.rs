//! `[[cluster.pool]]`: machines of one kind, what is kept from pods, their disks.

use super::{Field, Kind, Measure, Shape};

const PERCENT: Kind = Kind::Integer(0, 100);
const COUNT: Kind = Kind::Integer(0, 100_000);

pub(super) static POOL: Shape = Shape {
    name: "[[cluster.pool]]",
    fields: &[
        Field::computed("name", Kind::Text, "pool-INDEX", "Name; nodes are NAME-INDEX.", ""),
        Field::optional("vm", Kind::Text, "VM shape from the catalog; it gives cpu, memory, disks and nic unless they are written here."),
        Field::default("count", COUNT, "1", "How many nodes.", ""),
        Field::optional("max", COUNT, "To how many nodes the cluster autoscaler may bring it, from count on; without it none."),
        Field::optional("min", COUNT, "Down to how many nodes the cluster autoscaler may bring it; without it to count."),
        Field::computed("cpu", Kind::Cpu, "the VM shape's", "CPU capacity, cores.", "5.11"),
        Field::computed(
            "nominal_memory",
            Kind::Size,
            "the VM shape's, else `memory`",
            "Memory that the machine is sold with; the provider's reservation is worked out from it.",
            "0.2",
        ),
        Field::computed("memory", Kind::Size, "98 % of the VM shape's nominal memory", "MemTotal: what the kernel and the kubelet see, bytes.", "0.2"),
        Field::computed("max_pods", Kind::Integer(1, 10_000), "by the network plugin, on EKS by the VM shape", "Largest number of pods of a node.", "5.10"),
        Field::optional("node_names", Kind::List(&Kind::Text), "Names of its nodes, in order; the others are NAME-INDEX."),
        Field::optional("allocatable", Kind::Table(&ALLOCATABLE), "What the nodes' status tells as allocatable; what is reserved follows from it."),
        Field::optional("ephemeral_storage", Kind::Size, "Size of the file system that carries the kubelet directory, bytes, where it is not the VM shape's."),
        Field::default("reserved", Kind::Table(&RESERVED), "{}", "What is kept from pods.", ""),
        Field::computed(
            "disk",
            Kind::List(&Kind::Table(&DISK)),
            "the VM shape's, and the provider's OS disk",
            "Disks; the first carries the kubelet directory, so disk emptyDir volumes.",
            "AK-1, AK-2, 5.11",
        ),
        Field::computed("nic", Kind::Rate, "80 % of the VM shape's line rate", "Effective NIC bandwidth each way.", "8.1"),
        Field::computed(
            "remote",
            Kind::Rate,
            "the VM shape's, where the catalog has one",
            "Cap on all remote disks of a node together, claims among them.",
            "5.11",
        ),
        Field::computed("remote_iops", Kind::Integer(1, 100_000_000), "the VM shape's", "The same in I/O operations per second, of 256 KiB each.", "5.11"),
        Field::computed("remote_burst", Kind::Table(&BURST), "the VM shape's", "What that cap is for a while, if the machine has credit.", "5.11"),
        Field::default(
            "system_memory",
            Kind::Dist(Measure::Bytes),
            "{ lognormal = { median = \"1.5GiB\", sigma = 0.1 } }",
            "Memory of the kernel, system services, kubelet and runtime outside kubepods, bytes.",
            "7.3",
        ),
        Field::default("labels", Kind::Map, "{}", "Node labels beside kubernetes.io/hostname.", ""),
        Field::default("taints", Kind::List(&Kind::Text), "[]", "Node taints, each \"key=value:Effect\" or \"key:Effect\".", ""),
        Field::default("zones", Kind::List(&Kind::Text), "[]", "Zones that the nodes are in by turns, as label topology.kubernetes.io/zone.", ""),
        Field::computed(
            "max_volumes",
            Kind::Integer(0, 10_000),
            "on AKS two a vCPU of the VM shape, at most 32; else no limit",
            "Most volumes that a node can have attached, on Azure the VM's data disks.",
            "learn.microsoft.com/azure/virtual-machines/sizes",
        ),
    ],
};

static ALLOCATABLE: Shape = Shape {
    name: "[cluster.pool.allocatable]",
    fields: &[Field::optional("memory", Kind::Size, "status.allocatable.memory, bytes."), Field::optional("cpu", Kind::Cpu, "status.allocatable.cpu, cores.")],
};

static RESERVED: Shape = Shape {
    name: "[cluster.pool.reserved]",
    fields: &[
        Field::computed("memory", Kind::Size, "the provider's formula", "kubeReserved + systemReserved memory, bytes.", "5.10"),
        Field::computed("cpu", Kind::Cpu, "the provider's formula", "kubeReserved + systemReserved CPU, cores.", "5.10"),
        Field::computed("eviction_memory", Kind::Size, "the provider's setting", "Hard eviction threshold for memory.available, bytes.", "5.10"),
        Field::computed("eviction_nodefs_percent", PERCENT, "10", "Hard eviction threshold for nodefs.available, percent.", "NE-6"),
    ],
};

static DISK: Shape = Shape {
    name: "[[cluster.pool.disk]]",
    fields: &[
        Field::required("name", Kind::Text, "Name, for reports."),
        Field::computed("mount", Kind::Text, "/mnt/NAME for disks after the first", "Directory of the node that this disk carries, for hostPath volumes.", ""),
        Field::optional("type", Kind::Text, "Managed disk type of the catalog, such as P20, gp2 or pd-ssd; it gives what is not written here."),
        Field::computed("size", Kind::Size, "the type's, if it has one size", "Capacity, bytes.", ""),
        Field::default("used", Kind::Size, "0", "Bytes already used by images and logs.", ""),
        Field::computed("read", Kind::Rate, "the type's", "Sequential read bandwidth.", ""),
        Field::computed("write", Kind::Rate, "the read bandwidth", "Sequential write bandwidth.", ""),
        Field::computed("iops", Kind::Integer(1, 100_000_000), "the type's, else 100000", "I/O operations per second.", "a SATA SSD or better, 8.1"),
        Field::default(
            "io_size",
            Kind::Size,
            "\"256KiB\"",
            "Size of one I/O of shuffle traffic; iops × io_size caps the bandwidth.",
            "unit in which cloud disks count I/O",
        ),
        Field::computed("remote", Kind::Bool, "true for a managed type", "Whether it is reached over the network, under the pool's `remote` cap.", "5.11"),
        Field::optional("burst", Kind::Table(&BURST), "What the disk does for a while beyond that, if it has credit; a type brings its own."),
    ],
};

pub(super) static BURST: Shape = Shape {
    name: "[cluster.pool.disk.burst]",
    fields: &[
        Field::required("rate", Kind::Rate, "Bandwidth while there is credit, reading and writing."),
        Field::default("iops", Kind::Integer(1, 100_000_000), "100000", "I/O operations per second while there is credit.", "as without credit"),
        Field::required("credit", Kind::Size, "A full bucket: bytes that can be moved beyond what the disk does anyway; it starts full."),
    ],
};
