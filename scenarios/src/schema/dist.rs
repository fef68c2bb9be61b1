//! Distributions as users write them.
//!
//! A bare number (or a size, or a time) is a constant; a list is an empirical distribution; a table with one key names
//! the family: `{ lognormal = { median = 1.0, sigma = 0.05 } }`, `{ uniform = { low = 0, high = 10 } }`,
//! `{ normal = { mean = …, sd = … } }`, `{ triangular = { low = …, mode = …, high = … } }`, `{ empirical = [ … ] }`.
//! Parameters are finite and not negative; ends are in order. Numbers may carry the unit of the quantity except
//! `sigma`, which is a pure number.

use sim_core::spec::Dist;
use sim_core::units::{Bytes, SimSpan};

use super::walk::{key_problem, nearest_hint};
use super::{Measure, Node};
use crate::diag::{Diagnostic, Diagnostics};
use crate::quantity;
use crate::raw::Value;

const FAMILIES: &[(&str, &[&str])] = &[
    ("constant", &[]),
    ("uniform", &["low", "high"]),
    ("normal", &["mean", "sd"]),
    ("lognormal", &["median", "sigma"]),
    ("triangular", &["low", "mode", "high"]),
    ("empirical", &[]),
];
const EXPECTED: &str = "a number, or a distribution such as { lognormal = { median = 1.0, sigma = 0.05 } }";

/// Reads a distribution; problems are pushed and `None` comes back.
pub(crate) fn dist(node: &Node, measure: Measure, problems: &mut Diagnostics) -> Option<Dist> {
    match &node.value {
        Value::Table(entries) => {
            let [entry] = entries.as_slice() else {
                problems.push(node.mark(Diagnostic::error("distribution", "a distribution has exactly one family").expected(EXPECTED)));
                return None;
            };
            let Some((family, names)) = FAMILIES.iter().find(|(family, _)| *family == entry.key) else {
                let families: Vec<&str> = FAMILIES.iter().map(|(family, _)| *family).collect();
                problems.push(
                    key_problem(entry, "distribution", format!("unknown distribution {:?}", entry.key))
                        .expected(format!("one of {}", families.join(", ")))
                        .hint(nearest_hint(&entry.key, families).unwrap_or_else(|| EXPECTED.to_owned())),
                );
                return None;
            };
            match *family {
                "constant" => number(&entry.node, measure, problems).map(Dist::Constant),
                "empirical" => empirical(&entry.node, measure, problems),
                _ => parametric(family, names, &entry.node, measure, problems),
            }
        }
        Value::Array(_) => empirical(node, measure, problems),
        _ => number(node, measure, problems).map(Dist::Constant),
    }
}

fn empirical(node: &Node, measure: Measure, problems: &mut Diagnostics) -> Option<Dist> {
    if node.items().is_empty() {
        problems.push(node.mark(Diagnostic::error("distribution", "an empirical distribution needs values").found(node.found()).expected("a list of numbers")));
        return None;
    }
    let values: Vec<Option<f64>> = node.items().iter().map(|item| number(item, measure, problems)).collect();
    values.into_iter().collect::<Option<Vec<f64>>>().map(Dist::Empirical)
}

/// A number of the measure, finite and not negative.
fn number(node: &Node, measure: Measure, problems: &mut Diagnostics) -> Option<f64> {
    let value = match (&node.value, measure) {
        (Value::Integer(i), _) => Some(*i as f64),
        (Value::Float(x), _) => Some(*x),
        (Value::Text(text), Measure::Bytes) => quantity::size(text).ok().map(Bytes::as_f64),
        (Value::Text(text), Measure::Seconds) => quantity::time(text).ok().map(SimSpan::as_secs_f64),
        _ => None,
    };
    let value = value.filter(|x| x.is_finite() && *x >= 0.0 && *x < 1e18);
    if value.is_none() {
        let expected = match measure {
            Measure::Bytes => "a size that is not negative, such as \"10GiB\", or a distribution of sizes",
            Measure::Seconds => "a time that is not negative, in seconds or such as \"500ms\", or a distribution of times",
            Measure::Factor => EXPECTED,
        };
        problems.push(node.mark(Diagnostic::error("distribution", "not a quantity that a distribution can have").found(node.found()).expected(expected)));
    }
    value
}

fn parametric(family: &str, names: &[&str], node: &Node, measure: Measure, problems: &mut Diagnostics) -> Option<Dist> {
    let before = problems.items().len();
    for entry in node.entries() {
        if !names.contains(&entry.key.as_str()) {
            problems.push(
                key_problem(entry, "distribution", format!("{family} has no parameter {:?}", entry.key))
                    .expected(names.join(", "))
                    .hint(nearest_hint(&entry.key, names.to_vec()).unwrap_or_else(|| format!("{family} takes {}", names.join(" and ")))),
            );
        }
    }
    let values: Vec<f64> = names
        .iter()
        .filter_map(|name| {
            let Some(value) = node.get(name) else {
                problems.push(node.mark(Diagnostic::error("distribution", format!("{family} needs {name:?}")).found(node.found()).expected(names.join(", "))));
                return None;
            };
            number(value, if *name == "sigma" { Measure::Factor } else { measure }, problems)
        })
        .collect();
    if problems.items().len() > before {
        return None;
    }
    let built = match (family, values.as_slice()) {
        ("uniform", &[low, high]) if low <= high => Dist::Uniform { low, high },
        ("normal", &[mean, sd]) => Dist::Normal { mean, sd },
        ("lognormal", &[median, sigma]) if sigma <= 5.0 => Dist::Lognormal { median, sigma },
        ("triangular", &[low, mode, high]) if low <= mode && mode <= high => Dist::Triangular { low, mode, high },
        _ => {
            let expected = if family == "lognormal" { "a sigma of at most 5" } else { "parameters in order, smallest first" };
            problems.push(node.mark(Diagnostic::error("distribution", format!("impossible {family}")).found(node.inline()).expected(expected)));
            return None;
        }
    };
    Some(built)
}
