//! Row thresholds of SQL operators, from checked keys (2.8).
//!
//! They decide how many rows and keys are Java objects before an operator uses execution memory. From Spark 4.1 the sorters behind the
//! lists also have a size with which they spill; where it is not set it is that of all sorters. Source: Spark's `SQLConf`.

use sim_core::spec::{RowBuffer, SqlConf};

use super::Conf;

/// The thresholds.
pub(super) fn sql(conf: &Conf) -> SqlConf {
    let usual = SqlConf::default();
    SqlConf {
        object_hash_keys: conf.count("spark.sql.objectHashAggregate.sortBased.fallbackThreshold").map_or(usual.object_hash_keys, u64::from),
        window: buffer(conf, "windowExec", usual.window),
        sort_merge_join: buffer(conf, "sortMergeJoinExec", usual.sort_merge_join),
        cartesian_product: buffer(conf, "cartesianProductExec", usual.cartesian_product),
    }
}

fn buffer(conf: &Conf, operator: &str, usual: RowBuffer) -> RowBuffer {
    let key = |rest: &str| format!("spark.sql.{operator}.buffer.{rest}");
    RowBuffer {
        in_memory_rows: conf.count(&key("in.memory.threshold")).map_or(usual.in_memory_rows, u64::from),
        spill_rows: conf.count(&key("spill.threshold")).map_or(usual.spill_rows, u64::from),
        spill_bytes: conf.size(&key("spill.size.threshold")).or_else(|| conf.size("spark.shuffle.spill.maxSizeInBytesForSpillThreshold")),
    }
}
