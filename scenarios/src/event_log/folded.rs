//! Lists and tables of an event that are folded while they are read.
//!
//! A stage names every RDD in it, an environment every setting, and a broken line may hold millions of either in few bytes
//! each. What is of use is taken out as it passes, so that a line never takes more memory than its text.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use sim_core::spec::Operators;

use super::events::{RddInfo, first_of};
use super::kept_conf::KEPT_CONF;
use super::number::Count;

/// Setting with the executors' JVM options, of which two facts are kept.
const EXECUTOR_OPTIONS: &str = "spark.executor.extraJavaOptions";
/// Parents of one stage; Spark's own planner gives up long before.
const MAX_PARENTS: usize = 10_000;

/// The settings that are kept.
#[derive(Default)]
pub(super) struct Properties<'a> {
    pub(super) kept: Vec<(&'static str, Cow<'a, str>)>,
    pub(super) executor_options: Cow<'a, str>,
}

/// RDDs of a stage: the first, and those that are persisted.
#[derive(Default)]
pub(super) struct Rdds<'a> {
    pub(super) first: Option<u64>,
    /// Whether Spark took another run of the first to give other rows.
    pub(super) indeterminate: bool,
    /// Whether one of them belongs to a barrier stage.
    pub(super) barrier: bool,
    /// Whether one of them reads a shuffle as adaptive execution planned it.
    pub(super) adaptive_read: bool,
    /// The operator that holds rows as objects.
    pub(super) holder: Option<Operators>,
    pub(super) persisted: Vec<RddInfo<'a>>,
}

/// Parents of a stage.
#[derive(Default)]
pub(super) struct Parents(pub(super) Vec<u64>);

impl<'de: 'a, 'a> Deserialize<'de> for Properties<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PropertiesVisitor)
    }
}

struct PropertiesVisitor;

/// A text that is borrowed where it can be.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Visitor<'de> for PropertiesVisitor {
    type Value = Properties<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of settings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Properties<'de>, A::Error> {
        let mut all = Properties::default();
        while let Some((Text(key), Text(value))) = entries.next_entry()? {
            if key == EXECUTOR_OPTIONS {
                all.executor_options = value;
            } else if let Some(kept) = KEPT_CONF.iter().find(|kept| **kept == key) {
                all.kept.retain(|(known, _)| known != kept);
                all.kept.push((*kept, value));
            }
        }
        Ok(all)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Rdds<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(RddsVisitor)
    }
}

struct RddsVisitor;

impl<'de> Visitor<'de> for RddsVisitor {
    type Value = Rdds<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of RDDs")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Rdds<'de>, A::Error> {
        let mut all = Rdds::default();
        while let Some(rdd) = items.next_element::<RddInfo<'de>>()? {
            if all.first.is_none() {
                (all.first, all.indeterminate) = (Some(rdd.id.0), rdd.determinism == "INDETERMINATE");
            }
            all.barrier |= rdd.barrier;
            all.adaptive_read |= rdd.is_adaptive_read();
            all.holder = first_of(all.holder, rdd.holder());
            if rdd.level.memory || rdd.level.disk {
                all.persisted.push(rdd);
            }
        }
        Ok(all)
    }
}

impl<'de> Deserialize<'de> for Parents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parents: First<Count, MAX_PARENTS> = First::deserialize(deserializer)?;
        Ok(Self(parents.0.into_iter().map(|parent| parent.0).collect()))
    }
}

/// The first items of a list, at most `MOST`.
pub(super) struct First<T, const MOST: usize>(pub(super) Vec<T>);

impl<T, const MOST: usize> Default for First<T, MOST> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for First<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(FirstVisitor(PhantomData))
    }
}

struct FirstVisitor<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for FirstVisitor<T, MOST> {
    type Value = First<T, MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut all = First::default();
        while all.0.len() < MOST {
            match items.next_element()? {
                Some(item) => all.0.push(item),
                None => return Ok(all),
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_of_use_is_kept() {
        let properties: Properties<'_> =
            serde_json::from_str(r#"{"a":"b","spark.executor.memory":"1g","spark.executor.extraJavaOptions":"-Xms1g","spark.executor.memory":"2g"}"#).unwrap();
        assert_eq!((properties.kept, properties.executor_options.as_ref()), (vec![("spark.executor.memory", Cow::Borrowed("2g"))], "-Xms1g"));
        let rdds: Rdds<'_> = serde_json::from_str(r#"[{"RDD ID":7},{"RDD ID":5,"Storage Level":{"Use Disk":true}},{"RDD ID":3}]"#).unwrap();
        assert_eq!((rdds.first, rdds.persisted.iter().map(|rdd| rdd.id.0).collect::<Vec<_>>()), (Some(7), vec![5]));
    }

    #[test]
    fn a_list_beyond_its_limit_is_read_to_its_end() {
        let (first, after): (First<u8, 2>, u8) = serde_json::from_str("[[1,2,3,4],5]").unwrap();
        assert_eq!((first.0, after), (vec![1, 2], 5));
        assert!(serde_json::from_str::<First<u8, 2>>("[1,2,3").is_err());
        assert_eq!(serde_json::from_str::<First<u8, 2>>("[1]").unwrap().0, [1]);
    }
}
