//! Adaptive execution: the settings by which Spark SQL plans a stage anew when its inputs are written (2.8, 3.1).

use crate::units::Bytes;

/// `spark.sql.adaptive.*`, when it is on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdaptiveConf {
    /// `spark.sql.adaptive.advisoryPartitionSizeInBytes`: bytes of shuffle that a task should read.
    pub advisory: Bytes,
    /// `spark.sql.adaptive.coalescePartitions.enabled`, with its settings.
    pub coalesce: Option<CoalesceConf>,
    /// `spark.sql.adaptive.skewJoin.enabled`, with its settings.
    pub skew_join: Option<SkewJoinConf>,
    /// `spark.shuffle.accurateBlockThreshold`: larger blocks have their own size in the map status of a shuffle of many partitions.
    pub accurate_block: Bytes,
}

/// `spark.sql.adaptive.coalescePartitions.*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoalesceConf {
    /// `minPartitionSize`: bytes that a task reads at least.
    pub smallest: Bytes,
    /// Tasks that a stage should keep: `minPartitionNum`, else `spark.default.parallelism`, else all slots (`parallelismFirst`), else 1.
    pub least_tasks: u32,
}

/// `spark.sql.adaptive.skewJoin.*`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SkewJoinConf {
    /// `skewedPartitionFactor`: medians above which a partition is skewed.
    pub factor: f64,
    /// `skewedPartitionThresholdInBytes`: and it is larger than this.
    pub threshold: Bytes,
}

/// What adaptive execution may do with a stage that reads shuffles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdaptiveRead {
    /// Small partitions are taken together.
    Coalesced,
    /// It joins its shuffles by sorting them: large partitions are split, too.
    Join,
    /// Its other side was broadcast: tasks read what maps of their node wrote, in even parts.
    Local,
}
