//! Keys that say where shuffle data is, other than on the local disks of executors (3.7).

use super::keys::{COUNT, I32, key, since};
use super::{ConfDefault, ConfKey, ConfKind};
use crate::quantity::SparkUnit::B;
use ConfDefault::{Released, Unset};
use ConfKind::{Bool, Integer, Number, Size, Text, Time};

/// This part of the table.
pub(super) const KEYS: &[ConfKey] = &[
    key("spark.shuffle.manager", Text, Released, "Shuffle manager: sort, or the class of Celeborn or Uniffle.", "3.7"),
    key("spark.celeborn.client.push.buffer.initial.size", Size(B), Unset("8k"), "First size of a partition's push buffer.", "CE-CONF"),
    key("spark.celeborn.client.push.buffer.max.size", Size(B), Unset("64k"), "Largest size of a partition's push buffer, in the heap.", "CE-CONF"),
    key("spark.celeborn.client.push.queue.capacity", Integer(1, I32), Unset("512"), "Buffers of a task's push queue, in the heap.", "CE-CONF"),
    key("spark.celeborn.client.push.replicate.enabled", Bool, Unset("false"), "Whether workers make a second copy.", "CE-CONF"),
    key("spark.celeborn.client.fetch.maxReqsInFlight", COUNT, Unset("3"), "Chunks of 8 MiB that a reducer has in flight.", "CE-CONF"),
    key("spark.celeborn.client.shuffle.compression.codec", Text, Unset("lz4"), "Codec of data that is pushed: lz4, zstd or none.", "CE-CONF"),
    key("spark.celeborn.client.spark.shuffle.writer", Text, Unset("hash"), "Writer: hash or sort.", "CE-CONF"),
    key("spark.celeborn.client.spark.push.dynamicWriteMode.enabled", Bool, Unset("false"), "Whether the number of partitions decides the writer.", "CE-CONF"),
    key(
        "spark.celeborn.client.spark.push.dynamicWriteMode.partitionNum.threshold",
        COUNT,
        Unset("2000"),
        "Most partitions of the hash writer then.",
        "CE-CONF",
    ),
    key("spark.celeborn.client.spark.push.sort.memory.threshold", Size(B), Unset("64m"), "Memory of the sort writer before it pushes.", "CE-CONF"),
    key(
        "spark.celeborn.client.spark.shuffle.fallback.policy",
        Text,
        Unset("auto"),
        "Whether Spark's own shuffle is taken instead: auto, always or never.",
        "CE-CONF",
    ),
    key(
        "spark.celeborn.client.spark.shuffle.fallback.numPartitionsThreshold",
        COUNT,
        Unset("no limit"),
        "Most partitions of a shuffle that Celeborn takes.",
        "CE-CONF",
    ),
    key("spark.celeborn.client.spark.shuffle.forceFallback.enabled", Bool, Unset("false"), "Whether Spark's own shuffle is always taken instead.", "CE-CONF"),
    key("spark.rss.writer.buffer.spill.size", Size(B), Unset("128m"), "Rows that a task holds before it sends them.", "Uniffle"),
    key("spark.rss.writer.pre.allocated.buffer.size", Size(B), Unset("16m"), "Memory that its writer asks for at a time.", "Uniffle"),
    key("spark.rss.client.memory.spill.enabled", Bool, Unset("false"), "Whether it sends what it holds when it is refused memory.", "Uniffle"),
    key("spark.rss.client.read.buffer.size", Size(B), Unset("14m"), "Bytes that a reducer reads at a time.", "Uniffle"),
    key("spark.rss.client.io.compression.codec", Text, Unset("lz4"), "Codec of data that is sent: lz4, zstd, snappy or noop.", "Uniffle"),
    key("spark.rss.data.replica", Integer(1, 100), Unset("1"), "Servers that each block is sent to.", "Uniffle"),
    since((3, 2), &key("spark.shuffle.push.enabled", Bool, Released, "Whether map outputs are also pushed to shuffle services, which merge them.", "3.7")),
    since((3, 2), &key("spark.shuffle.push.maxBlockSizeToPush", Size(B), Released, "Largest block that is pushed.", "3.7")),
    since((3, 2), &key("spark.shuffle.push.mergersMinStaticThreshold", Integer(0, I32), Released, "Merging hosts that are enough in any case.", "Appendix B")),
    since(
        (3, 2),
        &key(
            "spark.shuffle.push.mergersMinThresholdRatio",
            Number(0.0, 1e9),
            Released,
            "Share of the merging hosts that are wanted which is enough.",
            "Appendix B",
        ),
    ),
    since((3, 2), &key("spark.shuffle.push.finalize.timeout", Time("s"), Released, "Longest wait for pushed blocks after the last map task.", "3.7")),
    since(
        (3, 3),
        &key("spark.shuffle.push.minShuffleSizeToWait", Size(B), Released, "Shuffle bytes below which merged files are not waited for, nor used.", "3.7"),
    ),
    since((3, 3), &key("spark.shuffle.push.minCompletedPushRatio", Number(0.0, 1.0), Released, "Share of the pushes with which the wait ends.", "3.7")),
    key(
        "spark.shuffle.push.server.mergedShuffleFileManagerImpl",
        Text,
        Unset("shuffle services are taken to merge"),
        "What shuffle services do with pushed blocks; the cluster's setting.",
        "3.7",
    ),
];
