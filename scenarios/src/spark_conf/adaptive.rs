//! Adaptive execution's settings, from checked keys (2.8).
//!
//! It is on by default since Spark 3.2 and works on SQL stages only. How many tasks coalescing leaves at least is
//! `minPartitionNum`, which Spark still reads, or, with `parallelismFirst`, `spark.default.parallelism`, else one for each core of
//! the application. Assumption: all executors asked for are there when a stage is planned. Source: Spark's `SQLConf`, `CoalesceShufflePartitions`.

use sim_core::spec::{AdaptiveConf, CoalesceConf, SkewJoinConf};
use sim_core::units::Bytes;

use super::Conf;
use crate::profile::{AdaptiveJoins, threshold};

/// The settings, when adaptive execution is on; `cores` are those of all executors.
pub(super) fn adaptive(conf: &Conf, cores: u32) -> Option<AdaptiveConf> {
    if !is_on(conf) {
        return None;
    }
    let size = |key: &str| conf.size(&format!("spark.sql.adaptive.{key}")).unwrap_or_default();
    Some(AdaptiveConf {
        advisory: size("advisoryPartitionSizeInBytes").max(Bytes::new(1)),
        coalesce: conf
            .on("spark.sql.adaptive.coalescePartitions.enabled")
            .then(|| CoalesceConf { smallest: size("coalescePartitions.minPartitionSize"), least_tasks: least_tasks(conf, cores) }),
        skew_join: conf.on("spark.sql.adaptive.skewJoin.enabled").then(|| SkewJoinConf {
            factor: conf.number("spark.sql.adaptive.skewJoin.skewedPartitionFactor").unwrap_or(5.0),
            threshold: size("skewJoin.skewedPartitionThresholdInBytes"),
        }),
        accurate_block: conf.size("spark.shuffle.accurateBlockThreshold").unwrap_or_default(),
    })
}

/// Whether it is on: by default from 3.2 (SPARK-33679), which is older than the releases that the catalogue has.
fn is_on(conf: &Conf) -> bool {
    let default = (conf.version.major, conf.version.minor) >= (3, 2);
    conf.on("spark.sql.adaptive.enabled") && (default || conf.written("spark.sql.adaptive.enabled").is_some())
}

fn least_tasks(conf: &Conf, cores: u32) -> u32 {
    let all = || conf.count("spark.default.parallelism").unwrap_or(cores.max(2));
    conf.count("spark.sql.adaptive.coalescePartitions.minPartitionNum")
        .unwrap_or_else(|| if conf.on("spark.sql.adaptive.coalescePartitions.parallelismFirst") { all() } else { 1 })
}

/// How it may change joins, if it is on and broadcasts are.
pub(crate) fn joins(conf: &Conf) -> Option<AdaptiveJoins> {
    let broadcast_below = threshold(|key| conf.text(key)).filter(|_| is_on(conf))?;
    Some(AdaptiveJoins { broadcast_below, local_reads: conf.on("spark.sql.adaptive.localShuffleReader.enabled") })
}

/// Shuffle partitions of SQL as written: those before coalescing, if they have a key of their own.
pub(crate) fn shuffle_partitions(conf: &Conf) -> Option<u32> {
    let coalesces = is_on(conf) && conf.on("spark.sql.adaptive.coalescePartitions.enabled");
    let initial = conf.count("spark.sql.adaptive.coalescePartitions.initialPartitionNum").filter(|_| coalesces);
    initial.or_else(|| conf.written("spark.sql.shuffle.partitions").and_then(|_| conf.count("spark.sql.shuffle.partitions")))
}
