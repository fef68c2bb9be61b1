//! TOML text to a tree of values with spans.
//!
//! The recovering parser of the `toml` crate gives all syntax errors at once and a table of what it could read.
//! That table is copied into [`Node`]s; nothing is interpreted. Integers beyond 64 bits and dates are reported
//! here because no key of ours takes them.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Entry, Layer, Node, Value};
use crate::diag::{Diagnostic, Diagnostics, Place, Source};

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 32;

/// Reads a whole document. A table comes back even when the text has errors.
pub(crate) fn read_toml(source: &Arc<Source>, layer: &Layer, problems: &mut Diagnostics) -> Node {
    let text = source.text.strip_prefix('\u{feff}').unwrap_or(&source.text);
    let shift = source.text.len() - text.len();
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let span = clamp(span.start + shift..span.end + shift, source);
        problems.push(
            Diagnostic::error("toml-syntax", format!("not valid TOML: {}", error.message()))
                .at(source, span)
                .expected("TOML, such as key = \"value\"")
                .hint("check quotes, brackets and that each key stands once"),
        );
    }
    let reader = Reader { source, layer, shift };
    let span = clamp(0..source.text.len(), source);
    reader.table(table.get_ref(), span, 0, problems)
}

/// Reads one TOML value, such as the right side of `--set`; `None` when it is not one.
pub(crate) fn read_value(text: &str, layer: &Layer) -> Option<Node> {
    let wrapped = Source::new("value", format!("v = {text}"));
    let mut problems = Diagnostics::default();
    let table = read_toml(&wrapped, layer, &mut problems);
    if !problems.items().is_empty() || table.entries().len() != 1 {
        return None;
    }
    let mut node = table.get("v")?.clone();
    forget_places(&mut node);
    Some(node)
}

fn forget_places(node: &mut Node) {
    node.place = None;
    match &mut node.value {
        Value::Array(items) => items.iter_mut().for_each(forget_places),
        Value::Table(entries) => {
            for entry in entries {
                entry.key_place = None;
                forget_places(&mut entry.node);
            }
        }
        _ => {}
    }
}

/// A span inside the text and on character borders, whatever was reported.
pub(super) fn clamp(span: Range<usize>, source: &Source) -> Range<usize> {
    let length = source.text.len();
    let end = (span.end..=length).find(|at| source.text.is_char_boundary(*at)).unwrap_or(length);
    let start = source.boundary_before(span.start.min(end));
    start..end
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    layer: &'a Layer,
    shift: usize,
}

impl Reader<'_> {
    fn span(&self, span: &Range<usize>) -> Range<usize> {
        clamp(span.start + self.shift..span.end + self.shift, self.source)
    }

    fn table(&self, table: &DeTable<'_>, span: Range<usize>, depth: usize, problems: &mut Diagnostics) -> Node {
        let mut entries: Vec<Entry> = table
            .iter()
            .map(|(key, value)| Entry {
                key: key.get_ref().to_string(),
                key_place: Some(Place { source: Arc::clone(self.source), span: self.span(&key.span()) }),
                node: self.value(value, depth + 1, problems),
            })
            .collect();
        entries.sort_by_key(|entry| entry.key_place.as_ref().map(|place| place.span.start));
        Node::at(Value::Table(entries), self.source, span, self.layer.clone())
    }

    fn value(&self, spanned: &Spanned<DeValue<'_>>, depth: usize, problems: &mut Diagnostics) -> Node {
        let span = self.span(&spanned.span());
        let problem = |message: String| Diagnostic::error("toml-value", message).at(self.source, span.clone());
        let value = match spanned.get_ref() {
            _ if depth > MAX_DEPTH => {
                problems.push(problem(format!("nested deeper than {MAX_DEPTH} levels")));
                Value::Null
            }
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Boolean(b) => Value::Bool(*b),
            DeValue::Integer(i) => i64::from_str_radix(i.as_str(), i.radix()).map_or_else(
                |_| {
                    problems.push(problem("integer out of range".to_owned()).found(i.as_str()).expected("an integer of at most 64 bits"));
                    Value::Null
                },
                Value::Integer,
            ),
            DeValue::Float(x) => Value::Float(x.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Datetime(date) => {
                problems.push(problem("no key takes a date".to_owned()).found(date.to_string()).expected("a string, a number or a boolean"));
                Value::Null
            }
            DeValue::Array(items) => Value::Array(items.iter().map(|item| self.value(item, depth + 1, problems)).collect()),
            DeValue::Table(table) => return self.table(table, span, depth, problems),
        };
        Node::at(value, self.source, span, self.layer.clone())
    }
}
