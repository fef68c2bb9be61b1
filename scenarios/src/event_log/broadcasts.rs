//! Broadcast tables of queries: how large they are in memory, and from when on executors hold them.
//!
//! Spark tells the size nowhere in a task. A query's plan names the accumulator `data size` of each `BroadcastExchange`, which
//! the driver sets once the table is built (`SparkListenerDriverAccumUpdates`): the estimated size of the hash
//! relation, so bytes as each executor holds them. The query's next job is the first that can use it, so the first stage of
//! that job has it. Broadcasts that an application makes itself (`sc.broadcast`) are not in a log.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use super::folded::First;
use super::number::Count;

/// Accumulators that are remembered; a log with more broadcasts in flight is damaged.
const MOST: usize = 10_000;

/// The plan of a query when it starts, and again when adaptive execution changes it.
#[derive(Deserialize)]
pub(super) struct PlanEvent<'a> {
    #[serde(borrow, rename = "sparkPlanInfo", default)]
    plan: PlanInfo<'a>,
}

/// A node of the plan. What is below it and its metrics are folded while they are read.
#[derive(Default, Deserialize)]
struct PlanInfo<'a> {
    #[serde(borrow, rename = "nodeName", default)]
    name: Cow<'a, str>,
    #[serde(default)]
    children: Sizes,
    #[serde(default)]
    metrics: DataSize,
}

impl PlanInfo<'_> {
    /// Adds the accumulators of the node and those below it.
    fn sizes(self, all: &mut Vec<u64>) {
        all.extend(self.children.0);
        all.extend(self.metrics.0.filter(|_| self.name == "BroadcastExchange"));
        all.truncate(MOST);
    }
}

/// Accumulators of the sizes of broadcasts in a list of nodes.
#[derive(Default)]
struct Sizes(Vec<u64>);

/// The accumulator of the first metric in a list that is a size.
#[derive(Default)]
struct DataSize(Option<u64>);

impl<'de> Deserialize<'de> for Sizes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(SizesVisitor)
    }
}

impl<'de> Deserialize<'de> for DataSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(DataSizeVisitor)
    }
}

struct SizesVisitor;

impl<'de> Visitor<'de> for SizesVisitor {
    type Value = Sizes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of plan nodes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Sizes, A::Error> {
        let mut all = Vec::new();
        while let Some(node) = items.next_element::<PlanInfo<'de>>()? {
            node.sizes(&mut all);
        }
        Ok(Sizes(all))
    }
}

struct DataSizeVisitor;

impl<'de> Visitor<'de> for DataSizeVisitor {
    type Value = DataSize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of metrics")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<DataSize, A::Error> {
        let mut first = None;
        while let Some(metric) = items.next_element::<PlanMetric<'de>>()? {
            first = first.or(Some(metric.id.0).filter(|_| metric.name.starts_with("data size")));
        }
        Ok(DataSize(first))
    }
}

#[derive(Deserialize)]
struct PlanMetric<'a> {
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(rename = "accumulatorId", default)]
    id: Count,
}

/// What the driver itself adds to a query's metrics.
#[derive(Deserialize)]
pub(super) struct DriverUpdates {
    #[serde(rename = "executionId")]
    execution: Count,
    #[serde(rename = "accumUpdates", default)]
    updates: First<(Count, Count), MOST>,
}

/// Broadcasts while the log is read.
#[derive(Default)]
pub(super) struct Broadcasts {
    /// Accumulators of sizes that are not known yet.
    sizes: BTreeSet<u64>,
    /// Bytes that are built and that no job has used yet, by query.
    built: BTreeMap<u64, u64>,
}

impl Broadcasts {
    /// Takes in the plan of a query.
    pub(super) fn plan(&mut self, event: PlanEvent<'_>) {
        let mut found = Vec::new();
        event.plan.sizes(&mut found);
        found.truncate(MOST.saturating_sub(self.sizes.len()));
        self.sizes.extend(found);
    }

    /// Takes in what the driver measured. An accumulator counts once: a plan that adaptive execution shows again names it again.
    pub(super) fn measured(&mut self, event: &DriverUpdates) {
        let known = event.updates.0.iter().filter(|(id, _)| self.sizes.contains(&id.0));
        let bytes = known.fold(0u64, |sum, (_, bytes)| sum.saturating_add(bytes.0));
        if bytes > 0 && self.built.len() < MOST {
            let built = self.built.entry(event.execution.0).or_default();
            *built = built.saturating_add(bytes);
        }
    }

    /// Bytes that the next job of a query finds.
    pub(super) fn take(&mut self, execution: u64) -> u64 {
        self.built.remove(&execution).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> PlanEvent<'_> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_broadcasts_size_waits_for_the_next_job_of_its_query() {
        let mut broadcasts = Broadcasts::default();
        let exchange = r#"{"nodeName":"BroadcastExchange","children":[],"metrics":[{"name":"number of output rows","accumulatorId":7},{"name":"data size","accumulatorId":8}]}"#;
        let text = format!(r#"{{"executionId":3,"sparkPlanInfo":{{"nodeName":"Project","children":[{exchange}],"metrics":[]}}}}"#);
        broadcasts.plan(plan(&text));
        let updates = |text: &str| serde_json::from_str::<DriverUpdates>(text).unwrap();
        broadcasts.measured(&updates(r#"{"executionId":3,"accumUpdates":[[7,100],[8,1048632]]}"#));
        broadcasts.measured(&updates(r#"{"executionId":4,"accumUpdates":[[9,5]]}"#));
        assert_eq!((broadcasts.take(4), broadcasts.take(3), broadcasts.take(3)), (0, 1_048_632, 0));
    }
}
