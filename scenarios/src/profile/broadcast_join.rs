//! Sort-merge joins that adaptive execution turns into broadcast joins.
//!
//! When the shuffles of a join are written, Spark knows the plain size of each side's rows (`data size`), and one that is not above
//! `spark.sql.adaptive.autoBroadcastJoinThreshold` is collected by the driver and broadcast: nobody sorts, the other side is read where its
//! maps wrote it (`localShuffleReader`), evenly, whatever its keys. The shuffle of the small side is written all the same. Sizes are
//! the profile's at the simulated scale. A recorded run that had a side below its own threshold and sorted all the same had a reason
//! (an outer join, a hint, no join at all) and goes on sorting. Assumption: either side may be broadcast. Source: Spark's `LogicalQueryStageStrategy`, `JoinSelection`,
//! `OptimizeShuffleWithLocalRead`.

use sim_core::spec::{AdaptiveRead, Operators, StageSpec, TaskRow, TaskWork};
use sim_core::units::Bytes;

use super::app::{SERIALIZED_PREFIX, Scaling, times};
use super::rows::total;
use super::{Profile, Stage, Work, parse_spark_bytes};

/// `spark.sql.autoBroadcastJoinThreshold` when nobody sets it.
const DEFAULT_THRESHOLD: Bytes = Bytes::mib(10);
/// Bytes of a relation per byte of its rows (8.4: 1.5 to 3).
const RELATION: f64 = 2.0;

/// How adaptive execution may change a join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdaptiveJoins {
    /// Plain size up to which a side is broadcast.
    pub broadcast_below: Bytes,
    /// Whether the other side is then read by map on the spot.
    pub local_reads: bool,
}

/// The threshold of a configuration: that of adaptive execution, else of the planner; none if it is negative.
pub(crate) fn threshold(get: impl Fn(&str) -> Option<String>) -> Option<Bytes> {
    let keys = ["spark.sql.adaptive.autoBroadcastJoinThreshold", "spark.sql.autoBroadcastJoinThreshold"];
    match keys.into_iter().find_map(get) {
        Some(text) if text.trim().starts_with('-') => None,
        Some(text) => parse_spark_bytes(&text),
        None => Some(DEFAULT_THRESHOLD),
    }
}

impl Scaling<'_> {
    /// Makes a join of two shuffles a broadcast join if its smaller side is small enough.
    pub(super) fn broadcast_small_side(&self, stage: &Stage, spec: &mut StageSpec) {
        let (Some(joins), Some(AdaptiveRead::Join), &[left, right]) = (self.conf.joins, spec.adaptive, stage.reads.as_slice()) else { return };
        let (small, large) = if self.rows_of(right) <= self.rows_of(left) { (right, left) } else { (left, right) };
        let rows = self.rows_of(small);
        if rows > joins.broadcast_below || sorted_all_the_same(self.profile, small) {
            return;
        }
        let streamed = self.written(large).as_f64() / (self.written(large) + self.written(small)).as_f64().max(1.0);
        let change = |row: &mut TaskRow| (row.shuffle_read, row.operator_memory) = (row.shuffle_read.scale(streamed), Bytes::ZERO);
        match &mut spec.work {
            TaskWork::Parametric(total) => change(total),
            TaskWork::Recorded(rows) => rows.iter_mut().for_each(change),
        }
        spec.broadcast += times(rows, RELATION);
        spec.adaptive = Some(if joins.local_reads { AdaptiveRead::Local } else { AdaptiveRead::Coalesced });
        spec.memory.operators = Operators::Sort;
    }

    /// Plain bytes of the rows that a stage writes, at the simulated scale.
    fn rows_of(&self, writer: usize) -> Bytes {
        match &self.profile.stages[writer].work {
            Work::Parametric(ratios) => times(self.share(ratios.volume), ratios.in_memory),
            Work::Recorded(_) => self.scaled(recorded_rows(self.profile, writer)),
        }
    }
}

/// Plain bytes of the rows that a recorded stage wrote.
fn recorded_rows(profile: &Profile, writer: usize) -> Bytes {
    let Work::Recorded(rows) = &profile.stages[writer].work else { return Bytes::ZERO };
    let all = total(rows.iter());
    all.writer_memory.saturating_sub(Bytes::new(all.records.saturating_mul(SERIALIZED_PREFIX)))
}

/// Whether the recording run did not broadcast a side that was below its own threshold.
fn sorted_all_the_same(profile: &Profile, side: usize) -> bool {
    let Some(evidence) = &profile.evidence else { return false };
    let recorded = threshold(|key| evidence.conf.get(key).cloned());
    let adaptive = evidence.conf.get("spark.sql.adaptive.enabled").is_none_or(|on| on.trim().eq_ignore_ascii_case("true"));
    adaptive && recorded.is_some_and(|threshold| recorded_rows(profile, side) <= threshold)
}

#[cfg(test)]
mod tests {
    use super::super::ProfileConf;
    use super::*;
    use crate::diag::Source;

    /// A table of 1 % of the input, 1.6 bytes of row for each of its bytes, joined with the rest.
    const STAR: &str = r#"
schema_version = 1
name = "star"
input = "500 MB"
sql = true
[[job]]
name = "join"
stages = ["facts", "table", "join"]
[[stage]]
name = "facts"
from = "remote"
sink = "shuffle"
[stage.work]
shuffle_write = 0.5
[[stage]]
name = "table"
from = "remote"
sink = "shuffle"
[stage.work]
input = 0.01
volume = 0.01
shuffle_write = 0.005
[[stage]]
name = "join"
reads = ["facts", "table"]
sink = "result"
[stage.work]
sort = true
"#;

    fn join(input: u64, joins: Option<AdaptiveJoins>) -> StageSpec {
        let (profile, found) = Profile::parse(&Source::new("star.toml", STAR));
        let profile = profile.unwrap_or_else(|| panic!("{found:?}"));
        let conf = ProfileConf { shuffle_partitions: None, max_partition_bytes: Bytes::mib(128), joins };
        profile.to_app(Bytes::new(input), &conf).stages.remove(2)
    }

    /// 500 MB: the table's rows are 8 MB, below 10 MiB. 1 GB: 16 MB, above.
    #[test]
    fn fact_2_8_a_side_below_the_threshold_is_broadcast_at_the_simulated_size() {
        let joins = |local_reads| Some(AdaptiveJoins { broadcast_below: Bytes::mib(10), local_reads });
        let small = join(500_000_000, joins(true));
        assert_eq!((small.adaptive, small.broadcast), (Some(AdaptiveRead::Local), Bytes::new(16_000_000)));
        let TaskWork::Parametric(work) = small.work else { panic!("ratios stay ratios") };
        assert_eq!((work.operator_memory, work.shuffle_read), (Bytes::ZERO, Bytes::new(250_000_000)), "nobody sorts, and the table comes by broadcast");
        assert_eq!(join(500_000_000, joins(false)).adaptive, Some(AdaptiveRead::Coalesced));
        for (input, joins) in [(1_000_000_000, joins(true)), (500_000_000, None)] {
            let large = join(input, joins);
            assert_eq!((large.adaptive, large.broadcast), (Some(AdaptiveRead::Join), Bytes::ZERO));
        }
    }

    #[test]
    fn a_negative_threshold_is_none_and_adaptive_executions_own_goes_first() {
        let conf = |key: &'static str, value: &'static str| move |asked: &str| (asked == key).then(|| value.to_owned());
        assert_eq!(threshold(conf("spark.sql.autoBroadcastJoinThreshold", "-1")), None);
        assert_eq!(threshold(conf("spark.sql.autoBroadcastJoinThreshold", "20m")), Some(Bytes::mib(20)));
        assert_eq!(threshold(|key| Some(if key.contains("adaptive") { "-1" } else { "20m" }.to_owned())), None);
        assert_eq!(threshold(conf("spark.sql.autoBroadcastJoinThreshold", "10MB")), threshold(|_| None));
        assert_eq!(threshold(|_| None), Some(Bytes::mib(10)));
    }
}
