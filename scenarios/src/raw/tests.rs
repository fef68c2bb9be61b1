//! Text of any kind is read without a panic, and every span lies inside its text.

use std::sync::Arc;

use proptest::prelude::*;

use super::{Layer, Node, Path, Value, read_toml, read_value, read_yaml};
use crate::diag::{Diagnostics, Source};
use crate::properties::read_properties;
use crate::schema::{ROOT, Unknown, walk};

fn inside(place: Option<&crate::diag::Place>) {
    if let Some(place) = place {
        assert!(place.source.text.get(place.span.clone()).is_some(), "{:?} in {:?}", place.span, place.source.text);
    }
}

fn all_inside(node: &Node) {
    inside(node.place.as_ref());
    node.items().iter().for_each(all_inside);
    for entry in node.entries() {
        inside(entry.key_place.as_ref());
        all_inside(&entry.node);
    }
}

fn problems_inside(problems: &Diagnostics) {
    problems.items().iter().for_each(|problem| inside(problem.place.as_ref()));
}

fn read_everything(source: &Arc<Source>) {
    let mut problems = Diagnostics::default();
    let tree = read_toml(source, &Layer::Scenario, &mut problems);
    all_inside(&tree);
    walk(&tree, &ROOT, "", Unknown::Error, &mut problems);
    crate::sweep::read(&tree, &mut problems);
    if let Some(tree) = read_yaml(source, &Layer::PodTemplate, &mut problems) {
        all_inside(&tree);
    }
    crate::kube_yaml::pod_template(source, None, &mut problems);
    if let Some(objects) = crate::kubectl::objects(source, "objects", &mut problems) {
        crate::kubectl::machines(&objects, &mut problems);
        crate::kubectl::neighbours(&objects, &crate::kubectl::Around { nodes: &[], usage: None, application: None }, &mut problems);
        crate::spark_application::application(&objects, &mut problems);
    }
    crate::kubectl::usage(source, &mut problems);
    for entry in read_properties(source, &Layer::Properties, &mut problems) {
        inside(entry.key_place.as_ref());
        all_inside(&entry.node);
    }
    problems_inside(&problems);
}

/// Pieces that bring the parsers further than bytes would.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "name",
        " = ",
        "\"x\"",
        "[cluster]",
        "[[cluster.pool]]",
        "\n",
        "{",
        "}",
        "[",
        "]",
        ",",
        "'",
        "\"\"\"",
        "input",
        "3GB",
        "é",
        "\u{feff}",
        "1e999",
        "0x",
        "99999999999999999999",
        "- a",
        ": ",
        "  ",
        "&x",
        "*x",
        "!!",
        "|",
        ">",
        "\\",
        "\\u12",
        "#",
        "spark.executor.memory",
        "uncertainty.data_volume",
        "lognormal",
        "1979-05-27",
        "spec:",
        "affinity:",
        "sweep.axis",
        "true",
        "-1",
        "\r\n",
        "<<:",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_text_is_read(text in any::<String>()) {
        read_everything(&Source::new("t", text));
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_everything(&Source::new("t", String::from_utf8_lossy(&bytes)));
    }

    #[test]
    fn likely_text_is_read(text in pieces()) {
        read_everything(&Source::new("t", text));
    }

    #[test]
    fn any_path_and_value_is_read(path in pieces(), value in any::<String>()) {
        let node = read_value(&value, &Layer::Set).unwrap_or_else(|| Node::made(Value::Text(value), Layer::Set));
        if let Ok(path) = Path::parse(&path) {
            let mut root = read_toml(&Source::new("t", "[[cluster.pool]]\ncount = 1"), &Layer::Scenario, &mut Diagnostics::default());
            let _ = path.set(&mut root, node);
            walk(&root, &ROOT, "", Unknown::Error, &mut Diagnostics::default());
        }
    }

    #[test]
    fn any_quantity_is_read(text in "[0-9.]{0,25}[a-zA-Z/]{0,6}") {
        use crate::quantity::{SparkUnit, cpu, kube_bytes, kube_cpu, rate, size, spark_size, spark_time, time};
        let _ = (size(&text), spark_size(&text, SparkUnit::B), kube_bytes(&text), kube_cpu(&text), cpu(&text), time(&text), spark_time(&text, "ms"), rate(&text));
    }
}
