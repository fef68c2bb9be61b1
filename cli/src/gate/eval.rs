//! Whether an expression holds at a point, in three values: yes, no, and "there is no such number".

use sim_core::study::PointResult;

use super::lexer::{Comparison, Kind};
use super::parser::{Expression, Side};

/// Whether the expression holds; `None` when a missing value leaves it open (Kleene's logic).
pub(super) fn holds(expression: &Expression, result: &PointResult) -> Option<bool> {
    match expression {
        Expression::Or(terms) => any(terms.iter().map(|term| holds(term, result))),
        Expression::And(terms) => any(terms.iter().map(|term| holds(term, result).map(|holds| !holds))).map(|fails| !fails),
        Expression::Not(term) => holds(term, result).map(|holds| !holds),
        Expression::Compare(left, comparison, right) => Some(compare(value(left, result)?, *comparison, value(right, result)?)),
    }
}

/// Whether any is true; open when none is, but one is open.
fn any(terms: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut open = false;
    for term in terms {
        match term {
            Some(true) => return Some(true),
            Some(false) => {}
            None => open = true,
        }
    }
    (!open).then_some(false)
}

fn value(side: &Side, result: &PointResult) -> Option<f64> {
    match side {
        Side::Number(number) => Some(*number),
        Side::Field(_, field) => field.value(result),
    }
}

#[expect(clippy::float_cmp, reason = "`==` on a computed number is what the user typed; counts are whole and compare exactly")]
fn compare(left: f64, comparison: Comparison, right: f64) -> bool {
    match comparison {
        Comparison::Less => left < right,
        Comparison::AtMost => left <= right,
        Comparison::Greater => left > right,
        Comparison::AtLeast => left >= right,
        Comparison::Equal => left == right,
        Comparison::Different => left != right,
    }
}

/// What the expression's fields are at a point, in words, each field once.
pub(super) fn values(expression: &Expression, result: &PointResult) -> String {
    let mut said = Vec::new();
    say(expression, result, &mut said);
    said.join(", ")
}

fn say(expression: &Expression, result: &PointResult, said: &mut Vec<String>) {
    match expression {
        Expression::Or(terms) | Expression::And(terms) => terms.iter().for_each(|term| say(term, result, said)),
        Expression::Not(term) => say(term, result, said),
        Expression::Compare(left, _, right) => {
            for side in [left, right] {
                let Side::Field(name, field) = side else { continue };
                let text = match field.value(result) {
                    Some(value) => format!("{name} is {}", words(value, field.kind())),
                    None => format!("{name} has no value, because no replication gave one"),
                };
                if !said.contains(&text) {
                    said.push(text);
                }
            }
        }
    }
}

fn words(value: f64, kind: Kind) -> String {
    match kind {
        Kind::Share | Kind::Plain => format!("{}", (value * 1e6).round() / 1e6),
        Kind::Count => format!("{}", (value * 1e3).round() / 1e3),
        Kind::Bytes => sim_core::units::Bytes::from_f64(value).to_string(),
        Kind::Seconds => format!("{value:.1} s"),
    }
}
