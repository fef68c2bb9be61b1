//! The keys of a scenario file, told once.
//!
//! One table ([`tables`]) says for each key what it takes, its default, its meaning and its source. The walker
//! checks what users wrote against it, the defaults are filled in from it, `explain` reads it, and the JSON Schema
//! for editors is printed from it. Pod templates and the catalog of VM shapes have tables of the same kind and the
//! same walker. A new key is one line in a table and one line where the model's input is built.

mod autoscaler;
mod daemon;
mod dist;
mod fill;
mod inject;
mod json;
mod kube_scheduler;
mod limits;
mod neighbour;
mod pool;
mod reclaim;
mod remote_shuffle;
mod storage_class;
mod swap;
mod sweep;
mod tables;
mod walk;
mod yarn;

pub(crate) use dist::dist;
pub(crate) use fill::fill;
pub(crate) use json::json_schema;
pub(crate) use tables::ROOT;
pub(crate) use walk::{Unknown, describe, nearest, system_priority, walk};

use crate::raw::{Node, Path};

/// What the numbers of a distribution are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Bytes; sizes with units are taken too.
    Bytes,
    /// Seconds; times with units are taken too.
    Seconds,
    /// A plain factor or share.
    Factor,
}

/// What a key takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// A table with these keys.
    Table(&'static Shape),
    /// A list of this.
    List(&'static Kind),
    /// A text.
    Text,
    /// A text that is one of these.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Bool,
    /// An integer from the first to the second.
    Integer(i64, i64),
    /// A number from the first to the second.
    Number(f64, f64),
    /// A size.
    Size,
    /// A time.
    Time,
    /// A transfer rate.
    Rate,
    /// A number of cores.
    Cpu,
    /// A distribution.
    Dist(Measure),
    /// A version with at most so many numbers, `1.28` or `3.4.0`.
    Version(usize),
    /// A pod priority: an integer or the name of a system class.
    Priority,
    /// Any table of scalars with free keys: Spark's configuration, labels.
    Map,
    /// A Kubernetes memory or storage quantity.
    KubeBytes,
    /// A Kubernetes CPU quantity.
    KubeCpu,
    /// Anything; checked where it is used.
    Any,
}

/// What happens when a key is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// It must be there.
    Required,
    /// This, as TOML.
    Default(&'static str),
    /// Worked out from other keys, in words.
    Computed(&'static str),
    /// Nothing.
    Optional,
}

/// One key.
#[derive(Debug)]
pub(crate) struct Field {
    /// Key.
    pub(crate) key: &'static str,
    /// What it takes.
    pub(crate) kind: Kind,
    /// Without it.
    pub(crate) need: Need,
    /// Meaning, with the unit.
    pub(crate) meaning: &'static str,
    /// Source of the meaning and of the default: ids of domain-facts or words.
    pub(crate) source: &'static str,
}

impl Field {
    /// A key that must be there.
    pub(crate) const fn required(key: &'static str, kind: Kind, meaning: &'static str) -> Self {
        Self { key, kind, need: Need::Required, meaning, source: "" }
    }
    /// A key with a default, written as TOML.
    pub(crate) const fn default(key: &'static str, kind: Kind, value: &'static str, meaning: &'static str, source: &'static str) -> Self {
        Self { key, kind, need: Need::Default(value), meaning, source }
    }
    /// A key whose value follows from others when it is not there.
    pub(crate) const fn computed(key: &'static str, kind: Kind, from: &'static str, meaning: &'static str, source: &'static str) -> Self {
        Self { key, kind, need: Need::Computed(from), meaning, source }
    }
    /// A key that may be missing.
    pub(crate) const fn optional(key: &'static str, kind: Kind, meaning: &'static str) -> Self {
        Self { key, kind, need: Need::Optional, meaning, source: "" }
    }
}

/// The keys of a table.
#[derive(Debug)]
pub(crate) struct Shape {
    /// What the table is, in words.
    pub(crate) name: &'static str,
    /// Its keys.
    pub(crate) fields: &'static [Field],
}

impl Shape {
    /// The field with a key.
    pub(crate) fn field(&self, key: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.key == key)
    }
}

/// The kind at a path below `root`; the error is the part that is unknown with the shape that does not have it.
pub(crate) fn kind_at(root: &'static Shape, path: &Path) -> Result<Kind, (String, Option<&'static Shape>)> {
    let mut kind = Kind::Table(root);
    for part in &path.parts {
        kind = match kind {
            Kind::Table(shape) => shape.field(part).ok_or_else(|| (part.clone(), Some(shape)))?.kind,
            Kind::List(item) => *item,
            Kind::Map | Kind::Dist(_) | Kind::Any => Kind::Any,
            _ => return Err((part.clone(), None)),
        };
    }
    Ok(kind)
}

/// The field at a path without list indices, such as `cluster.pool.count`.
pub(crate) fn field_at(root: &'static Shape, parts: &[&str]) -> Option<&'static Field> {
    let (first, rest) = parts.split_first()?;
    let field = root.field(first)?;
    if rest.is_empty() {
        return Some(field);
    }
    let mut kind = field.kind;
    if let Kind::List(item) = kind {
        kind = *item;
    }
    let rest = if rest[0].parse::<usize>().is_ok() { &rest[1..] } else { rest };
    match kind {
        _ if rest.is_empty() => Some(field),
        Kind::Table(shape) => field_at(shape, rest),
        _ => None,
    }
}

/// All paths of a shape, without list indices.
pub(crate) fn paths(root: &'static Shape) -> Vec<String> {
    let mut all = Vec::new();
    for field in root.fields {
        all.push(field.key.to_owned());
        let kind = if let Kind::List(item) = field.kind { *item } else { field.kind };
        if let Kind::Table(shape) = kind {
            all.extend(paths(shape).into_iter().map(|below| format!("{}.{below}", field.key)));
        }
    }
    all
}
