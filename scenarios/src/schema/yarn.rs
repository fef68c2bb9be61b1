//! `[cluster.yarn]`: how YARN sizes, places and watches containers.

use super::{Field, Kind, Shape};

pub(super) static YARN: Shape = Shape {
    name: "[cluster.yarn]",
    fields: &[
        Field::default("minimum_allocation", Kind::Size, "\"1GiB\"", "yarn.scheduler.minimum-allocation-mb: no container is smaller.", "YRN-1"),
        Field::optional(
            "increment_allocation",
            Kind::Size,
            "What containers are rounded up to multiples of, where that is not the minimum: memory-mb.increment-allocation of the Fair scheduler.",
        ),
        Field::optional("maximum_allocation", Kind::Size, "yarn.scheduler.maximum-allocation-mb; without it what the largest node offers."),
        Field::default(
            "resource_calculator",
            Kind::Choice(&["default", "dominant"]),
            "\"default\"",
            "Whether containers must fit by memory alone, or by vcores too, as with the DominantResourceCalculator and the Fair scheduler.",
            "Hadoop 3.4",
        ),
        Field::optional("node_vcores", Kind::Integer(1, 4096), "yarn.nodemanager.resource.cpu-vcores; without it the node's cores."),
        Field::default(
            "node_memory_share",
            Kind::Number(0.01, 1.0),
            "0.8",
            "yarn.nodemanager.resource.memory-mb as a share of MemTotal.",
            "usual practice, 1.8",
        ),
        Field::default(
            "memory_control",
            Kind::Choice(&["monitor", "cgroup"]),
            "\"monitor\"",
            "Who kills containers over their size: the NodeManager's monitor, or the kernel (memory.enabled, the strict cgroup mode).",
            "YRN-6",
        ),
        Field::default("monitor_interval", Kind::Time, "\"3s\"", "Period of the memory monitor.", "YRN-2"),
        Field::default("pmem_check", Kind::Bool, "true", "Whether the monitor checks physical memory.", "YRN-3"),
        Field::default("vmem_check", Kind::Bool, "true", "Whether the monitor checks virtual memory.", "YRN-3"),
        Field::default("vmem_ratio", Kind::Number(1.0, 100.0), "2.1", "Virtual memory allowed per physical memory.", "YRN-3"),
        Field::default(
            "disk_max_utilization",
            Kind::Number(1.0, 100.0),
            "90",
            "Percent of a disk in use above which it is bad; a node with less than a quarter of its disks good loses its containers.",
            "YRN-7",
        ),
        Field::default("disk_check_interval", Kind::Time, "\"2min\"", "Period of the disk checker.", "YRN-7"),
    ],
};
