//! `list`: what is built in.

use anstyle::Style;
use scenarios::library::{self, BuiltInKind};
use serde_json::{Value, json};

use crate::args::{InfoFormat, ListArgs, Listed};
use crate::exit::{Exit, Failure};
use crate::printer::{self, Printer};
use crate::report;
use crate::wrap;

/// A heading with its entries.
struct Section {
    title: &'static str,
    kind: &'static str,
    entries: Vec<(String, String)>,
}

/// Lists.
pub(super) fn list(args: &ListArgs, printer: &Printer) -> Result<Exit, Failure> {
    let sections = match args.what {
        None => vec![section(Listed::Scenarios), section(Listed::Sweeps), section(Listed::Profiles)],
        Some(what) => vec![section(what)],
    };
    let text = match args.format.format {
        InfoFormat::Table => table(&sections, printer::width()),
        InfoFormat::Json => report::pretty(&object(&sections)),
    };
    printer.result(&text)?;
    Ok(Exit::Done)
}

fn section(what: Listed) -> Section {
    let (title, kind, entries) = match what {
        Listed::Scenarios => ("Scenarios, for `spillcast run`", "scenario", built_in(BuiltInKind::Scenario)),
        Listed::Sweeps => ("Scenarios with a grid, for `spillcast sweep`", "sweep", built_in(BuiltInKind::Sweep)),
        Listed::Profiles => ("Job profiles, for `job.profile`", "profile", built_in(BuiltInKind::Profile)),
        Listed::Keys => ("Spark keys, for `--conf` and `spillcast explain`", "key", scenarios::known_keys()),
        Listed::Vms => ("Machine shapes, for `vm` of a pool", "vm", scenarios::known_vms()),
    };
    Section { title, kind, entries }
}

fn built_in(kind: BuiltInKind) -> Vec<(String, String)> {
    library::all().iter().filter(|built_in| built_in.kind == kind).map(|built_in| (built_in.name.to_owned(), built_in.summary.to_owned())).collect()
}

fn object(sections: &[Section]) -> Value {
    let entry = |section: &Section, (name, summary): &(String, String)| json!({"name": name, "kind": section.kind, "summary": summary});
    let entries: Vec<Value> = sections.iter().flat_map(|section| section.entries.iter().map(|both| entry(section, both))).collect();
    json!({"schema_version": 1, "entries": entries})
}

/// Wider names have their story on the next line.
const NAMES: usize = 32;

/// Names in one column, stories in the next.
fn table(sections: &[Section], width: usize) -> String {
    let bold = Style::new().bold();
    let names = sections.iter().flat_map(|section| &section.entries).map(|(name, _)| name.chars().count()).max().unwrap_or(0).min(NAMES);
    let mut blocks = Vec::new();
    for section in sections.iter().filter(|section| !section.entries.is_empty()) {
        let mut block = format!("{bold}{}{bold:#}\n", section.title);
        block.extend(section.entries.iter().map(|(name, summary)| wrap::beside(name, names, summary, width)));
        blocks.push(block);
    }
    blocks.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_columns_line_up() {
        let entries = vec![("a".to_owned(), "one".to_owned()), ("long-name".to_owned(), "é ".repeat(50))];
        let text = anstream::adapter::strip_str(&table(&[Section { title: "T", kind: "t", entries }], 40)).to_string();
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
        assert!(text.contains("  a          one\n"), "{text}");
    }
}
