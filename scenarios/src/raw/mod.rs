//! What was typed, before it means anything: a tree of values, each with its place and its layer.
//!
//! TOML and YAML files, `--set` arguments, axis values and built-in defaults all become the same tree, so that
//! one walker checks them and one rule lays them over each other. A [`Node`] never loses where it came from:
//! diagnostics point there and [`crate::Setting`] names it. Nothing here knows the keys of a scenario.

mod path;
mod read_toml;
mod read_yaml;
#[cfg(test)]
mod tests;

pub(crate) use path::Path;
pub(crate) use read_toml::{read_toml, read_value};
pub(crate) use read_yaml::{read_yaml, read_yaml_documents};

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::diag::{Diagnostic, Place, Source};

/// Which layer a value comes from; later layers win.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    /// A default, with whose it is: `default of Spark 3.4.0`, `default (NE-1)`.
    Default(String),
    /// Looked up, such as in a VM shape or a provider's reservation formula.
    Derived(String),
    /// A scenario file (or its base).
    Scenario,
    /// A Kubernetes manifest of an application, or what kubectl printed of a cluster.
    Manifest,
    /// A pod template.
    PodTemplate,
    /// A properties file.
    Properties,
    /// A `--conf` argument.
    Conf,
    /// A `--set` argument.
    Set,
    /// A value of the sweep axis with this name.
    Axis(String),
}

/// Where a value came from, to show to the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A default, in words: `default of Spark 3.4.0`.
    Default(String),
    /// Looked up or computed from other settings, in words: `VM shape Standard_D16s_v5`.
    Derived(String),
    /// A line of a scenario file.
    Scenario {
        /// File or built-in name.
        name: String,
        /// One-based line.
        line: usize,
    },
    /// A line of a manifest, or of what kubectl printed.
    Manifest {
        /// File name.
        name: String,
        /// One-based line.
        line: usize,
    },
    /// A line of a pod template.
    PodTemplate {
        /// File name.
        name: String,
        /// One-based line.
        line: usize,
    },
    /// A line of a properties file.
    Properties {
        /// File name.
        name: String,
        /// One-based line.
        line: usize,
    },
    /// A `--conf` argument.
    Conf,
    /// A `--set` argument.
    Set,
    /// An axis of the sweep.
    Axis(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default(whose) | Self::Derived(whose) => f.write_str(whose),
            Self::Scenario { name, line } | Self::Manifest { name, line } | Self::Properties { name, line } => write!(f, "{name}:{line}"),
            Self::PodTemplate { name, line } => write!(f, "pod template {name}:{line}"),
            Self::Conf => f.write_str("--conf"),
            Self::Set => f.write_str("--set"),
            Self::Axis(name) => write!(f, "sweep axis {name}"),
        }
    }
}

/// A value as it was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Another number.
    Float(f64),
    /// A text.
    Text(String),
    /// YAML's `null`; TOML has none.
    Null,
    /// A list.
    Array(Vec<Node>),
    /// Keys and values in the order of the text.
    Table(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// Key.
    pub(crate) key: String,
    /// Where the key stands.
    pub(crate) key_place: Option<Place>,
    /// Value.
    pub(crate) node: Node,
}

/// A value with where it came from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// The value.
    pub(crate) value: Value,
    /// Where it stands, unless nobody wrote it.
    pub(crate) place: Option<Place>,
    /// Which layer it belongs to.
    pub(crate) layer: Layer,
}

impl Node {
    /// A value that nobody wrote.
    pub(crate) fn made(value: Value, layer: Layer) -> Self {
        Self { value, place: None, layer }
    }
    /// A value at a place.
    pub(crate) fn at(value: Value, source: &Arc<Source>, span: Range<usize>, layer: Layer) -> Self {
        Self { value, place: Some(Place { source: Arc::clone(source), span }), layer }
    }
    /// Where it came from, for the user.
    pub(crate) fn origin(&self) -> Origin {
        let spot = |default: &str| match &self.place {
            Some(place) => (place.source.name.clone(), place.source.line_column(place.span.start).0),
            None => (default.to_owned(), 1),
        };
        match &self.layer {
            Layer::Default(whose) => Origin::Default(whose.clone()),
            Layer::Derived(from) => Origin::Derived(from.clone()),
            Layer::Scenario => {
                let (name, line) = spot("scenario");
                Origin::Scenario { name, line }
            }
            Layer::Manifest => {
                let (name, line) = spot("manifest");
                Origin::Manifest { name, line }
            }
            Layer::PodTemplate => {
                let (name, line) = spot("template");
                Origin::PodTemplate { name, line }
            }
            Layer::Properties => {
                let (name, line) = spot("properties");
                Origin::Properties { name, line }
            }
            Layer::Conf => Origin::Conf,
            Layer::Set => Origin::Set,
            Layer::Axis(name) => Origin::Axis(name.clone()),
        }
    }
    /// The entries, if it is a table.
    pub(crate) fn entries(&self) -> &[Entry] {
        if let Value::Table(entries) = &self.value { entries } else { &[] }
    }
    /// The items, if it is a list.
    pub(crate) fn items(&self) -> &[Self] {
        if let Value::Array(items) = &self.value { items } else { &[] }
    }
    /// The value of a key, if it is a table that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }
    /// The value of a key, for change.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        if let Value::Table(entries) = &mut self.value { entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.node) } else { None }
    }
    /// Sets a key of a table; on anything else it makes a table first.
    pub(crate) fn insert(&mut self, key: &str, node: Self) {
        if !matches!(self.value, Value::Table(_)) {
            self.value = Value::Table(Vec::new());
        }
        if let Some(old) = self.get_mut(key) {
            *old = node;
        } else if let Value::Table(entries) = &mut self.value {
            entries.push(Entry { key: key.to_owned(), key_place: node.place.clone(), node });
        }
    }
    /// The text, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }
    /// A scalar as text, the way it would be written without quotes.
    pub(crate) fn scalar(&self) -> Option<String> {
        match &self.value {
            Value::Bool(b) => Some(b.to_string()),
            Value::Integer(i) => Some(i.to_string()),
            Value::Float(x) => Some(x.to_string()),
            Value::Text(text) => Some(text.clone()),
            Value::Null | Value::Array(_) | Value::Table(_) => None,
        }
    }
    /// The whole value on one line, for settings and messages.
    pub(crate) fn inline(&self) -> String {
        match &self.value {
            Value::Text(text) => text.clone(),
            Value::Null => "null".to_owned(),
            Value::Array(items) => format!("[{}]", items.iter().map(Self::inline).collect::<Vec<_>>().join(", ")),
            Value::Table(entries) => {
                let inner: Vec<_> = entries.iter().map(|e| format!("{} = {}", e.key, e.node.inline())).collect();
                if inner.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", inner.join(", ")) }
            }
            _ => self.scalar().unwrap_or_default(),
        }
    }
    /// What kind of value it is, in words.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Bool(_) => "a boolean",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a number",
            Value::Text(_) => "a string",
            Value::Null => "nothing",
            Value::Array(_) => "a list",
            Value::Table(_) => "a table",
        }
    }
    /// What was found, for a message: the kind and the value if it is short.
    pub(crate) fn found(&self) -> String {
        match &self.value {
            Value::Text(text) if text.chars().count() <= 60 => format!("{text:?}"),
            Value::Text(_) | Value::Array(_) | Value::Table(_) | Value::Null => self.kind().to_owned(),
            _ => format!("{} ({})", self.inline(), self.kind()),
        }
    }
    /// Puts the diagnostic where this value stands.
    pub(crate) fn mark(&self, diagnostic: Diagnostic) -> Diagnostic {
        mark(self.place.as_ref(), diagnostic)
    }
    /// Lays `over` on this tree: tables merge key by key, everything else is replaced.
    pub(crate) fn overlay(&mut self, over: Self) {
        match (&mut self.value, over.value) {
            (Value::Table(_), Value::Table(entries)) => {
                for entry in entries {
                    match self.get_mut(&entry.key) {
                        Some(old) => old.overlay(entry.node),
                        None => self.push_entry(entry),
                    }
                }
                if over.place.is_some() {
                    self.place = over.place;
                    self.layer = over.layer;
                }
            }
            (_, value) => *self = Self { value, place: over.place, layer: over.layer },
        }
    }
    fn push_entry(&mut self, entry: Entry) {
        if let Value::Table(entries) = &mut self.value {
            entries.push(entry);
        }
    }
}

/// Puts a diagnostic at an optional place.
pub(crate) fn mark(place: Option<&Place>, mut diagnostic: Diagnostic) -> Diagnostic {
    diagnostic.place = place.cloned();
    diagnostic
}
