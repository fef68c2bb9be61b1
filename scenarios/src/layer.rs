//! The layers: what each one says, read once, and the order in which they win.
//!
//! Defaults < base < scenario < pod template < properties file < `--conf` < `--set` < the value of a sweep's axis. A
//! scenario's own `properties` file lies under its inline `conf`; `--properties-file` lies over it. Reading happens once;
//! [`Layers::merge`] then makes the tree of one point. Profiles are kept once read, because a sweep asks for them again.

use std::collections::BTreeMap;
use std::path::{Path as FilePath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::diag::{Diagnostic, Diagnostics, Source};
use crate::expand::{self, Files};
use crate::library;
use crate::profile::Profile;
use crate::properties::read_properties;
use crate::raw::{Entry, Layer, Node, Path, Value, read_toml, read_value};
use crate::scenario::Request;
use crate::schema::{self, Kind, ROOT, kind_at, nearest};

/// A value to set at a path.
pub(crate) type Change = (Path, Node);

/// Longest chain of `base`.
const MAX_BASES: usize = 8;

/// Everything that was read, before it is laid over each other.
#[derive(Clone, Debug)]
pub(crate) struct Layers {
    tree: Node,
    conf: Vec<Entry>,
    sets: Vec<Change>,
    pod_template: Option<Arc<Source>>,
    profile: Option<PathBuf>,
    profiles: Arc<Mutex<BTreeMap<PathBuf, Profile>>>,
    /// The SparkApplication of the command line.
    application: Option<Node>,
    files: Arc<Files>,
}

impl Layers {
    /// Reads all that the request names; `None` when the scenario itself cannot be read.
    pub(crate) fn read(request: &Request, problems: &mut Diagnostics) -> Option<Self> {
        let source = find_scenario(&request.scenario, problems)?;
        let tree = read_scenario(&source, 0, problems)?;
        let mut conf = Vec::new();
        if let Some(path) = &request.properties_file
            && let Some(source) = read_file(path, None, problems)
        {
            conf.extend(read_properties(&source, &Layer::Properties, problems));
        }
        conf.extend(request.conf.iter().filter_map(|argument| conf_argument(argument, problems)));
        let mut sets: Vec<Change> = files_of(request);
        sets.extend(request.set.iter().filter_map(|argument| set_argument(argument, problems)));
        let pod_template = request.pod_template.as_ref().and_then(|path| read_file(path, None, problems));
        let application = request.spark_application.as_ref().map(|path| named(path, "--spark-application"));
        let (profiles, files) = (Arc::default(), Arc::default());
        Some(Self { tree, conf, sets, pod_template, profile: request.profile.clone(), profiles, application, files })
    }

    /// A scenario that is already read, without a command line.
    pub(crate) fn of_text(source: &Arc<Source>, problems: &mut Diagnostics) -> Option<Self> {
        let tree = read_scenario(source, 0, problems)?;
        let (profiles, files) = (Arc::default(), Arc::default());
        Some(Self { tree, conf: Vec::new(), sets: Vec::new(), pod_template: None, profile: None, profiles, application: None, files })
    }

    /// The scenario with its bases, without the command line, for its sweep.
    pub(crate) fn tree(&self) -> Node {
        let mut ignored = Diagnostics::default();
        self.merge(&[], &mut ignored)
    }

    /// The tree of one point.
    pub(crate) fn merge(&self, axis: &[Change], problems: &mut Diagnostics) -> Node {
        let mut tree = self.tree.clone();
        let mut application = self.application.as_ref().and_then(|node| expand::read_application(node, &self.files, problems));
        if let Some(application) = &application {
            expand::over(&mut tree, application);
        }
        if !self.conf.is_empty() {
            let mut over = Node::made(Value::Table(Vec::new()), Layer::Conf);
            for entry in &self.conf {
                put(&mut over, entry.clone());
            }
            let mut spark = Node::made(Value::Table(Vec::new()), Layer::Conf);
            spark.insert("conf", over);
            let mut root = Node::made(Value::Table(Vec::new()), Layer::Conf);
            root.insert("spark", spark);
            tree.overlay(root);
        }
        self.replace(&mut tree);
        for (path, node) in self.sets.iter().chain(axis) {
            if let Err(message) = path.set(&mut tree, node.clone()) {
                problems.push(
                    node.mark(Diagnostic::error("bad-path", format!("cannot set {path}: {message}")))
                        .expected("a path of the scenario")
                        .hint("spillcast schema prints every key"),
                );
            }
        }
        flatten_conf(&mut tree);
        if let Some(node) = tree.get("spark").and_then(|spark| spark.get("application")).filter(|_| self.application.is_none()).cloned() {
            application = expand::read_application(&node, &self.files, problems);
            if let Some(application) = &application {
                expand::under(&mut tree, application, problems);
            }
        }
        expand::cluster(&mut tree, &self.files, application.as_ref().map(|application| application.name.as_str()), problems);
        tree
    }

    /// The pod template and the profile of the command line take the place of the scenario's. An input that was meant for the
    /// scenario's own profile goes with it: a recorded job runs with what was recorded unless `--set` or an axis says more.
    fn replace(&self, tree: &mut Node) {
        let mut set = |parts: &[&str], node| {
            // Plain keys: nothing on the way can be missing.
            let _ = Path { parts: parts.iter().map(|part| (*part).to_owned()).collect() }.set(tree, node);
        };
        if let Some(source) = &self.pod_template {
            set(&["spark", "pod_template"], Node::at(Value::Text(source.text.clone()), source, 0..0, Layer::PodTemplate));
        }
        if let Some(path) = &self.profile {
            let layer = Layer::Derived("--profile".to_owned());
            let mut job = Node::made(Value::Table(Vec::new()), layer.clone());
            job.insert("profile", Node::made(Value::Text(path.display().to_string()), layer));
            set(&["job"], job);
        }
    }

    /// A profile that was read before.
    pub(crate) fn cached_profile(&self, path: &FilePath) -> Option<Profile> {
        self.profiles.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }

    /// Keeps a profile.
    pub(crate) fn keep_profile(&self, path: &FilePath, profile: &Profile) {
        self.profiles.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), profile.clone());
    }
}

/// The files of a running cluster that the command line names, as the scenario's keys.
fn files_of(request: &Request) -> Vec<Change> {
    let files = [("nodes", "--nodes", &request.nodes), ("pods", "--pods", &request.pods), ("pod_usage", "--pod-usage", &request.pod_usage)];
    let change = |key: &str, option: &str, path: &PathBuf| (Path { parts: vec!["cluster".to_owned(), key.to_owned()] }, named(path, option));
    files.into_iter().filter_map(|(key, option, path)| path.as_ref().map(|path| change(key, option, path))).collect()
}

/// A path of the command line.
fn named(path: &FilePath, option: &str) -> Node {
    Node::made(Value::Text(path.display().to_string()), Layer::Derived(option.to_owned()))
}

fn put(table: &mut Node, entry: Entry) {
    if let Value::Table(entries) = &mut table.value {
        match entries.iter_mut().find(|old| old.key == entry.key) {
            Some(old) => *old = entry,
            None => entries.push(entry),
        }
    }
}

/// Reads a text file, with one diagnostic when it cannot be read; `at` is the value that names it.
pub(crate) fn read_file(path: &FilePath, at: Option<&Node>, problems: &mut Diagnostics) -> Option<Arc<Source>> {
    let error = match std::fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => return Some(Source::new(path.display().to_string(), text)),
        Ok(Err(_)) => "it is not UTF-8 text".to_owned(),
        Err(error) => error.to_string(),
    };
    let diagnostic = Diagnostic::error("file", format!("cannot read {}", path.display())).found(error).expected("a text file that can be read");
    let diagnostic = diagnostic.hint("paths in a scenario are relative to its file, paths of the command line to where it runs");
    problems.push(at.map_or(diagnostic.clone(), |node| node.mark(diagnostic)));
    None
}

/// Where a path that a value names lies: beside the file that says it.
pub(crate) fn beside(node: &Node, path: &str) -> PathBuf {
    let directory = match (&node.place, &node.layer) {
        (Some(place), Layer::Scenario | Layer::Axis(_)) => FilePath::new(&place.source.name).parent().map(FilePath::to_owned),
        _ => None,
    };
    directory.unwrap_or_default().join(path)
}

/// The text of a scenario by built-in name or path.
fn find_scenario(name: &str, problems: &mut Diagnostics) -> Option<Arc<Source>> {
    if let Some(built_in) = library::find(name).filter(|b| b.kind != library::BuiltInKind::Profile) {
        return Some(Source::new(format!("{}.toml", built_in.name), built_in.text));
    }
    let path = FilePath::new(name);
    let looks_like_path = name.contains(['/', '\\']) || path.extension().is_some() || path.exists();
    if looks_like_path {
        return read_file(path, None, problems);
    }
    let names: Vec<&str> = library::all().iter().filter(|b| b.kind != library::BuiltInKind::Profile).map(|b| b.name).collect();
    let near = nearest(name, names.iter().copied());
    let hint = if near.is_empty() { "spillcast list prints the built-in scenarios".to_owned() } else { format!("did you mean {}?", near.join(" or ")) };
    problems.push(
        Diagnostic::error("unknown-scenario", format!("there is no scenario {name:?}"))
            .found(name)
            .expected(format!("a path, or one of {}", names.join(", ")))
            .hint(hint),
    );
    None
}

/// Reads a scenario and lays it over its base.
fn read_scenario(source: &Arc<Source>, depth: usize, problems: &mut Diagnostics) -> Option<Node> {
    let mut tree = read_toml(source, &Layer::Scenario, problems);
    flatten_conf(&mut tree);
    under_properties(&mut tree, problems);
    let Some(base) = tree.get("base").cloned() else { return Some(tree) };
    let Some(name) = base.text() else { return Some(tree) };
    if depth == MAX_BASES {
        problems.push(
            base.mark(Diagnostic::error("base", "the chain of bases is too long or a circle")).found(name).expected(format!("at most {MAX_BASES} bases")),
        );
        return None;
    }
    let below = match library::find(name) {
        Some(built_in) => Source::new(format!("{}.toml", built_in.name), built_in.text),
        None => read_file(&beside(&base, name), Some(&base), problems)?,
    };
    let mut under = read_scenario(&below, depth + 1, problems)?;
    // A variant tells its own story: title and sweep are not inherited.
    if let Value::Table(entries) = &mut under.value {
        entries.retain(|entry| !["title", "sweep", "base"].contains(&entry.key.as_str()));
    }
    under.overlay(tree);
    Some(under)
}

/// Puts the keys of the scenario's own properties file under its inline ones.
fn under_properties(tree: &mut Node, problems: &mut Diagnostics) {
    let Some(named) = tree.get("spark").and_then(|spark| spark.get("properties")).cloned() else { return };
    let Some(source) = named.text().and_then(|path| read_file(&beside(&named, path), Some(&named), problems)) else { return };
    let mut conf = Node::made(Value::Table(Vec::new()), Layer::Properties);
    for entry in read_properties(&source, &Layer::Properties, problems) {
        put(&mut conf, entry);
    }
    if let Some(spark) = tree.get_mut("spark") {
        if let Some(inline) = spark.get("conf").cloned() {
            conf.overlay(inline);
        }
        spark.insert("conf", conf);
    }
}

/// Makes one flat table of `[spark.conf]`: unquoted dotted keys are tables to TOML.
fn flatten_conf(tree: &mut Node) {
    let Some(conf) = tree.get_mut("spark").and_then(|spark| spark.get_mut("conf")) else { return };
    if let Value::Table(entries) = &mut conf.value
        && entries.iter().any(|entry| matches!(entry.node.value, Value::Table(_)))
    {
        let mut flat = Vec::new();
        for entry in std::mem::take(entries) {
            flatten(entry, &mut flat);
        }
        *entries = flat;
    }
}

fn flatten(entry: Entry, flat: &mut Vec<Entry>) {
    match entry.node.value {
        Value::Table(below) => {
            for child in below {
                flatten(Entry { key: format!("{}.{}", entry.key, child.key), ..child }, flat);
            }
        }
        _ => flat.push(entry),
    }
}

fn conf_argument(argument: &str, problems: &mut Diagnostics) -> Option<Entry> {
    let source = Source::new("--conf", argument);
    let Some((key, value)) = argument.split_once('=').filter(|(key, _)| !key.trim().is_empty()) else {
        problems.push(
            Diagnostic::error("bad-conf", "--conf needs KEY=VALUE")
                .at(&source, 0..argument.len())
                .found(argument)
                .expected("KEY=VALUE")
                .hint("--conf spark.executor.memory=12g"),
        );
        return None;
    };
    let at = key.len() + 1;
    let node = Node::at(Value::Text(value.trim().to_owned()), &source, at..argument.len(), Layer::Conf);
    let key_place = Some(crate::diag::Place { source: Arc::clone(&source), span: 0..key.len() });
    Some(Entry { key: key.trim().to_owned(), key_place, node })
}

fn set_argument(argument: &str, problems: &mut Diagnostics) -> Option<Change> {
    let source = Source::new("--set", argument);
    let problem = |message: String| Diagnostic::error("bad-path", message).at(&source, 0..argument.len()).found(argument);
    let Some((path, value)) = split_assignment(argument) else {
        problems.push(problem("--set needs PATH=VALUE".to_owned()).expected("PATH=VALUE").hint("--set cluster.pool.0.count=8"));
        return None;
    };
    let at = Layer::Set;
    let parsed = match Path::parse(path) {
        Ok(parsed) => parsed,
        Err(message) => {
            problems.push(
                problem(format!("the path cannot be read: {message}"))
                    .expected("parts separated by dots")
                    .hint("put keys with dots in quotes: spark.conf.\"spark.executor.memory\""),
            );
            return None;
        }
    };
    match typed(&parsed, value, &at) {
        Ok(mut node) => {
            node.place = Some(crate::diag::Place { source: Arc::clone(&source), span: path.len() + 1..argument.len() });
            Some((parsed, node))
        }
        Err(mut diagnostic) => {
            diagnostic.place = Some(crate::diag::Place { source: Arc::clone(&source), span: 0..path.len() });
            problems.push(*diagnostic);
            None
        }
    }
}

/// Splits at the first `=` outside quotes.
fn split_assignment(argument: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (i, c) in argument.char_indices() {
        match (quote, c) {
            (None, '=') => return Some((&argument[..i], &argument[i + 1..])),
            (None, '"' | '\'') => quote = Some(c),
            (Some(q), _) if q == c => quote = None,
            _ => {}
        }
    }
    None
}

/// Reads the text of a value as the path's kind wants it.
fn typed(path: &Path, text: &str, layer: &Layer) -> Result<Node, Box<Diagnostic>> {
    let kind = check_path(path)?;
    let toml = read_value(text, layer);
    let keep_text = matches!(kind, Kind::Text | Kind::Choice(_) | Kind::Version(_) | Kind::Size | Kind::Time | Kind::Rate | Kind::Cpu);
    let node = match toml {
        Some(node) if !keep_text || matches!(node.value, Value::Text(_)) => node,
        _ => Node::made(Value::Text(text.trim().to_owned()), layer.clone()),
    };
    Ok(node)
}

/// The kind at a path, or why there is none.
pub(crate) fn check_path(path: &Path) -> Result<Kind, Box<Diagnostic>> {
    kind_at(&ROOT, path).map_err(|(part, shape)| {
        let diagnostic = Diagnostic::error("bad-path", format!("the scenario has no {path}")).found(part.clone());
        let Some(shape) = shape else {
            return Box::new(diagnostic.expected("a path that ends here").hint("the part before it has no keys"));
        };
        let keys: Vec<&str> = shape.fields.iter().map(|field| field.key).collect();
        let near = nearest(&part, keys.iter().copied());
        let hint = if path.parts.first().is_some_and(|first| first == "spark") && path.parts.len() > 2 {
            format!("a Spark key is set with --conf {}=…", path.parts.join("."))
        } else if near.is_empty() {
            "spillcast schema prints every key".to_owned()
        } else {
            format!("did you mean {}?", near.join(" or "))
        };
        Box::new(diagnostic.expected(format!("one of {} in {}", keys.join(", "), shape.name)).hint(hint))
    })
}

/// All paths of a scenario, for `explain`.
pub(crate) fn all_paths() -> Vec<String> {
    schema::paths(&ROOT)
}
