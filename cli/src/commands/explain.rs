//! `explain`: what a key means, what it is here, and where that came from.
//!
//! One key is told in full; a prefix, a glob, what a scenario sets and `--all` are lists. A lone argument that is no key but names a scenario
//! asks for what that scenario sets.

use std::path::Path;

use anstyle::Style;
use scenarios::diag::Diagnostic;
use scenarios::{Explanation, Scenario};
use serde_json::{Map, Value, json};

use super::load;
use crate::args::{ExplainArgs, InfoFormat};
use crate::exit::{Exit, Failure};
use crate::printer::{self, Printer};
use crate::report;
use crate::settings;
use crate::wrap;

/// What was asked.
enum Question {
    /// One key.
    Key(String),
    /// Keys that match.
    Pattern(String),
    /// What the scenario sets.
    Set,
    /// All keys of Spark.
    All,
}

/// Explains keys.
pub(super) fn explain(args: ExplainArgs, printer: &Printer) -> Result<Exit, Failure> {
    let (question, scenario) = question(args.key, args.scenario, args.all)?;
    let scenario = match scenario {
        Some(scenario) => Some(load(&settings::request(scenario, args.changes), printer)?),
        None => None,
    };
    let width = printer::width();
    let json = args.format.format == InfoFormat::Json;
    let text = match answer(&question, scenario.as_ref())? {
        Answer::One(explanation) if json => report::pretty(&object(&explanation)),
        Answer::One(explanation) => table(&explanation, width),
        Answer::Many(all) if json => report::pretty(&objects(&all)),
        Answer::Many(all) => list(&all, scenario.is_some(), width),
    };
    printer.result(&text)?;
    Ok(Exit::Done)
}

/// What was asked of which scenario.
fn question(key: Option<String>, scenario: Option<String>, all: bool) -> Result<(Question, Option<String>), Failure> {
    match (key, scenario) {
        (None, _) if all => Ok((Question::All, None)),
        (Some(scenario), None) if all => Ok((Question::All, Some(scenario))),
        (Some(key), Some(_)) if all => Err(both(&key).into()),
        (Some(key), None) if names_a_scenario(&key) => Ok((Question::Set, Some(key))),
        (Some(key), scenario) if key.contains(['*', '?']) || key.ends_with('.') => Ok((Question::Pattern(key), scenario)),
        (Some(key), scenario) => Ok((Question::Key(key), scenario)),
        (None, _) => Err(nothing().into()),
    }
}

fn both(key: &str) -> Diagnostic {
    Diagnostic::error("usage", format!("--all explains every key, so {key:?} has no place")).hint("give a key, or --all and a scenario")
}

fn nothing() -> Diagnostic {
    let diagnostic = Diagnostic::error("usage", "there is nothing to explain").expected("a key, a pattern, a scenario, or --all");
    diagnostic.hint("spillcast explain spark.memory.fraction; spillcast explain aks-migration")
}

fn names_a_scenario(text: &str) -> bool {
    scenarios::is_built_in_scenario(text) || Path::new(text).extension().is_some_and(|ending| ending == "toml") || Path::new(text).is_file()
}

/// One key or several.
enum Answer {
    One(Box<Explanation>),
    Many(Vec<Explanation>),
}

fn answer(question: &Question, scenario: Option<&Scenario>) -> Result<Answer, Failure> {
    match question {
        Question::All => Ok(Answer::Many(scenarios::explain_all(scenario))),
        Question::Set => Ok(Answer::Many(scenario.map(scenarios::explain_set).unwrap_or_default())),
        Question::Key(key) => match scenarios::explain(key, scenario) {
            Ok(explanation) => Ok(Answer::One(Box::new(explanation))),
            Err(unknown) => many(key, scenario, unknown),
        },
        Question::Pattern(pattern) => {
            let nothing = Diagnostic::error("unknown-key", format!("no key matches {pattern:?}")).found(pattern.as_str());
            many(pattern, scenario, nothing.hint("spillcast list keys prints the keys that matter"))
        }
    }
}

/// The keys under a prefix or of a pattern; without any, what is wrong with it.
fn many(pattern: &str, scenario: Option<&Scenario>, otherwise: Diagnostic) -> Result<Answer, Failure> {
    let all = scenarios::explain_matching(pattern, scenario);
    if all.is_empty() { Err(otherwise.into()) } else { Ok(Answer::Many(all)) }
}

fn objects(all: &[Explanation]) -> Value {
    let keys: Vec<Value> = all.iter().map(|explanation| Value::Object(fields(explanation))).collect();
    json!({"schema_version": 1, "keys": keys})
}

/// The documented object; derived sizes stand beside the value, as numbers where they are numbers.
fn object(explanation: &Explanation) -> Value {
    let mut object: Map<String, Value> = Map::new();
    object.insert("schema_version".to_owned(), json!(1));
    object.extend(fields(explanation));
    for (name, value) in &explanation.derived {
        object.insert(name.clone(), value.parse::<i64>().map_or_else(|_| json!(value), |number| json!(number)));
    }
    Value::Object(object)
}

fn fields(explanation: &Explanation) -> Map<String, Value> {
    let Explanation { key, meaning, default, default_here, value, origin, modelled, mechanism, since, removed, old_names, renamed_to, source, derived: _ } =
        explanation;
    let fields = [
        ("key", json!(key)),
        ("meaning", json!(meaning)),
        ("default", json!(default)),
        ("default_in_release", json!(default_here)),
        ("value", json!(value)),
        ("origin", json!(origin)),
        ("modelled", json!(modelled)),
        ("mechanism", json!(mechanism)),
        ("since", json!(since)),
        ("removed", json!(removed)),
        ("old_names", json!(old_names)),
        ("renamed_to", json!(renamed_to)),
        ("source", json!(source)),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn table(explanation: &Explanation, width: usize) -> String {
    let names = explanation.old_names.join(", ");
    let modelled = match (explanation.modelled, explanation.mechanism.as_str()) {
        (true, "") => "yes".to_owned(),
        (true, moves) => format!("yes: {moves}"),
        (false, "") => "no".to_owned(),
        (false, instead) => format!("no: {instead}"),
    };
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let here = explanation.default_here.clone().filter(|here| *here != explanation.default).unwrap_or_default();
    let mut rows: Vec<(&str, String)> = vec![
        ("meaning", explanation.meaning.clone()),
        ("default", explanation.default.clone()),
        ("default here", here),
        ("value", text(&explanation.value)),
        ("set by", text(&explanation.origin)),
    ];
    rows.extend(explanation.derived.iter().map(|(name, value)| (name.as_str(), value.clone())));
    rows.extend([
        ("modelled", modelled),
        ("since", text(&explanation.since)),
        ("removed", text(&explanation.removed)),
        ("old names", names),
        ("read as", text(&explanation.renamed_to)),
        ("source", explanation.source.clone()),
    ]);
    rows.retain(|(_, value)| !value.is_empty());
    let column = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = heading(&explanation.key);
    text.extend(rows.iter().map(|(name, value)| wrap::beside(name, column, value, width)));
    text
}

fn heading(text: &str) -> String {
    let bold = Style::new().bold();
    format!("{bold}{text}{bold:#}\n")
}

/// Wider names have their text on the next line.
const NAMES: usize = 36;

/// Keys in one column; beside each its value and origin in a scenario, else its default; and whether it counts.
fn list(all: &[Explanation], in_scenario: bool, width: usize) -> String {
    let column = all.iter().map(|explanation| explanation.key.chars().count()).max().unwrap_or(0).min(NAMES);
    let title = if in_scenario { "Keys, with their values and where those come from" } else { "Keys, with their defaults" };
    let mut text = heading(title);
    text.extend(all.iter().map(|explanation| wrap::beside(&explanation.key, column, &line(explanation, in_scenario), width)));
    text
}

fn line(explanation: &Explanation, in_scenario: bool) -> String {
    let value = match (&explanation.value, &explanation.origin) {
        (Some(value), Some(origin)) if in_scenario => format!("{} ({origin})", one_line(value)),
        _ => one_line(&explanation.default),
    };
    if explanation.modelled { value } else { format!("{value}; not simulated") }
}

/// A text of several lines, such as a pod template, is told by its first.
fn one_line(text: &str) -> String {
    match text.trim().split_once('\n') {
        Some((first, _)) => format!("{} …", first.trim()),
        None if text.is_empty() => "empty".to_owned(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Explanation {
        Explanation {
            key: "spark.executor.memory".to_owned(),
            meaning: "Heap of an executor (`-Xmx`), from which unified memory and user memory are cut.".to_owned(),
            default: "1g".to_owned(),
            value: Some("8g".to_owned()),
            origin: Some("x.toml:3".to_owned()),
            modelled: true,
            mechanism: "heap".to_owned(),
            source: "POD-4".to_owned(),
            derived: vec![("pod_memory_mib".to_owned(), "9011".to_owned()), ("note".to_owned(), "1.2".to_owned())],
            ..Explanation::default()
        }
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn derived_sizes_are_numbers_beside_the_value() {
        let object = object(&sample());
        assert_eq!(object["pod_memory_mib"], json!(9011));
        assert_eq!(object["note"], json!("1.2"));
        assert_eq!(object["modelled"], json!(true));
        assert_eq!(object["value"], json!("8g"));
    }

    #[test]
    fn the_table_fits_its_width() {
        let text = plain(&table(&sample(), 50));
        assert!(text.lines().all(|line| line.chars().count() <= 50), "{text}");
        assert!(text.contains("set by") && text.contains("9011") && text.contains("yes: heap"));
    }

    #[test]
    fn a_list_tells_value_and_origin() {
        let template = Explanation { key: "spark.pod_template".to_owned(), value: Some("a: 1\nb: 2\n".to_owned()), modelled: false, ..sample() };
        let text = plain(&list(&[sample(), template], true, 80));
        assert!(text.contains("spark.executor.memory  8g (x.toml:3)\n"), "{text}");
        assert!(text.contains("a: 1 … (x.toml:3); not simulated\n"), "{text}");
        assert!(plain(&list(&[sample()], false, 80)).contains("spark.executor.memory  1g\n"));
    }

    #[test]
    fn a_lone_argument_may_be_a_scenario() {
        assert!(names_a_scenario("aks-migration") && names_a_scenario("nowhere.toml"));
        assert!(!names_a_scenario("spark.executor.memory") && !names_a_scenario("fixed-width-parse"));
    }
}
