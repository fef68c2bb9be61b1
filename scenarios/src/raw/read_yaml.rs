//! YAML text to the same tree of values with spans.
//!
//! The only file that knows the YAML crate. Each value is taken as it comes (scalar, list, mapping) together with its
//! location, so that the walker can report every problem of a pod template at once instead of stopping at the
//! first. Spans are byte offsets into the template's text. A syntax error gives one diagnostic and no tree; the
//! crate's default budgets bound aliases, depth and size.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::read_toml::clamp;
use super::{Entry, Layer, Node, Value};
use crate::diag::{Diagnostic, Diagnostics, Place, Source};

enum Yaml {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Spanned<Yaml>>),
    Map(Vec<(Spanned<String>, Spanned<Yaml>)>),
}

impl<'de> Deserialize<'de> for Yaml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(YamlVisitor)
    }
}

struct YamlVisitor;

impl<'de> Visitor<'de> for YamlVisitor {
    type Value = Yaml;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Yaml, E> {
        Ok(Yaml::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Yaml, E> {
        Ok(Yaml::Integer(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Yaml, E> {
        Ok(i64::try_from(value).map_or(Yaml::Float(value as f64), Yaml::Integer))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Yaml, E> {
        Ok(Yaml::Float(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Yaml, E> {
        Ok(Yaml::Text(value.to_owned()))
    }
    fn visit_unit<E>(self) -> Result<Yaml, E> {
        Ok(Yaml::Null)
    }
    fn visit_none<E>(self) -> Result<Yaml, E> {
        Ok(Yaml::Null)
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Yaml, D::Error> {
        Yaml::deserialize(deserializer)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Yaml, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Yaml::List(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Yaml, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Yaml::Map(entries))
    }
}

/// Reads one YAML document; `None` when it is not YAML.
pub(crate) fn read_yaml(source: &Arc<Source>, layer: &Layer, problems: &mut Diagnostics) -> Option<Node> {
    match serde_saphyr::from_str::<Spanned<Yaml>>(&source.text) {
        Ok(spanned) => Some(node(spanned, source, layer)),
        Err(error) => {
            problems.push(syntax_problem(&error, source, "a Kubernetes pod template in YAML"));
            None
        }
    }
}

/// Reads all documents of a file of manifests, or of what kubectl printed: YAML, or JSON, which is YAML. The budget is wide
/// enough for all pods of a cluster of thousands.
pub(crate) fn read_yaml_documents(source: &Arc<Source>, layer: &Layer, expected: &str, problems: &mut Diagnostics) -> Option<Vec<Node>> {
    let budget = serde_saphyr::budget! { max_events: 100_000_000, max_nodes: 50_000_000, max_total_scalar_bytes: 1 << 30 };
    match serde_saphyr::from_multiple_with_options::<Spanned<Yaml>>(&source.text, serde_saphyr::options! { budget: budget }) {
        Ok(documents) => Some(documents.into_iter().map(|document| node(document, source, layer)).collect()),
        Err(error) => {
            problems.push(syntax_problem(&error, source, expected));
            None
        }
    }
}

fn syntax_problem(error: &serde_saphyr::Error, source: &Arc<Source>, expected: &str) -> Diagnostic {
    let span = error.location().map_or(0..0, |location| span_of(&location, source));
    let message = error.without_snippet().to_string();
    let first = message.lines().next().unwrap_or("syntax error").to_owned();
    Diagnostic::error("yaml-syntax", format!("not valid YAML: {first}"))
        .at(source, span)
        .expected(expected)
        .hint("check the indentation and the colons; kubectl apply --dry-run=client shows the same problem")
}

fn span_of(location: &Location, source: &Source) -> Range<usize> {
    let span = location.span();
    let (start, length) = match (span.byte_offset(), span.byte_len()) {
        (Some(start), Some(length)) => (start as usize, length as usize),
        _ => (offset_of(location, source), 1),
    };
    clamp(start..start.saturating_add(length), source)
}

/// Byte offset of a line and a column.
fn offset_of(location: &Location, source: &Source) -> usize {
    let line = (location.line() as usize).saturating_sub(1);
    let start: usize = source.text.split_inclusive('\n').take(line).map(str::len).sum();
    let column = (location.column() as usize).saturating_sub(1);
    let rest = source.text.get(start..).unwrap_or("");
    start + rest.chars().take(column).map(char::len_utf8).sum::<usize>()
}

fn node(spanned: Spanned<Yaml>, source: &Arc<Source>, layer: &Layer) -> Node {
    let span = span_of(&spanned.referenced, source);
    let value = match spanned.value {
        Yaml::Null => Value::Null,
        Yaml::Bool(b) => Value::Bool(b),
        Yaml::Integer(i) => Value::Integer(i),
        Yaml::Float(x) => Value::Float(x),
        Yaml::Text(text) => Value::Text(text),
        Yaml::List(items) => Value::Array(items.into_iter().map(|item| node(item, source, layer)).collect()),
        Yaml::Map(entries) => Value::Table(
            entries
                .into_iter()
                .map(|(key, item)| Entry {
                    key_place: Some(Place { source: Arc::clone(source), span: span_of(&key.referenced, source) }),
                    key: key.value,
                    node: node(item, source, layer),
                })
                .collect(),
        ),
    };
    Node::at(value, source, span, layer.clone())
}
