//! `list`: what is built in.

mod vms;

use anstyle::Style;
use scenarios::library::{self, BuiltInKind};
use serde_json::{Map, Value, json};

use crate::args::{InfoFormat, ListArgs, Listed};
use crate::exit::{Exit, Failure};
use crate::printer::{self, Printer};
use crate::report;
use crate::wrap;

/// A heading with its entries.
struct Section {
    title: &'static str,
    kind: &'static str,
    entries: Vec<Entry>,
}

/// A name and what it is.
#[derive(Debug, Default)]
struct Entry {
    name: String,
    summary: String,
    /// Shown on a line of its own.
    note: Option<String>,
    /// What else JSON says.
    more: Map<String, Value>,
}

/// Lists.
pub(super) fn list(args: &ListArgs, printer: &Printer) -> Result<Exit, Failure> {
    let wanted = |name: &str| args.prefix.as_deref().is_none_or(|prefix| begins(name, prefix));
    let text = if args.what == Some(Listed::Vms) {
        vms::list(args, &wanted)
    } else {
        let mut sections = match args.what {
            None => [Listed::Scenarios, Listed::Sweeps, Listed::Incidents, Listed::Profiles].map(section).into(),
            Some(what) => vec![section(what)],
        };
        sections.iter_mut().for_each(|section| section.entries.retain(|entry| wanted(&entry.name)));
        match args.format.format {
            InfoFormat::Table => table(&sections, printer::width()),
            InfoFormat::Json => report::pretty(&object(&sections)),
        }
    };
    printer.result(&text)?;
    Ok(Exit::Done)
}

/// Whatever the case.
fn begins(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn section(what: Listed) -> Section {
    let (title, kind, entries) = match what {
        Listed::Scenarios => ("Scenarios, for `spillcast run`", "scenario", built_in(BuiltInKind::Scenario)),
        Listed::Sweeps => ("Scenarios with a grid, for `spillcast sweep`", "sweep", built_in(BuiltInKind::Sweep)),
        Listed::Incidents => ("Published incidents, for `spillcast run`; NAME-fixed is the cure", "incident", incidents()),
        Listed::Profiles => ("Job profiles, for `job.profile`", "profile", built_in(BuiltInKind::Profile)),
        Listed::Keys => ("Spark keys, for `--conf` and `spillcast explain`", "key", keys()),
        Listed::Vms => ("Machine shapes, for `vm` of a pool", "vm", Vec::new()),
    };
    Section { title, kind, entries }
}

fn built_in(kind: BuiltInKind) -> Vec<Entry> {
    let built_ins = library::all().iter().filter(|built_in| built_in.kind == kind);
    built_ins.map(|built_in| Entry { name: built_in.name.to_owned(), summary: built_in.summary.to_owned(), ..Entry::default() }).collect()
}

fn incidents() -> Vec<Entry> {
    let entry = |incident: library::Incident| Entry {
        name: incident.broken.name.to_owned(),
        summary: incident.broken.summary.to_owned(),
        note: Some(incident.source.to_owned()),
        more: Map::from_iter([("source".to_owned(), json!(incident.source)), ("fixed".to_owned(), json!(incident.fixed.name))]),
    };
    library::incidents().map(entry).collect()
}

fn keys() -> Vec<Entry> {
    scenarios::known_keys().into_iter().map(|(name, summary)| Entry { name, summary, ..Entry::default() }).collect()
}

fn object(sections: &[Section]) -> Value {
    let entry = |section: &Section, entry: &Entry| {
        let mut object = json!({"name": entry.name, "kind": section.kind, "summary": entry.summary});
        if let Some(object) = object.as_object_mut() {
            object.extend(entry.more.clone());
        }
        object
    };
    let entries: Vec<Value> = sections.iter().flat_map(|section| section.entries.iter().map(|both| entry(section, both))).collect();
    json!({"schema_version": 1, "entries": entries})
}

/// Wider names have their story on the next line.
const NAMES: usize = 32;

/// Names in one column, stories in the next.
fn table(sections: &[Section], width: usize) -> String {
    let bold = Style::new().bold();
    let names = sections.iter().flat_map(|section| &section.entries).map(|entry| entry.name.chars().count()).max().unwrap_or(0).min(NAMES);
    let mut blocks = Vec::new();
    for section in sections.iter().filter(|section| !section.entries.is_empty()) {
        let mut block = format!("{bold}{}{bold:#}\n", section.title);
        for entry in &section.entries {
            block.push_str(&wrap::beside(&entry.name, names, &entry.summary, width));
            block.extend(entry.note.iter().map(|note| format!("    {note}\n")));
        }
        blocks.push(block);
    }
    blocks.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_columns_line_up() {
        let entry = |name: &str, summary: String| Entry { name: name.to_owned(), summary, note: Some("source".to_owned()), ..Entry::default() };
        let entries = vec![entry("a", "one".to_owned()), entry("long-name", "é ".repeat(50))];
        let text = anstream::adapter::strip_str(&table(&[Section { title: "T", kind: "t", entries }], 40)).to_string();
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
        assert!(text.contains("  a          one\n    source\n"), "{text}");
    }

    #[test]
    fn prefixes_do_not_mind_case() {
        assert!(begins("Standard_D4s_v5", "standard_d") && !begins("Standard_D4s_v5", "D4s") && !begins("é", "e"));
    }
}
