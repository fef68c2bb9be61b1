//! Reading TOML tables with a complaint for everything that is wrong.
//!
//! A [`Reader`] takes keys out of one table: each accessor pushes a diagnostic with the place of the value when its
//! type or content is wrong and goes on with `None`, and [`Reader::finish`] complains about keys that nobody asked
//! for, with the nearest known name. So all problems of a file come out in one pass.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use sim_core::units::{ByteRate, Bytes, SimSpan};
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::quantity::{LIMIT, parse_rate, parse_size, parse_span};
use crate::diag::{Diagnostic, Diagnostics, Source};

/// Reads one table.
pub(super) struct Reader<'a, 'i> {
    table: &'a DeTable<'i>,
    span: Range<usize>,
    source: &'a Arc<Source>,
    known: Vec<&'static str>,
}

impl<'a, 'i> Reader<'a, 'i> {
    pub(super) fn new(source: &'a Arc<Source>, table: &'a DeTable<'i>, span: Range<usize>) -> Self {
        Self { table, span, source, known: Vec::new() }
    }
    /// Place of the table itself.
    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }
    /// A diagnostic at a span of this source.
    pub(super) fn error(&self, span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error("profile", message).at(self.source, span)
    }
    fn get(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'i>>> {
        self.known.push(key);
        self.table.get(key)
    }
    /// Span of a key's value, or of the table if it is absent.
    pub(super) fn span_of(&self, key: &str) -> Range<usize> {
        self.table.get(key).map_or_else(|| self.span(), Spanned::span)
    }
    /// Whether the key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// A value that `read` understands. `expected` says what that is.
    fn take<T>(&mut self, key: &'static str, expected: &str, out: &mut Diagnostics, read: impl Fn(&'a DeValue<'i>) -> Option<T>) -> Option<T> {
        let value = self.get(key)?;
        let result = read(value.get_ref());
        if result.is_none() {
            out.push(self.error(value.span(), format!("`{key}` is not {expected}")).found(describe(value.get_ref())).expected(expected));
        }
        result
    }
    /// Complains when a key that must be there is not.
    pub(super) fn need<T>(&self, key: &str, value: Option<T>, example: &str, out: &mut Diagnostics) -> Option<T> {
        if value.is_none() && !self.has(key) {
            out.push(self.error(self.span(), format!("`{key}` is missing")).expected(format!("`{key} = {example}`")).hint(format!("add `{key} = {example}`")));
        }
        value
    }

    pub(super) fn string(&mut self, key: &'static str, out: &mut Diagnostics) -> Option<String> {
        self.take(key, "a text that is not empty", out, |value| value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned))
    }
    pub(super) fn boolean(&mut self, key: &'static str, out: &mut Diagnostics) -> Option<bool> {
        self.take(key, "`true` or `false`", out, DeValue::as_bool)
    }
    pub(super) fn size(&mut self, key: &'static str, limit: u64, out: &mut Diagnostics) -> Option<Bytes> {
        self.take(key, "a size such as `\"3 GB\"` or `\"128 MiB\"`", out, |value| size(value).filter(|size| size.get() <= limit))
    }
    pub(super) fn rate(&mut self, key: &'static str, out: &mut Diagnostics) -> Option<ByteRate> {
        self.take(key, "a rate such as `\"25 MB/s\"`", out, |value| value.as_str().and_then(parse_rate).filter(|rate| rate.get() <= LIMIT))
    }
    pub(super) fn time(&mut self, key: &'static str, out: &mut Diagnostics) -> Option<SimSpan> {
        self.take(key, "a time such as `\"2 s\"` or `\"350 ms\"`", out, |value| value.as_str().and_then(parse_span))
    }
    pub(super) fn integer(&mut self, key: &'static str, range: Range<u64>, out: &mut Diagnostics) -> Option<u64> {
        let expected = format!("an integer from {} to {}", range.start, range.end - 1);
        self.take(key, &expected, out, |value| integer(value).filter(|n| range.contains(n)))
    }
    /// A number from zero to `limit`.
    pub(super) fn ratio(&mut self, key: &'static str, limit: f64, out: &mut Diagnostics) -> Option<f64> {
        let expected = format!("a number from 0 to {limit}");
        self.take(key, &expected, out, |value| number(value).filter(|n| (0.0..=limit).contains(n)))
    }
    /// One of a few words.
    pub(super) fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)], out: &mut Diagnostics) -> Option<T> {
        let expected = choices.iter().map(|(name, _)| format!("`\"{name}\"`")).collect::<Vec<_>>().join(", ");
        self.take(key, &format!("one of {expected}"), out, |value| choices.iter().find(|(name, _)| value.as_str() == Some(name)).map(|c| c.1))
    }
    /// An integer from 1 to 2^20, or one of a few words.
    pub(super) fn count_or<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)], fixed: impl Fn(u32) -> T, out: &mut Diagnostics) -> Option<T> {
        let words = choices.iter().map(|(name, _)| format!(" or `\"{name}\"`")).collect::<Vec<_>>().concat();
        self.take(key, &format!("a number from 1 to {}{words}", 1 << 20), out, |value| match value {
            DeValue::String(text) => choices.iter().find(|(name, _)| name == text).map(|c| c.1),
            _ => integer(value).filter(|n| (1..=1 << 20).contains(n)).map(|n| fixed(n as u32)),
        })
    }
    /// A list of names, each with its place.
    pub(super) fn names(&mut self, key: &'static str, out: &mut Diagnostics) -> Option<Vec<(String, Range<usize>)>> {
        self.take(key, "a list of names", out, |value| value.as_array()?.iter().map(|item| Some((item.get_ref().as_str()?.to_owned(), item.span()))).collect())
    }
    pub(super) fn array(&mut self, key: &'static str, out: &mut Diagnostics) -> Option<&'a DeArray<'i>> {
        self.take(key, "a list", out, DeValue::as_array)
    }
    /// A list of whole numbers; empty when the key is absent.
    pub(super) fn integers(&mut self, key: &'static str, out: &mut Diagnostics) -> Vec<u64> {
        let numbers = self.take(key, "a list of whole numbers", out, |value| value.as_array()?.iter().map(|item| integer(item.get_ref())).collect());
        numbers.unwrap_or_default()
    }
    /// A table below this one.
    pub(super) fn child(&mut self, key: &'static str, out: &mut Diagnostics) -> Option<Reader<'a, 'i>> {
        let span = self.span_of(key);
        let table = self.take(key, "a table", out, DeValue::as_table)?;
        Some(Reader::new(self.source, table, span))
    }
    /// The blocks of an array of tables.
    pub(super) fn blocks(&mut self, key: &'static str, out: &mut Diagnostics) -> Vec<Reader<'a, 'i>> {
        let Some(items) = self.take(key, "blocks in double brackets", out, DeValue::as_array) else { return Vec::new() };
        let mut readers = Vec::new();
        for item in items {
            match item.get_ref().as_table() {
                Some(table) => readers.push(Reader::new(self.source, table, item.span())),
                None => out.push(self.error(item.span(), format!("`{key}` is not a block")).found(describe(item.get_ref())).expected(format!("`[[{key}]]`"))),
            }
        }
        readers
    }
    /// All entries of a table of texts.
    pub(super) fn texts(&self, out: &mut Diagnostics) -> Vec<(String, String)> {
        let mut texts = Vec::new();
        for (key, value) in self.table {
            match value.get_ref().as_str() {
                Some(text) => texts.push((key.get_ref().to_string(), text.to_owned())),
                None => out.push(self.error(value.span(), format!("`{}` is not a text", key.get_ref())).found(describe(value.get_ref())).expected("a text")),
            }
        }
        texts
    }

    /// All entries of a table of whole numbers.
    pub(super) fn counts(&self, out: &mut Diagnostics) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for (key, value) in self.table {
            if let Some(count) = integer(value.get_ref()) {
                counts.insert(key.get_ref().to_string(), count);
            } else {
                let problem = self.error(value.span(), format!("`{}` is not a whole number", key.get_ref()));
                out.push(problem.found(describe(value.get_ref())).expected("a whole number"));
            }
        }
        counts
    }

    /// Complains about keys that nobody asked for.
    pub(super) fn finish(self, out: &mut Diagnostics) {
        for (key, _) in self.table {
            let name: &str = key.get_ref();
            if self.known.contains(&name) {
                continue;
            }
            let mut problem = Diagnostic::error("unknown-key", format!("unknown key `{name}`")).at(self.source, key.span()).found(format!("`{name}`"));
            problem = problem.expected(self.known.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", "));
            if let Some(near) = nearest(name, &self.known) {
                problem = problem.hint(format!("did you mean `{near}`?"));
            }
            out.push(problem);
        }
    }
}

/// The known name that is close enough to be meant.
pub(super) fn nearest<'n>(name: &str, known: &[&'n str]) -> Option<&'n str> {
    let best = known.iter().max_by(|a, b| strsim::jaro_winkler(name, a).total_cmp(&strsim::jaro_winkler(name, b)))?;
    (strsim::jaro_winkler(name, best) > 0.8).then_some(best)
}

/// A whole number that is not negative.
pub(super) fn integer(value: &DeValue<'_>) -> Option<u64> {
    let integer = value.as_integer()?;
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Float(float) => float.as_str().parse().ok(),
        _ => integer(value).map(|n| n as f64),
    }
}

fn size(value: &DeValue<'_>) -> Option<Bytes> {
    value.as_str().map_or_else(|| integer(value).map(Bytes::new), parse_size)
}

/// What a value is, for messages.
pub(super) fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("\"{}\"", text.chars().take(60).collect::<String>()),
        DeValue::Integer(n) => n.to_string(),
        DeValue::Float(n) => n.to_string(),
        DeValue::Boolean(b) => b.to_string(),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(items) => format!("a list of {}", items.len()),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
