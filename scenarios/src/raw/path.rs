//! Paths into the tree: `cluster.pool.0.count`, `spark.conf."spark.executor.memory"`.
//!
//! Parts are separated by dots; a part with dots stands in single or double quotes. A list is indexed by a number
//! (from 0) or by the `name` of its item. Setting a path makes the tables on its way, never list items.

use std::fmt;

use super::{Node, Value};

/// A parsed path, at least one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    /// The parts.
    pub(crate) parts: Vec<String>,
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, part) in self.parts.iter().enumerate() {
            let dot = if i == 0 { "" } else { "." };
            if part.contains('.') { write!(f, "{dot}\"{part}\"")? } else { write!(f, "{dot}{part}")? }
        }
        Ok(())
    }
}

impl Path {
    /// Parses a path; the error says what is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text.trim();
        loop {
            let (part, after) = match rest.chars().next() {
                Some(quote @ ('"' | '\'')) => rest[1..].split_once(quote).ok_or_else(|| format!("the quote {quote} is not closed"))?,
                _ => rest.split_at(rest.find('.').unwrap_or(rest.len())),
            };
            if part.trim().is_empty() {
                return Err("a part of the path is empty".to_owned());
            }
            parts.push(part.trim().to_owned());
            match after.strip_prefix('.') {
                Some(more) => rest = more,
                None if after.is_empty() => return Ok(Self { parts }),
                None => return Err(format!("expected a dot before {after:?}")),
            }
        }
    }

    /// Sets the value at this path; the error says which part does not exist.
    pub(crate) fn set(&self, root: &mut Node, node: Node) -> Result<(), String> {
        let Some((last, way)) = self.parts.split_last() else { return Ok(()) };
        let mut at = root;
        for part in way {
            if !matches!(at.value, Value::Array(_)) && at.get(part).is_none() {
                at.insert(part, Node::made(Value::Table(Vec::new()), node.layer.clone()));
            }
            at = step(at, part)?;
        }
        if matches!(at.value, Value::Array(_)) {
            *step(at, last)? = node;
        } else {
            at.insert(last, node);
        }
        Ok(())
    }
}

/// One step down.
fn step<'a>(node: &'a mut Node, part: &str) -> Result<&'a mut Node, String> {
    if matches!(node.value, Value::Array(_)) {
        let index = index_of(node.items(), part)?;
        let Value::Array(items) = &mut node.value else { return Err("not a list".to_owned()) };
        return items.get_mut(index).ok_or_else(|| "no such item".to_owned());
    }
    node.get_mut(part).ok_or_else(|| format!("no key {part:?}"))
}

/// The index that a part names; the error lists what there is.
fn index_of(items: &[Node], part: &str) -> Result<usize, String> {
    let name = |item: &Node| item.get("name").and_then(Node::text).map(str::to_owned);
    let by_name = || items.iter().position(|item| name(item).as_deref() == Some(part));
    part.parse::<usize>().ok().filter(|i| *i < items.len()).or_else(by_name).ok_or_else(|| {
        let names: Vec<String> = items.iter().enumerate().map(|(i, item)| name(item).map_or_else(|| i.to_string(), |name| format!("{i} ({name})"))).collect();
        let known = if names.is_empty() { "the list is empty".to_owned() } else { format!("it has {}", names.join(", ")) };
        format!("no item {part:?} in the list: {known}")
    })
}

#[cfg(test)]
mod tests {
    use super::super::Layer;
    use super::*;

    fn parts(text: &str) -> Vec<String> {
        Path::parse(text).expect("a path").parts
    }

    #[test]
    fn quoted_parts_keep_their_dots() {
        assert_eq!(parts("cluster.pool.0.count"), ["cluster", "pool", "0", "count"]);
        assert_eq!(parts("spark.conf.\"spark.executor.memory\""), ["spark", "conf", "spark.executor.memory"]);
        assert_eq!(parts("spark.conf.'spark.executor.memory'"), ["spark", "conf", "spark.executor.memory"]);
        for text in ["", ".", "a..b", "a.", "'a", "\"a\"b"] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn set_walks_lists_by_number_or_name() {
        let item = |name: &str| {
            let mut node = Node::made(Value::Table(Vec::new()), Layer::Scenario);
            node.insert("name", Node::made(Value::Text(name.to_owned()), Layer::Scenario));
            node
        };
        let mut root = Node::made(Value::Table(Vec::new()), Layer::Scenario);
        root.insert("pool", Node::made(Value::Array(vec![item("a"), item("b")]), Layer::Scenario));
        let seven = || Node::made(Value::Integer(7), Layer::Set);
        Path::parse("pool.b.count").expect("path").set(&mut root, seven()).expect("by name");
        Path::parse("pool.0.count").expect("path").set(&mut root, seven()).expect("by number");
        Path::parse("new.deep.key").expect("path").set(&mut root, seven()).expect("new tables");
        for index in 0..2 {
            assert_eq!(root.get("pool").expect("pool").items()[index].get("count"), Some(&seven()));
        }
        let error = Path::parse("pool.c.count").expect("path").set(&mut root, seven()).expect_err("unknown item");
        assert!(error.contains("0 (a), 1 (b)"), "{error}");
    }
}
