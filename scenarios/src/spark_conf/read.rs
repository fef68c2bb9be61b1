//! Values of Spark keys: checked by Spark's rules, read by kind.
//!
//! A value under an old name counts for the new one in the releases that read it so. A key that the release does not know is ignored, as
//! Spark does, and told. A key that is known and not simulated is told unless it says what the release does anyway.

use std::collections::BTreeMap;

use sim_core::spec::SparkVersion;
use sim_core::units::{Bytes, CoreMillis, SimSpan};

use super::others::{self, Together};
use super::released::{self, OldName};
use super::{ConfKey, ConfKind, find, is_family, known_names, meanings};
use crate::diag::{Diagnostic, Diagnostics, Place};
use crate::quantity::{self, BadQuantity, SparkUnit};
use crate::raw::{Entry, Node, Value, mark};

/// Checks all keys: values that cannot be read are errors, keys that decide nothing are warnings.
pub(crate) fn check(entries: &[Entry], version: SparkVersion, problems: &mut Diagnostics) {
    let mut together = Together::default();
    for entry in entries {
        let text = entry.node.scalar().unwrap_or_default();
        match released::find_old(&entry.key, version) {
            Some(old) => {
                let both = entries.iter().any(|other| Some(other.key.as_str()) == old.new);
                problems.push(mark(place(entry), renamed(old, version, both)));
                if let Some(new) = old.new.filter(|_| old.read_in(version) && !both) {
                    check_value(entry, new, &old.translate(&text), version, &mut together, problems);
                }
            }
            None => check_value(entry, &entry.key, &text, version, &mut together, problems),
        }
    }
    together.tell(problems);
}

/// Where a key stands.
fn place(entry: &Entry) -> Option<&Place> {
    entry.key_place.as_ref().or(entry.node.place.as_ref())
}

/// What to say of a name of the past.
fn renamed(old: &OldName, version: SparkVersion, both: bool) -> Diagnostic {
    let release = format!("Spark {}.{}", version.major, version.minor);
    let OldName { old: name, new, .. } = old;
    match new {
        None => Diagnostic::warning("conf-version", format!("{name} is ignored: {release} does not read it")).hint("remove it"),
        Some(new) if !old.read_in(version) => {
            Diagnostic::warning("conf-version", format!("{name} is ignored: {release} does not read it")).hint(format!("it is called {new} now"))
        }
        Some(new) if both => {
            Diagnostic::warning("conf-renamed", format!("{name} is ignored: it is the old name of {new}, which is set, too")).hint("remove it")
        }
        Some(new) => Diagnostic::warning("conf-renamed", format!("{name} is the old name of {new}")).hint(format!("write {new}")),
    }
}

/// Checks a value under a name that is not of the past.
fn check_value(entry: &Entry, key: &str, text: &str, version: SparkVersion, together: &mut Together, problems: &mut Diagnostics) {
    if let Some(known) = find(key) {
        return check_modelled(entry, known, text, version, problems);
    }
    let row = released::find(key);
    if is_family(key) || row.is_some_and(|row| row.is_default(text, version)) {
        return;
    }
    let missing = row.filter(|row| !row.known_in(version)).map(|row| not_in(key, row.since, version));
    let reasoned = || meanings::instead(key).map(|why| Diagnostic::warning("not-simulated", format!("{key} is not simulated: {why}")));
    let slip = || if others::is_known(key) { None } else { strange(key) };
    match missing.or_else(reasoned).or_else(slip) {
        Some(problem) => problems.push(mark(place(entry), problem)),
        None => together.push(others::reason(key), key, place(entry)),
    }
}

fn check_modelled(entry: &Entry, known: &ConfKey, text: &str, version: SparkVersion, problems: &mut Diagnostics) {
    if let Some(BadQuantity { expected, hint }) = problem(text, known.kind) {
        let found = entry.node.found();
        let diagnostic = entry.node.mark(Diagnostic::error("bad-conf", format!("{} cannot be read", entry.key))).found(found).expected(expected);
        problems.push(diagnostic.hint(hint.unwrap_or_else(|| format!("spillcast explain {} tells what it takes", known.key))));
    } else if !known.known_in(version) {
        let since = released::find(known.key).map_or(known.since, |row| row.since);
        problems.push(mark(place(entry), not_in(known.key, since, version)));
    }
}

/// A key that the release does not have: too early, or too late.
fn not_in(key: &str, since: (u16, u16), version: SparkVersion) -> Diagnostic {
    let message = format!("{key} is ignored: Spark {}.{} does not know it", version.major, version.minor);
    let removed = released::find(key).and_then(released::Released::removed);
    let hint = match removed {
        Some((major, minor)) if since <= (version.major, version.minor) => format!("Spark {major}.{minor} dropped it"),
        _ => format!("it exists since Spark {}.{}", since.0, since.1),
    };
    Diagnostic::warning("conf-version", message).hint(hint)
}

/// A key that looks like a slip.
fn strange(key: &str) -> Option<Diagnostic> {
    if !key.starts_with("spark.") {
        return Some(Diagnostic::warning("unknown-conf", format!("{key} is ignored: Spark reads only keys that start with \"spark.\"")));
    }
    let near = others::slip_of(key, known_names());
    let diagnostic = Diagnostic::warning("unknown-conf", format!("{key} is not known and not simulated")).found(key).expected("a key of Spark");
    (!near.is_empty()).then(|| diagnostic.hint(format!("did you mean {}?", near.join(" or "))))
}

fn bad(expected: &'static str) -> BadQuantity {
    BadQuantity { expected, hint: None }
}

/// Whether two texts mean the same value of a kind.
pub(super) fn same_value(one: &str, other: &str, kind: ConfKind) -> bool {
    let (one, other) = (one.trim(), other.trim());
    let same = match kind {
        ConfKind::Size(unit) => equal(quantity::spark_size(one, unit), quantity::spark_size(other, unit)),
        ConfKind::Threshold(unit) => (negative(one) && negative(other)) || equal(quantity::spark_size(one, unit), quantity::spark_size(other, unit)),
        ConfKind::Time(unit) => equal(quantity::spark_time(one, unit), quantity::spark_time(other, unit)),
        ConfKind::Integer(..) => equal(one.parse::<i64>(), other.parse()),
        ConfKind::Number(..) => equal(one.parse::<f64>(), other.parse()),
        ConfKind::Bool => one.eq_ignore_ascii_case(other),
        ConfKind::Cpu => equal(quantity::kube_cpu(one), quantity::kube_cpu(other)),
        ConfKind::Text => false,
    };
    same || one == other
}

fn equal<T: PartialEq, E>(one: Result<T, E>, other: Result<T, E>) -> bool {
    matches!((one, other), (Ok(one), Ok(other)) if one == other)
}

/// Why a text is not a value of the kind.
pub(super) fn problem(text: &str, kind: ConfKind) -> Option<BadQuantity> {
    match kind {
        ConfKind::Threshold(_) if negative(text) => None,
        ConfKind::Size(unit) | ConfKind::Threshold(unit) => quantity::spark_size(text, unit).err(),
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

fn negative(text: &str) -> bool {
    text.trim().parse::<i64>().is_ok_and(|n| n < 0)
}

/// The configuration with its defaults; reading a checked value cannot fail.
pub(crate) struct Conf {
    entries: BTreeMap<String, Node>,
    /// Release whose defaults count.
    pub(crate) version: SparkVersion,
}

impl Conf {
    /// A view of checked entries; those under an old name stand under the one that the release reads them for.
    pub(crate) fn new(entries: &[Entry], version: SparkVersion) -> Self {
        let mut all: BTreeMap<String, Node> = entries.iter().map(|entry| (entry.key.clone(), entry.node.clone())).collect();
        for entry in entries {
            let Some(old) = released::find_old(&entry.key, version).filter(|old| old.read_in(version)) else { continue };
            let (Some(new), Some(mut node)) = (old.new, all.remove(&entry.key)) else { continue };
            node.value = Value::Text(old.translate(&node.scalar().unwrap_or_default()));
            all.entry(new.to_owned()).or_insert(node);
        }
        Self { entries: all, version }
    }
    /// What the user wrote for a key that this version knows.
    pub(crate) fn written(&self, key: &str) -> Option<&Node> {
        let known = find(key).is_none_or(|k| k.known_in(self.version));
        self.entries.get(key).filter(|_| known)
    }
    /// All written entries.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&String, &Node)> {
        self.entries.iter()
    }
    /// Value or default as text.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        if let Some(node) = self.written(key) {
            return if let Value::Text(text) = &node.value { Some(text.trim().to_owned()) } else { node.scalar() };
        }
        let known = find(key)?;
        known.default_in(self.version).map(str::to_owned).or_else(|| self.text(known.fallback(self.version)?))
    }
    /// A size.
    pub(crate) fn size(&self, key: &str) -> Option<Bytes> {
        let unit = match find(key)?.kind {
            ConfKind::Size(unit) | ConfKind::Threshold(unit) => unit,
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
