//! Keys of SQL operators: what they hold on the heap, and when a join becomes a broadcast (2.8).

use super::keys::{COUNT, I32, key, since};
use super::{ConfDefault, ConfKey, ConfKind};
use crate::quantity::SparkUnit::B;
use ConfDefault::{Released, Unset};
use ConfKind::{Bool, Integer, Size, Threshold};

/// This part of the table.
pub(super) const KEYS: &[ConfKey] = &[
    key("spark.sql.objectHashAggregate.sortBased.fallbackThreshold", COUNT, Released, "Keys with which an object hash aggregate begins to sort.", "2.8"),
    key("spark.sql.windowExec.buffer.in.memory.threshold", Integer(0, I32), Released, "Rows of a window's partition that are a list on the heap.", "2.8"),
    key("spark.sql.windowExec.buffer.spill.threshold", COUNT, Released, "Rows with which the sorter behind it spills.", "2.8"),
    since(
        (4, 1),
        &key(
            "spark.sql.windowExec.buffer.spill.size.threshold",
            Size(B),
            Unset("spark.shuffle.spill.maxSizeInBytesForSpillThreshold"),
            "Bytes with which it does.",
            "2.8",
        ),
    ),
    key("spark.sql.sortMergeJoinExec.buffer.in.memory.threshold", Integer(0, I32), Released, "Rows of a merge join's key that are a list on the heap.", "2.8"),
    key("spark.sql.sortMergeJoinExec.buffer.spill.threshold", COUNT, Released, "Rows with which the sorter behind it spills.", "2.8"),
    since(
        (4, 1),
        &key(
            "spark.sql.sortMergeJoinExec.buffer.spill.size.threshold",
            Size(B),
            Unset("spark.shuffle.spill.maxSizeInBytesForSpillThreshold"),
            "Bytes with which it does.",
            "2.8",
        ),
    ),
    key(
        "spark.sql.cartesianProductExec.buffer.in.memory.threshold",
        Integer(0, I32),
        Released,
        "Rows of a cartesian product's side that are a list on the heap.",
        "2.8",
    ),
    key("spark.sql.cartesianProductExec.buffer.spill.threshold", COUNT, Released, "Rows with which the sorter behind it spills.", "2.8"),
    since(
        (4, 1),
        &key(
            "spark.sql.cartesianProductExec.buffer.spill.size.threshold",
            Size(B),
            Unset("spark.shuffle.spill.maxSizeInBytesForSpillThreshold"),
            "Bytes with which it does.",
            "2.8",
        ),
    ),
    since(
        (3, 2),
        &key(
            "spark.sql.adaptive.autoBroadcastJoinThreshold",
            Threshold(B),
            Unset("spark.sql.autoBroadcastJoinThreshold"),
            "Plain size up to which a side of a join is broadcast once it is written; negative for never.",
            "2.8",
        ),
    ),
    key(
        "spark.sql.autoBroadcastJoinThreshold",
        Threshold(B),
        Released,
        "The same where the other key is not set; what a plan broadcasts the profile says.",
        "2.8",
    ),
    key("spark.sql.adaptive.localShuffleReader.enabled", Bool, Released, "Whether the other side is then read where its maps wrote it.", "2.8"),
];
