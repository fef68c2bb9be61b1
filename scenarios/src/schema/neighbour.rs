//! `[[cluster.neighbour]]`: who else is on the nodes, what it asks for, and what it really uses of memory, CPU, disk and network.

use super::{Field, Kind, Measure, Shape};

const COUNT: Kind = Kind::Integer(0, 100_000);

pub(super) static NEIGHBOUR: Shape = Shape {
    name: "[[cluster.neighbour]]",
    fields: &[
        Field::required("name", Kind::Text, "Name."),
        Field::optional("replicas", COUNT, "How many, placed by the scheduler; without it one runs on every node, like a DaemonSet."),
        Field::optional("nodes", Kind::List(&Kind::Text), "Names of the nodes where it runs, once each time; instead of `replicas`."),
        Field::default("cpu_request", Kind::Cpu, "0", "CPU request, cores.", ""),
        Field::optional("cpu_limit", Kind::Cpu, "CPU limit, cores."),
        Field::default("memory_request", Kind::Size, "0", "Memory request, bytes.", ""),
        Field::optional("memory_limit", Kind::Size, "Memory limit, bytes."),
        Field::default("ephemeral_request", Kind::Size, "0", "Ephemeral-storage request, bytes.", ""),
        Field::optional("ephemeral_limit", Kind::Size, "Ephemeral-storage limit, bytes."),
        Field::required("anon", Kind::Dist(Measure::Bytes), "Anonymous memory that it really uses, bytes."),
        Field::default("shmem", Kind::Dist(Measure::Bytes), "0", "Memory-backed files that it keeps, bytes.", ""),
        Field::default("processes", Kind::Integer(1, 10_000), "1", "Processes that share the anonymous memory.", ""),
        Field::default("cpu_use", Kind::Cpu, "0", "Steady CPU use, cores.", ""),
        Field::default(
            "ephemeral_use",
            Kind::Dist(Measure::Bytes),
            "0",
            "Ephemeral storage that it really holds: logs, writable layers, disk emptyDir; bytes.",
            "",
        ),
        Field::optional("disk_read", Kind::Rate, "What it steadily reads from the kubelet's disk."),
        Field::optional("disk_write", Kind::Rate, "What it steadily writes to it."),
        Field::optional("disk_iops", Kind::Integer(1, 100_000_000), "Operations per second that this takes; those of the disk's io_size unless written."),
        Field::optional("nic_in", Kind::Rate, "What it steadily receives over the NIC."),
        Field::optional("nic_out", Kind::Rate, "What it steadily sends over the NIC."),
        Field::default("priority", Kind::Priority, "0", "Pod priority; system-node-critical is never evicted.", "QO-1"),
        Field::default("labels", Kind::Map, "{}", "Pod labels.", ""),
        Field::default("namespace", Kind::Text, "\"default\"", "Namespace.", ""),
        Field::optional("arrives", Kind::Time, "When it comes, from the submission of the application; without it it is there from the start."),
        Field::default("restarts", Kind::Bool, "true", "Whether its containers restart after a kill.", "restartPolicy of DaemonSets and Deployments"),
    ],
};
