//! Every value of a point with its origin, for `explain`, `compare` and reports.

use crate::raw::{Node, Origin, Value};
use crate::scenario::Setting;
use crate::spark_conf::{Conf, KEYS};

/// Scenario paths in the order of the file, then Spark keys: written ones, and the defaults of those that the model uses.
pub(super) fn settings(tree: &Node, conf: &Conf) -> Vec<Setting> {
    let mut all = Vec::new();
    for entry in tree.entries().iter().filter(|entry| entry.key != "sweep") {
        collect(&entry.node, &entry.key, &mut all);
    }
    let mut keys: Vec<Setting> =
        conf.entries().map(|(key, node)| Setting { key: key.clone(), value: node.scalar().unwrap_or_default(), origin: node.origin() }).collect();
    let release = format!("default of Spark {}.{}", conf.version.major, conf.version.minor);
    for key in KEYS.iter().filter(|key| conf.written(key.key).is_none() && key.since <= (conf.version.major, conf.version.minor)) {
        if let Some(value) = key.default_in(conf.version) {
            keys.push(Setting { key: key.key.to_owned(), value: value.to_owned(), origin: Origin::Default(release.clone()) });
        }
    }
    keys.sort_by(|a, b| a.key.cmp(&b.key));
    all.extend(keys);
    all
}

fn collect(node: &Node, path: &str, all: &mut Vec<Setting>) {
    let leaf = |node: &Node| Setting { key: path.to_owned(), value: node.inline(), origin: node.origin() };
    match &node.value {
        Value::Table(_) if path == "spark.conf" => {}
        // A distribution is one value.
        Value::Table(_)
            if path.starts_with("uncertainty.") || ["anon", "shmem", "system_memory", "metrics_age", "teardown"].iter().any(|key| path.ends_with(key)) =>
        {
            all.push(leaf(node));
        }
        Value::Table(entries) => {
            for entry in entries {
                collect(&entry.node, &format!("{path}.{}", entry.key), all);
            }
        }
        Value::Array(items) if items.iter().any(|item| matches!(item.value, Value::Table(_))) => {
            for (i, item) in items.iter().enumerate() {
                collect(item, &format!("{path}.{i}"), all);
            }
        }
        _ => all.push(leaf(node)),
    }
}
