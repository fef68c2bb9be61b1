//! Values of Spark keys: checked by Spark's rules, read by kind.

use std::collections::BTreeMap;

use sim_core::spec::SparkVersion;
use sim_core::units::{Bytes, CoreMillis, SimSpan};

use super::{ConfKind, find, is_family, known_names};
use crate::diag::{Diagnostic, Diagnostics};
use crate::quantity::{self, BadQuantity, SparkUnit};
use crate::raw::{Entry, Node, Value, mark};
use crate::schema::nearest;

/// Checks all keys: values that cannot be read are errors, keys that decide nothing are warnings.
pub(crate) fn check(entries: &[Entry], version: SparkVersion, problems: &mut Diagnostics) {
    for entry in entries {
        let place = entry.key_place.as_ref().or(entry.node.place.as_ref());
        let text = entry.node.scalar().unwrap_or_default();
        if let Some(key) = find(&entry.key) {
            if let Some(BadQuantity { expected, hint }) = problem(&text, key.kind) {
                let found = entry.node.found();
                let diagnostic = entry.node.mark(Diagnostic::error("bad-conf", format!("{} cannot be read", entry.key))).found(found).expected(expected);
                problems.push(diagnostic.hint(hint.unwrap_or_else(|| format!("spillcast explain {} tells what it takes", entry.key))));
            } else if key.since > (version.major, version.minor) {
                let message = format!("{} is ignored: Spark {}.{} does not know it", entry.key, version.major, version.minor);
                problems.push(mark(place, Diagnostic::warning("conf-version", message)).hint(format!("it exists since Spark {}.{}", key.since.0, key.since.1)));
            }
        } else if !is_family(&entry.key) {
            problems.push(mark(place, unknown(&entry.key)));
        }
    }
}

fn unknown(key: &str) -> Diagnostic {
    if let Some((_, why)) = super::NOT_SIMULATED.iter().find(|(name, _)| *name == key) {
        return Diagnostic::warning("not-simulated", format!("{key} is not simulated: {why}"));
    }
    if !key.starts_with("spark.") {
        return Diagnostic::warning("unknown-conf", format!("{key} is ignored: Spark reads only keys that start with \"spark.\""));
    }
    let diagnostic = Diagnostic::warning("unknown-conf", format!("{key} is not known and not simulated")).found(key).expected("a key that the model uses");
    let near = nearest(key, known_names());
    if near.is_empty() { diagnostic } else { diagnostic.hint(format!("did you mean {}?", near.join(" or "))) }
}

fn bad(expected: &'static str) -> BadQuantity {
    BadQuantity { expected, hint: None }
}

/// Why a text is not a value of the kind.
pub(super) fn problem(text: &str, kind: ConfKind) -> Option<BadQuantity> {
    match kind {
        ConfKind::Size(unit) => quantity::spark_size(text, unit).err(),
        ConfKind::Time(unit) => quantity::spark_time(text, unit).err(),
        ConfKind::Integer(low, high) => match text.trim().parse::<i64>() {
            Ok(i) if (low..=high).contains(&i) => None,
            Ok(_) => Some(BadQuantity { expected: "an integer in range", hint: Some(format!("from {low} to {high}")) }),
            Err(_) => Some(bad("a whole number")),
        },
        ConfKind::Number(low, high) => match text.trim().parse::<f64>() {
            Ok(x) if x >= low && x <= high => None,
            Ok(_) => Some(BadQuantity { expected: "a number in range", hint: Some(format!("from {low} to {high}")) }),
            Err(_) => Some(bad("a number")),
        },
        ConfKind::Bool => (!["true", "false"].contains(&text.trim().to_ascii_lowercase().as_str())).then(|| bad("true or false")),
        ConfKind::Cpu => quantity::kube_cpu(text).err(),
        ConfKind::Text => None,
    }
}

/// The configuration with its defaults; reading a checked value cannot fail.
pub(crate) struct Conf {
    entries: BTreeMap<String, Node>,
    /// Release whose defaults count.
    pub(crate) version: SparkVersion,
}

impl Conf {
    /// A view of checked entries.
    pub(crate) fn new(entries: &[Entry], version: SparkVersion) -> Self {
        Self { entries: entries.iter().map(|entry| (entry.key.clone(), entry.node.clone())).collect(), version }
    }
    /// What the user wrote for a key that this version knows.
    pub(crate) fn written(&self, key: &str) -> Option<&Node> {
        let known = find(key).is_none_or(|k| k.since <= (self.version.major, self.version.minor));
        self.entries.get(key).filter(|_| known)
    }
    /// All written entries.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&String, &Node)> {
        self.entries.iter()
    }
    /// Value or default as text.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        match self.written(key) {
            Some(node) => match &node.value {
                Value::Text(text) => Some(text.trim().to_owned()),
                _ => node.scalar(),
            },
            None => find(key).and_then(|k| k.default_in(self.version)).map(str::to_owned),
        }
    }
    /// A size.
    pub(crate) fn size(&self, key: &str) -> Option<Bytes> {
        let unit = match find(key)?.kind {
            ConfKind::Size(unit) => unit,
            _ => SparkUnit::B,
        };
        quantity::spark_size(&self.text(key)?, unit).ok()
    }
    /// A time.
    pub(crate) fn time(&self, key: &str) -> Option<SimSpan> {
        let unit = match find(key)?.kind {
            ConfKind::Time(unit) => unit,
            _ => "ms",
        };
        quantity::spark_time(&self.text(key)?, unit).ok()
    }
    /// A count.
    pub(crate) fn count(&self, key: &str) -> Option<u32> {
        self.text(key)?.parse().ok()
    }
    /// A number.
    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        self.text(key)?.parse().ok()
    }
    /// A switch; false when it has no value.
    pub(crate) fn on(&self, key: &str) -> bool {
        self.text(key).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }
    /// CPU.
    pub(crate) fn cpu(&self, key: &str) -> Option<CoreMillis> {
        quantity::kube_cpu(&self.text(key)?).ok()
    }
}
