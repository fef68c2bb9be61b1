//! `[cluster.yarn]`: how YARN rounds and watches containers.

use super::{Field, Kind, Shape};

pub(super) static YARN: Shape = Shape {
    name: "[cluster.yarn]",
    fields: &[
        Field::default("minimum_allocation", Kind::Size, "\"1GiB\"", "Containers are rounded up to multiples of it.", "YRN-1"),
        Field::default(
            "node_memory_share",
            Kind::Number(0.01, 1.0),
            "0.8",
            "yarn.nodemanager.resource.memory-mb as a share of MemTotal.",
            "usual practice, 1.8",
        ),
        Field::default("monitor_interval", Kind::Time, "\"3s\"", "Period of the memory monitor.", "YRN-2"),
        Field::default("pmem_check", Kind::Bool, "true", "Whether physical memory is checked.", "YRN-3"),
        Field::default("vmem_check", Kind::Bool, "true", "Whether virtual memory is checked.", "YRN-3"),
        Field::default("vmem_ratio", Kind::Number(1.0, 100.0), "2.1", "Virtual memory allowed per physical memory.", "YRN-3"),
    ],
};
