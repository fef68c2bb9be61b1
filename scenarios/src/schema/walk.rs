//! The walker: a tree of values against a table of keys, all problems at once.
//!
//! It reports unknown keys with the nearest known ones, missing keys, wrong types, bad units, values out of range and
//! bad choices, and goes on. After it has passed, reading a value of the stated kind cannot fail.

use super::{Field, Kind, Need, ROOT, Shape, dist};
use crate::diag::{Diagnostic, Diagnostics};
use crate::quantity::{self, BadQuantity};
use crate::raw::{Entry, Node, Value, mark};

/// What an unknown key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// An error: a typing mistake would change the result.
    Error,
    /// A warning that it is not simulated: the text is someone else's format.
    Warning,
}

/// Checks a table.
pub(crate) fn walk(node: &Node, shape: &'static Shape, path: &str, unknown: Unknown, problems: &mut Diagnostics) {
    // YAML's `emptyDir:` with nothing after it is an empty table; TOML has no null.
    if !matches!(node.value, Value::Table(_) | Value::Null) {
        problems.push(type_problem(node, path, &format!("a table: {}", shape.name)));
        return;
    }
    for entry in node.entries() {
        match shape.field(&entry.key) {
            Some(field) => check(&entry.node, field.kind, &join(path, field.key), unknown, problems),
            None => problems.push(unknown_key(entry, shape, path, unknown)),
        }
    }
    for field in shape.fields.iter().filter(|field| field.need == Need::Required && node.get(field.key).is_none()) {
        problems.push(missing_key(node, field, shape, path, unknown));
    }
}

fn missing_key(node: &Node, field: &Field, shape: &Shape, path: &str, unknown: Unknown) -> Diagnostic {
    let mut problem = node.mark(Diagnostic::error("missing-key", format!("{} is missing", join(path, field.key))));
    // A whole document is long: its first character says enough.
    if path.is_empty()
        && let Some(place) = &mut problem.place
    {
        place.span = 0..0;
    }
    let sign = if unknown == Unknown::Error { " =" } else { ":" };
    problem.found(format!("{} without {}", shape.name, field.key)).expected(describe(field.kind)).hint(format!("add {}{sign} …: {}", field.key, field.meaning))
}

/// Where to read more about a path, without the numbers of list items.
pub(super) fn see(path: &str) -> String {
    let parts: Vec<&str> = path.split('.').filter(|part| part.parse::<usize>().is_err()).collect();
    match parts.first() {
        Some(first) if ROOT.field(first).is_some() => format!("spillcast explain {} tells what it takes", parts.join(".")),
        Some(_) => format!("kubectl explain pod.{} tells what it takes", parts.join(".")),
        None => "spillcast new writes a scenario to start from".to_owned(),
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn unknown_key(entry: &Entry, shape: &Shape, path: &str, unknown: Unknown) -> Diagnostic {
    let keys: Vec<&str> = shape.fields.iter().map(|field| field.key).collect();
    let message = match unknown {
        Unknown::Error => format!("unknown key {:?} in {}", join(path, &entry.key), shape.name),
        Unknown::Warning => format!("{} is not simulated", join(path, &entry.key)),
    };
    let hint = nearest_hint(&entry.key, keys.clone());
    let mut diagnostic = key_problem(entry, if unknown == Unknown::Error { "unknown-key" } else { "not-simulated" }, message);
    if unknown == Unknown::Warning {
        diagnostic.severity = crate::diag::Severity::Warning;
        diagnostic.hint = hint;
        return diagnostic;
    }
    diagnostic
        .found(entry.key.clone())
        .expected(format!("one of {}", keys.join(", ")))
        .hint(hint.unwrap_or_else(|| "spillcast schema prints every key".to_owned()))
}

/// An error at a key.
pub(super) fn key_problem(entry: &Entry, rule: &'static str, message: String) -> Diagnostic {
    mark(entry.key_place.as_ref().or(entry.node.place.as_ref()), Diagnostic::error(rule, message))
}

/// Up to three known names near `name`, nearest first.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let lower = name.to_lowercase();
    let mut scored: Vec<(f64, &str)> = known
        .into_iter()
        .map(|candidate| (strsim::normalized_damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(score, _)| *score >= 0.6)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().take(3).map(|(_, candidate)| candidate).collect()
}

/// `did you mean …?`, if anything is near.
pub(super) fn nearest_hint(name: &str, known: Vec<&str>) -> Option<String> {
    let near = nearest(name, known);
    (!near.is_empty()).then(|| format!("did you mean {}?", near.join(" or ")))
}

fn type_problem(node: &Node, path: &str, expected: &str) -> Diagnostic {
    let what = if path.is_empty() { "the scenario".to_owned() } else { path.to_owned() };
    node.mark(Diagnostic::error("wrong-type", format!("{what} has the wrong type")).found(node.found()).expected(expected))
}

/// What a kind takes, in words.
pub(crate) fn describe(kind: Kind) -> String {
    match kind {
        Kind::Table(shape) => format!("a table: {}", shape.name),
        Kind::List(item) => format!("a list of {}", describe(*item).trim_start_matches("a ")),
        Kind::Text => "a string".to_owned(),
        Kind::Choice(names) => format!("one of {}", names.join(", ")),
        Kind::Bool => "true or false".to_owned(),
        Kind::Integer(low, high) => format!("an integer from {low} to {high}"),
        Kind::Number(low, high) => format!("a number from {low} to {high}"),
        Kind::Size => "a size such as \"3GB\", \"10GiB\" or \"512m\"".to_owned(),
        Kind::Time => "a time such as \"100ms\", \"10s\" or \"5m\"".to_owned(),
        Kind::Rate => "a rate such as \"150MB/s\"".to_owned(),
        Kind::Cpu => "a number of cores such as 4, 3.5 or \"3500m\"".to_owned(),
        Kind::Dist(_) => "a number or a distribution such as { lognormal = { median = 1.0, sigma = 0.05 } }".to_owned(),
        Kind::Version(2) => "a version such as \"1.28\", as a string".to_owned(),
        Kind::Version(_) => "a version such as \"3.5.1\", as a string".to_owned(),
        Kind::Priority => "an integer, \"system-node-critical\" or \"system-cluster-critical\"".to_owned(),
        Kind::Map => "a table of keys and values".to_owned(),
        Kind::KubeBytes => "a Kubernetes quantity such as 512Mi or 10Gi".to_owned(),
        Kind::KubeCpu => "a Kubernetes CPU quantity such as 500m or 2".to_owned(),
        Kind::Any => "a value".to_owned(),
    }
}

fn check(node: &Node, kind: Kind, path: &str, unknown: Unknown, problems: &mut Diagnostics) {
    match kind {
        Kind::Table(shape) => walk(node, shape, path, unknown, problems),
        Kind::List(item) => {
            if !matches!(node.value, Value::Array(_)) {
                problems.push(type_problem(node, path, &describe(kind)));
            }
            for (i, child) in node.items().iter().enumerate() {
                check(child, *item, &format!("{path}.{i}"), unknown, problems);
            }
        }
        Kind::Dist(measure) => {
            let mut found = Diagnostics::default();
            let _ = dist(node, measure, &mut found);
            for problem in found.items() {
                let hint = problem.hint.clone().unwrap_or_else(|| see(path));
                problems.push(problem.clone().hint(hint));
            }
        }
        Kind::Map => check_map(node, path, problems),
        Kind::Any => {}
        _ => {
            if let Some(problem) = scalar_kind_problem(node, kind, path) {
                problems.push(problem);
            }
        }
    }
}

fn check_map(node: &Node, path: &str, problems: &mut Diagnostics) {
    if !matches!(node.value, Value::Table(_)) {
        problems.push(type_problem(node, path, &describe(Kind::Map)));
    }
    for entry in node.entries() {
        match &entry.node.value {
            // Unquoted dotted keys become tables in TOML; they mean the same.
            Value::Table(_) => check_map(&entry.node, &join(path, &entry.key), problems),
            Value::Array(_) | Value::Null => problems.push(type_problem(&entry.node, &join(path, &entry.key), "a string, a number or a boolean")),
            _ => {}
        }
    }
}

/// The problem of a scalar of the given kind, if it has one.
pub(crate) fn scalar_kind_problem(node: &Node, kind: Kind, path: &str) -> Option<Diagnostic> {
    let wrong = || Some(type_problem(node, path, &describe(kind)));
    let out_of_range =
        || Some(node.mark(Diagnostic::error("out-of-range", format!("{path} is out of range")).found(node.inline()).expected(describe(kind)).hint(see(path))));
    match (kind, &node.value) {
        (Kind::Text, Value::Text(_)) | (Kind::Bool, Value::Bool(_)) => None,
        (Kind::Integer(low, high), Value::Integer(i)) => {
            if (low..=high).contains(i) {
                None
            } else {
                out_of_range()
            }
        }
        (Kind::Number(low, high), Value::Integer(_) | Value::Float(_)) => {
            if number(node).is_some_and(|x| x >= low && x <= high) {
                None
            } else {
                out_of_range()
            }
        }
        (Kind::Choice(names), Value::Text(text)) => (!names.contains(&text.as_str())).then(|| {
            let problem = node.mark(Diagnostic::error("bad-choice", format!("{path} cannot be {text:?}")).found(node.found()).expected(describe(kind)));
            problem.hint(nearest_hint(text, names.to_vec()).unwrap_or_else(|| see(path)))
        }),
        (Kind::Version(parts), Value::Text(text)) => (!is_version(text, parts)).then(|| bad_value(node, path, &describe(kind), None)),
        (Kind::Version(_), Value::Float(_)) => {
            Some(type_problem(node, path, &describe(kind)).hint(format!("put it in quotes: \"{}\"; a bare 1.30 is the number 1.3", node.inline())))
        }
        (Kind::Priority, Value::Integer(i)) if i32::try_from(*i).is_ok() => None,
        (Kind::Priority, Value::Text(text)) if system_priority(text).is_some() => None,
        (Kind::Size | Kind::Time | Kind::Rate | Kind::Cpu | Kind::KubeBytes | Kind::KubeCpu, Value::Text(_) | Value::Integer(_) | Value::Float(_)) => {
            quantity_problem(node, kind, path)
        }
        _ => wrong(),
    }
}

/// The problem of a size, time, rate or CPU amount.
fn quantity_problem(node: &Node, kind: Kind, path: &str) -> Option<Diagnostic> {
    let text = node.scalar().unwrap_or_default();
    let outcome = match kind {
        Kind::Size => quantity::size(&text).map(drop),
        Kind::Time => quantity::time(&text).map(drop),
        Kind::Rate => quantity::rate(&text).map(drop),
        Kind::Cpu => quantity::cpu(&text).map(drop),
        Kind::KubeBytes => quantity::kube_bytes(&text).map(drop),
        _ => quantity::kube_cpu(&text).map(drop),
    };
    outcome.err().map(|BadQuantity { expected, hint }| bad_value(node, path, expected, hint))
}

fn bad_value(node: &Node, path: &str, expected: &str, hint: Option<String>) -> Diagnostic {
    let problem = node.mark(Diagnostic::error("bad-value", format!("{path} cannot be read")).found(node.found()).expected(expected));
    problem.hint(hint.unwrap_or_else(|| see(path)))
}

/// A finite number.
pub(super) fn number(node: &Node) -> Option<f64> {
    match node.value {
        Value::Integer(i) => Some(i as f64),
        Value::Float(x) if x.is_finite() => Some(x),
        _ => None,
    }
}

fn is_version(text: &str, parts: usize) -> bool {
    let numbers: Vec<&str> = text.split('.').collect();
    (2..=parts).contains(&numbers.len()) && numbers.iter().all(|part| part.parse::<u16>().is_ok())
}

/// The value of a system priority class (Kubernetes' two built-in classes).
pub(crate) fn system_priority(name: &str) -> Option<i32> {
    match name {
        "system-node-critical" => Some(2_000_001_000),
        "system-cluster-critical" => Some(2_000_000_000),
        _ => None,
    }
}
