//! `[sweep]`: named axes, each with values that set something.
//!
//! A value is a plain one (it goes to the axis's `path`) or a table `{ value, label, set }` whose `set` changes several
//! paths at once. The grid is the full product in row-major order. Values are laid over all other layers, `--set`
//! included, because they are what the sweep varies; every rule then applies to every point.

use sim_core::spec::Spec;

use crate::diag::{Diagnostic, Diagnostics};
use crate::layer::{Change, check_path};
use crate::raw::{Layer, Node, Path, Value};
use crate::schema::nearest;

/// Most points of a grid.
const MAX_POINTS: usize = 1_000_000;

/// The axes of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// The first varies slowest.
    pub axes: Vec<Axis>,
}

/// One axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Name, for tables and JSON.
    pub name: String,
    /// Title, for charts.
    pub title: String,
    /// Unit of the values.
    pub unit: Option<String>,
    /// Values in order.
    pub values: Vec<AxisValue>,
}

/// One value of an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct AxisValue {
    /// What goes into the point's coordinates: boolean, number or string.
    pub value: serde_json::Value,
    /// The value in words, without the axis's unit.
    pub label: String,
    pub(crate) changes: Vec<Change>,
}

impl AxisValue {
    /// What sets the same on the command line: `("--conf", "KEY=VALUE")` or `("--set", "PATH=VALUE")`, empty when the value
    /// is the scenario as it is. `None` when it sets something that is no single line, such as a pod template.
    pub fn settings(&self) -> Option<Vec<(&'static str, String)>> {
        let setting = |(path, node): &Change| {
            let text = match &node.value {
                Value::Text(text) if text.contains('\n') => return None,
                Value::Text(text) => text.clone(),
                _ => json(node)?.to_string(),
            };
            match path.parts.as_slice() {
                [spark, conf, key] if spark == "spark" && conf == "conf" => Some(("--conf", format!("{key}={text}"))),
                _ => Some(("--set", format!("{path}={text}"))),
            }
        };
        self.changes.iter().map(setting).collect()
    }
}

/// One configuration of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Index in row-major order.
    pub index: usize,
    /// Axis names and values.
    pub coordinates: Vec<(String, serde_json::Value)>,
    /// Labels of the values.
    pub labels: Vec<String>,
    /// The model's input.
    pub spec: Spec,
}

impl Sweep {
    /// All combinations of values, the first axis slowest.
    pub(crate) fn combinations(&self) -> Vec<Vec<&AxisValue>> {
        self.axes.iter().fold(vec![Vec::new()], |rows, axis| {
            rows.iter().flat_map(|row| axis.values.iter().map(|value| row.iter().copied().chain([value]).collect())).collect()
        })
    }
}

/// Reads the axes; what the walker has checked is not checked again.
pub(crate) fn read(tree: &Node, problems: &mut Diagnostics) -> Option<Sweep> {
    let sweep = tree.get("sweep")?;
    let axes: Vec<Axis> = sweep.get("axis")?.items().iter().map(|node| axis(node, problems)).collect();
    let mut size = 1usize;
    for (i, axis) in axes.iter().enumerate() {
        size = size.saturating_mul(axis.values.len());
        if axes[..i].iter().any(|other| other.name == axis.name) {
            problems.push(sweep.mark(Diagnostic::error("sweep", format!("two axes are called {:?}", axis.name))).expected("a name for each axis"));
        }
    }
    if axes.is_empty() || size > MAX_POINTS {
        let message = if axes.is_empty() { "the sweep has no axes".to_owned() } else { format!("the grid has {size} points") };
        problems.push(sweep.mark(Diagnostic::error("sweep", message)).expected(format!("1 to {MAX_POINTS} points")));
        return None;
    }
    Some(Sweep { axes })
}

fn axis(node: &Node, problems: &mut Diagnostics) -> Axis {
    let text = |key: &str| node.get(key).and_then(Node::text).map(str::to_owned);
    let name = text("name").unwrap_or_default();
    let unit = text("unit");
    let path = node.get("path").and_then(|path| parse_path(path, path.text()?, problems));
    let items = node.get("values").map_or(&[][..], Node::items);
    if items.is_empty() {
        problems.push(node.mark(Diagnostic::error("sweep", format!("axis {name:?} has no values"))).expected("at least one value"));
    }
    let has_path = node.get("path").is_some();
    let values = items
        .iter()
        .filter_map(|item| {
            if !has_path {
                needs_set(item, &name, problems);
            }
            value(item, &name, path.as_ref(), problems)
        })
        .collect();
    Axis { title: text("title").unwrap_or_else(|| name.clone()), name, unit, values }
}

fn parse_path(at: &Node, text: &str, problems: &mut Diagnostics) -> Option<Path> {
    let checked = Path::parse(text)
        .map_err(|message| Diagnostic::error("bad-path", format!("the path {text:?} cannot be read: {message}")).expected("parts separated by dots").into())
        .and_then(|path| check_path(&path).map(|_| path));
    match checked {
        Ok(path) => Some(path),
        Err(diagnostic) => {
            problems.push(at.mark(*diagnostic));
            None
        }
    }
}

fn value(item: &Node, axis: &str, path: Option<&Path>, problems: &mut Diagnostics) -> Option<AxisValue> {
    let mut changes = Vec::new();
    let plain = if let Value::Table(entries) = &item.value {
        for entry in entries.iter().filter(|entry| !["value", "label", "set"].contains(&entry.key.as_str())) {
            let near = nearest(&entry.key, ["value", "label", "set"]);
            let problem = item
                .mark(Diagnostic::error("unknown-key", format!("unknown key {:?} in a value of axis {axis:?}", entry.key)))
                .expected("value, label and set");
            problems.push(near.first().map_or(problem.clone(), |near| problem.hint(format!("did you mean {near}?"))));
        }
        set_table(item, axis, &mut changes, problems);
        item.get("value")
    } else {
        Some(item)
    };
    let Some(json) = plain.and_then(json) else {
        problems.push(
            item.mark(Diagnostic::error("sweep", format!("a value of axis {axis:?} has no plain value")))
                .found(item.found())
                .expected("a boolean, a number, a string, or { value = …, set = { … } }"),
        );
        return None;
    };
    let plain = plain?;
    if let Some(path) = path {
        changes.insert(0, (path.clone(), on_axis(plain, axis)));
    }
    let label = item.get("label").or(Some(plain)).and_then(Node::scalar).unwrap_or_default();
    Some(AxisValue { value: json, label, changes })
}

/// Without a path on the axis, each value says what it changes.
fn needs_set(item: &Node, axis: &str, problems: &mut Diagnostics) {
    if item.get("set").is_none() {
        let problem = Diagnostic::error("sweep", format!("this value of axis {axis:?} changes nothing")).found(item.found());
        problems.push(item.mark(problem).expected("a path on the axis, or a set table in the value").hint("add path = \"job.input\" to the axis"));
    }
}

fn set_table(item: &Node, axis: &str, changes: &mut Vec<Change>, problems: &mut Diagnostics) {
    let Some(set) = item.get("set") else { return };
    if !matches!(set.value, Value::Table(_)) {
        problems.push(set.mark(Diagnostic::error("wrong-type", "set has the wrong type")).found(set.found()).expected("a table of paths and values"));
    }
    for entry in set.entries() {
        let key = Node { place: entry.key_place.clone(), ..entry.node.clone() };
        if let Some(path) = parse_path(&key, &entry.key, problems) {
            changes.push((path, on_axis(&entry.node, axis)));
        }
    }
}

fn on_axis(node: &Node, axis: &str) -> Node {
    Node { layer: Layer::Axis(axis.to_owned()), ..node.clone() }
}

fn json(node: &Node) -> Option<serde_json::Value> {
    Some(match &node.value {
        Value::Bool(b) => (*b).into(),
        Value::Integer(i) => (*i).into(),
        Value::Float(x) if x.is_finite() => (*x).into(),
        Value::Text(text) => text.clone().into(),
        _ => return None,
    })
}
