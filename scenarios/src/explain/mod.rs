//! `explain`: what a key means, its default, its value here and where that comes from, and whether the model uses it.
//!
//! A question is a Spark key, a path of the scenario, or a pattern (`list.rs`). What is known of a Spark key comes from the table of
//! modelled keys, else from the catalogue of Spark's releases; an old name is explained by the one that took its place. Values are those of the
//! release that the scenario says. An unknown key gives its nearest names; one that the scenario sets is explained all the same.

mod derived;
mod list;

pub use list::{explain_all, explain_matching, explain_set};

use sim_core::spec::SparkVersion;

use crate::diag::Diagnostic;
use crate::layer::all_paths;
use crate::scenario::Scenario;
use crate::schema::{Field, Need, ROOT, describe, field_at, nearest};
use crate::spark_conf::released::{self, OldName, Release, Released, Step};
use crate::spark_conf::{self, ConfKey, is_family, known_names, meanings, others};

/// What is known about a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// The key.
    pub key: String,
    /// Meaning.
    pub meaning: String,
    /// Default, by release where it differs.
    pub default: String,
    /// Default in the scenario's release.
    pub default_here: Option<String>,
    /// Value in the scenario.
    pub value: Option<String>,
    /// Where the value comes from.
    pub origin: Option<String>,
    /// Whether it decides something in the simulation.
    pub modelled: bool,
    /// What it moves if it is modelled, else what the model does instead.
    pub mechanism: String,
    /// First release that knows it, such as `3.5`.
    pub since: Option<String>,
    /// Release that dropped it.
    pub removed: Option<String>,
    /// Names that it had before.
    pub old_names: Vec<String>,
    /// The name that took its place, for a name of the past.
    pub renamed_to: Option<String>,
    /// Source of the meaning and the default.
    pub source: String,
    /// Sizes that follow from memory keys in the scenario, as name and value.
    pub derived: Vec<(String, String)>,
}

/// The release that counts without a scenario: the newest of the catalogue.
const NEWEST: SparkVersion = SparkVersion { major: 4, minor: 3, patch: 0 };
const CATALOGUE: &str = "recorded from Spark's releases";

/// Explains a Spark key or a path of a scenario; an unknown key gives its nearest names.
///
/// # Errors
/// When nothing is known of the key and the scenario does not set it.
#[expect(clippy::result_large_err, reason = "one diagnostic for one question")]
pub fn explain(key: &str, scenario: Option<&Scenario>) -> Result<Explanation, Diagnostic> {
    let key = key.trim();
    let version = scenario.map_or(NEWEST, |scenario| scenario.spec.spark.version);
    let mut explanation = match released::find_old(key, version) {
        Some(old) => of_old(old, version),
        None => described(key, version).or_else(|| set_by_hand(key, scenario)).ok_or_else(|| unknown(key))?,
    };
    let current = explanation.renamed_to.as_deref().unwrap_or(key);
    if let Some(scenario) = scenario {
        explanation.default_here = default_in(current, version);
        let (value, origin) = value(current, scenario).unzip();
        explanation.derived = derived::beside(current, &scenario.spec);
        (explanation.value, explanation.origin) = (value, origin);
    }
    Ok(explanation)
}

/// The value of a key in a scenario, with its origin: written, filled in, or the release's own.
fn value(key: &str, scenario: &Scenario) -> Option<(String, String)> {
    if let Some(setting) = scenario.settings.iter().find(|setting| setting.key == key) {
        return Some((setting.value.clone(), setting.origin.to_string()));
    }
    let version = scenario.spec.spark.version;
    match (spark_conf::find(key), released::find(key)?.step(version)) {
        (None, Step::Value(value)) => Some((value.to_owned(), format!("default of Spark {}.{}", version.major, version.minor))),
        _ => None,
    }
}

fn default_in(key: &str, version: SparkVersion) -> Option<String> {
    if let Some(value) = spark_conf::find(key).and_then(|known| known.default_in(version)) {
        return Some(value.to_owned());
    }
    match (spark_conf::find(key), released::find(key)?.step(version)) {
        (None, Step::Value(value)) => Some(value.to_owned()),
        (_, Step::As(other)) => Some(format!("that of {other}")),
        _ => None,
    }
}

/// What is known of a key, without a value.
fn described(key: &str, version: SparkVersion) -> Option<Explanation> {
    let mut explanation = if let Some(known) = spark_conf::find(key) {
        of_modelled(known)
    } else if is_family(key) {
        of_family()
    } else if let Some(why) = meanings::instead(key) {
        let meaning = meanings::meaning(key).map_or_else(|| "Not related to memory or shuffle.".to_owned(), str::to_owned);
        Explanation { meaning, mechanism: why.to_owned(), source: CATALOGUE.to_owned(), ..Explanation::default() }
    } else if others::is_known(key) {
        of_other(key)
    } else {
        let parts: Vec<&str> = key.split('.').collect();
        of_path(field_at(&ROOT, &parts)?)
    };
    key.clone_into(&mut explanation.key);
    if let Some(row) = released::find(key) {
        of_release(&mut explanation, row);
    }
    let names = released::old_names().filter(|old| old.new == Some(key) && old.read_in(version));
    explanation.old_names = names.map(|old| old.old.to_owned()).collect();
    Some(explanation)
}

fn of_modelled(known: &ConfKey) -> Explanation {
    Explanation {
        meaning: known.meaning.to_owned(),
        default: known.default_in_words(),
        modelled: true,
        mechanism: meanings::moves(known.key).to_owned(),
        source: known.source.to_owned(),
        ..Explanation::default()
    }
}

fn of_family() -> Explanation {
    Explanation {
        meaning: "Adds to the executor pod: a label, a node selector or a volume.".to_owned(),
        default: "unset".to_owned(),
        modelled: true,
        mechanism: "placement of executor pods, volumes that scratch lies on".to_owned(),
        source: "LD-3, PT-2".to_owned(),
        ..Explanation::default()
    }
}

fn of_other(key: &str) -> Explanation {
    let (meaning, source) =
        if released::find(key).is_some() { ("Not related to memory or shuffle.", CATALOGUE) } else { ("Not a key of Spark's own.", "its prefix") };
    Explanation {
        meaning: meaning.to_owned(),
        default: "unset".to_owned(),
        mechanism: format!("it {}", others::reason(key)),
        source: source.to_owned(),
        ..Explanation::default()
    }
}

fn of_path(field: &Field) -> Explanation {
    let default = match field.need {
        Need::Default(toml) => toml,
        Need::Computed(from) => from,
        Need::Required => "none: it must be there",
        Need::Optional => "unset",
    };
    Explanation {
        meaning: format!("{} Takes {}.", field.meaning, describe(field.kind)),
        default: default.to_owned(),
        modelled: true,
        source: field.source.to_owned(),
        ..Explanation::default()
    }
}

/// Fills in what the catalogue knows.
fn of_release(explanation: &mut Explanation, row: &Released) {
    if explanation.default.is_empty() || explanation.default == "unset" {
        explanation.default = row.default_in_words();
    }
    explanation.since = (row.since != (0, 0)).then(|| release(row.since));
    explanation.removed = row.removed().map(release);
}

fn release((major, minor): Release) -> String {
    format!("{major}.{minor}")
}

fn deprecated(since: Release) -> String {
    if since == (0, 0) { String::new() } else { format!(", deprecated since {}", release(since)) }
}

fn of_old(old: &OldName, version: SparkVersion) -> Explanation {
    let read = old.read_in(version);
    let now = old.new.and_then(|new| described(new, version)).unwrap_or_default();
    let meaning = match old.new {
        Some(new) if read => format!("The old name of {new}{}. {}", deprecated(old.since), now.meaning),
        Some(new) => format!("The old name of {new}; Spark {}.{} no longer reads it. {}", version.major, version.minor, now.meaning),
        None => "A key of the past that Spark no longer reads.".to_owned(),
    };
    let mechanism = if read || old.new.is_none() { now.mechanism } else { "it is ignored, as Spark does".to_owned() };
    Explanation {
        key: old.old.to_owned(),
        meaning,
        mechanism,
        modelled: now.modelled && read,
        renamed_to: old.new.filter(|_| read).map(str::to_owned),
        since: None,
        old_names: Vec::new(),
        source: CATALOGUE.to_owned(),
        ..now
    }
}

/// A key that nobody knows and that the scenario sets.
fn set_by_hand(key: &str, scenario: Option<&Scenario>) -> Option<Explanation> {
    scenario?.settings.iter().find(|setting| setting.key == key)?;
    Some(Explanation { key: key.to_owned(), ..of_other(key) })
}

fn unknown(key: &str) -> Diagnostic {
    let paths = all_paths();
    let mut names: Vec<&str> = known_names().collect();
    names.extend(paths.iter().map(String::as_str));
    let mut near = others::slip_of(key, names.iter().copied());
    if near.is_empty() {
        near = nearest(key, names);
    }
    let hint = if near.is_empty() { "spillcast list keys prints the keys that matter".to_owned() } else { format!("did you mean {}?", near.join(" or ")) };
    Diagnostic::error("unknown-key", format!("nothing is known about {key:?}")).found(key).expected("a Spark key or a path of a scenario").hint(hint)
}
