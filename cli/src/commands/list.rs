//! `list`: what is built in.

use anstyle::Style;
use scenarios::library::{self, BuiltInKind};
use serde_json::{Value, json};

use crate::args::{InfoFormat, ListArgs, Listed};
use crate::exit::{Exit, Failure};
use crate::printer::{self, Printer};
use crate::report;

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

/// Names in one column, stories in the next, cut to the width.
fn table(sections: &[Section], width: usize) -> String {
    let bold = Style::new().bold();
    let names = sections.iter().flat_map(|section| &section.entries).map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut blocks = Vec::new();
    for section in sections.iter().filter(|section| !section.entries.is_empty()) {
        let mut block = format!("{bold}{}{bold:#}\n", section.title);
        for (name, summary) in &section.entries {
            let line = format!("  {name:names$}  {summary}");
            block.push_str(cut(&line, width).trim_end());
            block.push('\n');
        }
        blocks.push(block);
    }
    blocks.join("\n")
}

/// The text, or its beginning and dots.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let beginning: String = text.chars().take(width.saturating_sub(3)).collect();
    format!("{}...", beginning.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_columns_line_up() {
        let entries = vec![("a".to_owned(), "one".to_owned()), ("long-name".to_owned(), "é".repeat(100))];
        let text = anstream::adapter::strip_str(&table(&[Section { title: "T", kind: "t", entries }], 40)).to_string();
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
        assert!(text.contains("  a          one\n"), "{text}");
        assert!(text.ends_with("...\n"));
    }
}
