//! Numbers as Spark versions write them.
//!
//! Spark's JSON holds the same metric as a number in one place and as a text in another (SQL metrics), writes −1 for
//! "unknown" and leaves fields out in older versions. A [`Count`] takes all of these: anything that is not a number
//! above zero is zero.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A count, zero when absent or not a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Count(pub(super) u64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CountVisitor)
    }
}

struct CountVisitor;

impl<'de> Visitor<'de> for CountVisitor {
    type Value = Count;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }
    fn visit_u64<E>(self, n: u64) -> Result<Count, E> {
        Ok(Count(n))
    }
    fn visit_i64<E>(self, n: i64) -> Result<Count, E> {
        Ok(Count(u64::try_from(n).unwrap_or(0)))
    }
    fn visit_f64<E>(self, n: f64) -> Result<Count, E> {
        // A float cast saturates and turns NaN into zero.
        Ok(Count(n as u64))
    }
    fn visit_str<E>(self, text: &str) -> Result<Count, E> {
        Ok(Count(text.parse().unwrap_or(0)))
    }
    fn visit_bool<E>(self, _: bool) -> Result<Count, E> {
        Ok(Count(0))
    }
    fn visit_unit<E>(self) -> Result<Count, E> {
        Ok(Count(0))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Count, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Count(0))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Count, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Count(0))
    }
}

#[cfg(test)]
mod tests {
    use super::Count;

    #[test]
    fn whatever_spark_writes_is_a_count() {
        let all: Vec<Count> = serde_json::from_str(r#"[7, -1, "42", "x", 1.9, null, true, [1, 2], {"a": 1}, 18446744073709551615]"#).unwrap();
        assert_eq!(all.iter().map(|c| c.0).collect::<Vec<_>>(), [7, 0, 42, 0, 1, 0, 0, 0, 0, u64::MAX]);
    }
}
