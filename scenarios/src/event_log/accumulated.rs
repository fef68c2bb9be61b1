//! What the accumulators of a finished task add to its metrics.
//!
//! A task of a query has some fifty of them. Five matter: the SQL metric `data size`, the plain bytes of the rows that it
//! gave to an exchange; `peak memory` and `spill size`, which its sorts and aggregations tell, each its own, and which leave out
//! what the shuffle writer holds; whether an aggregation fell back to sorting; and the peak of execution memory, which Spark 2 writes nowhere else. The list is folded while it
//! is read, so it is never held.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use super::number::Count;

/// Names of the metric of rows given to an exchange: since Spark 3, and before.
const DATA_SIZE: [&str; 2] = ["data size", "data size total (min, med, max)"];
/// Name of the metric of an operator's execution memory at its fullest.
const OPERATOR_PEAK: &str = "peak memory";
/// Name of the metric of the memory that an operator's spills freed.
const OPERATOR_SPILL: &str = "spill size";
/// Name of the count of aggregations that fell back to sorting.
const FALLBACK: &str = "number of sort fallback tasks";
/// Name of the peak of execution memory.
const PEAK: &str = "internal.metrics.peakExecutionMemory";

/// The accumulators that matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Accumulated {
    /// Bytes of the rows given to an exchange, where the task had one.
    pub(super) data_size: Option<u64>,
    pub(super) peak_execution: Count,
    /// Peaks of the task's SQL operators, added up.
    pub(super) operator_peak: u64,
    /// Memory that spills of the task's SQL operators freed.
    pub(super) operator_spill: u64,
    /// How many operators that was, and what the last of them freed: the lowest in the plan, whose number is the highest.
    pub(super) operators_spilled: u32,
    pub(super) last_spill: u64,
    /// Whether an aggregation fell back to sorting.
    pub(super) fell_back: bool,
}

#[derive(Deserialize)]
struct Accumulable<'a> {
    #[serde(borrow, rename = "Name", default)]
    name: Option<Cow<'a, str>>,
    #[serde(rename = "Update", default)]
    update: Count,
}

impl<'de> Deserialize<'de> for Accumulated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Fold)
    }
}

struct Fold;

impl<'de> Visitor<'de> for Fold {
    type Value = Accumulated;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of accumulators")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Accumulated, A::Error> {
        let mut all = Accumulated::default();
        while let Some(one) = items.next_element::<Accumulable<'_>>()? {
            match one.name.as_deref() {
                Some(name) if DATA_SIZE.contains(&name) && all.data_size.is_none() => all.data_size = Some(one.update.0),
                Some(OPERATOR_PEAK) => all.operator_peak = all.operator_peak.saturating_add(one.update.0),
                Some(OPERATOR_SPILL) => {
                    all.operator_spill = all.operator_spill.saturating_add(one.update.0);
                    all.last_spill = one.update.0;
                    all.operators_spilled += u32::from(one.update.0 > 0);
                }
                Some(FALLBACK) => all.fell_back |= one.update.0 > 0,
                Some(PEAK) => all.peak_execution = all.peak_execution.max(one.update),
                _ => {}
            }
        }
        Ok(all)
    }
}
