//! What must not be left behind: paths of somebody's machine, reminders, stubs, tests switched off, and module files that do not say what they are.

use super::lexer::{line_of, mask, names};
use super::tree::{File, files, rust_files};

/// Folders of the machine that somebody works on, in two parts so that this file passes its own rule. A temporary folder is fine in a test.
const FOLDERS: [(&str, bool); 5] = [
    (concat!("/wo", "rk/"), false),
    (concat!("/ho", "me/"), false),
    (concat!("/Us", "ers/"), false),
    (concat!(".lib", "rary"), false),
    (concat!("/t", "mp/"), true),
];
/// Spark's and Java's own default folders are facts of the domain, not of a machine.
const DOMAIN: [&str; 2] = [concat!("/t", "mp/spark"), concat!("/t", "mp/hsperfdata")];
const MACROS: [&str; 3] = ["todo", "unimplemented", "dbg"];
const REMINDERS: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];

fn machine_paths(file: &File) -> Vec<String> {
    let mut found = Vec::new();
    for (folder, fine_in_tests) in FOLDERS {
        if fine_in_tests && file.path.starts_with("tests/") {
            continue;
        }
        for (at, _) in file.text.match_indices(folder) {
            // Inside a longer path or an address (`/opt/spark/…`, `example.org/…`, `self.…`) it is another folder.
            let inside = file.text[..at].ends_with(|c: char| c.is_alphanumeric() || "_-.)}".contains(c));
            if !inside && !DOMAIN.iter().any(|known| file.text[at..].starts_with(known)) {
                found.push(format!("{}:{}: {folder}", file.path, line_of(&file.text, at)));
            }
        }
    }
    found
}

fn stubs(file: &File) -> Vec<String> {
    let code = mask(&file.text);
    let mut found: Vec<(usize, String)> = Vec::new();
    for name in MACROS {
        found.extend(names(&code, name).filter(|at| code[at + name.len()..].starts_with('!')).map(|at| (at, format!("{name}!"))));
    }
    found.extend(code.match_indices("#[ignore").map(|(at, _)| (at, "a test switched off".to_owned())));
    for word in REMINDERS {
        found.extend(names(&file.text, word).map(|at| (at, word.to_owned())));
    }
    found.into_iter().map(|(at, what)| format!("{}:{}: {what}", file.path, line_of(&file.text, at))).collect()
}

/// Offender if the file does not begin with the doc of its module. A dedicated `tests.rs` is described by the module that it tests.
fn undocumented(file: &File) -> Option<String> {
    let documented = file.text.lines().find(|line| !line.trim().is_empty()).is_some_and(|line| line.starts_with("//! "));
    (!documented && !file.path.ends_with("/tests.rs")).then(|| format!("{}: does not begin with a `//!` doc", file.path))
}

#[test]
fn no_path_of_a_machine_is_tracked() {
    super::assert_none("paths of a machine", &files().iter().flat_map(machine_paths).collect::<Vec<_>>());
}

#[test]
fn no_stub_reminder_or_switched_off_test_is_tracked() {
    super::assert_none("stubs and reminders", &rust_files().iter().flat_map(stubs).collect::<Vec<_>>());
}

#[test]
fn every_module_file_begins_with_its_doc() {
    super::assert_none("module docs", &rust_files().iter().filter_map(undocumented).collect::<Vec<_>>());
}

#[test]
fn a_path_of_a_machine_is_caught() {
    let found = |path: &str, text: String| machine_paths(&File { path: path.into(), text }).len();
    for (folder, fine_in_tests) in FOLDERS {
        assert_eq!(found("docs/a.md", format!("see {folder}a and `{folder}b`")), 2, "{folder}");
        assert_eq!(found("tests/a.rs", format!("see {folder}a")), usize::from(!fine_in_tests), "{folder}");
        assert_eq!(found("docs/a.md", format!("https://example.org{folder}a")), 0, "{folder}");
    }
    assert_eq!(found("docs/a.md", format!("{}-1a2b", DOMAIN[0])), 0);
}

#[test]
fn stubs_and_reminders_are_caught() {
    let found = |text: &str| stubs(&File { path: "a.rs".into(), text: text.into() }).len();
    for offender in ["todo!()", "unimplemented!(\"x\")", "dbg!(x)", "#[ignore]", "#[ignore = \"slow\"]", concat!("// TO", "DO: x")] {
        assert_eq!(found(offender), 1, "{offender}");
    }
    assert_eq!(found("let todo = 1; // not a dbg! here\nlet s = \"#[ignore]\";"), 0);
}

#[test]
fn a_module_without_a_doc_is_caught() {
    let found = |path: &str, text: &str| undocumented(&File { path: path.into(), text: text.into() }).is_some();
    assert!(found("a.rs", "use std::fmt;\n//! Late.\n"));
    assert!(found("a.rs", "// A comment.\n"));
    assert!(found("a.rs", ""));
    assert!(!found("a.rs", "\n//! What it is.\n"));
    assert!(!found("a/tests.rs", "use super::*;\n"));
}
