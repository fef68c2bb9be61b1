//! `[remote_shuffle]`: the workers of a remote shuffle service, outside the executors' nodes.

use super::{Field, Kind, Shape};

pub(crate) static REMOTE_SHUFFLE: Shape = Shape {
    name: "[remote_shuffle]",
    fields: &[
        Field::default("workers", Kind::Integer(1, 100_000), "3", "Workers (Celeborn) or shuffle servers (Uniffle).", "smallest set-up with replicas"),
        Field::default(
            "nic",
            Kind::Rate,
            "\"1GB/s\"",
            "What one worker's NIC has for this application, each way.",
            "8.1; 1 Gbit/s a core on 8 cores, Celeborn's cluster planning",
        ),
        Field::default("disk", Kind::Rate, "\"500MB/s\"", "What one worker's disks have for this application, together.", "one SATA SSD, 8.1"),
        Field::default("disk_size", Kind::Size, "\"1TB\"", "Room on one worker's disks for this application, bytes.", "a guess to replace"),
        Field::default(
            "memory",
            Kind::Size,
            "\"4GiB\"",
            "Memory of one worker for data on its way to disk: direct memory (Celeborn), buffer capacity over its ratio (Uniffle).",
            "CELEBORN_WORKER_OFFHEAP_MEMORY of Celeborn's deployment guide",
        ),
        Field::computed(
            "pause_at",
            Kind::Number(0.01, 1.0),
            "0.85 for Celeborn, 0.7 for Uniffle",
            "Share of that memory at which a worker takes no more data.",
            "celeborn.worker.directMemoryRatioToPauseReceive, rss.server.buffer.capacity.ratio",
        ),
        Field::default(
            "page_cache",
            Kind::Size,
            "\"8GiB\"",
            "Memory of one worker that keeps files for their readers, bytes.",
            "what 20 GB for 8 cores leave, Celeborn's cluster planning",
        ),
        Field::default(
            "patched_spark",
            Kind::Bool,
            "false",
            "Whether a Spark before 3.5 has the service's patch for dynamic allocation, which also keeps it from running map tasks again.",
            "Celeborn's and Uniffle's read-me",
        ),
    ],
};
