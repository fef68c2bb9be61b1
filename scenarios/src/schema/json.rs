//! The JSON Schema (draft-07) of a scenario file, printed from the table of keys, for editors.
//!
//! Quantities are strings or numbers with a pattern-free description: the walker says more than a pattern could.

use serde_json::{Map, Value as Json, json};

use super::walk::describe;
use super::{Field, Kind, Need, Shape};

/// The schema of a file whose root table is `root`.
pub(crate) fn json_schema(root: &'static Shape, title: &str) -> Json {
    let mut schema = table(root);
    if let Some(object) = schema.as_object_mut() {
        object.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
        object.insert("title".to_owned(), json!(title));
    }
    schema
}

fn table(shape: &Shape) -> Json {
    let properties: Map<String, Json> = shape.fields.iter().map(|field| (field.key.to_owned(), property(field))).collect();
    // A file with a `base` leaves keys to it, so a schema cannot demand them.
    json!({ "type": "object", "description": shape.name, "properties": properties, "additionalProperties": false })
}

fn property(field: &Field) -> Json {
    let mut schema = kind(field.kind);
    let default = match field.need {
        Need::Default(value) | Need::Computed(value) => format!(" Default: {value}."),
        Need::Required => " Required.".to_owned(),
        Need::Optional => String::new(),
    };
    let source = if field.source.is_empty() { String::new() } else { format!(" Source: {}.", field.source) };
    let description = format!("{}{default}{source}", field.meaning);
    if let Some(object) = schema.as_object_mut() {
        object.insert("description".to_owned(), json!(description));
    }
    schema
}

fn kind(kind_of: Kind) -> Json {
    match kind_of {
        Kind::Table(shape) => table(shape),
        Kind::List(item) => json!({ "type": "array", "items": kind(*item) }),
        Kind::Text | Kind::Version(_) => json!({ "type": "string" }),
        Kind::Choice(names) => json!({ "type": "string", "enum": names }),
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Integer(low, high) => json!({ "type": "integer", "minimum": low, "maximum": high }),
        Kind::Number(low, high) => json!({ "type": "number", "minimum": low, "maximum": high }),
        Kind::Size | Kind::Time | Kind::Cpu | Kind::KubeBytes | Kind::KubeCpu => json!({ "type": ["string", "number"], "examples": [describe(kind_of)] }),
        Kind::Rate => json!({ "type": "string", "examples": ["150MB/s"] }),
        Kind::Priority => json!({ "type": ["string", "integer"] }),
        Kind::Dist(_) => json!({ "type": ["number", "string", "array", "object"] }),
        Kind::Map => json!({ "type": "object" }),
        Kind::Any => json!({}),
    }
}
