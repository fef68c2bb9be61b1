//! The lowest layer: defaults of the table put into the tree.
//!
//! Every key that has a constant default and was not written gets it, with a layer that says whose default it is, so
//! that what is built and what `explain` shows come from the same tree. Keys whose default follows from
//! others are filled where the model's input is built, which knows the others.

use super::{Kind, Need, Shape};
use crate::raw::{Layer, Node, Value, read_value};

/// Fills the constant defaults of a table that the walker has passed.
pub(crate) fn fill(node: &mut Node, shape: &'static Shape) {
    for field in shape.fields {
        if let Need::Default(toml) = field.need
            && node.get(field.key).is_none()
        {
            let whose = if field.source.is_empty() { "default".to_owned() } else { format!("default ({})", field.source) };
            if let Some(value) = read_value(toml, &Layer::Default(whose)) {
                node.insert(field.key, value);
            }
        }
        let Some(child) = node.get_mut(field.key) else { continue };
        match field.kind {
            Kind::Table(below) => fill(child, below),
            Kind::List(Kind::Table(below)) => {
                if let Value::Array(items) = &mut child.value {
                    for item in items {
                        fill(item, below);
                    }
                }
            }
            _ => {}
        }
    }
}
